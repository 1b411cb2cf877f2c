"""Books of an older schema, brought up to date: the journal as it was, the tables as it makes them, a copy beside."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from spotbook.app import journal
from spotbook.app.audit import audit
from spotbook.app.keys import KeyRing
from spotbook.app.ports import (
    DiskFull,
    FateUnknown,
    ForeignFile,
    NoBooks,
    OtherSchema,
    StoredBatch,
    WriterActive,
)
from spotbook.app.projection import TABLES
from spotbook.app.rebuild import rebuild
from spotbook.domain.commands import Resume
from spotbook.domain.events import MarketMade
from spotbook.store import file, migrate, upgrade
from spotbook.store.create import create
from spotbook.store.file import FILE, LOCK
from spotbook.store.migrate import Migration, applied_lines, migrations
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import AesVault
from support.checks import check_books, tables_of
from support.commands import USER, deposit, limit, make_key
from support.old_books import SCHEMAS, dump, make_old
from support.writers import Desk, kinds

STEPS = migrations("sqlite")
BATCHES = {1: 7, 2: 14, 3: 18}
ENTRIES = {1: 6, 2: 10, 3: 21}
OPEN_ORDERS = {1: 2, 2: 3, 3: 4}
"""What is in the books of each schema; of open orders, what is there after those that the test below places: in the
books of schema 2 there were two, and one of them has the out_trade_no that it uses again."""


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def old(tmp_path: Path, schema: int) -> Path:
    return make_old(tmp_path / "books", schema)


@pytest.fixture
def copied(schema: int) -> str:
    """The name of the copy that lies beside the migrated books."""
    return f"{FILE}.schema-{schema}"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def asked(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


# --- what is refused, and by whom ---------------------------------------------------------------


@pytest.mark.parametrize("opener", [SqliteStore, SqliteReader], ids=["writer", "reader"])
def test_old_books_are_not_opened_and_the_words_name_the_command(old: Path, opener: Callable[[Path], object]) -> None:
    before = dump(old / FILE)
    with pytest.raises(OtherSchema, match=f"lack the schema step .*: .*`spotbook migrate --data {old}`"):
        opener(old)
    assert dump(old / FILE) == before


def test_the_old_books_are_what_the_released_steps_made(old: Path, schema: int) -> None:
    assert asked(old, "SELECT value FROM meta WHERE name = 'migrations'") == [(applied_lines(STEPS[:schema]),)]


def test_where_there_are_no_books_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoBooks, match="spotbook init"):
        upgrade.upgrade(tmp_path)
    assert names(tmp_path) == []


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE diary (words TEXT)")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ForeignFile, match="not Spotbook's"):
        upgrade.upgrade(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_so_is_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"Dear diary, today I did not keep any books.\n" * 50)
    with pytest.raises(ForeignFile, match="no readable database"):
        upgrade.upgrade(tmp_path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE meta SET value = value || '\n0009 other {'0' * 64}' WHERE name = 'migrations'", "'0009 other"),
        ("UPDATE meta SET value = replace(value, 'a', 'b') WHERE name = 'migrations'", "is not the one"),
        ("PRAGMA user_version = 99", "say schema 99"),
        ("PRAGMA user_version = 0", "say schema 0, and have"),
    ],
)
def test_books_whose_schema_is_another_are_left_alone(old: Path, statement: str, words: str) -> None:
    asked(old, statement)
    before = dump(old / FILE)
    with pytest.raises(OtherSchema, match=words):
        upgrade.upgrade(old)
    assert dump(old / FILE) == before
    assert names(old) == [FILE, LOCK]


def test_newer_books_are_left_alone(tmp_path: Path) -> None:
    create(tmp_path)
    later = f"{len(STEPS) + 1:04} later {'0' * 64}"
    asked(tmp_path, f"UPDATE meta SET value = value || char(10) || '{later}' WHERE name = 'migrations'")
    with pytest.raises(OtherSchema, match="or a newer one"):
        upgrade.upgrade(tmp_path)


def test_books_that_another_process_writes_to_are_left_alone(old: Path) -> None:
    before = dump(old / FILE)
    held = file.lock(old)
    try:
        with pytest.raises(WriterActive):
            upgrade.upgrade(old)
    finally:
        os.close(held)
    assert dump(old / FILE) == before
    assert upgrade.upgrade(old).steps


def test_no_writer_comes_in_while_it_works(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync, met = file.sync, list[str]()

    def meeting(path: Path) -> None:
        with pytest.raises(WriterActive):
            SqliteStore(old)
        met.append(path.name)
        sync(path)

    monkeypatch.setattr(upgrade, "sync", meeting)
    upgrade.upgrade(old)
    assert met
    SqliteStore(old).close()


# --- what comes of it ---------------------------------------------------------------------------


def test_every_step_that_was_missing_is_applied_and_told(old: Path, schema: int) -> None:
    done = upgrade.upgrade(old)
    assert done.steps == STEPS[schema:]
    assert asked(old, "SELECT value FROM meta WHERE name = 'migrations'") == [(applied_lines(STEPS),)]
    assert asked(old, "PRAGMA user_version") == [(len(STEPS),)]


def test_the_schema_is_that_of_new_books(old: Path, tmp_path: Path) -> None:
    upgrade.upgrade(old)
    create(tmp_path / "new")
    assert schema_of(old) == schema_of(tmp_path / "new")


def schema_of(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every table's and index's columns; the text of an altered table is not that of a new one."""
    found = asked(folder, "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    return {
        f"{kind} {name}": asked(folder, f"PRAGMA table_info({name})")
        if kind == "table"
        else asked(folder, f"PRAGMA index_info({name})")
        for kind, name in found
    }


def test_the_audit_of_the_migrated_books_is_clean(old: Path, schema: int) -> None:
    upgrade.upgrade(old)
    with closing(SqliteReader(old)) as reader:
        report = audit(reader)
        check_books(reader)
    assert report.findings == ()
    assert report.ok
    assert (report.batch, report.entries) == (BATCHES[schema], ENTRIES[schema])


def test_a_rebuild_makes_the_same_tables(old: Path) -> None:
    upgrade.upgrade(old)
    with closing(SqliteStore(old)) as store, closing(store.reader()) as reader:
        before = tables_of(reader)
        rebuild(store)
        assert tables_of(reader) == before
        assert before["market"]


@pytest.mark.parametrize("table", ["entry", "deposit"])
def test_what_happened_lies_in_the_sequence_in_which_it_did(old: Path, table: str) -> None:
    upgrade.upgrade(old)
    with closing(SqliteStore(old)) as store:
        assert kinds(Desk(store).batch(Resume("checked"), deposit("new"))) == ["Done"] * 2
    batches = asked(old, f"SELECT batch FROM {table} ORDER BY rowid")
    assert batches == sorted(batches)
    assert len(batches) > 3


def test_markets_of_old_books_have_the_rules_that_their_events_say(old: Path) -> None:
    before = asked(old, "SELECT * FROM market ORDER BY id")
    upgrade.upgrade(old)
    with closing(SqliteReader(old)) as reader:
        assert reader.page("market", (), (), 9) == [tuple(MarketMade(*row)) for row in before]  # type: ignore[arg-type]
    assert len(before) == 2


def test_what_old_books_never_had_is_empty(old: Path, schema: int) -> None:
    had = {row[0] for row in asked(old, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    upgrade.upgrade(old)
    with closing(SqliteReader(old)) as reader:
        new = {name: reader.page(name, (), (), 9) for name in TABLES if name not in had}
    if schema == 1:
        assert set(new) == {"open_order", "closed_order", "out_trade_no", "fill", "trade", "candle"}
    assert not any(new.values())


def test_the_journal_the_id_and_the_secrets_are_as_they_were(old: Path) -> None:
    statements = (
        "SELECT number, time, hash FROM head",
        "SELECT * FROM batch ORDER BY number",
        "SELECT value FROM meta WHERE name = 'books'",
        "SELECT * FROM key_secret ORDER BY api_key",
        "SELECT * FROM entry ORDER BY account, version",
        "SELECT * FROM balance ORDER BY account, asset",
    )
    before = [asked(old, statement) for statement in statements]
    upgrade.upgrade(old)
    assert [asked(old, statement) for statement in statements] == before
    assert all(before)


def test_the_migrated_books_are_traded_in(old: Path, schema: int) -> None:
    upgrade.upgrade(old)
    with closing(SqliteStore(old)) as store:
        desk = Desk(store)
        desk.clock.now += 10**6
        orders = [limit("sell", "100", "0.5"), limit("buy", "100", "0.25"), limit("buy", "99", "1", out_trade_no="one")]
        assert kinds(desk.batch(Resume("checked"), deposit("new"), *orders)) == ["Done"] * 5
        with closing(store.reader()) as reader:
            check_books(reader)
            assert audit(reader).findings == ()
            assert len(reader.page("open_order", (USER,), (), 9)) == OPEN_ORDERS[schema]


def test_a_writer_elsewhere_that_knows_only_the_old_schema_is_deposed(old: Path) -> None:
    [(epoch,)] = asked(old, "SELECT epoch FROM head")
    upgrade.upgrade(old)
    assert asked(old, "SELECT epoch FROM head") == [(int(str(epoch)) + 1,)]


def test_nobody_else_may_read_what_it_leaves(old: Path) -> None:
    upgrade.upgrade(old)
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in old.iterdir()} == {0o600}


def test_a_reader_that_has_the_file_open_does_not_stop_it(old: Path, schema: int) -> None:
    with closing(sqlite3.connect(old / FILE, isolation_level=None)) as stranger:
        stranger.execute("BEGIN")
        assert stranger.execute("SELECT count(*) FROM batch").fetchall() == [(BATCHES[schema],)]
        before = stranger.execute("SELECT sql FROM sqlite_schema").fetchall()
        upgrade.upgrade(old)
        assert stranger.execute("SELECT sql FROM sqlite_schema").fetchall() == before
        assert asked(old, "SELECT sql FROM sqlite_schema") != before
    SqliteStore(old).close()


# --- the copy -----------------------------------------------------------------------------------


def test_the_books_as_they_were_lie_beside_them(old: Path, copied: str) -> None:
    before = dump(old / FILE)
    done = upgrade.upgrade(old)
    assert done.copy == old / copied
    assert dump(old / copied) == before
    assert names(old) == [FILE, copied, LOCK]


def test_the_copy_put_back_is_migrated_like_the_books(old: Path, tmp_path: Path, copied: str) -> None:
    upgrade.upgrade(old)
    (tmp_path / "back").mkdir()
    shutil.copyfile(old / copied, tmp_path / "back" / FILE)
    upgrade.upgrade(tmp_path / "back")
    assert dump(tmp_path / "back" / FILE) == dump(old / FILE)


def test_the_copy_has_what_was_only_in_the_log(old: Path, tmp_path: Path) -> None:
    """The machine went dark: the last batches are in the log, and not in the file."""
    dark = tmp_path / "dark"
    dark.mkdir()
    with closing(sqlite3.connect(old / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE meta SET value = '77' WHERE name = 'probe'")
        for part in (FILE, f"{FILE}-wal"):
            shutil.copyfile(old / part, dark / part)
    done = upgrade.upgrade(dark)
    assert done.copy is not None
    with closing(sqlite3.connect(done.copy)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'probe'").fetchall() == [("77",)]
    assert asked(dark, "SELECT value FROM meta WHERE name = 'probe'") == [("77",)]


def test_a_copy_that_is_there_is_kept(old: Path, copied: str) -> None:
    (old / copied).write_bytes(b"what an earlier attempt left")
    (old / f"{copied}.2").write_bytes(b"and another")
    before = dump(old / FILE)
    done = upgrade.upgrade(old)
    assert done.copy == old / f"{copied}.3"
    assert dump(done.copy) == before
    assert (old / copied).read_bytes() == b"what an earlier attempt left"


def test_half_a_copy_that_was_left_over_is_removed(old: Path, copied: str) -> None:
    for left_over in (f"{upgrade.DRAFT}0badcafe", f"{upgrade.DRAFT}0badcafe-journal"):
        (old / left_over).write_bytes(b"half")
    upgrade.upgrade(old)
    assert {path.name for path in old.iterdir()} == {FILE, LOCK, copied}


def test_a_copy_that_cannot_be_made_leaves_all_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = dump(old / FILE)
    monkeypatch.setattr(upgrade, "sync", full)
    with pytest.raises(OSError, match="No space"):
        upgrade.upgrade(old)
    assert dump(old / FILE) == before
    assert names(old) == [FILE, LOCK]


def test_a_disk_that_fills_while_the_copy_is_made_is_told_as_such(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, *, schema: int) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    before = dump(old / FILE)
    monkeypatch.setattr(upgrade, "_copied", full)
    with pytest.raises(DiskFull):
        upgrade.upgrade(old)
    assert dump(old / FILE) == before


# --- again, in part, and further ----------------------------------------------------------------


def test_a_second_time_there_is_nothing_to_do(old: Path) -> None:
    upgrade.upgrade(old)
    before, beside = dump(old / FILE), names(old)
    assert upgrade.upgrade(old) == upgrade.Upgrade([], None)
    assert (dump(old / FILE), names(old)) == (before, beside)


def test_new_books_lack_nothing(tmp_path: Path) -> None:
    create(tmp_path)
    assert upgrade.upgrade(tmp_path) == upgrade.Upgrade([], None)
    assert names(tmp_path) == [FILE, LOCK]


def later(number: int, sql: str) -> Migration:
    return Migration(number, f"later_{number}", sql, f"{number % 10}" * 64)


def test_all_missing_steps_are_applied_in_order(old: Path, schema: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first = len(STEPS) + 1
    more = [
        later(first, "CREATE TABLE later (a INTEGER NOT NULL PRIMARY KEY) STRICT;\nINSERT INTO later VALUES (1);"),
        later(first + 1, "-- What the last one made; it is there now.\nALTER TABLE later RENAME TO latest;\n"),
    ]
    monkeypatch.setattr(migrate, "migrations", lambda _: [*STEPS, *more])
    assert upgrade.upgrade(old).steps == [*STEPS[schema:], *more]
    assert asked(old, "SELECT a FROM latest") == [(1,)]
    assert asked(old, "SELECT value FROM meta WHERE name = 'migrations'") == [(applied_lines([*STEPS, *more]),)]
    SqliteStore(old).close()


@pytest.mark.parametrize("sql", ["CREATE TABLE market (a INTEGER);", "INSERT INTO nowhere VALUES (1);", "NONSENSE;"])
def test_of_steps_that_fail_none_is_applied(old: Path, monkeypatch: pytest.MonkeyPatch, sql: str, copied: str) -> None:
    before = dump(old / FILE)
    good, bad = later(len(STEPS) + 1, "CREATE TABLE good (a INTEGER);"), later(len(STEPS) + 2, sql)
    monkeypatch.setattr(migrate, "migrations", lambda _: [*STEPS, good, bad])
    with pytest.raises(FateUnknown):
        upgrade.upgrade(old)
    assert dump(old / FILE) == before
    monkeypatch.setattr(migrate, "migrations", lambda _: STEPS)
    done = upgrade.upgrade(old)
    assert done.copy == old / f"{copied}.2"


def test_a_process_that_dies_between_two_statements_has_changed_nothing(
    old: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, copied: str
) -> None:
    """What lies on the disk before the commit is what a machine that goes dark then finds."""
    before = dump(old / FILE)
    statements, dark = migrate.statements, tmp_path / "dark"
    dark.mkdir()

    def watched(sql: str) -> list[str]:
        for part in names(old):
            shutil.copyfile(old / part, dark / part)
        return list(statements(sql))

    monkeypatch.setattr(migrate, "statements", watched)
    upgrade.upgrade(old)
    assert dump(dark / FILE) == before
    assert dump(dark / copied) == before


# --- statements ---------------------------------------------------------------------------------


def test_a_step_is_cut_into_its_statements() -> None:
    sql = """-- First; of all.
CREATE TABLE a (b INTEGER, -- of a; not c
    c TEXT DEFAULT ';');

INSERT INTO a VALUES (1, 'x;
y'); -- the end
CREATE TRIGGER t AFTER INSERT ON a BEGIN
    DELETE FROM a WHERE b = 1;
END;
-- and that was all; really
"""
    found = list(migrate.statements(sql))
    assert [statement.split()[-1] for statement in found] == ["';');", "end", "END;"]
    assert "".join(found) + "-- and that was all; really\n" == sql


def test_a_step_that_ends_within_a_statement_is_no_step() -> None:
    with pytest.raises(ValueError, match="ends within a statement"):
        list(migrate.statements("CREATE TABLE a (b INTEGER);\nCREATE TABLE c (\n"))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_statement_by_statement_the_steps_make_the_same_as_whole(step: Migration) -> None:
    def made(*, whole: bool) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            for each in STEPS[: step.number]:
                if whole:
                    connection.executescript(each.sql)
                else:
                    for statement in migrate.statements(each.sql):
                        connection.execute(statement)
            return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()

    assert made(whole=True) == made(whole=False)


def test_the_old_journal_is_read_as_it_was_written(old: Path, schema: int) -> None:
    """Its events have fewer fields than theirs have now, and their bytes are in the chain."""
    upgrade.upgrade(old)
    with closing(SqliteReader(old)) as reader:
        batches: list[StoredBatch] = reader.batches(0, 99)
    assert len(batches) == BATCHES[schema]
    assert b'"cancel_newest","on"]]}' in batches[1].body
    _, transactions = journal.read(batches[1].body)
    made = transactions[0].events[0]
    assert isinstance(made, MarketMade)
    assert (made.state, made.value_max, made.orders_max, made.bound_ppm) == ("on", 0, 10_000, 100_000)


# --- keys ---------------------------------------------------------------------------------------


def test_keys_from_before_there_were_strict_ones_are_not_strict(old: Path, schema: int) -> None:
    before = asked(old, "SELECT * FROM api_key ORDER BY api_key")
    upgrade.upgrade(old)
    after = before if schema >= 3 else [(*row, 0) for row in before]
    assert asked(old, "SELECT * FROM api_key ORDER BY api_key") == after
    assert len(before) == {1: 2, 2: 4, 3: 5}[schema]


def test_the_secrets_of_old_keys_open(tmp_path: Path) -> None:
    """Those of schema 2 were sealed by the program, with this master key, before there were strict keys."""
    folder = make_old(tmp_path / "books", 2)
    upgrade.upgrade(folder)
    tampered: list[str] = []
    with closing(SqliteReader(folder)) as reader:
        ring = KeyRing(reader, AesVault("00" * 32), lambda key: tampered.append(key.api_key))
        live, revoked = ring.find("key-3"), ring.find("key-4")
    assert live
    assert revoked
    assert (live.secret, live.key.strict, live.key.revoked_at) == (b"SECRET3", False, 0)
    assert (revoked.secret, revoked.key.revoked_at > 0) == (b"SECRET4", True)
    assert tampered == []


def test_a_strict_key_is_made_in_migrated_books_and_audited(old: Path) -> None:
    upgrade.upgrade(old)
    with closing(SqliteStore(old)) as store:
        desk = Desk(store)
        desk.clock.now += 10**7
        assert kinds(desk.batch(make_key("strict-1", strict=True, made_at=desk.clock.now))) == ["Done"]
        with closing(store.reader()) as reader:
            assert audit(reader).findings == ()
            body = reader.batches(reader.head().number - 1, 1)[0].body
        rebuild(store)
    assert body.endswith(b",0,0,true]]}]}")
    assert asked(old, "SELECT strict FROM api_key WHERE api_key = 'strict-1'") == [(1,)]
