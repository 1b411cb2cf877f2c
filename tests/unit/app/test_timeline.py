"""The first id at or after a time, found by halving."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbook.app.ports import Changes, Row
from spotbook.app.timeline import first_since, ids_within
from spotbook.limits import ID_MAX
from spotbook.store.memory import MemoryBooks, MemoryReader

ACCOUNT, MARKET = 1_001, 3


class CountingReader(MemoryReader):
    """Counts its reads, and the rows that came of them."""

    reads = rows = 0

    def span(self, *args: Any, **options: Any) -> list[Row]:
        found = super().span(*args, **options)
        self.reads += 1
        self.rows += len(found)
        return found


def closed_order(number: int, placed_at: int, *, account: int = ACCOUNT, market: int = MARKET) -> Row:
    return (account, number, market, "buy", "limit", 1, 1, 0, 1, 1, 0, "filled", "", placed_at, placed_at, 1)


def fill(number: int, made_at: int) -> Row:
    return (ACCOUNT, number, 1, MARKET, "buy", "taker", 1, 1, 1, 0, made_at, 1)


def trade(number: int, made_at: int) -> Row:
    return (MARKET, number, "buy", 1, 1, 1, made_at, 1)


def reader_of(table: str, rows: list[Row]) -> CountingReader:
    books = MemoryBooks()
    books.write(Changes({table: rows}, {}))
    return CountingReader(books)


@pytest.mark.parametrize(
    ("time", "first"), [(0, 3), (10, 3), (11, 4), (20, 4), (21, 9), (30, 9), (31, 13), (40, 13), (41, 14), (ID_MAX, 14)]
)
def test_the_first_id_since_a_time(time: int, first: int) -> None:
    orders = [closed_order(3, 10), closed_order(4, 20), closed_order(7, 20), closed_order(9, 30), closed_order(13, 40)]
    reader = reader_of("closed_order", orders)
    assert first_since(reader, "closed_order", (ACCOUNT,), "placed_at", time) == first
    assert first_since(reader, "closed_order", (ACCOUNT, MARKET), "placed_at", time) == first


def test_nothing_at_all_is_one_above_nothing() -> None:
    reader = reader_of("fill", [])
    assert first_since(reader, "fill", (ACCOUNT,), "made_at", 0) == 1


def test_other_accounts_and_markets_are_no_part_of_it() -> None:
    rows = [closed_order(1, 5), closed_order(2, 6, market=4), closed_order(3, 7, account=1_002), closed_order(4, 8)]
    reader = reader_of("closed_order", rows)
    assert first_since(reader, "closed_order", (ACCOUNT, MARKET), "placed_at", 6) == 4
    assert first_since(reader, "closed_order", (ACCOUNT,), "placed_at", 6) == 2
    assert first_since(reader, "closed_order", (ACCOUNT,), "placed_at", 9) == 5


@pytest.mark.parametrize(("table", "row", "prefix"), [("fill", fill, (ACCOUNT,)), ("trade", trade, (MARKET,))])
def test_fills_and_trades(table: Any, row: Any, prefix: Row) -> None:
    reader = reader_of(table, [row(number, number * 10) for number in (2, 5, 6)])
    assert [first_since(reader, table, prefix, "made_at", time) for time in (20, 21, 51, 61)] == [2, 5, 6, 7]


def test_a_long_history_is_not_scanned() -> None:
    reader = reader_of("trade", [trade(number, number // 3) for number in range(1, 5_001)])
    assert first_since(reader, "trade", (MARKET,), "made_at", 700) == 2_100
    assert reader.reads <= 20
    assert reader.rows <= 20


@pytest.mark.parametrize(
    ("times", "ids"), [((10, 20), (0, 3)), ((11, 20), (1, 3)), ((11, 19), (1, 2)), ((0, 9), (0, 1)), ((31, 40), (3, 4))]
)
def test_the_ids_between_which_a_span_of_time_lies(times: tuple[int, int], ids: tuple[int, int]) -> None:
    reader = reader_of("fill", [fill(1, 10), fill(2, 20), fill(3, 30)])
    assert ids_within(reader, "fill", (ACCOUNT,), "made_at", times) == ids


def test_an_open_span_is_looked_for_nowhere() -> None:
    reader = reader_of("fill", [fill(1, 10)])
    assert ids_within(reader, "fill", (ACCOUNT,), "made_at", (0, ID_MAX)) == (0, ID_MAX + 1)
    assert reader.reads == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), max_size=30), st.integers(0, 160))
def test_it_is_what_a_scan_finds(steps: list[tuple[int, int]], time: int) -> None:
    number = at = 0
    rows = []
    for further, later in steps:
        number, at = number + further, at + later
        rows.append(trade(number, at))
    scanned = next((number for _, number, *_, made_at, _ in rows if int(made_at) >= time), number + 1)
    assert first_since(reader_of("trade", rows), "trade", (MARKET,), "made_at", time) == scanned
