"""Copies of books in files: what they hold, when they are refused, and what is left then: nothing."""

import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from spotbook.app import journal
from spotbook.app.audit import audit
from spotbook.app.journal import START, Transaction
from spotbook.app.ports import BooksExist, ForeignFile, Head, NoBooks, OtherSchema, SealedSecret, StoreError
from spotbook.app.state_hash import state_hash
from spotbook.app.writer import Done, Refused
from spotbook.domain.commands import Halt
from spotbook.domain.errors import Halted
from spotbook.store import copies
from spotbook.store.copies import NotGood, back_up, restore
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.checks import check_books, tables_of
from support.commands import USER, deposit, make_key
from support.old_books import make_old
from support.trading_story import limit, tell
from support.writers import Desk

COPYING = (
    "import sys; from pathlib import Path; from spotbook.store.copies import back_up; back_up(*map(Path, sys.argv[1:]))"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "books"
    create(made)
    with closing(SqliteStore(made)) as store:
        desk = Desk(store)
        tell(desk)
        desk.do(make_key())
        store.reseal([SealedSecret("key-1", b"sealed"), SealedSecret("", b"check")])
    return made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere" / "books.backup"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


@contextmanager
def reading(folder: Path) -> Iterator[SqliteReader]:
    with closing(SqliteReader(folder)) as reader:
        yield reader


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# --- a backup -----------------------------------------------------------------------------------


def test_a_backup_holds_all_that_the_books_hold(folder: Path, target: Path, empty: Path) -> None:
    copy = back_up(folder, target)
    restored = restore(target, empty)
    assert copy == restored
    with reading(folder) as before, reading(empty) as after:
        assert copy.head == before.head() == after.head()
        assert copy.state_hash == state_hash(before).hash == state_hash(after).hash
        assert copy.entries == audit(before).entries
        assert tables_of(after) == tables_of(before)
        assert after.sealed_key("key-1") == before.sealed_key("key-1")
        assert after.master_key_check() == b"check"
        check_books(after)


def test_a_backup_is_one_file_that_only_its_owner_reads(folder: Path, target: Path) -> None:
    back_up(folder, target)
    assert left_in(target.parent) == [target.name]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        connection.execute("SELECT count(*) FROM batch").fetchall()
    assert left_in(target.parent) == [target.name]


def test_what_is_only_in_the_log_is_in_the_backup_too(folder: Path, target: Path) -> None:
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        assert isinstance(desk.do(deposit("last")), Done)
        assert (folder / f"{FILE}-wal").stat().st_size > 0
        assert back_up(folder, target).head == store.head()


def test_batches_go_on_while_the_pages_are_copied(
    folder: Path, target: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is of one moment between two commits, and neither waits for the other."""
    stop, counted = threading.Event(), list[int]()

    def write() -> None:
        with closing(SqliteStore(folder)) as store:
            desk = Desk(store)
            while not stop.is_set():
                counted.append(len(counted))
                assert isinstance(desk.do(deposit(f"busy-{len(counted)}")), Done)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        while len(counted) < 5:
            pass
        begun = len(counted)
        copy = back_up(folder, target)
    finally:
        stop.set()
        writing.join()
    with reading(folder) as reader:
        founding = reader.head().number - len(counted)
        assert copy.head.number >= founding + begun - 1  # the last may not have been committed
        assert reader.batches(copy.head.number - 1, 1)[0].hash == copy.head.hash
    restore(target, empty)
    with reading(empty) as reader:
        check_books(reader)
        assert reader.head() == copy.head


def test_who_waits_is_told_how_far_the_audit_is(folder: Path, target: Path, empty: Path) -> None:
    seen: list[int] = []
    head = back_up(folder, target, progress=lambda reached: seen.append(reached.batch)).head
    restore(target, empty, progress=lambda reached: seen.append(reached.batch))
    assert seen == [*range(1, head.number + 1)] * 2


def test_a_file_that_is_there_is_never_written_over(folder: Path, target: Path) -> None:
    target.write_text("mine")
    with pytest.raises(BooksExist, match="ever written over"):
        back_up(folder, target)
    assert target.read_text() == "mine"
    assert left_in(target.parent) == [target.name]


def test_nor_is_a_link_that_leads_nowhere(folder: Path, target: Path) -> None:
    target.symlink_to(target.parent / "nowhere")
    with pytest.raises(BooksExist):
        back_up(folder, target)
    assert left_in(target.parent) == [target.name]


@pytest.mark.parametrize("log", ["-wal", "-journal"])
def test_a_log_that_lies_there_would_be_taken_for_the_backups(folder: Path, target: Path, log: str) -> None:
    stale = target.with_name(target.name + log)
    stale.write_text("stale")
    with pytest.raises(BooksExist, match=f"{log} is left"):
        back_up(folder, target)
    assert left_in(target.parent) == [stale.name]


def test_nor_is_a_file_that_came_while_the_copy_was_made(
    folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = copies.check

    def slow(*args: Any) -> copies.Copy:
        target.write_text("mine")
        return check(*args)

    monkeypatch.setattr(copies, "check", slow)
    with pytest.raises(BooksExist):
        back_up(folder, target)
    assert target.read_text() == "mine"
    assert left_in(target.parent) == [target.name]


def test_a_backup_beside_the_books_changes_nothing_of_them(folder: Path) -> None:
    back_up(folder, folder / "backup")
    assert left_in(folder) == ["backup", FILE, "writer.lock"]


def test_books_that_contradict_themselves_are_not_backed_up(folder: Path, target: Path) -> None:
    change(folder / FILE, "UPDATE balance SET available = available + 1 WHERE account = 1001 AND asset = 1")
    with pytest.raises(NotGood, match=r"the audit of .*books.sqlite3 finds: .*1001"):
        back_up(folder, target)
    assert left_in(target.parent) == []


def test_nor_are_books_with_a_damaged_page(folder: Path, target: Path) -> None:
    with (folder / FILE).open("r+b") as file:
        with closing(sqlite3.connect(folder / FILE)) as connection:
            page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'").fetchone()[0]
        file.seek((page - 1) * 4_096)
        file.write(b"\xff" * 4_096)
    with pytest.raises(StoreError):
        back_up(folder, target)
    assert left_in(target.parent) == []


def test_where_there_are_no_books_there_is_no_backup(tmp_path: Path, target: Path) -> None:
    with pytest.raises(NoBooks):
        back_up(tmp_path, target)
    assert left_in(target.parent) == []


def test_books_of_an_older_schema_name_what_brings_them_up_to_date(tmp_path: Path, target: Path) -> None:
    old = make_old(tmp_path / "old")
    with pytest.raises(OtherSchema, match=f"spotbook migrate --data {old}"):
        back_up(old, target)
    assert left_in(target.parent) == []


def test_a_folder_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        back_up(folder, tmp_path / "no" / "such")


def test_a_disk_without_room_leaves_no_half_of_a_copy(folder: Path, target: Path) -> None:
    """The system's bound on the size of a file stands for the disk: writing fails half-way, and really."""
    limit = folder.joinpath(FILE).stat().st_size // 2
    with pytest.raises(StoreError), file_bytes_max(limit):
        back_up(folder, target)
    assert left_in(target.parent) == []
    assert back_up(folder, target)


@contextmanager
def file_bytes_max(most: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_a_killed_backup_left_is_removed_by_the_next_of_its_name(folder: Path, target: Path) -> None:
    killed = (
        f"import os; from spotbook.store import copies; copies.check = lambda *_: os.kill(os.getpid(), 9); {COPYING}"
    )
    assert subprocess.run([sys.executable, "-c", killed, folder, target], check=False).returncode == -9
    (left_over,) = left_in(target.parent)
    assert left_over.startswith(f".{target.name}.making.")
    other = target.parent / ".other.making.killed"
    other.mkdir()
    back_up(folder, target)
    assert left_in(target.parent) == [other.name, target.name]


def test_one_that_is_being_made_is_left_alone(folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = copies.check

    def meanwhile(*args: Any) -> copies.Copy:
        monkeypatch.setattr(copies, "check", check)
        subprocess.run([sys.executable, "-c", COPYING, folder, target], check=True)
        return check(*args)

    monkeypatch.setattr(copies, "check", meanwhile)
    with pytest.raises(BooksExist):
        back_up(folder, target)
    assert left_in(target.parent) == [target.name]


# --- restoring ----------------------------------------------------------------------------------


@pytest.fixture
def backup(folder: Path, target: Path) -> Path:
    back_up(folder, target)
    return target


def test_restored_books_are_others(backup: Path, folder: Path, empty: Path) -> None:
    restore(backup, empty)
    with reading(folder) as before, reading(empty) as after:
        assert len(after.books) == len(before.books)
        assert after.books != before.books


def test_each_restore_makes_others(backup: Path, empty: Path, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    restore(backup, empty)
    restore(backup, tmp_path / "second")
    with reading(empty) as one, reading(tmp_path / "second") as other:
        assert one.books != other.books


def test_restored_books_go_on(backup: Path, empty: Path) -> None:
    restore(backup, empty)
    assert left_in(empty) == [FILE]
    assert stat.S_IMODE((empty / FILE).stat().st_mode) == 0o600
    with closing(SqliteStore(empty)) as store:
        assert isinstance(Desk(store).do(deposit("next")), Done)
        with closing(store.reader()) as reader:
            check_books(reader)


def test_a_halt_stays(folder: Path, target: Path, empty: Path) -> None:
    with closing(SqliteStore(folder)) as store:
        Desk(store).do(Halt("asked"))
    back_up(folder, target)
    restore(target, empty)
    with closing(SqliteStore(empty)) as store:
        outcome = Desk(store).do(limit(USER, "buy", "1", "20"))
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.refusal, Halted)


def test_the_backup_is_only_read(backup: Path, empty: Path) -> None:
    before = backup.read_bytes(), backup.stat().st_mtime_ns
    backup.chmod(0o400)
    restore(backup, empty)
    assert (backup.read_bytes(), backup.stat().st_mtime_ns) == before
    assert left_in(backup.parent) == [backup.name]


def cut(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 8_192 * 4_096)


def cut_to_nothing(file: Path) -> None:
    file.write_bytes(b"")


def cut_within_a_page(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 100)


def flip(file: Path) -> None:
    """Change one bit of what an entry says: SQLite does not notice."""
    with closing(sqlite3.connect(file)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'balance'").fetchone()[0]
    content = bytearray(file.read_bytes())
    content[page * 4_096 - 2] ^= 1
    file.write_bytes(content)


def foreign(file: Path) -> None:
    file.unlink()
    change(file, "CREATE TABLE t (a)")


def no_database(file: Path) -> None:
    file.write_bytes(b"lorem ipsum " * 1_000)


def without_id(file: Path) -> None:
    change(file, "DELETE FROM meta WHERE name = 'books'")


def trigger(file: Path) -> None:
    change(file, "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM batch; END")


def view(file: Path) -> None:
    change(file, "CREATE VIEW v AS SELECT 1")


def newer(file: Path) -> None:
    change(file, "UPDATE meta SET value = value || char(10) || '9999 future 00' WHERE name = 'migrations'")


def tamper(file: Path) -> None:
    change(file, "UPDATE entry SET available_after = available_after + 1 WHERE account = 1001 AND version = 1")


HARM: list[tuple[Callable[[Path], None], type[StoreError]]] = [
    (cut, StoreError),
    (cut_to_nothing, ForeignFile),
    (cut_within_a_page, StoreError),
    (flip, NotGood),
    (foreign, ForeignFile),
    (no_database, ForeignFile),
    (without_id, NotGood),
    (trigger, NotGood),
    (view, NotGood),
    (newer, OtherSchema),
    (tamper, NotGood),
]


@pytest.mark.parametrize(("harm", "kind"), HARM, ids=[harm.__name__ for harm, _ in HARM])
def test_what_is_no_good_backup_is_refused_by_its_name(
    backup: Path, empty: Path, harm: Callable[[Path], None], kind: type[StoreError]
) -> None:
    harm(backup)
    before = backup.read_bytes()
    with pytest.raises(kind) as refused:
        restore(backup, empty)
    assert str(empty) not in str(refused.value)
    if kind is not OtherSchema:
        assert str(backup) in str(refused.value)
    assert backup.read_bytes() == before


def test_a_backup_of_an_older_schema_says_what_to_do(tmp_path: Path, empty: Path) -> None:
    old = make_old(tmp_path / "old") / FILE
    with pytest.raises(OtherSchema, match="restore it with the version of Spotbook that wrote it"):
        restore(old, empty)


def test_books_in_use_are_no_backup(folder: Path, empty: Path) -> None:
    with closing(SqliteStore(folder)) as store:
        Desk(store).do(deposit("open"))
        with pytest.raises(NotGood, match="books in use"):
            restore(folder / FILE, empty)


def test_a_copy_made_by_other_means_is_restored_as_well(folder: Path, tmp_path: Path, empty: Path) -> None:
    """Books that were closed and copied by hand say that they have a log."""
    copied = tmp_path / "by hand"
    shutil.copyfile(folder / FILE, copied)
    restore(copied, empty)
    assert left_in(empty) == [FILE]
    with reading(empty) as reader:
        check_books(reader)


def test_a_missing_backup_is_told(tmp_path: Path, empty: Path) -> None:
    with pytest.raises(FileNotFoundError):
        restore(tmp_path / "none", empty)
    assert left_in(empty) == []


# --- made from a journal ------------------------------------------------------------------------


def test_books_are_made_from_their_batches_alone(folder: Path, empty: Path) -> None:
    with reading(folder) as reader:
        batches = reader.batches(0, 10_000)
        made = copies.make_from(batches, empty, Path("journal"))
        assert (made.head, made.state_hash) == (reader.head(), state_hash(reader).hash)
        with reading(empty) as fresh:
            assert tables_of(fresh) == tables_of(reader)
            assert fresh.batches(0, 10_000) == batches
            assert fresh.books != reader.books
            assert fresh.sealed_key("key-1") is None
            assert fresh.master_key_check() is None
    assert left_in(empty) == [FILE, "writer.lock"]


@pytest.mark.parametrize("chunk", [1, 2, 7, 10_000])
def test_however_many_are_written_at_a_time(
    folder: Path, empty: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(copies, "CHUNK", chunk)
    with reading(folder) as reader:
        made = copies.make_from(iter(reader.batches(0, 10_000)), empty, Path("journal"))
        assert made.head == reader.head()


def test_of_no_batches_books_are_made_that_hold_nothing(empty: Path) -> None:
    made = copies.make_from([], empty, Path("journal"))
    assert (made.head.number, made.entries) == (0, 0)


def test_a_journal_that_breaks_the_rules_is_no_books(folder: Path, empty: Path) -> None:
    """A chain can be made by anybody; what it says must still add up."""

    forged, head = [], START
    with reading(folder) as reader:
        for batch in reader.batches(0, 10_000):
            time, transactions = journal.read(batch.body)
            without = [Transaction(by, name, events) for by, name, events in transactions if name != "OpenAccount"]
            again = journal.chained(head, time, journal.body_of(time, without))
            forged.append(again)
            head = Head(again.number, again.time, again.hash)
    with pytest.raises(NotGood, match="the audit of journal finds"):
        copies.make_from(forged, empty, Path("journal"))
