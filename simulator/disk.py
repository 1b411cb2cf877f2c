"""The disk under the exchange: real files or books in memory, and everything that can go wrong with them.

A power cut leaves what was synced, and of the bytes that were written since any part: a beginning of them, or a
beginning with a hole in it. The write-ahead log is looked at before and after a commit, and such a part composed.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

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
from spotbook.store import sqlite
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryStore
from spotbook.store.sqlite import SqliteStore

CHECKPOINT = "CHECKPOINT_ROWS"
"""The name of the bound by which the store decides to copy its log back."""
SECTOR = 512
PAGE = 4_096
LOG = f"{FILE}-wal"

IN_COMMIT = (
    "killed before the commit",
    "killed after the commit",
    "power cut in the commit",
    "power cut in the commit, a hole in the log",
    "not committed",
    "disk full",
    "sync failed, nothing written",
    "sync failed, all written",
    "fate unknown, not there",
    "fate unknown, there",
    "head unreadable, not there",
    "head unreadable, there",
    "deposed",
)
COPYING_BACK = "power cut while the log is copied back"
ENDING = tuple(kind for kind in IN_COMMIT if kind.split(",")[0] not in {"not committed", "disk full", "fate unknown"})
"""Faults after which the process is gone."""


class Killed(BaseException):
    """The process is gone: nothing that runs may catch this."""


class Fault(NamedTuple):
    """What goes wrong at the next commit. `part` is how much of what was being written stays, in millionths."""

    kind: str
    part: int = 0


class FaultyStore:
    """The Store port over a real store, for one life of the process."""

    def __init__(self, disk: "Disk", store: Store) -> None:
        self._disk = disk
        self._store = store
        self.books = store.books
        self._head_fault: Exception | None = None

    def head(self) -> Head:
        if self._head_fault is not None:
            raise self._head_fault
        return self._store.head()

    def begin(self) -> None:
        self._store.begin()

    def end(self) -> None:
        self._store.end()

    def commit(self, batch: StoredBatch, changes: Changes, secrets: Sequence[SealedSecret]) -> None:
        disk, fault = self._disk, self._disk.fault
        if disk.full:
            self._store.end()
            raise DiskFull("the disk is full")
        if fault is None or fault.kind == COPYING_BACK:
            self._store.commit(batch, changes, secrets)
            disk.committed(batch, changes)
            return
        disk.fault, disk.met = None, fault
        log = disk.log_bytes()
        if fault.kind in {"not committed", "disk full"} or fault.kind.endswith(
            ("before the commit", "nothing written", "not there", "deposed")
        ):
            self._store.end()
        else:
            self._store.commit(batch, changes, secrets)
        self._fail(fault, log, batch, changes)

    def _fail(self, fault: Fault, log: bytes, batch: StoredBatch, changes: Changes) -> None:
        """Go on as the fault says. `log` is the write-ahead log before the commit."""
        disk = self._disk
        match fault.kind:
            case "not committed":
                raise NotCommitted("so it was drawn")
            case "disk full":
                disk.full = True
                raise DiskFull("so it was drawn")
            case "fate unknown, there":
                disk.committed(batch, changes)
                raise FateUnknown("so it was drawn")
            case "fate unknown, not there":
                raise FateUnknown("so it was drawn")
            case "deposed":
                raise Deposed("so it was drawn")
        if fault.kind.startswith("sync failed"):
            raise DiskBroken("so it was drawn")
        if fault.kind.startswith("head unreadable"):
            self._head_fault = DiskBroken("so it was drawn")
            raise FateUnknown("so it was drawn")
        if fault.kind.startswith("power cut"):
            disk.left = torn(log, disk.log_bytes(), fault)
        raise Killed(fault.kind)

    def find(self, table: str, key: Row) -> Row | None:
        return self._store.find(table, key)

    def find_all(self, table: str, keys: Sequence[Row]) -> list[Row]:
        return self._store.find_all(table, keys)

    def rows(self, table: str) -> list[Row]:
        return self._store.rows(table)

    def last_version(self, account: int) -> int:
        return self._store.last_version(account)

    def keys_of(self, account: int) -> list[str]:
        return self._store.keys_of(account)

    def tidy(self) -> None:
        disk = self._disk
        if disk.fault is None or disk.fault.kind != COPYING_BACK:
            self._store.tidy()
            return
        log, pages = disk.log_bytes(), disk.file_bytes()
        rows = getattr(sqlite, CHECKPOINT)
        setattr(sqlite, CHECKPOINT, 1)  # so that it is copied back now
        self._store.tidy()
        setattr(sqlite, CHECKPOINT, rows)
        after = disk.file_bytes()
        if after != pages:
            disk.left_file = mixed(pages, after, disk.fault.part)
            disk.fault, disk.met = None, disk.fault
            disk.left = log
            raise Killed(COPYING_BACK)

    def probe(self) -> None:
        if self._disk.full:
            raise DiskFull("the disk is full")
        self._store.probe()

    def rebuild(self, changes: Iterator[Changes]) -> None:
        self._store.rebuild(changes)

    def reseal(self, secrets: Sequence[SealedSecret]) -> None:
        self._store.reseal(secrets)

    def reader(self) -> Reader:
        return self._store.reader()

    def close(self) -> None:
        self._store.close()


class Disk:
    """Where the books lie: a folder, of which each crash makes another, or memory when `root` is None.

    `template` is a folder with empty books. `committed` is told each batch that is there for good, with its rows.
    """

    def __init__(self, root: Path | None, template: Path) -> None:
        self.fault: Fault | None = None
        self.met: Fault | None = None
        """The fault that came about last; whoever looks sets it to None."""
        self.full = False
        self.left: bytes | None = None
        self.left_file: bytes | None = None
        self.committed: Callable[[StoredBatch, Changes], None] = lambda *_: None
        self._root = root
        self._lives = 0
        self._memory = MemoryBooks()
        if root is not None:
            self.folder = root / "books-0"
            shutil.copytree(template, self.folder)

    def meet(self, fault: Fault) -> None:
        """Let this come about at the next commit. Books in memory know no power cut: the process is killed."""
        if self._root is None and fault.kind.startswith("power cut"):
            fault = Fault("killed after the commit" if fault.part > 500_000 else "killed before the commit")
        self.fault = fault

    def open(self) -> FaultyStore:
        """Open the books for writing, as a process that starts does."""
        return FaultyStore(self, MemoryStore(self._memory) if self._root is None else SqliteStore(self.folder))

    def log_bytes(self) -> bytes:
        """Return the write-ahead log as the system has it."""
        return b"" if self._root is None else (self.folder / LOG).read_bytes()

    def file_bytes(self) -> bytes:
        """Return the file of the books as the system has it."""
        return b"" if self._root is None else (self.folder / FILE).read_bytes()

    def crash(self) -> None:
        """Let the process that had the books open be gone, and the files be as they were left."""
        self.full = False
        self.fault = None
        if self._root is None:
            self._memory.writing = False
            return
        self._lives += 1
        before, self.folder = self.folder, self._root / f"books-{self._lives}"
        self.folder.mkdir()
        for part, left in ((FILE, self.left_file), (LOG, self.left)):
            if left is not None:
                (self.folder / part).write_bytes(left)
            elif (before / part).exists():
                shutil.copyfile(before / part, self.folder / part)
        self.left = self.left_file = None

    def forget_former(self) -> None:
        """Remove the folder that the last crash left behind."""
        if self._root is not None and self._lives:
            shutil.rmtree(self._root / f"books-{self._lives - 1}", ignore_errors=True)


def torn(before: bytes, after: bytes, fault: Fault) -> bytes:
    """Return a log of which, beyond what was synced, only a part was written.

    The log is written from its front: what differs is a run of bytes, of which a beginning is there. With a hole, a
    sector of that beginning is as it was, or empty.
    """
    begins, ends = _changed(before, after)
    kept = begins + (ends - begins) * fault.part // 1_000_000
    bytes_left = bytearray(after[:kept] + before[kept:])
    if "hole" in fault.kind and kept - begins > SECTOR:
        bytes_left = bytearray(after)
        hole = begins + (ends - begins - SECTOR) * fault.part // 1_000_000
        old = before[hole : hole + SECTOR]
        bytes_left[hole : hole + SECTOR] = old + bytes(SECTOR - len(old))
    return bytes(bytes_left)


def _changed(before: bytes, after: bytes) -> tuple[int, int]:
    """Return where the run of bytes begins that differ, and where it ends. A log never becomes shorter by a commit."""
    pages = [at for at in range(0, len(after), PAGE) if before[at : at + PAGE] != after[at : at + PAGE]]
    if not pages:
        return len(after), len(after)
    places = [
        at
        for page in (pages[0], pages[-1])
        for at in range(page, min(page + PAGE, len(after)))
        if before[at : at + 1] != after[at : at + 1]
    ]
    return places[0], places[-1] + 1


def mixed(before: bytes, after: bytes, part: int) -> bytes:
    """Return a file of which only some of the pages that were to be written were: any of them."""
    pages = []
    for at in range(0, max(len(before), len(after)), PAGE):
        part = (part * 1_103_515_245 + 12_345) % 2**31
        old, new = before[at : at + PAGE], after[at : at + PAGE]
        pages.append(new if part >> 16 & 1 or not old else old)
    return b"".join(pages)
