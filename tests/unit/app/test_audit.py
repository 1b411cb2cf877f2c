"""The audit: clean books pass, and whatever is changed in the file is found and named."""

import sqlite3
import threading
from pathlib import Path

import pytest

from spotbook.app import journal, projection
from spotbook.app.audit import Finding, Progress, Report, audit, history, report, tables
from spotbook.app.journal import Transaction
from spotbook.app.ports import Head, StoredBatch, StoreError
from spotbook.domain import events as e
from spotbook.domain.commands import (
    CancelOrder,
    FreezeAccount,
    Halt,
    LiftBan,
    OpenAccount,
    OpenWealth,
    PlaceOrder,
    RecordBan,
    Resume,
)
from spotbook.store import file
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryStore
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.clock import StandingClock
from support.commands import BTC_USDT, deposit, make_key, make_token
from support.writers import Desk

OTHER = 1_002
ENTRY_BATCH = 3
"""The batch of the first deposits of `filled`."""


def fill(desk: Desk) -> None:
    """Make books with something in every table that has no fills. Deposits 1 to 3 are batch 3, 4 and 5 are batch 4.

    Batch 5 places order 1, which holds 0.25 BTC, and order 2, which it cancels.
    """
    desk.found()
    desk.batch(OpenAccount("other"), BTC_USDT)
    desk.batch(deposit("a"), deposit("b", "2"), deposit("c", "3", account=OTHER))
    desk.clock.now += 1_000
    desk.batch(deposit("d", asset="USDT"), deposit("A" * 64, index=3, chain="BSC"))
    place = PlaceOrder(1_001, "BTC_USDT", "sell", "limit", "100", "0.25", "", "mine")
    desk.batch(place, place._replace(out_trade_no=""), CancelOrder(1_001, 2))
    desk.batch(OpenWealth(1_001), FreezeAccount(OTHER, True, "court"), make_key(), make_token())
    desk.batch(RecordBan("address:192.0.2.7", "ban", 1, 2), LiftBan("address:192.0.2.8", 9), Halt("x"), Resume("y"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Books in a file, closed, with something in every table."""
    create(tmp_path)
    store = SqliteStore(tmp_path)
    fill(Desk(store))
    store.close()
    return tmp_path


def audited(folder: Path) -> Report:
    reader = SqliteReader(folder)
    try:
        return audit(reader)
    finally:
        reader.close()


def tampered(folder: Path, *statements: str) -> tuple[Finding, ...]:
    """Return what the audit finds after these changes of the file."""
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for statement in statements:
        connection.execute(statement)
    connection.close()
    report = audited(folder)
    assert report.ok == (not report.findings)
    return report.findings


def test_clean_books_in_a_file_pass(folder: Path) -> None:
    reader = SqliteReader(folder)
    head = reader.head()
    reader.close()
    assert audited(folder) == Report(ok=True, batch=head.number, hash=head.hash, entries=13, findings=())


def test_clean_books_in_memory_pass() -> None:
    store = MemoryStore(MemoryBooks())
    fill(Desk(store))
    assert audit(store.reader()).ok


def test_empty_books_pass(tmp_path: Path) -> None:
    create(tmp_path)
    assert audited(tmp_path) == Report(ok=True, batch=0, hash=bytes(32), entries=0, findings=())


def test_progress_is_told(folder: Path) -> None:
    reader, seen = SqliteReader(folder), list[Progress]()
    audit(reader, progress=seen.append)
    reader.close()
    assert [progress.batch for progress in seen] == list(range(1, 8))
    assert seen[-1] == Progress(7, 7, 13)


def test_what_the_watcher_raises_ends_the_pass(folder: Path) -> None:
    def enough(progress: Progress) -> None:
        raise KeyboardInterrupt

    reader = SqliteReader(folder)
    with pytest.raises(KeyboardInterrupt):
        audit(reader, progress=enough)
    reader.close()


TAMPERINGS: list[tuple[str, str, str, dict[str, object]]] = [
    # what, statement, words in the message of a finding, its place
    (
        "a balance",
        "UPDATE balance SET available = available + 1 WHERE account = 1002",
        "available is 3.00000001 BTC, by the journal 3 BTC",
        {"check": "tables", "account": OTHER, "asset": "BTC", "entry": 1, "batch": ENTRY_BATCH},
    ),
    (
        "a frozen side",
        "UPDATE balance SET frozen = 0 WHERE account = 1001 AND asset = 1",
        "frozen is 0 BTC, by the journal 0.25 BTC",
        {"check": "tables", "account": 1_001, "asset": "BTC"},
    ),
    ("a balance made up", "INSERT INTO balance VALUES (1002, 2, 5, 0, 1)", "makes no such row", {"account": OTHER}),
    ("a balance removed", "DELETE FROM balance WHERE account = 1002", "is missing", {"account": OTHER}),
    (
        "an entry's amount",
        "UPDATE entry SET available_after = 9 WHERE account = 1002 AND version = 1",
        "available_after is 0.00000009 BTC, by the journal 3 BTC",
        {"check": "tables", "account": OTHER, "entry": 1, "batch": ENTRY_BATCH, "asset": "BTC"},
    ),
    (
        "an entry's reason",
        "UPDATE entry SET why = 'gift' WHERE account = 1002",
        "why is 'gift', by the journal 'deposit'",
        {"entry": 1},
    ),
    (
        "an entry removed",
        "DELETE FROM entry WHERE account = 1001 AND version = 2",
        "entry account 1001, version 2 is missing",
        {"check": "tables", "account": 1_001, "entry": 2, "batch": ENTRY_BATCH},
    ),
    (
        "an entry made up",
        "INSERT INTO entry VALUES (1002, 2, 1, 0, 1, 0, 0, 'gift', 1, 4)",
        "makes no such row",
        {"account": OTHER, "entry": 2},
    ),
    (
        "an entry of a batch to come",
        "INSERT INTO entry VALUES (1002, 2, 1, 0, 1, 0, 0, 'gift', 1, 99)",
        "a row that no batch made",
        {"account": OTHER, "entry": 2, "batch": 99},
    ),
    (
        "a deposit's amount",
        "UPDATE deposit SET amount = 1 WHERE id = 3",
        "amount is 0.00000001 BTC, by the journal 3 BTC",
        {"check": "tables", "account": OTHER, "batch": ENTRY_BATCH},
    ),
    ("a deposit removed", "DELETE FROM deposit WHERE id = 3", "is missing", {"account": OTHER}),
    ("a deposit's account", "UPDATE deposit SET account = 1001 WHERE id = 3", "is missing", {"account": OTHER}),
    ("an identity removed", "DELETE FROM deposit_identity WHERE deposit = 3", "is missing", {"account": OTHER}),
    (
        "an identity changed",
        "UPDATE deposit_identity SET txid = 'z' WHERE deposit = 3",
        "makes no such row",
        {"account": OTHER},
    ),
    (
        "an identity to come",
        "INSERT INTO deposit_identity VALUES (1, '', 'q', 0, 1001, 99)",
        "a row that no batch made",
        {"account": 1_001},
    ),
    (
        "an account's flag",
        "UPDATE account SET frozen = 0 WHERE id = 1002",
        "frozen is 0, by the journal 1",
        {"check": "tables", "account": OTHER},
    ),
    ("an account's name", "UPDATE account SET name = 'z' WHERE id = 1002", "name is 'z'", {"account": OTHER}),
    ("an asset's scale", "UPDATE asset SET scale = 2 WHERE id = 1", "scale is 2, by the journal 8", {"asset": "BTC"}),
    ("a market's fee", "UPDATE market SET taker_fee_ppm = 0", "taker_fee_ppm is 0, by the journal 2000", {}),
    ("a hold", "UPDATE hold SET amount = 1", "amount is 0.00000001 BTC", {"account": 1_001, "asset": "BTC"}),
    ("a hold removed", "DELETE FROM hold", "is missing", {"account": 1_001}),
    ("a key's permissions", "UPDATE api_key SET permissions = 'read,trade,withdraw'", "permissions is", {}),
    ("a token's roles", "UPDATE token SET roles = 'view'", "roles is 'view'", {}),
    ("a token's revocation", "UPDATE token SET revoked_at = 1", "revoked_at is 1", {}),
    ("a ban", "DELETE FROM ban", "is missing", {}),
    ("a lifting", "UPDATE ban_lift SET lifted_at = 0", "lifted_at is 0", {}),
    ("a counter", "UPDATE counter SET value = 1 WHERE name = 'deposit'", "value is 1, by the journal 5", {}),
    ("the standing", "UPDATE standing SET standing = 'halted'", "standing is 'halted'", {}),
    ("the wealth account", "UPDATE wealth_account SET account = 1", "account is 1, by the journal 1003", {}),
    (
        "a batch's bytes",
        "UPDATE batch SET body = CAST(replace(body, 'deposit', 'deposyt') AS BLOB) WHERE number = 3",
        "the hash of batch 3 is not that of its bytes",
        {"check": "chain", "batch": 3},
    ),
    (
        "a batch of garbage",
        "UPDATE batch SET body = x'ff00' WHERE number = 3",
        "the bytes of batch 3 are not what the writer writes",
        {"check": "bytes", "batch": 3},
    ),
    (
        "a batch's hash",
        "UPDATE batch SET hash = zeroblob(32) WHERE number = 3",
        "the hash of batch 3 is not that of its bytes",
        {"check": "chain", "batch": 3},
    ),
    (
        "a batch's time",
        "UPDATE batch SET time = time + 5000 WHERE number = 3",
        "batch 4 is 4000 ms older than the batch before it",
        {"check": "time", "batch": 4},
    ),
    ("a batch removed", "DELETE FROM batch WHERE number = 3", "batches 3 to 3 are missing", {"check": "numbers"}),
    (
        "the last batch removed",
        "DELETE FROM batch WHERE number = 7",
        "batches 7 to 7 are missing",
        {"check": "numbers"},
    ),
    ("all batches removed", "DELETE FROM batch", "batches 1 to 7 are missing", {"check": "numbers"}),
    (
        "a batch before the first",
        "INSERT INTO batch VALUES (0, 0, zeroblob(32), x'00')",
        "the journal begins with batch 1",
        {"check": "numbers", "batch": 0},
    ),
    ("the head moved on", "UPDATE head SET number = 9", "batches 8 to 9 are missing", {"check": "numbers"}),
    (
        "the head moved back",
        "UPDATE head SET number = 6, hash = (SELECT hash FROM batch WHERE number = 6)",
        "batch 7 lies beyond the head, which is 6",
        {"check": "head", "batch": 7},
    ),
    ("the head's hash", "UPDATE head SET hash = zeroblob(32)", "is not its last batch, 7", {"check": "head"}),
    ("the head removed", "DELETE FROM head", "the head of the journal cannot be read", {"check": "head"}),
    ("a table removed", "DROP TABLE token", "table token cannot be read", {"check": "tables"}),
    ("a growing table removed", "DROP TABLE entry", "table entry cannot be read", {"check": "tables"}),
    ("text that is none", "UPDATE account SET name = CAST(x'ff' AS TEXT) WHERE id = 1002", "cannot be read", {}),
    ("the journal removed", "DROP TABLE batch", "cannot be read", {}),
]


@pytest.mark.parametrize(
    ("statement", "words", "place"), [case[1:] for case in TAMPERINGS], ids=[case[0] for case in TAMPERINGS]
)
def test_tampering_is_found_and_named(folder: Path, statement: str, words: str, place: dict[str, object]) -> None:
    found = [finding for finding in tampered(folder, statement) if words in finding.message]
    assert found
    assert any(place.items() <= finding._asdict().items() for finding in found), found


def test_two_entries_swapped_are_found(folder: Path) -> None:
    findings = tampered(
        folder,
        "UPDATE entry SET version = 100 WHERE account = 1001 AND version = 1",
        "UPDATE entry SET version = 1 WHERE account = 1001 AND version = 2",
        "UPDATE entry SET version = 2 WHERE account = 1001 AND version = 100",
    )
    assert {(finding.account, finding.entry) for finding in findings} == {(1_001, 1), (1_001, 2)}


def test_a_table_of_other_kinds_is_found(folder: Path) -> None:
    findings = tampered(
        folder,
        "CREATE TABLE loose AS SELECT * FROM entry",
        "DROP TABLE entry",
        "ALTER TABLE loose RENAME TO entry",
        "UPDATE entry SET batch = 'many', available_after = NULL WHERE account = 1002",
    )
    assert "table entry cannot be read" in findings[0].message


@pytest.mark.parametrize("value", ["NULL", "'x'", "1e300", "x'00'"])
@pytest.mark.parametrize("table", ["balance", "deposit", "hold", "account", "batch", "head"])
def test_rows_of_other_kinds_do_not_crash_it(folder: Path, table: str, value: str) -> None:
    connection = sqlite3.connect(folder / FILE)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    findings = tampered(
        folder,
        f"CREATE TABLE loose AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE loose RENAME TO {table}",
        f"UPDATE {table} SET {', '.join(f'{column} = {value}' for column in columns if column != 'id')}",
    )
    assert findings


def rewritten(folder: Path, number: int, kind: type, fields: dict[str, object]) -> tuple[Finding, ...]:
    """Return what is found when fields of the last event of a kind in a batch were changed, and all made to fit it:
    the chain, the head and the tables."""
    head, changes = journal.START, []
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    for batch in [StoredBatch(*row) for row in connection.execute("SELECT * FROM batch ORDER BY number").fetchall()]:
        time, transactions = journal.read(batch.body)
        if batch.number == number:
            replace_last(transactions, kind, fields)
        made = journal.chained(head, time, journal.body_of(time, transactions))
        connection.execute("UPDATE batch SET hash = ?, body = ? WHERE number = ?", (made.hash, made.body, made.number))
        head = Head(made.number, made.time, made.hash)
        changes.append(projection.changes_of(made.number, transactions))
    connection.execute("UPDATE head SET hash = ?", (head.hash,))
    connection.close()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(file, "WRITER_PRAGMAS", (*file.WRITER_PRAGMAS, "PRAGMA ignore_check_constraints = ON"))
        store = SqliteStore(folder)
    store.rebuild(iter(changes))
    store.close()
    return audited(folder).findings


def replace_last(transactions: list[Transaction], kind: type, fields: dict[str, object]) -> None:
    for transaction in reversed(transactions):
        events = list(transaction.events)
        for place in reversed(range(len(events))):
            if isinstance(events[place], kind):
                events[place] = events[place]._replace(**fields)  # type: ignore[arg-type]
                transactions[transactions.index(transaction)] = transaction._replace(events=events)
                return


@pytest.mark.parametrize(
    ("number", "kind", "fields", "checks"),
    [
        (3, e.Entry, {"available_after": 2}, {"legs", "world", "deposits"}),
        (3, e.Entry, {"available_after": -2}, {"sign"}),
        (3, e.Entry, {"available_before": 5}, {"before", "legs"}),
        (3, e.Entry, {"version": 9}, {"versions", "deposits"}),
        (3, e.Entry, {"account": 5_000}, {"unknown", "deposits"}),
        (3, e.Entry, {"asset": 9}, {"unknown", "legs"}),
        (3, e.Entry, {"available_after": 2**60}, {"supply", "world"}),
        (3, e.Entry, {"frozen_after": 5}, {"frozen", "holds", "world", "legs"}),
        (3, e.Entry, {"why": "gift"}, {"deposits"}),
        (3, e.DepositMade, {"amount": 7}, {"deposits"}),
        (3, e.DepositMade, {"version": 7}, {"deposits"}),
        (3, e.DepositMade, {"txid": "a"}, {"twice"}),
        (5, e.HoldChanged, {"before": 3}, {"holds"}),
        (5, e.HoldChanged, {"after": -3}, {"holds"}),
        (5, e.HoldChanged, {"account": OTHER}, {"holds", "frozen"}),
    ],
)
def test_a_journal_that_contradicts_itself_is_found(
    folder: Path, number: int, kind: type, fields: dict[str, object], checks: set[str]
) -> None:
    if checks == {"twice"}:  # the table itself refuses two rows of one key, so the second stands in the journal alone
        with pytest.raises(StoreError):
            rewritten(folder, number, kind, fields)
        assert "twice" in {finding.check for finding in audited(folder).findings}
        return
    found = rewritten(folder, number, kind, fields)
    assert checks <= {finding.check for finding in found}, found


def test_findings_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.Findings.__init__, "__defaults__", (2,))
    findings = tampered(folder, "UPDATE account SET name = 'z'", "DELETE FROM entry")
    assert [finding.check for finding in findings] == ["tables", "tables", "more"]
    assert findings[-1].message == "and 16 findings more"


def test_parts_beyond_those_explained_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "EXPLAINED_MAX", 2)
    findings = tampered(folder, "DELETE FROM entry")
    assert "11 parts more of table entry differ from the journal" in [finding.message for finding in findings]


@pytest.mark.parametrize("suspects_max", [1, 10_000])
def test_books_that_are_written_to_meanwhile_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suspects_max: int
) -> None:
    monkeypatch.setattr(tables, "SUSPECTS_MAX", suspects_max)
    store = SqliteStore(folder)
    desk = Desk(store, StandingClock(StandingClock().now + 10_000))
    count = 0
    read = SqliteReader.page

    def page(reader: SqliteReader, *args: object) -> object:
        nonlocal count
        count += 1
        desk.batch(OpenAccount("new"), deposit(f"while-{count}"))
        return read(reader, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteReader, "page", page)
    found = audited(folder)
    store.close()
    assert found.ok
    assert found.entries >= 13 + 2 * 5


def test_books_under_load_pass(folder: Path) -> None:
    store = SqliteStore(folder)
    desk = Desk(store, StandingClock(StandingClock().now + 10_000))
    ended = threading.Event()

    def load() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            desk.batch(*(deposit(f"load-{number}-{index}") for index in range(8)))

    thread = threading.Thread(target=load)
    thread.start()
    try:
        reports = [audited(folder) for _ in range(5)]
    finally:
        ended.set()
        thread.join()
        store.close()
    assert all(found.ok for found in reports), reports
