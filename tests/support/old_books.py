"""Books as earlier versions of the program wrote them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from spotbook.store.file import FILE

DUMPS = Path(__file__).parent
SCHEMAS = [1, 2, 3]
"""The schemas of which there are books."""


def make_old(folder: Path, schema: int = 1) -> Path:
    """Put books of an old schema into a new folder; return it."""
    folder.mkdir(mode=0o700)
    (folder / FILE).touch(mode=0o600)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.executescript((DUMPS / f"books_of_schema_{schema}.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return folder


def dump(path: Path) -> list[str]:
    """Return all that is in a file of books, as statements."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as connection:
        said = [
            f"{name} {connection.execute(f'PRAGMA {name}').fetchone()}" for name in ("application_id", "user_version")
        ]
        return [*said, *connection.iterdump()]
