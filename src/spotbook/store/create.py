"""Making new, empty books in a folder: whole, or not at all."""

import os
import secrets
import sqlite3
from pathlib import Path

from spotbook.app import journal
from spotbook.app.ports import BooksExist
from spotbook.store import file, migrate
from spotbook.store.file import APPLICATION_ID, FILE, translated


def create(folder: Path) -> None:
    """Make empty books in a folder, which is made too if missing. Raises BooksExist, a StoreError or OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target, draft = folder / FILE, folder / f".{FILE}.{secrets.token_hex(4)}"
    if target.exists():
        raise BooksExist(f"there are books in {folder} already")
    log = folder / f"{FILE}-wal"
    if log.exists():  # SQLite would take it for the new file's, and show what the old one held
        raise BooksExist(f"{log} is left of other books: move it away")
    steps = migrate.migrations("sqlite")
    # Made under another name and moved into place whole: a crash leaves no half-made books behind.
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with translated():
            _draw_up(draft, steps)
        os.link(draft, target)
    except FileExistsError:
        raise BooksExist(f"there are books in {folder} already") from None
    finally:
        draft.unlink()
    file.sync(folder)


def _draw_up(draft: Path, steps: list[migrate.Migration]) -> None:
    """Make empty books in an empty file."""
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        for step in steps:
            connection.executescript(step.sql)
        connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, 0)", journal.START)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("migrations", migrate.applied_lines(steps)), ("books", secrets.token_hex(16)), ("probe", "0")],
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
