"""Copies of books: backups, what is restored from them, and books made anew from their journal.

No copy is called good before it was opened, checked and audited as a whole, and none appears under its name before it
is good and on disk: it is made in a folder of its own, and what is left of one that failed is removed.
"""

import fcntl
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from spotbook.app import rebuild
from spotbook.app.audit import audit
from spotbook.app.audit.run import Watch
from spotbook.app.ports import BooksExist, Head, OpenRefused, OtherSchema, StoredBatch, StoreError
from spotbook.app.state_hash import state_hash
from spotbook.store import file
from spotbook.store.create import create
from spotbook.store.file import FILE, UNMAPPED_PRAGMAS, WRITER_PRAGMAS, translated
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader

DRAFT = ".making."
"""After a dot and the copy's name, how the folder begins in which it is made."""

CHUNK = 512
"""Batches written at a time while books are made from a journal."""


class NotGood(StoreError):
    """A copy is damaged, no copy of books, or contradicts itself. Nothing is left of what was being made."""


class Copy(NamedTuple):
    """What a good copy holds: the journal's end, the state hash, and how many entries the audit went through."""

    head: Head
    state_hash: bytes
    entries: int


def back_up(folder: Path, target: Path, *, progress: Watch | None = None) -> Copy:
    """Copy the books of a folder into a new file, beside a running writer; return what the copy holds.

    Everything that was committed before this was called is in it. `progress` is told how far the audit is. Raises
    BooksExist when there is such a file, NotGood when the audit finds something, OpenRefused (NoBooks, ForeignFile,
    OtherSchema), another StoreError or OSError.
    """
    _check_new(target)
    SqliteReader(folder, mapped=False).close()  # refuses what is no books, or books of another schema
    with _draft(target) as draft:
        _copy_pages(folder, draft / FILE)
        copy = check(draft, folder / FILE, progress)
        file.sync(draft / FILE)
        try:
            os.link(draft / FILE, target)  # unlike a rename, it never replaces a file that has come meanwhile
        except FileExistsError:
            _check_new(target)
            raise
    file.sync(target.parent)
    return copy


def _check_new(target: Path) -> None:
    if os.path.lexists(target):
        raise BooksExist(f"{target} is there already: no backup is ever written over")
    for log in _logs(target):  # SQLite would take it for the new file's
        if os.path.lexists(log):
            raise BooksExist(f"{log} is left of another file: move it away")


def _logs(path: Path) -> tuple[Path, Path]:
    return Path(f"{path}-wal"), Path(f"{path}-journal")


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Lend a folder beside the target, on the same disk, for as long as the block lasts."""
    prefix = f".{target.name}{DRAFT}"
    for entry in target.parent.iterdir():
        if entry.name.startswith(prefix):
            _remove_left_over(entry)
    draft = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(descriptor)


def _remove_left_over(draft: Path) -> None:
    """Remove what a process that was killed has left, unless it is in use: then its lock is held."""
    descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(draft, ignore_errors=True)
    finally:
        os.close(descriptor)


def _copy_pages(folder: Path, target: Path) -> None:
    """Copy the books as they are committed at this moment, pages of the write-ahead log too, into a new file.

    One step of SQLite's backup is one read transaction: a consistent moment, however long it takes. The writer commits
    on meanwhile, and only cannot begin its log anew. A copy made in several steps begins again at each commit between
    two of them: of 249 MB under 1,800 commits a second it was not done after 30 s, having begun 2,300 times; in one
    step it took 0.5 s, and the writer did not slow down. VACUUM INTO is one read transaction as well, but goes row by
    row: 1.1 s, and commits that took 30 times as long as any before. It would also leave a damaged page behind unseen
    when no row is on it.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    source = file.connect(folder, UNMAPPED_PRAGMAS).connection
    with closing(source), closing(sqlite3.connect(target, isolation_level=None)) as copy, translated():
        copy.execute("PRAGMA synchronous = OFF")  # it is synced as a whole, before it has its name
        source.backup(copy, pages=-1)
        # A file without a log beside it: it is read where nothing can be written, and is all there is to carry away.
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()


def check(folder: Path, named: Path, progress: Watch | None = None) -> Copy:
    """Check the books of a folder that nobody else uses, from the file's pages up; return what they hold.

    `named` is what they are called in words. Raises NotGood, ForeignFile or OtherSchema.
    """
    _check_file(folder, named)
    with closing(SqliteReader(folder, mapped=False)) as reader:
        report = audit(reader, progress=progress)
        if not report.ok:
            more = f", and {len(report.findings) - 1} findings more" if len(report.findings) > 1 else ""
            raise NotGood(f"the audit of {named} finds: {report.findings[0].message}{more}")
        return Copy(reader.head(), state_hash(reader).hash, report.entries)


def _check_file(folder: Path, named: Path) -> None:
    try:
        connection, _, _, missing = file.connect(folder, UNMAPPED_PRAGMAS)
    except OpenRefused as refused:
        # It lies in a folder that nobody has heard of, and that is gone when these words are read.
        raise type(refused)(str(refused).replace(str(folder / FILE), str(named))) from refused
    except (LookupError, ValueError, sqlite3.Error) as odd:  # text that is none is a ValueError
        raise NotGood(f"{named} is damaged, or no copy of books: {odd}") from odd
    with closing(connection):
        if missing:
            raise OtherSchema(
                f"{named} lacks the schema step {missing[0].number:04} {missing[0].name}: restore it with the version "
                "of Spotbook that wrote it, and bring those books up to date with `spotbook migrate`"
            )
        try:
            found = connection.execute("PRAGMA integrity_check(1)").fetchall()[0][0]
            odd_parts = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
            ).fetchall()
        except (ValueError, sqlite3.Error) as error:
            raise NotGood(f"{named} is damaged: {error}") from error
    if found != "ok":
        raise NotGood(f"{named} is damaged: {' '.join(found.split())}")
    if odd_parts:  # what would run by itself when the books are written to
        raise NotGood(f"{named} has a part that books do not have: {odd_parts[0][0]}")


def restore(backup: Path, folder: Path, *, progress: Watch | None = None) -> Copy:
    """Make books in a folder, which is there and empty, from a backup, which is only read; return what they hold.

    They have a new id, so that whoever knew the old ones notices. Halts and stops that stand in them stay. Whoever
    calls this removes the folder when it raises: NotGood, ForeignFile, OtherSchema, another StoreError or OSError.
    """
    for log in _logs(backup):
        with suppress(FileNotFoundError):
            if log.stat().st_size:
                raise NotGood(f"{backup} has a log of its own beside it, {log}: it is no backup, but books in use")
    with backup.open("rb") as source, (folder / FILE).open("xb") as written:
        os.fchmod(written.fileno(), 0o600)
        shutil.copyfileobj(source, written, 1_048_576)
    copy = check(folder, backup, progress)
    with closing(file.connect(folder, WRITER_PRAGMAS).connection) as connection, translated():
        connection.execute("UPDATE meta SET value = ? WHERE name = 'books'", (secrets.token_hex(16),))
    file.sync(folder / FILE)
    return copy


def make_from(batches: Iterable[StoredBatch], folder: Path, named: Path, *, progress: Watch | None = None) -> Copy:
    """Make books in an empty folder from their journal alone, every table from its batches; return what they hold.

    They know of no master key yet. What `batches` raises ends it. Raises NotGood when the books that come of it
    contradict themselves, ChainBroken, or a StoreError; whoever calls this removes the folder then.
    """
    create(folder)
    _append(folder, batches)
    with closing(SqliteStore(folder)) as store:
        rebuild.rebuild(store)
    return check(folder, named, progress)


def _append(folder: Path, batches: Iterable[StoredBatch]) -> None:
    """Write batches into new books, without the tables that follow from them, which so are not books yet."""
    coming = iter(batches)
    with closing(file.connect(folder, WRITER_PRAGMAS).connection) as connection, translated():
        connection.execute("PRAGMA synchronous = OFF")  # a crash leaves a draft, which is thrown away
        connection.execute("PRAGMA wal_autocheckpoint = 1000")
        for first in coming:
            last = first
            connection.execute("BEGIN")
            for last in chain((first,), islice(coming, CHUNK - 1)):
                connection.execute("INSERT INTO batch (number, time, hash, body) VALUES (?, ?, ?, ?)", last)
            connection.execute("UPDATE head SET number = ?, time = ?, hash = ?", last[:3])
            connection.execute("COMMIT")
