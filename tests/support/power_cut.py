"""What a power cut leaves: files made again from a shim's record of all that a server did to them.

At a cut there is of each file what was synced, and of what was written since whatever the dice say: nothing, all, the
first so many writes, any of them, or any sectors of any of them. The same holds of the names in each folder, which
have to be synced themselves. A write leaves the bytes around it alone, and a sector is old or new (or of nothing but
zeros, where a file grew): so much SQLite expects of a disk, and so much is granted to it.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path, PurePath
from typing import NamedTuple

HEAD = struct.Struct("=IIQQ")
"""As in powershim.c: kind, length of what follows, file, place."""

SECTORS = (512, 4096)

MEANS_NOTHING = (".lock", "-shm")
"""How the names end of files that mean nothing after a cut."""


class Kind(IntEnum):
    """As in powershim.c."""

    WRITE = 1
    CUT = 2
    SYNC_BEGUN = 3
    SYNCED = 4
    CREATE = 5
    LINK = 6
    RENAME = 7
    UNLINK = 8
    FOLDER = 9
    NO_FOLDER = 10
    FOLDER_SYNC_BEGUN = 11
    FOLDER_SYNCED = 12
    SEND = 13


class Record(NamedTuple):
    """One thing that the server did. `file` is an inode number, or for SEND who sends; `place` an offset or a size."""

    kind: Kind
    file: int
    place: int
    data: bytes

    @property
    def path(self) -> str:
        return self.data.decode()


def records_of(log: bytes) -> list[Record]:
    """Return all that the shim wrote down; what a process that ended left half written ends it."""
    found = []
    at = 0
    while at + HEAD.size <= len(log):
        kind, length, file, place = HEAD.unpack_from(log, at)
        at += HEAD.size
        found.append(Record(Kind(kind), file, place, log[at : at + length]))
        at += length
    return found


@dataclass(eq=False)
class File:
    """What is on disk of a file, and what was done to it since its last sync. `begun` of that a sync covers by now."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)
    begun: int = 0


class Name(NamedTuple):
    """A change of what a folder names: `old` is there no more, `new` names a file, or a folder where it is None."""

    old: str
    new: str
    file: File | None

    @property
    def folder(self) -> str:
        """The folder whose sync makes it last."""
        return str(PurePath(self.new or self.old).parent)


Names = dict[str, File | None]


def _do(record: Record, content: bytearray) -> None:
    """Do to a file what the record says."""
    if record.kind is Kind.CUT:
        del content[record.place :]
        content.extend(bytes(record.place - len(content)))
        return
    content.extend(bytes(max(0, record.place - len(content))))
    content[record.place : record.place + len(record.data)] = record.data


def _rename(change: Name, names: Names) -> None:
    """Change what is named as `change` says."""
    if change.old:
        names.pop(change.old, None)
    if change.new:
        names[change.new] = change.file


class Dice:
    """What of that which was not synced a cut leaves. `kind` says how it is chosen."""

    KINDS = ("nothing", "everything", "prefix", "some", "sectors")

    def __init__(self, choice: random.Random) -> None:
        self._choice = choice
        self.kind = choice.choice(self.KINDS)
        self._likely = choice.random()
        self._sector = choice.choice(SECTORS)

    def of(self, count: int) -> list[bool]:
        """Return for each of so many changes, in their order, whether it is left."""
        if self.kind in {"nothing", "everything"}:
            return [self.kind == "everything"] * count
        if self.kind == "prefix":
            kept = self._choice.randint(0, count)
            return [number < kept for number in range(count)]
        return [self._choice.random() < self._likely for _ in range(count)]

    def parts(self, pending: list[Record]) -> Iterator[Record]:
        """Yield what is left of what was done to one file."""
        pieces = [piece for record in pending for piece in self._pieces(record)] if self.kind == "sectors" else pending
        yield from (piece for piece, kept in zip(pieces, self.of(len(pieces)), strict=True) if kept)

    def _pieces(self, record: Record) -> Iterator[Record]:
        if record.kind is Kind.CUT:
            yield record
            return
        at, end = record.place, record.place + len(record.data)
        while at < end:
            after = min(end, at - at % self._sector + self._sector)
            yield Record(record.kind, record.file, at, record.data[at - record.place : after - record.place])
            at = after


class Disk:
    """The files under a folder as the records so far leave them: `take` one record after the other."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.names: Names = {}
        """What is named on disk."""
        self.changes: list[Name] = []
        """What changed of that since, in order."""
        self._now: Names = {}
        self._by_inode: dict[int, File] = {}
        self._begun: dict[str, int] = {}

    def begin_with(self, path: Path) -> None:
        """Have what lies at a path, a file or a folder with all in it, on disk from the beginning."""
        file = None if path.is_dir() else File(bytearray(path.read_bytes()))
        self.names[str(path)] = self._now[str(path)] = file
        if file is not None:
            self._by_inode[path.stat().st_ino] = file
            return
        for inside in path.iterdir():
            if not inside.name.endswith(MEANS_NOTHING):
                self.begin_with(inside)

    def take(self, record: Record) -> None:
        """Be as after this."""
        kind = record.kind
        if kind in {Kind.WRITE, Kind.CUT}:
            self._by_inode[record.file].pending.append(record)
        elif kind in {Kind.SYNC_BEGUN, Kind.SYNCED}:
            self._sync(self._by_inode[record.file], done=kind is Kind.SYNCED)
        elif kind is Kind.FOLDER_SYNC_BEGUN:
            self._begun[record.path] = len(self.changes)
        elif kind is Kind.FOLDER_SYNCED:
            self._sync_folder(record.path)
        elif kind is not Kind.SEND:
            self._change(record)

    @staticmethod
    def _sync(file: File, *, done: bool) -> None:
        if not done:
            file.begun = len(file.pending)
            return
        for record in file.pending[: file.begun]:
            _do(record, file.synced)
        del file.pending[: file.begun]
        file.begun = 0

    def _sync_folder(self, folder: str) -> None:
        begun = self._begun.pop(folder)
        rest = []
        for number, change in enumerate(self.changes):
            if number < begun and change.folder == folder:
                _rename(change, self.names)
            else:
                rest.append(change)
        self.changes = rest

    def _change(self, record: Record) -> None:
        old, new, file = "", record.data.decode(), None
        if record.kind is Kind.CREATE:
            file = self._by_inode[record.file] = File()
        elif record.kind is Kind.LINK:
            file = self._by_inode[record.file]
        elif record.kind is Kind.RENAME:
            old, new = new.split("\0")
            file = self._now[old]
        elif record.kind in {Kind.UNLINK, Kind.NO_FOLDER}:
            old, new = new, ""
        change = Name(old, new, file)
        self.changes.append(change)
        _rename(change, self._now)

    def file(self, path: str) -> File | None:
        """Return the file of this name as the server sees it."""
        return self._now.get(path)

    def left(self, dice: Dice) -> dict[str, bytes | None]:
        """Return what a cut at this moment leaves: content by path within the root, None for a folder."""
        names = dict(self.names)
        for change, kept in zip(self.changes, dice.of(len(self.changes)), strict=True):
            if kept:
                _rename(change, names)
        left: dict[str, bytes | None] = {}
        for path in sorted(names):
            inside = PurePath(path).relative_to(self.root)
            if all(str(parent) in left for parent in list(inside.parents)[:-1]):
                left[str(inside)] = self._content(names[path], dice)
        return left

    @staticmethod
    def _content(file: File | None, dice: Dice) -> bytes | None:
        if file is None:
            return None
        content = bytearray(file.synced)
        for record in dice.parts(file.pending):
            _do(record, content)
        return bytes(content)


def put_down(left: dict[str, bytes | None], root: Path) -> None:
    """Write what a cut left into a new folder."""
    root.mkdir()
    for path, content in left.items():
        if content is None:
            (root / path).mkdir(mode=0o700)
        else:
            (root / path).write_bytes(content)


def everything() -> Dice:
    """Return dice that leave all that was written, as a kernel does that lives on."""
    dice = Dice(random.Random(0))
    dice.kind = "everything"
    return dice
