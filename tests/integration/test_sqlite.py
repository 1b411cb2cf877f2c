"""The books in a file: what only SQLite, the file system and the kernel can show."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spotbook.app import journal
from spotbook.app.keys import KeyRing, bound
from spotbook.app.ports import (
    BooksExist,
    Changes,
    DiskBroken,
    DiskFull,
    FateUnknown,
    ForeignFile,
    Head,
    NoBooks,
    OtherSchema,
    Row,
    SealedSecret,
    StoredBatch,
    WriterActive,
)
from spotbook.app.writer import NotDone
from spotbook.domain.commands import OpenAccount
from spotbook.domain.credentials import Key
from spotbook.limits import CHECKPOINT_BATCHES
from spotbook.store import file, migrate, sqlite
from spotbook.store.create import create
from spotbook.store.file import FILE, LOCK
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.statements import STATEMENTS
from spotbook.store.vault import AesVault
from support.checks import check_books
from support.clock import NOW
from support.commands import USER, deposit
from support.writers import Desk, kinds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "books")
    return tmp_path / "books"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(folder)
    yield opened
    opened.close()


@pytest.fixture
def reader(store: SqliteStore) -> Iterator[SqliteReader]:
    made = store.reader()
    yield made
    made.close()


def commit(store: SqliteStore, rows: dict[str, list[Row]] | None = None) -> StoredBatch:
    batch = journal.chained(store.head(), NOW, b"{}")
    store.commit(batch, Changes(rows or {}, {}), ())
    return batch


def changed_file(folder: Path, *statements: str) -> None:
    """Change the file as somebody might who can write to it."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchall()[0][0]


# --- what is in force ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("wal_autocheckpoint", 0), ("foreign_keys", 1)],
)
def test_the_writers_pragmas_are_really_in_force(store: SqliteStore, name: str, value: object) -> None:
    assert pragma(store._connection, name) == value


def test_the_writer_sees_that_somebody_else_wrote_and_nothing_in_what_it_wrote_itself(folder: Path) -> None:
    with closing(SqliteStore(folder)) as store, closing(sqlite3.connect(folder / FILE)) as other:
        assert store.disturbed()  # nobody knows what was before
        Desk(store).found()
        store.probe()
        assert not store.disturbed()
        with other:
            other.execute("UPDATE meta SET value = '7' WHERE name = 'probe'")
        assert store.disturbed()
        assert not store.disturbed()


def test_a_reader_cannot_write(reader: SqliteReader) -> None:
    assert pragma(reader._connection, "query_only") == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM head")


def test_only_the_writer_copies_the_log_back(reader: SqliteReader) -> None:
    """A reader that is `query_only` writes nothing, so its own threshold is never met."""
    assert pragma(reader._connection, "journal_mode") == "wal"


def test_a_number_beyond_63_bits_is_not_taken(store: SqliteStore) -> None:
    with pytest.raises(OverflowError):
        commit(store, {"balance": [(1001, 1, 2**63, 0, 1)]})
    assert store.head().number == 0


def test_a_batch_that_overflows_leaves_nothing_behind(store: SqliteStore, reader: SqliteReader) -> None:
    with pytest.raises(OverflowError):
        commit(store, {"counter": [("asset", 1)], "balance": [(1001, 1, 2**63, 0, 1)]})
    assert reader.page("counter", (), (), 9) == []
    assert commit(store).number == 1


@pytest.mark.parametrize("value", ["12", 1.5, b"5", None])
def test_an_amount_is_an_integer_or_nothing_at_all(folder: Path, value: object) -> None:
    """STRICT: a column of whole numbers keeps no text, float, bytes or null, whoever writes it. Text that is a whole
    number is made one."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        insert = "INSERT INTO balance VALUES (1001, 1, ?, 0, 1)"
        if value == "12":
            connection.execute(insert, (value,))
            assert connection.execute("SELECT typeof(available) FROM balance").fetchall() == [("integer",)]
        else:
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(insert, (value,))


def test_a_sum_beyond_63_bits_is_an_error_and_no_float(folder: Path) -> None:
    rows = [(1, 1, 2**62, 0, 1), (2, 1, 2**62, 0, 1)]
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.executemany("INSERT INTO balance VALUES (?, ?, ?, ?, ?)", rows)
        with pytest.raises(sqlite3.OperationalError, match="integer overflow"):
            connection.execute("SELECT sum(available) FROM balance").fetchall()


@pytest.mark.parametrize(
    "row", [(1001, 1, -1, 0, 1), (1001, 1, 0, -1, 1), (1, 1, -5, -1, 1)], ids=["available", "frozen", "world's frozen"]
)
def test_the_file_itself_refuses_a_side_below_zero(store: SqliteStore, row: Row) -> None:
    with pytest.raises(FateUnknown, match="CHECK"):
        commit(store, {"balance": [row]})


def test_an_entry_is_never_written_twice(store: SqliteStore) -> None:
    entry: Row = (1001, 1, 1, 0, 5, 0, 0, "deposit", 1, 1)
    commit(store, {"entry": [entry]})
    with pytest.raises(FateUnknown, match="UNIQUE"):
        commit(store, {"entry": [entry]})
    assert store.head().number == 1


def test_a_batch_that_the_file_refuses_is_settled_as_not_done(folder: Path) -> None:
    """The journal in the file was tampered with: a deposit's row is there already. Nobody is told that it is done."""
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        desk.found()
        changed_file(folder, f"INSERT INTO entry VALUES (1, 1, 1, 0, 0, 0, 0, 'x', 1, 1)")  # noqa: F541
        desk.writer.books.state.versions.put(1, 0)
        assert kinds([desk.do(deposit("a"))]) == ["NotDone"]
        assert desk.do(OpenAccount("next")).__class__.__name__ == "Done"


SPANS = [(table, length) for table, made in STATEMENTS.items() for length in made.spans]


@pytest.mark.parametrize(("table", "length"), SPANS)
def test_a_span_is_read_from_an_index_in_its_sequence(reader: SqliteReader, table: str, length: int) -> None:
    """However many rows there are, only those that are wanted are looked at, and none is sorted."""
    for statement in STATEMENTS[table].spans[length]:
        plan = reader._execute(f"EXPLAIN QUERY PLAN {statement}", [1] * (length + 3)).fetchall()
        words = [row[3] for row in plan]
        assert len(words) == 1
        assert words[0].startswith(f"SEARCH {table} USING ")
        assert words[0].count("=?") == length


# --- files --------------------------------------------------------------------------------------


def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "new" / "books"
        create(folder)
        store = SqliteStore(folder)
        commit(store)
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    store.close()
    assert modes == dict.fromkeys([FILE, f"{FILE}-wal", f"{FILE}-shm", LOCK], 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_new_books_are_one_file(folder: Path) -> None:
    assert [file.name for file in folder.iterdir()] == [FILE]


def test_books_are_not_made_over_books(folder: Path) -> None:
    before = (folder / FILE).read_bytes()
    with pytest.raises(BooksExist):
        create(folder)
    assert (folder / FILE).read_bytes() == before
    assert [file.name for file in folder.iterdir()] == [FILE]


def test_the_log_of_other_books_is_not_taken_for_the_new_ones(folder: Path) -> None:
    store = SqliteStore(folder)
    commit(store)
    log = (folder / f"{FILE}-wal").read_bytes()
    store.close()
    (folder / FILE).unlink()
    (folder / f"{FILE}-wal").write_bytes(log)
    with pytest.raises(BooksExist, match="left of other books"):
        create(folder)
    (folder / f"{FILE}-wal").unlink()
    create(folder)
    with closing(SqliteReader(folder)) as reader:
        assert reader.head().number == 0


def test_two_that_make_books_at_once_do_not_both_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds no books when it looks, and the first's when it moves its own into place."""
    link = os.link

    def slower(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        create(tmp_path)
        link(source, target)

    monkeypatch.setattr(os, "link", slower)
    with pytest.raises(BooksExist):
        create(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_two_books_are_told_apart(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        create(tmp_path / name)
        with closing(SqliteReader(tmp_path / name)) as reader:
            ids.add(reader.books)
    assert len(ids) == 2


def test_the_log_is_copied_back_when_the_books_are_closed(folder: Path) -> None:
    store = SqliteStore(folder)
    commit(store)
    store.close()
    assert sorted(file.name for file in folder.iterdir()) == [FILE, LOCK]


# --- what is not books --------------------------------------------------------------------------

OPENERS: list[Callable[[Path], object]] = [SqliteStore, SqliteReader]
both = pytest.mark.parametrize("opener", OPENERS, ids=["writer", "reader"])


@both
def test_where_there_are_no_books_it_says_so(tmp_path: Path, opener: Callable[[Path], object]) -> None:
    with pytest.raises(NoBooks, match="spotbook init"):
        opener(tmp_path)
    assert list(tmp_path.iterdir()) == []


FOREIGN: dict[str, bytes] = {
    "text": b"Dear diary, today I did not keep any books.\n" * 50,
    "empty": b"",
    "one byte": b"S",
    "zeros": bytes(8192),
}


@both
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_database_is_foreign(
    tmp_path: Path, opener: Callable[[Path], object], content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ForeignFile):
        opener(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


@both
def test_another_programs_database_is_foreign(tmp_path: Path, opener: Callable[[Path], object]) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ForeignFile, match="not Spotbook's"):
        opener(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@both
@pytest.mark.parametrize("size", [50, 100, 4_000, 4_096, 6_000])
def test_a_file_that_was_cut_is_damaged(folder: Path, opener: Callable[[Path], object], size: int) -> None:
    with (folder / FILE).open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ForeignFile):
        opener(folder)


@both
def test_a_folder_in_the_files_place_is_foreign(tmp_path: Path, opener: Callable[[Path], object]) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(ForeignFile):
        opener(tmp_path)


@both
def test_books_of_a_newer_version_are_left_alone(folder: Path, opener: Callable[[Path], object]) -> None:
    changed_file(
        folder, f"UPDATE meta SET value = value || char(10) || '0999 later {'0' * 64}' WHERE name = 'migrations'"
    )
    with pytest.raises(OtherSchema, match="newer"):
        opener(folder)


@both
def test_books_whose_schema_was_made_by_other_sql_are_left_alone(
    folder: Path, opener: Callable[[Path], object]
) -> None:
    changed_file(folder, "UPDATE meta SET value = replace(value, 'a', 'b') WHERE name = 'migrations'")
    with pytest.raises(OtherSchema, match="0001"):
        opener(folder)


@both
def test_books_that_lack_a_step_are_left_alone(
    folder: Path, opener: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = migrate.migrations("sqlite")
    later = migrate.Migration(len(steps) + 1, "later", "SELECT 1;", "0" * 64)
    monkeypatch.setattr(migrate, "migrations", lambda _: [*steps, later])
    words = f"lack the schema step {later.number:04} later: .* `spotbook migrate --data {folder}`"
    with pytest.raises(OtherSchema, match=words):
        opener(folder)


@both
def test_books_without_their_meta_are_foreign(folder: Path, opener: Callable[[Path], object]) -> None:
    changed_file(folder, "DROP TABLE meta")
    with pytest.raises(ForeignFile):
        opener(folder)


def test_what_was_refused_can_be_opened_once_it_is_put_right(folder: Path) -> None:
    """No lock and no connection is left behind by a store that could not be opened."""
    changed_file(folder, "UPDATE meta SET value = value || char(10) || '0999 later x' WHERE name = 'migrations'")
    with pytest.raises(OtherSchema):
        SqliteStore(folder)
    changed_file(
        folder, "UPDATE meta SET value = replace(value, char(10) || '0999 later x', '') WHERE name = 'migrations'"
    )
    SqliteStore(folder).close()


def test_a_writer_that_cannot_take_over_leaves_no_lock_behind(folder: Path) -> None:
    changed_file(folder, "CREATE TRIGGER t BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(FateUnknown):
        SqliteStore(folder)
    changed_file(folder, "DROP TRIGGER t")
    SqliteStore(folder).close()


# --- several processes --------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from spotbook.app.ports import WriterActive
from spotbook.store.sqlite import SqliteStore
try:
    store = SqliteStore(Path(sys.argv[1]))
except WriterActive as refused:
    print("refused:", refused, flush=True)
else:
    print("open", flush=True)
    sys.stdin.read()
"""


def another_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a process that opens the books for writing and keeps them; return it and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_writer_in_another_process_is_told_so(folder: Path, store: SqliteStore) -> None:
    process, said = another_process(folder)
    end(process)
    assert said == f"refused: another process writes to the books in {folder}"


def test_while_another_process_writes_readers_are_welcome_and_writers_are_not(folder: Path) -> None:
    process, said = another_process(folder)
    try:
        assert said == "open"
        with pytest.raises(WriterActive):
            SqliteStore(folder)
        with closing(SqliteReader(folder)) as reader:
            assert reader.head() == Head(0, 0, bytes(32))
    finally:
        end(process)


def test_a_writer_that_was_killed_leaves_no_lock(folder: Path) -> None:
    process, said = another_process(folder)
    assert said == "open"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    store = SqliteStore(folder)
    assert commit(store).number == 1
    store.close()


def test_a_revocation_by_another_process_is_seen_by_the_next_find(folder: Path, store: SqliteStore) -> None:
    vault = AesVault("00" * 32)
    key = Key("key-1", USER, ("read",), (), "", NOW, 0, 0)

    def row(made: Key) -> Row:
        return (made.api_key, made.account, "read", "", "", made.made_at, 0, made.revoked_at, 0)

    def seal(made: Key) -> None:
        batch = journal.chained(store.head(), NOW, b"{}")
        sealed = SealedSecret(made.api_key, vault.seal("SECRET", bound(made)))
        store.commit(batch, Changes({"api_key": [row(made)]}, {}), [sealed])

    seal(key)
    with closing(SqliteReader(folder)) as reader:
        ring = KeyRing(reader, vault, lambda _: None)
        first = ring.find("key-1")
        assert first
        assert ring.find("key-1") is first
        seal(key._replace(revoked_at=NOW))
        found = ring.find("key-1")
        assert found
        assert found.key.revoked_at == NOW


# --- readers and the log ------------------------------------------------------------------------

READS: dict[str, Callable[[SqliteReader], object]] = {
    "head": lambda reader: reader.head(),
    "changed": lambda reader: reader.changed(),
    "sheet": lambda reader: reader.sheet(1001),
    "sheet of nobody": lambda reader: reader.sheet(404),
    "holds": lambda reader: reader.holds(1001),
    "sealed_key": lambda reader: reader.sealed_key("k"),
    "master_key_check": lambda reader: reader.master_key_check(),
    "keys_of": lambda reader: reader.keys_of(1001, (), 1),
    "find": lambda reader: reader.find("balance", (1001, 1)),
    "page": lambda reader: reader.page("balance", (), (), 1),
    "later page": lambda reader: reader.page("balance", (1001,), (1,), 1),
    "batches": lambda reader: reader.batches(0, 1),
}


def checkpoint_is_busy(folder: Path) -> bool:
    """Whether something keeps the log from being copied back whole."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None, timeout=0)) as connection:
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
    return bool(busy)


def fill(store: SqliteStore) -> None:
    """Commit rows so that every read has more than it returns."""
    commit(store, {"balance": [(1001, asset, 5, 0, asset) for asset in range(1, 50)]})
    commit(store)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_read_leaves_a_statement_open(
    folder: Path, store: SqliteStore, reader: SqliteReader, read: Callable[[SqliteReader], object]
) -> None:
    fill(store)
    read(reader)
    assert not checkpoint_is_busy(folder)


def test_nor_does_a_snapshot(folder: Path, store: SqliteStore, reader: SqliteReader) -> None:
    fill(store)
    with reader.snapshot():
        for read in READS.values():
            read(reader)
    assert not checkpoint_is_busy(folder)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_every_read_sees_what_was_committed_since_the_last(
    store: SqliteStore, reader: SqliteReader, read: Callable[[SqliteReader], object]
) -> None:
    fill(store)
    read(reader)
    commit(store, {"balance": [(1001, 1, 6, 0, 50)]})
    assert reader.head().number == 3
    assert reader.find("balance", (1001, 1)) == (1001, 1, 6, 0, 50)


def test_a_snapshot_sees_one_moment(store: SqliteStore, reader: SqliteReader) -> None:
    fill(store)
    with reader.snapshot():
        before = reader.changed()
        commit(store, {"balance": [(1001, 1, 6, 0, 50)]})
        assert (reader.head().number, reader.sheet(1001).version, reader.changed()) == (2, 49, before)
        assert reader.find("balance", (1001, 1)) == (1001, 1, 5, 0, 1)
        assert len(reader.batches(0, 9)) == 2
    assert (reader.head().number, reader.sheet(1001).version) == (3, 50)


def test_a_snapshot_begins_where_it_is_asked_for(store: SqliteStore, reader: SqliteReader) -> None:
    """Not at its first read: what is committed in between belongs to a later moment."""
    fill(store)
    reader.hold()
    commit(store, {"balance": [(1001, 1, 6, 0, 50)]})
    assert reader.sheet(1001).version == 49
    reader.release()


def test_a_moment_that_could_not_be_held_is_let_go_of(folder: Path, store: SqliteStore, reader: SqliteReader) -> None:
    changed_file(folder, "ALTER TABLE head RENAME TO elsewhere")
    with pytest.raises(sqlite3.OperationalError):
        reader.hold()
    changed_file(folder, "ALTER TABLE elsewhere RENAME TO head")
    fill(store)
    with reader.snapshot():
        assert reader.head().number == 2


@pytest.fixture
def left_open(folder: Path, store: SqliteStore) -> Iterator[sqlite3.Cursor]:
    """A cursor of a stranger's connection, left open in the middle of its rows on purpose."""
    fill(store)
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    cursor = connection.execute("SELECT account, asset FROM balance")
    cursor.fetchone()
    yield cursor
    cursor.close()
    connection.close()


def test_a_cursor_left_open_does_freeze_its_own_connection(
    left_open: sqlite3.Cursor, store: SqliteStore, folder: Path
) -> None:
    """What the next tests stand on: without it they would show nothing."""
    commit(store)
    frozen = left_open.connection.execute("SELECT number FROM head").fetchall()
    assert frozen == [(2,)]
    assert checkpoint_is_busy(folder)


def test_a_cursor_left_open_makes_no_other_reader_stale(
    left_open: sqlite3.Cursor, store: SqliteStore, reader: SqliteReader
) -> None:
    for number in range(3, 8):
        commit(store, {"balance": [(1001, 1, number, 0, 50 + number)]})
        assert reader.head().number == number
        assert reader.find("balance", (1001, 1)) == (1001, 1, number, 0, 50 + number)


def test_a_cursor_left_open_does_not_hold_up_the_writer(
    left_open: sqlite3.Cursor, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 1)
    for number in range(3, 20):
        assert commit(store, {"counter": [("asset", number)]}).number == number
        store.tidy()
    assert store.head().number == 19


def test_a_cursor_left_open_does_not_hold_up_closing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it waited for, it would be for days."""
    monkeypatch.setattr(file, "BUSY_MS", 10**9)
    store = SqliteStore(folder)
    fill(store)
    with closing(sqlite3.connect(folder / FILE)) as stranger:
        cursor = stranger.execute("SELECT account, asset FROM balance")
        cursor.fetchone()
        store.close()
        cursor.close()
    with closing(SqliteReader(folder)) as reader:
        assert reader.head().number == 2


def test_once_it_is_closed_the_log_is_copied_back(left_open: sqlite3.Cursor, store: SqliteStore, folder: Path) -> None:
    commit(store)
    left_open.close()
    assert not checkpoint_is_busy(folder)


def test_the_writer_copies_the_log_back_between_batches(
    folder: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 10)
    sizes = []
    for number in range(100):
        commit(store, {"counter": [("asset", number)]})
        store.tidy()
        sizes.append((folder / f"{FILE}-wal").stat().st_size)
    assert max(sizes) <= 2 * max(sizes[:15])
    assert 0 < store.log_pages < 100


@pytest.mark.parametrize(("rows", "batches"), [(1, 12), (2, 6), (4, 4), (10, 4), (11, 4), (16, 3), (50, 1), (60, 1)])
def test_the_log_is_copied_back_after_a_few_batches_neither_too_small_nor_too_large(
    rows: int, batches: int, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS_MIN", 12)
    monkeypatch.setattr(sqlite, "CHECKPOINT_ROWS", 44)
    assert CHECKPOINT_BATCHES == 4
    for number in range(batches):
        assert store.log_pages == 0
        commit(store, {"counter": [(f"of {number}", row) for row in range(rows)]})
        store.tidy()
    assert store.log_pages > 0
    store.log_pages = 0
    commit(store)
    store.tidy()
    assert store.log_pages == 0  # it is counted from the start


# --- failures of the file -----------------------------------------------------------------------


def error(name: str) -> sqlite3.Error:
    made = sqlite3.OperationalError("as SQLite says it")
    made.sqlite_errorname = name
    return made


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_FULL", DiskFull),
        ("SQLITE_READONLY", DiskFull),
        ("SQLITE_IOERR", DiskBroken),
        ("SQLITE_IOERR_FSYNC", DiskBroken),
        ("SQLITE_IOERR_WRITE", DiskBroken),
        ("SQLITE_CORRUPT", DiskBroken),
        ("SQLITE_CORRUPT_VTAB", DiskBroken),
        ("SQLITE_NOTADB", DiskBroken),
        ("SQLITE_CANTOPEN", DiskBroken),
        ("SQLITE_BUSY", FateUnknown),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", FateUnknown),
        ("", FateUnknown),
    ],
)
def test_each_error_of_sqlite_is_one_of_the_ports(name: str, kind: type[Exception]) -> None:
    assert type(file.store_error(error(name))) is kind


def test_a_full_disk_is_told_writes_nothing_and_passes(folder: Path) -> None:
    """SQLite's own bound on the file's pages stands for a disk without room: the same error, really raised."""
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        desk.found()
        store._execute(f"PRAGMA max_page_count = {pragma(store._connection, 'page_count')}")
        outcome = None
        for number in range(1_000):
            outcome = desk.do(deposit(f"{number:0120}"))
            if isinstance(outcome, NotDone):
                break
        assert outcome == NotDone("the disk is full")
        assert desk.writer.condition == "read_only"
        with closing(store.reader()) as reader:
            check_books(reader)
            assert reader.head() == desk.writer.head
        store._execute("PRAGMA max_page_count = 1000000")
        assert desk.writer.probe()
        assert kinds([desk.do(deposit(f"{number:0120}"))]) == ["Done"]


def test_another_connection_that_keeps_the_file_locked_leaves_the_fate_to_the_head(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "BUSY_MS", 1)
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        desk.found()
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            assert desk.do(deposit("a")) == NotDone("the batch was not committed")
        assert kinds([desk.do(deposit("a"))]) == ["Done"]


def test_a_damaged_page_leaves_the_outcome_unknown(folder: Path) -> None:
    store = SqliteStore(folder)
    desk = Desk(store)
    desk.found()
    store.close()
    with closing(sqlite3.connect(folder / FILE)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'deposit'").fetchall()[0][0]
    with (folder / FILE).open("r+b") as file:
        file.seek((page - 1) * 4_096)
        file.write(b"\xff" * 4_096)
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        assert kinds([desk.do(deposit("a"))]) == ["Unknown"]
        assert desk.writer.condition == "broken"


@both
@pytest.mark.parametrize("schema", [0, 99])
def test_books_that_say_another_schema_are_left_alone(
    folder: Path, opener: Callable[[Path], object], schema: int
) -> None:
    changed_file(folder, f"PRAGMA user_version = {schema}")
    with pytest.raises(OtherSchema, match=f"say schema {schema}"):
        opener(folder)


def test_a_head_that_was_not_committed_is_not_told(folder: Path) -> None:
    store = SqliteStore(folder)
    try:
        store.begin()
        with pytest.raises(FateUnknown, match="transaction is open"):
            store.head()
        store.end()
        assert store.head().number >= 0
    finally:
        store.close()


def test_a_folder_without_room_for_books_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(draft: Path, steps: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr("spotbook.store.create._draw_up", full)
    with pytest.raises(DiskFull):
        create(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
