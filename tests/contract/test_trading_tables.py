"""The tables of trading: candles that merge, open orders that close, out_trade_nos that are bound for ever."""

from collections.abc import Iterator, Sequence
from itertools import count

import pytest

from spotbook.app.journal import Transaction
from spotbook.app.ports import Changes, Reader, Row, Store
from spotbook.app.projection import CANDLE_SECONDS, changes_of
from spotbook.domain.events import Event, OrderChanged, OrderPlaced, OutTradeNoClosed, Traded
from spotbook.limits import SUM_MAX, UNITS_MAX
from support.clock import NOW
from support.commits import commit

ALL = 1_000
MINUTE = NOW - NOW % 60_000
SECONDS_OF_A_MINUTE = 60


TRADE_NUMBERS = count(1)


def traded(price: int, amount: int = 1, value: int = 1, *, at: int = MINUTE, market: int = 1) -> Traded:
    return Traded(market, next(TRADE_NUMBERS), "buy", price, amount, value, 1001, 1, 0, 1002, 2, 0, at)


def placed(status: str, number: int = 5, **changes: object) -> OrderPlaced:
    order = OrderPlaced(1001, number, 1, "buy", "limit", 3, 10, 0, 0, 0, 0, "open", "bot", NOW, NOW)
    return order._replace(status=status, **changes)  # type: ignore[arg-type]


def changed(status: str, number: int = 5, **changes: object) -> OrderChanged:
    return OrderChanged(*placed(status, number, **changes))


def folded(number: int, events: Sequence[Event]) -> Changes:
    return changes_of(number, [Transaction("house:test", "Test", list(events))])


def write(store: Store, *events: Event) -> None:
    """Commit what these events make of the tables, as one batch."""
    changes = folded(store.head().number + 1, events)
    commit(store, changes.rows, changes.removed)


def candle(reader: Reader, seconds: int = SECONDS_OF_A_MINUTE, opens_at: int = MINUTE, market: int = 1) -> Row | None:
    """Return open, high, low, close, amount and value."""
    row = reader.find("candle", (market, seconds, opens_at))
    return row and row[3:]


# --- candles ------------------------------------------------------------------------------------


def test_the_first_trade_of_a_candle_is_all_of_it(store: Store, reader: Reader) -> None:
    write(store, traded(5, 2, 10))
    assert candle(reader) == (5, 5, 5, 5, 2, 10)


TRADES = [traded(5, 2, 10), traded(9, 1, 9), traded(3, 4, 12), traded(4, 1, 4)]


def test_trades_of_one_batch_make_one_candle(store: Store, reader: Reader) -> None:
    write(store, *TRADES)
    assert candle(reader) == (5, 9, 3, 4, 8, 35)


@pytest.mark.parametrize("cut", range(len(TRADES) + 1))
def test_so_they_do_however_they_are_spread_over_batches(store: Store, reader: Reader, cut: int) -> None:
    write(store, *TRADES[:cut])
    write(store, *TRADES[cut:])
    assert candle(reader) == (5, 9, 3, 4, 8, 35)


def test_a_batch_of_each_makes_the_same(store: Store, reader: Reader) -> None:
    for trade in TRADES:
        write(store, trade)
    assert candle(reader) == (5, 9, 3, 4, 8, 35)


def test_a_later_lower_high_does_not_lower_it_nor_a_higher_low_raise_it(store: Store, reader: Reader) -> None:
    write(store, traded(5), traded(9), traded(3))
    write(store, traded(7), traded(4))
    assert candle(reader) == (5, 9, 3, 4, 5, 5)


def test_every_trade_is_in_a_candle_of_each_length(store: Store, reader: Reader) -> None:
    write(store, traded(5, 2, 10))
    for seconds in CANDLE_SECONDS:
        opens_at = NOW - NOW % (seconds * 1_000)
        assert candle(reader, seconds, opens_at) == (5, 5, 5, 5, 2, 10)
    assert len(reader.page("candle", (), (), ALL)) == len(CANDLE_SECONDS)


def test_a_trade_is_in_the_candle_in_whose_time_it_lies(store: Store, reader: Reader) -> None:
    write(store, traded(1, at=MINUTE - 1), traded(2, at=MINUTE), traded(3, at=MINUTE + 59_999))
    write(store, traded(4, at=MINUTE + 60_000))
    opens = [(row[2], row[3], row[6]) for row in reader.page("candle", (1, 60), (), ALL)]
    assert opens == [(MINUTE - 60_000, 1, 1), (MINUTE, 2, 3), (MINUTE + 60_000, 4, 4)]


def test_trades_of_several_minutes_in_one_batch_make_one_candle_of_their_hour(store: Store, reader: Reader) -> None:
    hour = NOW - NOW % 3_600_000
    write(store, traded(5, at=hour), traded(9, at=hour + 60_000), traded(7, at=hour + 120_000))
    assert candle(reader, 3_600, hour) == (5, 9, 5, 7, 3, 3)


def test_each_market_has_its_own(store: Store, reader: Reader) -> None:
    write(store, traded(5), traded(8, market=2))
    write(store, traded(6, market=2))
    assert candle(reader) == (5, 5, 5, 5, 1, 1)
    assert candle(reader, market=2) == (8, 8, 6, 6, 2, 2)


def test_a_volume_stays_at_the_largest_integer_once_it_is_reached(store: Store, reader: Reader) -> None:
    """The same units may change hands without end, and no commit may fail because of it."""

    def most() -> Traded:
        return traded(5, UNITS_MAX, UNITS_MAX)

    write(store, most(), most())
    assert candle(reader) == (5, 5, 5, 5, 2 * UNITS_MAX, 2 * UNITS_MAX)
    write(store, most())
    assert candle(reader) == (5, 5, 5, 5, SUM_MAX, SUM_MAX)
    write(store, traded(6, 1, 1))
    write(store, *[most() for _ in range(5)])
    assert candle(reader) == (5, 6, 5, 5, SUM_MAX, SUM_MAX)


def test_so_does_that_of_one_batch(store: Store, reader: Reader) -> None:
    write(store, *[traded(5, UNITS_MAX, 1) for _ in range(3)])
    assert candle(reader) == (5, 5, 5, 5, SUM_MAX, 3)
    write(store, traded(5, 1, 1))
    assert candle(reader) == (5, 5, 5, 5, SUM_MAX, 4)


def test_a_sum_may_come_to_exactly_that(store: Store, reader: Reader) -> None:
    write(store, traded(5, UNITS_MAX, 1))
    write(store, traded(5, SUM_MAX - UNITS_MAX, 1))
    assert candle(reader) == (5, 5, 5, 5, SUM_MAX, 2)


# --- orders -------------------------------------------------------------------------------------


def test_an_open_order_is_changed_in_place_and_then_closed(store: Store, reader: Reader) -> None:
    write(store, placed("open"))
    assert reader.find("open_order", (1001, 5)) == tuple(placed("open"))
    write(store, changed("partly_filled", filled=4, value=12, fee=1))
    assert reader.page("open_order", (), (), ALL) == [tuple(placed("partly_filled", filled=4, value=12, fee=1))]
    write(store, changed("filled", filled=10, value=30, fee=2))
    assert reader.page("open_order", (), (), ALL) == []
    assert store.find("closed_order", (1001, 5)) == (*placed("filled", filled=10, value=30, fee=2), 3)


def test_an_order_that_is_placed_and_closed_in_one_batch_was_never_open(store: Store, reader: Reader) -> None:
    write(store, placed("open"), changed("cancelled"))
    assert reader.page("open_order", (), (), ALL) == []
    assert reader.page("closed_order", (), (), ALL) == [(*placed("cancelled"), 1)]


def test_orders_of_one_account_are_read_without_those_of_others(store: Store, reader: Reader) -> None:
    write(store, placed("open", 5), placed("open", 7, out_trade_no=""), placed("open", 6, account=1002))
    assert [row[1] for row in reader.page("open_order", (1001,), (), ALL)] == [5, 7]
    assert [row[1] for row in reader.page("open_order", (1001,), (5,), ALL)] == [7]


def test_an_out_trade_no_is_bound_to_its_order_by_its_account(store: Store, reader: Reader) -> None:
    write(store, placed("open"), placed("filled", 6, account=1002))
    assert (
        reader.find("out_trade_no", (1001, "bot")) == store.find("out_trade_no", (1001, "bot")) == (1001, "bot", 5, 1)
    )
    assert reader.find("out_trade_no", (1002, "bot")) == (1002, "bot", 6, 1)
    assert reader.find("out_trade_no", (1001, "BOT")) is None


def test_a_closed_one_is_bound_to_no_order(store: Store, reader: Reader) -> None:
    write(store, OutTradeNoClosed(1001, "late"))
    assert reader.find("out_trade_no", (1001, "late")) == (1001, "late", 0, 1)


# --- rebuilding ---------------------------------------------------------------------------------

BATCHES: list[list[Event]] = [
    [placed("open"), placed("open", 6, out_trade_no="two"), OutTradeNoClosed(1001, "late")],
    [traded(5, 2, 10), changed("partly_filled", filled=2, value=10), traded(9, 1, 9)],
    [changed("cancelled", 6, out_trade_no="two"), placed("open", 7, out_trade_no="")],
    [traded(3, 4, 12), changed("filled", filled=10, value=31), traded(4, UNITS_MAX, 1)],
    [traded(4, UNITS_MAX, 1), traded(6, UNITS_MAX, 1, at=MINUTE + 60_000)],
]


def test_a_rebuild_makes_the_same_tables(store: Store, reader: Reader) -> None:
    for batch in BATCHES:
        write(store, *batch)
    tables = ("open_order", "closed_order", "out_trade_no", "fill", "trade", "candle", "counter")
    before = {table: reader.page(table, (), (), ALL) for table in tables}
    assert all(before.values())

    def again() -> Iterator[Changes]:
        for number, batch in enumerate(BATCHES, start=1):
            yield folded(number, batch)

    for _ in range(2):  # a candle must not be merged into the one that was there before the rebuild
        store.rebuild(again())
        assert {table: reader.page(table, (), (), ALL) for table in tables} == before
