"""`Reader.span`: rows between two numbers, from either end, in the sequence of the key or of `ordered_by`."""

import pytest

from spotbook.app.ports import Reader, Row, Store
from support.clock import NOW
from support.commits import commit

EVERYTHING = 2**63 - 1
ALL = 1_000


def fill(account: int, number: int, market: int, batch: int = 1) -> Row:
    return (account, number, number * 10, market, "buy", "maker", 3, 4, 12, 0, NOW, batch)


FILLS = [fill(1001, number, 1 + number % 2) for number in range(1, 9)]
OTHERS = [fill(1000, 3, 1), fill(1002, 5, 1), fill(1002, 9, 2)]


@pytest.fixture
def filled(store: Store, reader: Reader) -> Reader:
    """Eight fills of account 1001, odd ones in market 2 and even ones in market 1, and some of its neighbours."""
    commit(store, {"fill": [*reversed(FILLS), *OTHERS]})
    return reader


def numbers(rows: list[Row]) -> list[object]:
    return [row[1] for row in rows]


def test_a_span_is_read_from_the_newest_down(filled: Reader) -> None:
    assert filled.span("fill", (1001,), 0, EVERYTHING, ALL) == FILLS[::-1]


def test_or_from_the_oldest_up(filled: Reader) -> None:
    assert filled.span("fill", (1001,), 0, EVERYTHING, ALL, newest=False) == FILLS


@pytest.mark.parametrize("newest", [True, False])
def test_neither_end_is_part_of_it(filled: Reader, newest: bool) -> None:
    found = filled.span("fill", (1001,), 2, 6, ALL, newest=newest)
    assert numbers(found) == ([5, 4, 3] if newest else [3, 4, 5])


@pytest.mark.parametrize(("above", "below"), [(3, 4), (4, 4), (5, 2), (8, EVERYTHING), (-5, 1), (100, 200)])
@pytest.mark.parametrize("newest", [True, False])
def test_where_nothing_lies_between_there_are_no_rows(filled: Reader, above: int, below: int, newest: bool) -> None:
    assert filled.span("fill", (1001,), above, below, ALL, newest=newest) == []


def test_one_number_is_a_span_of_one(filled: Reader) -> None:
    assert filled.span("fill", (1001,), 4, 6, ALL) == [FILLS[4]]


def test_the_limit_counts_from_the_end_at_which_it_begins(filled: Reader) -> None:
    assert numbers(filled.span("fill", (1001,), 1, 8, 2)) == [7, 6]
    assert numbers(filled.span("fill", (1001,), 1, 8, 2, newest=False)) == [2, 3]


def test_a_limit_of_none_gives_none(filled: Reader) -> None:
    assert filled.span("fill", (1001,), 0, EVERYTHING, 0) == []


def test_spans_follow_one_another_without_gap_or_overlap(filled: Reader) -> None:
    below, seen = EVERYTHING, list[Row]()
    while page := filled.span("fill", (1001,), 0, below, 3):
        seen += page
        below = int(page[-1][1])
    assert seen == FILLS[::-1]


def test_with_the_market_given_too_only_its_rows_are_read(filled: Reader) -> None:
    assert numbers(filled.span("fill", (1001, 1), 0, EVERYTHING, ALL)) == [8, 6, 4, 2]
    assert numbers(filled.span("fill", (1001, 2), 1, 7, ALL, newest=False)) == [3, 5]
    assert numbers(filled.span("fill", (1001, 1), 2, 8, 1)) == [6]
    assert filled.span("fill", (1001, 3), 0, EVERYTHING, ALL) == []


def test_a_prefix_that_nobody_has_gives_nothing(filled: Reader) -> None:
    assert filled.span("fill", (404,), 0, EVERYTHING, ALL) == []
    assert filled.span("fill", (404, 1), 0, EVERYTHING, ALL) == []


@pytest.mark.parametrize("prefix", [(), (1001, 1, 1), (1001, 1, 1, 1)], ids=str)
def test_a_prefix_of_another_length_is_a_fault(filled: Reader, prefix: Row) -> None:
    with pytest.raises(ValueError, match="fill is not read by"):
        filled.span("fill", prefix, 0, EVERYTHING, ALL)


@pytest.mark.parametrize("prefix", [(), (1, 60, NOW)], ids=str)
def test_so_it_is_in_a_table_of_one_sequence(reader: Reader, prefix: Row) -> None:
    with pytest.raises(ValueError, match="trade is not read by"):
        reader.span("trade", prefix, 0, EVERYTHING, ALL)


def test_closed_orders_are_read_by_account_and_by_account_and_market(store: Store, reader: Reader) -> None:
    rows: list[Row] = [
        (1001, number, 1 + number % 2, "buy", "limit", 3, 5, 0, 0, 0, 0, "cancelled", "", NOW, NOW, 1)
        for number in range(1, 6)
    ]
    commit(store, {"closed_order": [*rows, (1002, *rows[2][1:])]})
    assert reader.span("closed_order", (1001,), 0, EVERYTHING, ALL) == rows[::-1]
    assert numbers(reader.span("closed_order", (1001, 2), 0, EVERYTHING, 2)) == [5, 3]
    assert numbers(reader.span("closed_order", (1001, 2), 1, 5, ALL, newest=False)) == [3]


def test_trades_are_read_by_market_and_candles_by_their_length_too(store: Store, reader: Reader) -> None:
    trades: list[Row] = [(market, number, "buy", 3, 4, 12, NOW, 1) for market in (1, 2) for number in (1, 2, 3)]
    candles: list[Row] = [
        (1, seconds, opens_at, 3, 3, 3, 3, 4, 12) for seconds in (60, 3_600) for opens_at in (0, 3_600_000, 7_200_000)
    ]
    commit(store, {"trade": trades, "candle": candles})
    assert reader.span("trade", (2,), 1, EVERYTHING, ALL) == [trades[5], trades[4]]
    assert reader.span("candle", (1, 3_600), -1, 7_200_000, ALL, newest=False) == candles[3:5]


def test_a_table_of_one_key_column_is_read_without_a_prefix(store: Store, reader: Reader) -> None:
    rows: list[Row] = [(number, f"A{number}", 8, 1) for number in range(1, 6)]
    commit(store, {"asset": rows})
    assert reader.span("asset", (), 1, 5, 2) == [rows[3], rows[2]]


def test_a_span_sees_a_commit_at_once_and_stays_within_a_held_moment(store: Store, reader: Reader) -> None:
    commit(store, {"fill": FILLS[:2]})
    assert numbers(reader.span("fill", (1001,), 0, EVERYTHING, ALL)) == [2, 1]
    commit(store, {"fill": FILLS[2:3]})
    assert numbers(reader.span("fill", (1001,), 0, EVERYTHING, ALL)) == [3, 2, 1]
    with reader.snapshot():
        assert numbers(reader.span("fill", (1001, 2), 0, EVERYTHING, ALL)) == [3, 1]
