"""The file of the books: where it lies, how it is opened, who may write to it, and what SQLite's errors mean."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from spotbook.app.ports import (
    DiskBroken,
    DiskFull,
    FateUnknown,
    ForeignFile,
    NoBooks,
    NotWritable,
    OtherSchema,
    StoreError,
    WriterActive,
)
from spotbook.store import migrate
from spotbook.store.migrate import Migration

FILE: Final = "books.sqlite3"
LOCK: Final = "writer.lock"
APPLICATION_ID: Final = 0x53504F54  # "SPOT"
BUSY_MS = 5_000

WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA cache_size = -131072",  # 128 MiB: accounts are met at random, so the pages of many are wanted again
    "PRAGMA temp_store = MEMORY",
)
READER_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA cache_size = -65536", "PRAGMA mmap_size = 1073741824")
UNMAPPED_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA cache_size = -4096", "PRAGMA mmap_size = 0")
"""For reading everything once: nothing to keep, and a disk that cannot be read is an error, not a signal."""

_FULL = {"SQLITE_FULL", "SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_DBMOVED"}
_BROKEN = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN", "SQLITE_NOMEM")
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_INTERRUPT", "SQLITE_PROTOCOL", "SQLITE_FULL")


class Opened(NamedTuple):
    """A connection to books, their id, the lines of their schema's steps, and the steps that they still lack."""

    connection: sqlite3.Connection
    books: str
    applied: str
    missing: list[Migration]


def exists(folder: Path) -> bool:
    """Whether there are books in the folder."""
    return (folder / FILE).exists()


def connect(folder: Path, pragmas: Sequence[str]) -> Opened:
    """Connect to the books of a folder, which may lack steps. Raises NoBooks, ForeignFile or OtherSchema."""
    path = folder / FILE
    if not exists(folder):
        raise NoBooks(f"there are no books in {folder}: make some with `spotbook init`")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_MS / 1000,
        )
    except sqlite3.Error as error:
        raise ForeignFile(f"{path} cannot be opened: {error}") from error
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise ForeignFile(f"{path} is a database, but not Spotbook's")
        for pragma in pragmas:
            connection.execute(pragma).fetchall()
        return _recognised(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        if str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_READONLY"):
            words = f"{folder} can only be read by this user: SQLite writes beside books even to read them"
            raise NotWritable(words) from error
        raise ForeignFile(f"{path} is no readable database: {error}") from error
    except BaseException:
        connection.close()
        raise


def _recognised(connection: sqlite3.Connection) -> Opened:
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    applied = meta.get("migrations", "")
    missing = migrate.pending("sqlite", applied)
    known = len(migrate.migrations("sqlite"))
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if schema != known - len(missing):
        raise OtherSchema(
            f"these books say schema {schema}, and have {known - len(missing)} of the {known} steps "
            "that this version of Spotbook knows"
        )
    return Opened(connection, meta["books"], applied, missing)


def connect_current(folder: Path, pragmas: Sequence[str]) -> tuple[sqlite3.Connection, str]:
    """Return a connection to the books of a folder, which must have every step of the schema, and their id."""
    connection, books, _, missing = connect(folder, pragmas)
    if missing:
        connection.close()
        raise OtherSchema(
            f"these books lack the schema step {missing[0].number:04} {missing[0].name}: "
            f"bring them up to date with `spotbook migrate --data {folder}`"
        )
    return connection, books


def lock(folder: Path) -> int:
    """Return the descriptor of the lock that one writing process holds for as long as it lives.

    Raises WriterActive, and NotWritable when this process may not write what a writer writes: SQLite would open such
    books to be read only, and its first commit would say so without naming the file.
    """
    for path in (folder, *(folder / f"{FILE}{part}" for part in ("", "-wal", "-shm"))):
        if path.exists() and not os.access(path, os.W_OK):
            raise NotWritable(f"the books in {folder} cannot be written: {path} can only be read by this user")
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise WriterActive(f"another process writes to the books in {folder}") from None
    return descriptor


def sync(path: Path) -> None:
    """Return once the disk has a file, or what a folder names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def passing(error: Exception) -> bool:
    """Whether a read that failed may do better later: it says nothing of what is in the file."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return isinstance(error, MemoryError) or name.endswith("NOMEM") or name.startswith(_PASSING)


@contextmanager
def translated() -> Iterator[None]:
    """Raise SQLite's errors as the port's."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error) from error


def store_error(error: Any) -> StoreError:
    """Return the port's error for one of SQLite's."""
    name = getattr(error, "sqlite_errorname", "") or ""
    said = f"{name or type(error).__name__}: {error}"
    if name in _FULL:
        return DiskFull(said)
    if name.startswith(_BROKEN):
        return DiskBroken(said)
    return FateUnknown(said)
