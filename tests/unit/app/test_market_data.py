"""Candles of any period, and the last 24 hours, against trades counted one by one."""

import random
from typing import Any, NamedTuple

import pytest

from spotbook.app.journal import Transaction
from spotbook.app.market_data import DAY_MS, HOUR_MS, MINUTE_MS, Candle, Day, Days, candles, day, merged
from spotbook.app.ports import Row
from spotbook.app.projection import changes_of
from spotbook.domain.events import Traded
from spotbook.store.memory import MemoryBooks, MemoryReader

MARKET, OTHER = 3, 4
MIDNIGHT = 20_000 * DAY_MS
EVER = 2**53 - 1
PERIODS = (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 86_400)


class Trade(NamedTuple):
    """A trade: when, at which price, how much, and what it cost."""

    at: int
    price: int
    amount: int
    value: int


def books_of(trades: list[Trade], market: int = MARKET, books: MemoryBooks | None = None) -> MemoryBooks:
    """Return books in which these trades were made, each in a batch of its own."""
    made = books or MemoryBooks()
    for trade in trades:
        number = len(made.tables["trade"]) + 1
        event = Traded(market, number, "buy", *trade[1:], 1001, 1, 0, 1002, 2, 0, trade.at)
        made.write(changes_of(number, [Transaction("house:test", "Test", [event])]))
        made.commits += 1
    return made


def random_trades(seed: int, count: int, first: int, last: int) -> list[Trade]:
    chance = random.Random(seed)
    times = sorted(chance.randint(first, last) for _ in range(count))
    return [Trade(at, chance.randint(1, 500), chance.randint(1, 9), chance.randint(1, 99)) for at in times]


def naive_candles(trades: list[Trade], seconds: int) -> list[Candle]:
    """Return the candles of trades that come in time's order, newest first."""
    found: dict[int, list[Trade]] = {}
    for trade in trades:
        found.setdefault(trade.at // (seconds * 1_000), []).append(trade)
    return [
        Candle(
            number * seconds * 1_000,
            inside[0].price,
            max(trade.price for trade in inside),
            min(trade.price for trade in inside),
            inside[-1].price,
            sum(trade.amount for trade in inside),
            sum(trade.value for trade in inside),
        )
        for number, inside in sorted(found.items(), reverse=True)
    ]


class CountingReader(MemoryReader):
    """A reader that remembers how many rows each span gave."""

    def __init__(self, books: MemoryBooks) -> None:
        super().__init__(books)
        self.given: list[int] = []

    def span(self, *what: Any, **how: Any) -> list[Row]:
        rows = super().span(*what, **how)
        self.given.append(len(rows))
        return rows


def kept(*parts: Candle) -> list[Row]:
    """Return the rows in which these candles of a minute are kept."""
    return [(MARKET, 60, *part) for part in parts]


def test_longer_candles_are_made_of_shorter_ones() -> None:
    parts = kept(
        Candle(5 * MINUTE_MS, 7, 9, 6, 8, 10, 80),
        Candle(4 * MINUTE_MS, 3, 20, 3, 7, 1, 7),
        Candle(3 * MINUTE_MS, 5, 5, 2, 3, 2, 6),
        Candle(2 * MINUTE_MS, 1, 1, 1, 1, 4, 4),
    )
    assert merged(parts, 180) == [Candle(3 * MINUTE_MS, 5, 20, 2, 8, 13, 93), Candle(0, 1, 1, 1, 1, 4, 4)]


def test_candles_of_their_own_length_stay_as_they_are() -> None:
    parts = [Candle(2 * MINUTE_MS, 1, 2, 1, 2, 3, 4), Candle(MINUTE_MS, 5, 6, 4, 5, 6, 7)]
    assert merged(kept(*parts), 60) == parts
    assert merged([], 60) == []


@pytest.mark.parametrize("seconds", PERIODS)
def test_candles_of_every_period_are_what_the_trades_make(seconds: int) -> None:
    spread = 40 * seconds * 1_000
    trades = random_trades(seconds, 300, MIDNIGHT, MIDNIGHT + spread)
    books = books_of(random_trades(1, 20, MIDNIGHT, MIDNIGHT + spread), OTHER, books_of(trades))
    assert candles(MemoryReader(books), MARKET, seconds, 0, EVER, limit=1_000) == naive_candles(trades, seconds)


@pytest.mark.parametrize("seconds", [60, 300, 7_200])
def test_of_many_candles_the_newest_are_given_and_each_is_whole(seconds: int) -> None:
    trades = [Trade(MIDNIGHT + minute * MINUTE_MS, minute + 1, 1, 2) for minute in range(60 * 24)]
    found = candles(MemoryReader(books_of(trades)), MARKET, seconds, 0, EVER, limit=10)
    assert found == naive_candles(trades, seconds)[:10]
    assert len(found) == 10


def test_start_and_end_are_inclusive_and_cut_no_candle() -> None:
    trades = [Trade(MIDNIGHT + minute * MINUTE_MS, minute + 1, 1, 2) for minute in range(30)]
    reader, whole = MemoryReader(books_of(trades)), naive_candles(trades, 300)

    def opens(start: int, end: int) -> list[Candle]:
        return candles(reader, MARKET, 300, start, end, limit=100)

    five = 5 * MINUTE_MS
    assert opens(MIDNIGHT + five, MIDNIGHT + 2 * five) == whole[-3:-1]
    assert opens(MIDNIGHT + five + 1, MIDNIGHT + 3 * five - 1) == whole[-3:-2]
    assert opens(MIDNIGHT + five + 1, MIDNIGHT + 2 * five - 1) == []
    assert opens(EVER, EVER) == []


@pytest.mark.parametrize(("seconds", "rows_max"), [(60, 7), (1_800, 210), (3_600, 7), (14_400, 28), (86_400, 7)])
def test_no_more_rows_are_read_than_the_candles_can_be_made_of(seconds: int, rows_max: int) -> None:
    trades = [Trade(MIDNIGHT + minute * MINUTE_MS, 5, 1, 5) for minute in range(60 * 24)]
    reader = CountingReader(books_of(trades))
    candles(reader, MARKET, seconds, 0, EVER, limit=7)
    assert sum(reader.given) <= rows_max


@pytest.mark.parametrize("seed", range(30))
def test_the_last_24_hours_are_what_the_trades_make(seed: int) -> None:
    chance = random.Random(seed)
    now = MIDNIGHT + chance.randint(0, DAY_MS)
    trades = random_trades(seed, chance.choice([1, 5, 200]), now - 26 * HOUR_MS, now)
    begins = (now - DAY_MS) // MINUTE_MS * MINUTE_MS
    inside = [trade for trade in trades if trade.at >= begins]
    expected = Day(777, 0, 0, 0, 0, 0)
    if inside:
        prices = [trade.price for trade in inside]
        amount, value = sum(trade.amount for trade in inside), sum(trade.value for trade in inside)
        expected = Day(777, prices[0], max(prices), min(prices), amount, value)
    assert day(MemoryReader(books_of(trades)), MARKET, 777, now) == expected


@pytest.mark.parametrize("into_the_hour", [0, 1, MINUTE_MS, 59 * MINUTE_MS + 59_999])
def test_a_trade_counts_for_24_hours_and_at_most_a_minute_more(into_the_hour: int) -> None:
    now = MIDNIGHT + into_the_hour
    began = now - now % MINUTE_MS - DAY_MS
    for at, counts in ((now - DAY_MS, True), (began, True), (began - 1, False)):
        assert day(MemoryReader(books_of([Trade(at, 5, 1, 5)])), MARKET, 5, now).traded is counts


def test_a_busy_day_costs_some_hundred_rows() -> None:
    trades = [Trade(MIDNIGHT + minute * MINUTE_MS, 5, 1, 5) for minute in range(60 * 30)]
    for minute in (0, 1, 30, 59):
        reader = CountingReader(books_of(trades))
        found = day(reader, MARKET, 5, MIDNIGHT + 28 * HOUR_MS + minute * MINUTE_MS)
        assert found.amount == 60 * 30 - 4 * 60 - minute  # the clock lags behind the last of the trades: all count
        assert sum(reader.given) <= 90


@pytest.mark.parametrize(
    ("first", "last", "change"),
    [
        (10_000, 10_135, 135),
        (10_000, 9_865, -135),
        (20_000, 20_001, 1),  # half of a ten-thousandth
        (20_000, 19_999, -1),
        (20_001, 20_002, 0),
        (20_001, 20_000, 0),
        (1, 1, 0),
        (1, 1_000_000, 9_999_990_000),
        (1_000_000, 1, -10_000),
    ],
)
def test_the_change_is_a_share_of_the_first_price(first: int, last: int, change: int) -> None:
    assert Day(last, first, 0, 0, 1, 1).change(4) == change


def test_without_a_trade_nothing_has_changed() -> None:
    assert Day(5, 0, 0, 0, 0, 0).change(4) == 0


class TestDays:
    def test_a_market_that_never_traded_is_all_zeros(self) -> None:
        assert Days(MemoryReader(MemoryBooks())).of(MARKET, MIDNIGHT) == Day(0, 0, 0, 0, 0, 0)

    def test_the_last_price_outlives_the_day(self) -> None:
        days = Days(MemoryReader(books_of([Trade(MIDNIGHT, 42, 1, 42)])))
        assert days.of(MARKET, MIDNIGHT + DAY_MS) == Day(42, 42, 42, 42, 1, 42)
        assert days.of(MARKET, MIDNIGHT + DAY_MS + MINUTE_MS) == Day(42, 0, 0, 0, 0, 0)

    def test_a_new_trade_is_seen_at_once(self) -> None:
        books = books_of([Trade(MIDNIGHT, 42, 1, 42)])
        days = Days(MemoryReader(books))
        assert days.of(MARKET, MIDNIGHT).last == 42
        books_of([Trade(MIDNIGHT, 40, 2, 80)], books=books)
        assert days.of(MARKET, MIDNIGHT) == Day(40, 42, 42, 40, 3, 122)

    def test_a_day_is_not_worked_out_again_while_nothing_happens(self) -> None:
        reader = CountingReader(books_of([Trade(MIDNIGHT, 42, 1, 42)]))
        days = Days(reader)
        first, reads = days.of(MARKET, MIDNIGHT), len(reader.given)
        assert days.of(MARKET, MIDNIGHT + 59_999) == first
        assert len(reader.given) == reads

    def test_a_market_that_has_long_been_quiet_costs_one_row(self) -> None:
        reader = CountingReader(books_of([Trade(MIDNIGHT, 42, 1, 42)]))
        assert Days(reader).of(MARKET, MIDNIGHT + 2 * DAY_MS) == Day(42, 0, 0, 0, 0, 0)
        assert reader.given == [1]

    def test_a_commit_without_a_trade_of_the_market_costs_one_row(self) -> None:
        books = books_of([Trade(MIDNIGHT, 42, 1, 42)])
        reader = CountingReader(books)
        days = Days(reader)
        first = days.of(MARKET, MIDNIGHT)
        books_of([Trade(MIDNIGHT, 1, 1, 1)], OTHER, books)
        reader.given.clear()
        assert days.of(MARKET, MIDNIGHT) == first
        assert reader.given == [1]
