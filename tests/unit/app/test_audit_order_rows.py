"""The audit of the tables of trading: a row that was changed in the file is found, while the writer trades too."""

import random
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from spotbook.app.audit import Report, audit
from spotbook.app.writer import Done
from spotbook.domain.commands import CancelAllOrders
from spotbook.domain.order import Side
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.clock import StandingClock
from support.commands import USER
from support.trading_story import OTHER, THIRD, limit, tell
from support.writers import Desk


@pytest.fixture(scope="module")
def told_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story in a file, closed."""
    folder = tmp_path_factory.mktemp("told") / "books"
    create(folder)
    store = SqliteStore(folder)
    tell(Desk(store))
    store.close()
    return folder


@pytest.fixture
def folder(told_folder: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return Path(shutil.copytree(told_folder, tmp_path / "books"))


def audited(folder: Path) -> Report:
    reader = SqliteReader(folder)
    try:
        return audit(reader)
    finally:
        reader.close()


def changed(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / FILE, isolation_level=None, timeout=30)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    assert connection.execute(statement).rowcount > 0
    connection.close()


COPY_OPEN = (
    "INSERT INTO open_order SELECT 1001, 99, market, side, kind, price, amount, funds, filled, value, fee, status,"
    " out_trade_no, placed_at, changed_at FROM open_order"
)
COPY_CLOSED = (
    "INSERT INTO closed_order SELECT 1003, 99, market, side, kind, price, amount, funds, filled, value, fee,"
    " 'cancelled', out_trade_no, placed_at, changed_at, 20 FROM open_order"
)
ROWS: list[tuple[str, str, dict[str, object]]] = [
    # the statement, words in the message of a finding, its place
    ("UPDATE open_order SET price = 5999", "price is 5999, by the journal 6000", {"account": THIRD}),
    ("UPDATE open_order SET filled = filled + 1", "filled is 10000001, by the journal 10000000", {"account": THIRD}),
    ("UPDATE open_order SET account = 1002", "is missing", {"account": THIRD}),
    ("UPDATE open_order SET out_trade_no = 'x'", "out_trade_no is 'x'", {}),
    ("DELETE FROM open_order", "open_order account 1003, id 14 is missing", {"account": THIRD}),
    (
        COPY_OPEN,
        "open_order account 1001, id 99 is there, and the journal makes no such row",
        {"account": USER},
    ),
    ("UPDATE closed_order SET fee = 0 WHERE id = 3", "fee is 0, by the journal 200000", {"account": USER}),
    ("UPDATE closed_order SET status = 'filled' WHERE id = 4", "status is 'filled'", {"account": USER, "batch": 11}),
    ("DELETE FROM closed_order WHERE id = 4", "closed_order account 1001, id 4 is missing", {"account": USER}),
    (
        COPY_CLOSED,
        "makes no such row",
        {"account": THIRD, "batch": 20},
    ),
    ("UPDATE out_trade_no SET order_id = 4 WHERE out_trade_no = 'mine'", "order_id is 4, by the journal 3", {}),
    ("UPDATE out_trade_no SET order_id = 3 WHERE out_trade_no = 'late'", "order_id is 3, by the journal 0", {}),
    ("UPDATE out_trade_no SET out_trade_no = 'm' WHERE out_trade_no = 'mine'", "out_trade_no mine is missing", {}),
    ("DELETE FROM out_trade_no WHERE out_trade_no = 'late'", "out_trade_no late is missing", {"account": USER}),
    ("INSERT INTO out_trade_no VALUES (1003, 'early', 0, 20)", "makes no such row", {"account": THIRD}),
    ("UPDATE fill SET fee = fee - 1 WHERE id = 9 AND role = 'taker'", "fee is 4999, by the journal 5000", {}),
    ("UPDATE fill SET role = 'maker' WHERE id = 9 AND role = 'taker'", "role is 'maker'", {"account": USER}),
    ("DELETE FROM fill WHERE id = 9 AND role = 'maker'", "fill account 1003, id 9 is missing", {"account": THIRD}),
    (
        "INSERT INTO fill SELECT 1002, id, 9, 1, side, role, 1, 1, 1, 0, 1, 21 FROM fill WHERE id = 9 LIMIT 1",
        "makes no such row",
        {"account": OTHER, "batch": 21},
    ),
    ("UPDATE trade SET price = 1 WHERE id = 8", "price is 1, by the journal 5500", {"batch": 19}),
    ("UPDATE trade SET side = 'sell' WHERE id = 8", "side is 'sell'", {}),
    ("DELETE FROM trade WHERE id = 8", "trade market 1, id 8 is missing", {}),
    ("INSERT INTO trade VALUES (1, 99, 'buy', 1, 1, 1, 1, 21)", "makes no such row", {"batch": 21}),
    ("INSERT INTO trade VALUES (1, 99, 'buy', 1, 1, 1, 1, 99)", "a row that no batch made", {"batch": 99}),
    ("UPDATE candle SET high = high + 1 WHERE seconds = 60", "high is 6001, by the journal 6000", {}),
    ("UPDATE candle SET value = 0 WHERE seconds = 86400", "value is 0, by the journal", {}),
    ("UPDATE candle SET open = 1 WHERE seconds = 3600", "open is 1, by the journal 3000", {}),
    ("DELETE FROM candle WHERE seconds = 60", "is missing", {}),
    ("INSERT INTO candle VALUES (1, 60, 0, 1, 1, 1, 1, 1, 1)", "makes no such row", {}),
    ("UPDATE market SET bound_ppm = 0", "bound_ppm is 0, by the journal 100000", {}),
    ("UPDATE counter SET value = 1 WHERE name = 'order'", "value is 1, by the journal 15", {}),
    ("UPDATE counter SET value = 1 WHERE name = 'trade'", "value is 1, by the journal 9", {}),
]


def test_the_story_in_a_file_passes(told_folder: Path) -> None:
    assert audited(told_folder).findings == ()


@pytest.mark.parametrize(("statement", "words", "place"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_changed_row_is_found(folder: Path, statement: str, words: str, place: dict[str, object]) -> None:
    changed(folder, statement)
    found = [finding for finding in audited(folder).findings if words in finding.message]
    assert any({"check": "tables", **place}.items() <= finding._asdict().items() for finding in found), found


@pytest.fixture(scope="module")
def aged_folder(told_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same story two days and a minute later, when there was one more fill: its own candles are over."""
    folder = Path(shutil.copytree(told_folder, tmp_path_factory.mktemp("aged") / "books"))
    store = SqliteStore(folder)
    desk = Desk(store, StandingClock(StandingClock().now + 2 * 86_400_000 + 60_000))
    assert isinstance(desk.do(limit(USER, "buy", "0.1", "60")), Done)  # takes from order 14
    store.close()
    return folder


LAST_CANDLE = "opens_at = (SELECT max(opens_at) FROM candle WHERE seconds = 86400) AND seconds = 86400"
FIRST_CANDLE = "opens_at = (SELECT min(opens_at) FROM candle WHERE seconds = 60) AND seconds = 60"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE candle SET low = 2999 WHERE {FIRST_CANDLE}", "low is 2999, by the journal 3000"),
        (f"UPDATE candle SET amount = amount + 1 WHERE {FIRST_CANDLE}", "candle market 1, seconds 60, opens_at"),
        (f"DELETE FROM candle WHERE {FIRST_CANDLE}", "is missing"),
        ("DELETE FROM candle WHERE seconds > 0", "is missing"),
        (
            "INSERT INTO candle VALUES (1, 3600, 3600000, 1, 1, 1, 1, 1, 1)",
            "opens_at 3600000 is there, and the journal",
        ),
        ("UPDATE candle SET opens_at = 60000 WHERE " + FIRST_CANDLE, "makes no such row"),
        (f"UPDATE candle SET close = 7001 WHERE {LAST_CANDLE}", "close is 7001, by the journal 6000"),
        (f"DELETE FROM candle WHERE {LAST_CANDLE}", "is missing"),
    ],
)
def test_a_changed_candle_is_found_whether_it_lasts_or_ended(
    aged_folder: Path, tmp_path: Path, statement: str, words: str
) -> None:
    folder = Path(shutil.copytree(aged_folder, tmp_path / "aged"))
    assert audited(folder).findings == ()
    changed(folder, statement)
    found = audited(folder).findings
    assert any(finding.check == "tables" and words in finding.message for finding in found), found
    assert all(finding.message.startswith("candle market 1, seconds ") for finding in found)


@pytest.mark.parametrize("value", ["NULL", "'x'", "1e300", "x'00'"])
@pytest.mark.parametrize("table", ["open_order", "closed_order", "out_trade_no", "fill", "trade", "candle"])
def test_rows_of_other_kinds_do_not_crash_it(folder: Path, table: str, value: str) -> None:
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE loose RENAME TO {table}")
    connection.close()
    changed(folder, f"UPDATE {table} SET {', '.join(f'{column} = {value}' for column in columns)}")
    assert {finding.check for finding in audited(folder).findings} == {"tables"}


class Trading:
    """A writer that trades in a thread of its own, several commands a batch, until it is left."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(SqliteStore(folder), StandingClock(StandingClock().now + 100_000))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._trade)
        self.batches = 0

    def _trade(self) -> None:
        choice = random.Random(7)
        while not self._ended.is_set():
            self.desk.clock.now += 700
            self.desk.batch(*(self._command(choice) for _ in range(8)))
            self.batches += 1

    @staticmethod
    def _command(choice: random.Random) -> Any:
        account: int = choice.choice((USER, OTHER))
        if choice.random() < 0.2:
            return CancelAllOrders(account, "")
        side: Side = "buy" if account == USER else "sell"
        return limit(account, side, "0.1", str(choice.randrange(50, 60)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.desk.writer._store.close()


def test_books_that_trade_meanwhile_pass(folder: Path) -> None:
    with Trading(folder) as trading:
        reports = [audited(folder) for _ in range(5)]
    assert [report.findings for report in reports] == [()] * 5
    assert trading.desk.alarms == []
    assert reports[-1].batch > reports[0].batch
    last = audited(folder)
    assert last.findings == ()
    assert last.entries > reports[0].entries


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE open_order SET amount = amount + 100 WHERE id = 14",
        "UPDATE closed_order SET value = 1 WHERE id = 3",
        "DELETE FROM out_trade_no WHERE out_trade_no = 'mine'",
        "DELETE FROM fill WHERE id = 1 AND role = 'maker'",
        "UPDATE trade SET amount = 1 WHERE id = 1",
        "UPDATE candle SET low = 1 WHERE opens_at = (SELECT min(opens_at) FROM candle WHERE seconds = 60)",
    ],
)
def test_a_changed_row_is_found_while_the_writer_trades(folder: Path, statement: str) -> None:
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    with Trading(folder) as trading:
        while trading.batches < 3:
            threading.Event().wait(0.01)
        changed(folder, statement)
        found = audited(folder).findings
    assert found
    assert {(finding.check, finding.message.split()[0]) for finding in found} == {("tables", table)}
