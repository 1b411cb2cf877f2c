"""Bringing books of an older schema up to date: a copy first, then every step that they lack, in one transaction."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from spotbook.app.ports import NoBooks
from spotbook.store import migrate
from spotbook.store.file import FILE, WRITER_PRAGMAS, connect, lock, sync, translated
from spotbook.store.migrate import Migration

DRAFT = f".{FILE}.copying."
"""How the names begin under which the books are copied."""


class Upgrade(NamedTuple):
    """What was done: the steps applied, in order, and where the books lie as they were; None when there were none."""

    steps: list[Migration]
    copy: Path | None


def upgrade(folder: Path) -> Upgrade:
    """Apply the steps that the books of a folder lack, and nothing else; none of them, or all.

    The books are copied before they are changed. Raises OpenRefused (NoBooks, ForeignFile, OtherSchema for newer books,
    WriterActive), another StoreError or OSError; the books are as they were then, unless it was FateUnknown.
    """
    if not (folder / FILE).exists():  # else the lock would be made where there is nothing to lock
        raise NoBooks(f"there are no books in {folder}: make some with `spotbook init`")
    held = lock(folder)
    try:
        for left_over in folder.glob(f"{DRAFT}*"):  # of one that was cut short: as large as the books
            left_over.unlink()
        connection, _, applied, missing = connect(folder, WRITER_PRAGMAS)
        with closing(connection):
            return _upgraded(connection, folder, applied, missing) if missing else Upgrade([], None)
    finally:
        os.close(held)


def _upgraded(connection: sqlite3.Connection, folder: Path, applied: str, missing: list[Migration]) -> Upgrade:
    with translated():
        connection.execute("BEGIN IMMEDIATE")  # nobody changes anything between the copy and the first step
        try:
            copy = _copied(folder, schema=missing[0].number - 1)
            _apply(connection, applied, missing)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
    return Upgrade(missing, copy)


def _copied(folder: Path, *, schema: int) -> Path:
    """Copy the books as they are committed, beside themselves; return the copy's path. It is whole, or not there."""
    draft = folder / f"{DRAFT}{secrets.token_hex(4)}"
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        source = sqlite3.connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        sync(draft)
        copy = _linked(draft, folder, schema)
    finally:
        draft.unlink()
    sync(folder)
    return copy


def _linked(draft: Path, folder: Path, schema: int) -> Path:
    """Give the copy the first name that is free; one that an earlier attempt made is kept."""
    names = _names(folder, schema)
    while True:
        with suppress(FileExistsError):
            os.link(draft, copy := next(names))
            return copy


def _names(folder: Path, schema: int) -> Iterator[Path]:
    stem = f"{FILE}.schema-{schema}"
    yield folder / stem
    for number in count(2):
        yield folder / f"{stem}.{number}"


def _apply(connection: sqlite3.Connection, applied: str, missing: list[Migration]) -> None:
    for step in missing:
        for statement in migrate.statements(step.sql):
            connection.execute(statement)
    lines = "\n".join([*([applied] if applied else []), migrate.applied_lines(missing)])
    connection.execute("UPDATE meta SET value = ? WHERE name = 'migrations'", (lines,))
    connection.execute(f"PRAGMA user_version = {missing[-1].number}")
    connection.execute("UPDATE head SET epoch = epoch + 1")  # a writer elsewhere that knows only the old schema
