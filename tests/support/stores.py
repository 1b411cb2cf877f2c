"""A store that fails as told, and remembers what it was asked."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from spotbook.app.ports import (
    Changes,
    Deposed,
    DiskBroken,
    DiskFull,
    FateUnknown,
    Head,
    NotCommitted,
    Reader,
    Row,
    SealedSecret,
    Store,
    StoredBatch,
)

Fault = Literal[
    "not committed",
    "disk full",
    "disk broken",
    "disk broken, batch there",
    "deposed",
    "unknown, batch there",
    "unknown, batch not there",
    "unheard of, batch there",
    "unheard of, batch not there",
    "crash before",
    "crash after",
]

FAULTS: dict[Fault, tuple[bool, type[BaseException]]]
"""Whether the batch is there, and what is raised."""


class Crashed(BaseException):
    """The machine went dark: nothing that runs may catch this."""


class Odd(Exception):
    """A failure that no store ever announced."""


FAULTS = {
    "not committed": (False, NotCommitted),
    "disk full": (False, DiskFull),
    "disk broken": (False, DiskBroken),
    "disk broken, batch there": (True, DiskBroken),
    "deposed": (False, Deposed),
    "unknown, batch there": (True, FateUnknown),
    "unknown, batch not there": (False, FateUnknown),
    "unheard of, batch there": (True, Odd),
    "unheard of, batch not there": (False, Odd),
    "crash before": (False, Crashed),
    "crash after": (True, Crashed),
}


class FaultyStore:
    """The Store port over another store. Each commit meets the next of `faults`; None lets it pass."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.books = store.books
        self.faults: deque[Fault | None] = deque()
        self.commits: list[StoredBatch] = []
        """Every batch that the store was asked to commit, whatever came of it."""
        self.found: list[str] = []
        """The tables in which a row was looked for by itself."""
        self.on_commit: Callable[[], None] = lambda: None
        self.full = False
        """While the disk is full, every commit and every probe finds it so."""
        self.head_fault: BaseException | None = None
        self.read_fault: BaseException | None = None
        self.tidy_fault: BaseException | None = None
        self.probe_fault: BaseException | None = None

    def head(self) -> Head:
        if self.head_fault is not None:
            raise self.head_fault
        return self.store.head()

    def begin(self) -> None:
        self.store.begin()

    def end(self) -> None:
        self.store.end()

    def commit(self, batch: StoredBatch, changes: Changes, secrets: Sequence[SealedSecret]) -> None:
        self.commits.append(batch)
        self.on_commit()
        if self.full:
            self.store.end()  # as a commit that fails does
            raise DiskFull("the disk is full")
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            self.store.commit(batch, changes, secrets)
            return
        there, kind = FAULTS[fault]
        if there:
            self.store.commit(batch, changes, secrets)
        else:
            self.store.end()
        raise kind(fault)

    def find(self, table: str, key: Row) -> Row | None:
        self.found.append(table)
        if self.read_fault is not None:
            raise self.read_fault
        return self.store.find(table, key)

    def find_all(self, table: str, keys: Sequence[Row]) -> list[Row]:
        if self.read_fault is not None:
            raise self.read_fault
        return self.store.find_all(table, keys)

    def rows(self, table: str) -> list[Row]:
        if self.read_fault is not None:
            raise self.read_fault
        return self.store.rows(table)

    def last_version(self, account: int) -> int:
        return self.store.last_version(account)

    def keys_of(self, account: int) -> list[str]:
        return self.store.keys_of(account)

    def tidy(self) -> None:
        if self.tidy_fault is not None:
            raise self.tidy_fault
        self.store.tidy()

    def probe(self) -> None:
        if self.full:
            raise DiskFull("the disk is full")
        if self.probe_fault is not None:
            raise self.probe_fault
        self.store.probe()

    def rebuild(self, changes: Iterator[Changes]) -> None:
        self.store.rebuild(changes)

    def reseal(self, secrets: Sequence[SealedSecret]) -> None:
        self.store.reseal(secrets)

    def reader(self) -> Reader:
        return self.store.reader()

    def close(self) -> None:
        self.store.close()
