"""Places where books lie, in memory and in a file, that can be opened, crashed and opened again."""

import shutil
import sqlite3
from pathlib import Path
from typing import Protocol

from spotbook.app.ports import Reader, Store
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader


class Disk(Protocol):
    """Where books lie."""

    def open(self) -> Store:
        """Open the books for writing."""

    def reader(self) -> Reader:
        """Return a reader that the caller closes."""

    def depose(self) -> None:
        """Let another writer take over, as it would on another machine."""

    def crash(self) -> None:
        """Lose all that is not on disk; a store that is open is as good as gone."""


class MemoryDisk:
    """Books in memory."""

    def __init__(self) -> None:
        self.books = MemoryBooks()

    def open(self) -> Store:
        return MemoryStore(self.books)

    def reader(self) -> Reader:
        return MemoryReader(self.books)

    def depose(self) -> None:
        self.books.epoch += 1

    def crash(self) -> None:
        self.books.writing = False


class SqliteDisk:
    """Books in a file, in a folder inside `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lives = 0
        self._store: SqliteStore | None = None
        self.folder = root / "books-0"
        create(self.folder)

    def open(self) -> Store:
        self._store = SqliteStore(self.folder)
        return self._store

    def reader(self) -> Reader:
        return SqliteReader(self.folder)

    def depose(self) -> None:
        connection = sqlite3.connect(self.folder / FILE, isolation_level=None)
        connection.execute("UPDATE head SET epoch = epoch + 1")
        connection.close()

    def crash(self) -> None:
        """Go on with the file and its log as they are at this moment, as a machine does that went dark."""
        self._lives += 1
        after = self._root / f"books-{self._lives}"
        after.mkdir()
        for part in (FILE, f"{FILE}-wal"):
            if (self.folder / part).exists():
                shutil.copyfile(self.folder / part, after / part)
        if self._store is not None:
            self._store.close()
        self.folder = after
