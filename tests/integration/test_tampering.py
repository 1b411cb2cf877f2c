"""Tampering in the file of the books: the audit finds it, and the separate verifier does, each naming the place."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spotbook.app import journal
from spotbook.app.journal import Transaction
from spotbook.app.ports import Head, StoredBatch
from spotbook.app.projection import changes_of
from spotbook.app.writer import Done
from spotbook.cli.commands import spotbook
from spotbook.domain import events as e
from spotbook.domain.account import WORLD
from spotbook.domain.commands import (
    CancelAllOrders,
    FreezeAccount,
    Halt,
    LiftBan,
    OpenWealth,
    RecordBan,
    Resume,
    RevokeKey,
    RevokeToken,
)
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore
from support.commands import USER, deposit, make_key, make_token
from support.demo import audit as audited_by_process
from support.trading_story import OTHER, THIRD, limit, tell
from support.verifier import run_verifier, verified
from support.writers import Desk

ASSETS = {"BTC": 1, "USDT": 2}
Found = list[dict[str, Any]]


def trade(folder: Path) -> None:
    """Make books with something in every table; in the end orders 16 and 17 of USER rest, unfilled, and hold USDT."""
    create(folder)
    store = SqliteStore(folder)
    desk = Desk(store)
    tell(desk)
    commands = (
        (OpenWealth(USER), FreezeAccount(OTHER, True, "court"), make_key(), make_key("key-2"), make_token()),
        (
            RevokeKey(USER, "key-2", desk.clock.now),
            make_token("other"),
            RevokeToken("other"),
            deposit("A" * 64, index=3, chain="BSC"),
        ),
        (RecordBan("address:192.0.2.7", "ban", 1, 2), LiftBan("address:192.0.2.8", 9), Halt("é “€” \\"), Resume("y")),
        (limit(USER, "buy", "1", "20"), limit(USER, "buy", "2", "15")),
    )
    outcomes = [outcome for batch in commands for outcome in desk.batch(*batch)]
    assert [outcome for outcome in outcomes if not isinstance(outcome, Done)] == []
    store.close()


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traded") / "books"
    trade(folder)
    return folder


@pytest.fixture
def folder(traded: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(traded, tmp_path / "books"))


def audited(folder: Path, *heads: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the report of ``spotbook audit``."""
    expect = [option for head in heads for option in ("--expect", head)]
    result = CliRunner().invoke(spotbook, ["audit", "--data", str(folder), "--json", *expect])
    return result.exit_code, json.loads(result.stdout)


def both(folder: Path, *heads: str) -> tuple[Found, Found]:
    """Return what the audit finds and what the verifier finds; each exit code says the same."""
    (code, report), (code_too, report_too) = audited(folder, *heads), verified(folder / FILE, *heads)
    for exited, said in ((code, report), (code_too, report_too)):
        assert exited == (1 if said["findings"] else 0)
        assert said["ok"] == (not said["findings"])
    return report["findings"], report_too["findings"]


def change(folder: Path, *statements: str) -> None:
    """Change rows by SQL, past the checks of the schema."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


def names(found: Found, place: dict[str, object]) -> bool:
    """Whether a finding names the place. The verifier knows an asset by its number."""
    numbered = {**place, "asset": ASSETS[str(place["asset"])]} if "asset" in place else place
    return any(wanted.items() <= finding.items() for finding in found for wanted in (place, numbered))


def head_of(folder: Path) -> str:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        number, digest = connection.execute("SELECT number, hash FROM head").fetchone()
    return f"{number}:{digest.hex()}"


def test_clean_books_pass_both(folder: Path) -> None:
    assert both(folder) == ([], [])
    assert both(folder, head_of(folder), "0:" + "0" * 64) == ([], [])
    (_, report), (_, report_too) = audited(folder), verified(folder / FILE)
    assert report == report_too
    assert report["entries"] > 50


def test_clean_books_pass_both_as_they_are_run(folder: Path) -> None:
    code, report = audited_by_process(folder)
    assert (code, report["ok"]) == (0, True)
    done = run_verifier(folder / FILE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{report['entries']} entries up to batch {head_of(folder)}: nothing was found\n"


def test_tampering_is_found_as_they_are_run(folder: Path) -> None:
    change(folder, "UPDATE balance SET available = available + 1 WHERE account = 1002 AND asset = 1")
    code, report = audited_by_process(folder)
    assert (code, len(report["findings"])) == (1, 1)
    done = run_verifier(folder / FILE)
    first, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert first.startswith("tables: balance account 1002, asset 1: available is ")
    assert first.endswith("account 1002, asset 1)")
    assert last.endswith(": 1 findings")


MOVED = "UPDATE hold SET amount = amount {} 5 WHERE account = 1001 AND id = {}"
HALVED = "UPDATE open_order SET price = price / 2, amount = amount * 2 WHERE id = 16"
TAMPERINGS: dict[str, tuple[list[str], dict[str, object]]] = {
    "one unit added to a balance": (
        ["UPDATE balance SET available = available + 1 WHERE account = 1002 AND asset = 1"],
        {"check": "tables", "account": OTHER, "asset": "BTC"},
    ),
    "one unit moved from available to frozen": (
        ["UPDATE balance SET available = available - 1, frozen = frozen + 1 WHERE account = 1001 AND asset = 2"],
        {"check": "tables", "account": USER, "asset": "USDT"},
    ),
    "one entry's amount changed": (
        ["UPDATE entry SET available_after = available_after + 1 WHERE account = 1001 AND version = 3"],
        {"check": "tables", "account": USER, "entry": 3},
    ),
    "one entry removed": (
        ["DELETE FROM entry WHERE account = 1002 AND version = 4"],
        {"check": "tables", "account": OTHER, "entry": 4},
    ),
    "one entry added": (
        ["INSERT INTO entry VALUES (1002, 4000, 1, 0, 1, 0, 0, 'deposit', 1, 4)"],
        {"check": "tables", "account": OTHER, "entry": 4_000},
    ),
    "one batch removed": (["DELETE FROM batch WHERE number = 7"], {"check": "numbers", "batch": 7}),
    "the last batch removed": (
        ["DELETE FROM batch WHERE number = (SELECT max(number) FROM batch)"],
        {"check": "head"},
    ),
    "the bytes of one batch changed": (
        ["UPDATE batch SET body = CAST(replace(body, '1790', '1791') AS BLOB) WHERE number = 7"],
        {"check": "chain", "batch": 7},
    ),
    "the hash of one batch changed": (
        ["UPDATE batch SET hash = zeroblob(32) WHERE number = 7"],
        {"check": "chain", "batch": 7},
    ),
    "two entries swapped": (
        [
            "UPDATE entry SET version = 9000 WHERE account = 1001 AND version = 1",
            "UPDATE entry SET version = 1 WHERE account = 1001 AND version = 2",
            "UPDATE entry SET version = 2 WHERE account = 1001 AND version = 9000",
        ],
        {"check": "tables", "account": USER, "entry": 2},
    ),
    "one hold changed": (
        ["UPDATE hold SET amount = amount + 1 WHERE account = 1001 AND id = 17"],
        {"check": "tables", "account": USER, "asset": "USDT"},
    ),
    "two holds of an account shifted against each other": (
        [MOVED.format("-", 16), MOVED.format("+", 17)],
        {"check": "tables", "account": USER, "asset": "USDT"},
    ),
    "the price of a resting order": (
        ["UPDATE open_order SET price = price + 1 WHERE id = 16"],
        {"check": "tables", "account": USER},
    ),
    "the remaining amount of a resting order": (
        ["UPDATE open_order SET amount = amount + 1 WHERE id = 16"],
        {"check": "tables", "account": USER},
    ),
    "price and remaining amount of a resting order, their product as it was": (
        [HALVED],
        {"check": "tables", "account": USER},
    ),
    "a closed order's fee": (
        ["UPDATE closed_order SET fee = 0 WHERE account = 1001 AND id = 3"],
        {"check": "tables", "account": USER},
    ),
    "a fill's price": (
        ["UPDATE fill SET price = price + 1 WHERE account = 1001 AND id = 1"],
        {"check": "tables", "account": USER},
    ),
    "a trade removed": (["DELETE FROM trade WHERE id = 2"], {"check": "tables"}),
    "a candle's volume": (["UPDATE candle SET value = value + 1 WHERE seconds = 3600"], {"check": "tables"}),
    "a reference bound to another order": (
        ["UPDATE out_trade_no SET order_id = 4 WHERE out_trade_no = 'mine'"],
        {"check": "tables", "account": USER},
    ),
    "a deposit's identity": (
        ["UPDATE deposit_identity SET txid = 'another' WHERE deposit = 3"],
        {"check": "tables"},
    ),
    "a key's permissions": (["UPDATE api_key SET permissions = 'read,trade'"], {"check": "tables", "account": USER}),
    "a key's revocation": (["UPDATE api_key SET revoked_at = 0 WHERE api_key = 'key-2'"], {"check": "tables"}),
    "a token's roles": (["UPDATE token SET roles = 'money'"], {"check": "tables"}),
    "a ban": (["DELETE FROM ban"], {"check": "tables"}),
    "a counter": (["UPDATE counter SET value = value - 1 WHERE name = 'order'"], {"check": "tables"}),
    "the standing": (["UPDATE standing SET standing = 'halted'"], {"check": "tables"}),
    "an account thawed": (["UPDATE account SET frozen = 0 WHERE id = 1002"], {"check": "tables", "account": OTHER}),
    "an asset's scale": (["UPDATE asset SET scale = 2 WHERE id = 2"], {"check": "tables", "asset": "USDT"}),
    "a market's fee": (["UPDATE market SET taker_fee_ppm = 0"], {"check": "tables"}),
    "the head's hash": (["UPDATE head SET hash = zeroblob(32)"], {"check": "head"}),
}


@pytest.mark.parametrize(("statements", "place"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_both_find_it_and_name_the_place(folder: Path, statements: list[str], place: dict[str, object]) -> None:
    change(folder, *statements)
    by_audit, by_verifier = both(folder)
    if place == {"check": "head"} and "DELETE" in statements[0]:
        assert names(by_audit, {"check": "numbers"})  # for it the batch is what is missing
    else:
        assert names(by_audit, place), by_audit
    assert names(by_verifier, place), by_verifier


def test_the_verifier_names_the_table_and_the_batch_that_set_the_row(folder: Path) -> None:
    change(folder, MOVED.format("-", 16), MOVED.format("+", 17))
    _, report = verified(folder / FILE)
    last = int(head_of(folder).partition(":")[0])
    places = [(found["table"], found["batch"], found["account"], found["asset"]) for found in report["findings"]]
    assert places == [("hold", last, USER, ASSETS["USDT"])] * 2


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER gift AFTER INSERT ON entry BEGIN UPDATE balance SET available = 9 WHERE account = 1001; END",
        "CREATE VIEW gift AS SELECT * FROM balance",
        "CREATE TABLE gift (account INTEGER)",
        "DROP TABLE token",
        "ALTER TABLE balance ADD COLUMN gift INTEGER",
        "ALTER TABLE token RENAME COLUMN roles TO gift",
        "PRAGMA user_version = 2",
        "PRAGMA application_id = 1",
        "UPDATE account SET name = CAST(x'ff' AS TEXT) WHERE id = 1002",
    ],
)
def test_the_verifier_finds_what_is_wrong_with_the_file_itself(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute(statement)
    code, report = verified(folder / FILE)
    assert code == 1
    assert report["findings"]


# --- the chain made anew ---


Rewrite = Callable[[list[tuple[int, list[Transaction]]]], None]


def rewritten(folder: Path, rewrite: Rewrite) -> None:
    """Let `rewrite` change the journal, and make all fit it: the chain, the head and every table."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM batch ORDER BY number").fetchall()]
        batches = [journal.read(body) for body in bodies]
        rewrite(batches)
        head, made = journal.START, list[StoredBatch]()
        for time, transactions in batches:
            made.append(journal.chained(head, time, journal.body_of(time, transactions)))
            head = Head(*made[-1][:3])
        connection.execute("DELETE FROM batch")
        connection.executemany("INSERT INTO batch VALUES (?, ?, ?, ?)", made)
        connection.execute("UPDATE head SET number = ?, time = ?, hash = ?", head)
    store = SqliteStore(folder)
    store.rebuild(changes_of(number, transactions) for number, (_, transactions) in enumerate(batches, 1))
    store.close()


def cut(batches: list[tuple[int, list[Transaction]]]) -> None:
    """Leave off the last batch."""
    del batches[-1]


GIFT = 1_000 * 10**8


def enrich(batches: list[tuple[int, list[Transaction]]]) -> None:
    """Let USER have deposited more USDT than it did, from its first deposit of it to the end."""
    given = False
    for _, transactions in batches:
        for place, transaction in enumerate(transactions):
            events = list(transaction.events)
            here = [event for event in events if isinstance(event, e.DepositMade)]
            begins = not given and any((event.account, event.asset) == (USER, ASSETS["USDT"]) for event in here)
            given = given or begins
            if given:
                transactions[place] = transaction._replace(events=[enriched(event, begins) for event in events])
    assert given


def enriched(event: e.Event, begins: bool) -> e.Event:
    """Return an event as it is with the gift; in the transaction where it `begins` nothing was there before."""
    if begins and isinstance(event, e.DepositMade):
        return event._replace(amount=event.amount + GIFT)
    if isinstance(event, e.Entry) and event.asset == ASSETS["USDT"] and event.account in {USER, WORLD}:
        gift = GIFT if event.account == USER else -GIFT
        return event._replace(
            available_before=event.available_before + (0 if begins else gift),
            available_after=event.available_after + gift,
        )
    return event


@pytest.mark.parametrize(("rewrite", "words"), [(cut, "cut off"), (enrich, "written anew")], ids=["cut", "enriched"])
def test_a_consistent_forgery_is_found_only_by_a_head_that_was_kept(folder: Path, rewrite: Rewrite, words: str) -> None:
    kept = head_of(folder)
    rewritten(folder, rewrite)
    assert head_of(folder) != kept
    assert both(folder) == ([], [])
    for found in both(folder, kept):
        assert [(finding["check"], finding["batch"]) for finding in found] == [("expect", int(kept.partition(":")[0]))]
        assert words in found[0]["message"]
    assert both(folder, head_of(folder)) == ([], [])
    assert [len(found) for found in both(folder, kept, head_of(folder))] == [1, 1]


def gift(entries: list[tuple[int, int, str, int]]) -> Rewrite:
    """Return what adds a transaction to the journal that moves funds between two accounts without an order.

    Of each entry: the account, by how much its available USDT changes, reason and reference.
    """

    def rewrite(batches: list[tuple[int, list[Transaction]]]) -> None:
        last: dict[int, int] = {}
        versions: dict[int, int] = {}
        frozen: dict[int, int] = {}
        for _, transactions in batches:
            for event in (event for transaction in transactions for event in transaction.events):
                if isinstance(event, e.Entry):
                    versions[event.account] = event.version
                    if event.asset == ASSETS["USDT"]:
                        last[event.account], frozen[event.account] = event.available_after, event.frozen_after
        events: list[e.Event] = []
        for account, moved, why, ref in entries:
            before, side = last[account], frozen[account]
            entry = versions[account] + 1, ASSETS["USDT"], before, before + moved, side, side, why, ref
            events.append(e.Entry(account, *entry))
        batches.append((batches[-1][0], [Transaction("token:ops", "Deposit", events)]))

    return rewrite


@pytest.mark.parametrize("why", ["deposit", "received", "gift"])
def test_both_find_a_movement_that_nothing_accounts_for(folder: Path, why: str) -> None:
    rewritten(folder, gift([(OTHER, -5, why, 1), (THIRD, 5, why, 1)]))
    for found in both(folder):
        assert names(found, {"check": "entries", "account": OTHER, "asset": "USDT"}), found
        assert names(found, {"check": "entries", "account": THIRD, "asset": "USDT"}), found


# --- damage ---


def cells(page: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each cell of a b-tree page begins and ends, as far as the next cell or the page's end."""
    interior = page[0] in {2, 5}
    count = int.from_bytes(page[3:5], "big")
    first = 12 if interior else 8
    starts = sorted(int.from_bytes(page[first + 2 * at : first + 2 * at + 2], "big") for at in range(count))
    yield from zip(starts, [*starts[1:], len(page)], strict=True)


def pages_with_data(path: Path) -> Iterator[tuple[str, int]]:
    """Yield a byte in the midst of a row, for each page of a table or index that has rows."""
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        roots = connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
    raw = path.read_bytes()
    for name, root in roots:
        begin = (root - 1) * size
        page = raw[begin : begin + size]
        if name not in {"meta", "key_secret"} and page[0] in {10, 13}:
            for start, end in list(cells(page))[-1:]:
                yield name, begin + (start + end) // 2


def flipped(path: Path, place: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0xFF
    path.write_bytes(bytes(raw))


def test_a_flipped_byte_of_a_row_is_found_by_both(traded: Path, tmp_path: Path) -> None:
    places = list(pages_with_data(traded / FILE))
    assert len(places) > 20
    for number, (name, place) in enumerate(places):
        folder = Path(shutil.copytree(traded, tmp_path / str(number)))
        flipped(folder / FILE, place)
        by_audit, by_verifier = both(folder)
        assert by_verifier, name
        assert by_audit, name


# --- wrong use ---


@pytest.mark.parametrize(
    "options", [["--expect", "7"], ["--expect", "x:" + "0" * 64], ["--expect", "7:" + "g" * 64], ["--what"]]
)
def test_wrong_use_is_told_on_standard_error(folder: Path, options: list[str]) -> None:
    done = run_verifier(folder / FILE, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = run_verifier(tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_a_file_that_is_no_books_is_a_finding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    code, report = verified(tmp_path / "file")
    assert code == 1
    assert [finding["check"] for finding in report["findings"]] == ["file"]


# --- beside a running writer ---


def test_the_verifier_sees_one_moment_beside_a_writer_that_trades(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    create(folder)
    store = SqliteStore(folder)
    desk = Desk(store)
    tell(desk)
    ended, committed = threading.Event(), threading.Semaphore(0)

    def load() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            desk.clock.now += 7_001
            desk.batch(
                deposit(f"load-{number}", "100", asset="USDT"),
                limit(THIRD, "sell", "0.1", "60", out_trade_no=f"sell-{number}"),
                limit(USER, "buy", "0.09", "61", out_trade_no=f"buy-{number}"),
                CancelAllOrders(THIRD, ""),
            )
            committed.release()

    thread, reports = threading.Thread(target=load), []
    thread.start()
    try:
        for _ in range(4):
            while committed.acquire(blocking=False):
                pass
            # The second of two was begun since: so that each report sees more than the one before.
            assert all(committed.acquire(timeout=60) for _ in range(2))
            reports.append(verified(folder / FILE))
    finally:
        ended.set()
        thread.join()
        store.close()
    assert [(code, report["findings"]) for code, report in reports] == [(0, [])] * 4
    numbers = [report["batch"] for _, report in reports]
    assert numbers == sorted(set(numbers))
    assert desk.alarms == []
    assert both(folder) == ([], [])


def test_a_copy_of_the_file_and_its_log_is_verified_whole(tmp_path: Path) -> None:
    create(tmp_path / "books")
    store = SqliteStore(tmp_path / "books")
    desk = Desk(store)
    tell(desk)
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "books" / name, copied / name)
    store.close()
    code, report = verified(copied / FILE)
    assert (code, report["batch"]) == (0, desk.writer.head.number)
