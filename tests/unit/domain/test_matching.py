"""Matching: whom an order meets, how far it goes, and why it ends."""

from collections.abc import Sequence
from typing import Any

import pytest

from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import Book
from spotbook.domain.matching import Walk, crosses, reach_of_market_order, walk
from spotbook.domain.order import Order, Side
from spotbook.limits import FILLS_MAX
from support.commands import OTHER, USER

MARKET = Market(1, "ONE_COIN", 1, 2, 0, 0, 0, 1, 10**6, 1, 10**9, 0, 0, "cancel_newest", "on")


def book(side: Side, *levels: tuple[int, int, int], **rules: Any) -> Book:
    """Return a book on one side of which accounts want amounts at prices; orders are numbered from 1."""
    made = Book(MARKET._replace(**rules), Asset(1, "ONE", 0, 10**9), Asset(2, "COIN", 0, 10**9))
    for number, (account, price, amount) in enumerate(levels, 1):
        resting = Order(account, number, 1, side, "limit", price, amount, 0, 0, 0, 0, "open", "", 0, 0)
        made.halves[side].put(resting, None)
    return made


def met(found: Walk) -> list[tuple[int, int, int, int]]:
    return [(meeting.maker.id, meeting.price, meeting.amount, meeting.value) for meeting in found.meetings]


ASKS: Sequence[tuple[int, int, int]] = ((OTHER, 12, 4), (OTHER, 10, 3), (OTHER, 12, 5), (OTHER, 10, 2))


@pytest.mark.parametrize(
    ("side", "price", "best", "meets"),
    [
        ("buy", 10, 10, True),
        ("buy", 9, 10, False),
        ("buy", 10, None, False),
        ("sell", 10, 10, True),
        ("sell", 11, 10, False),
        ("sell", 10, None, False),
    ],
)
def test_a_price_crosses_when_it_reaches_the_best(side: Side, price: int, best: int | None, meets: bool) -> None:
    assert crosses(side, price, best) is meets


def test_the_best_price_is_met_first_and_of_one_price_the_older() -> None:
    found = walk(book("sell", *ASKS), USER, "buy", 12, amount=11)
    assert met(found) == [(2, 10, 3, 30), (4, 10, 2, 20), (1, 12, 4, 48), (3, 12, 2, 24)]
    assert (found.ending, found.amount, found.value) == ("done", 11, 122)


def test_a_price_beyond_reach_ends_it() -> None:
    found = walk(book("sell", *ASKS), USER, "buy", 11, amount=11)
    assert (found.amount, found.ending) == (5, "reach")


def test_a_seller_meets_the_highest_bid_first() -> None:
    found = walk(book("buy", (OTHER, 9, 1), (OTHER, 11, 1), (OTHER, 8, 1)), USER, "sell", 9, amount=3)
    assert met(found) == [(2, 11, 1, 11), (1, 9, 1, 9)]
    assert found.ending == "reach"


def test_the_end_of_the_book_ends_it() -> None:
    found = walk(book("sell", *ASKS), USER, "buy", 12, amount=15)
    assert (found.amount, found.ending) == (14, "book")


def test_an_empty_book_is_its_own_end() -> None:
    assert walk(book("sell"), USER, "buy", 12, amount=1) == Walk([], [], "book")


def test_what_was_filled_before_is_not_there_to_be_met() -> None:
    asks = book("sell", (OTHER, 10, 5))
    resting = asks.halves["sell"].levels[10].orders[1]
    asks.halves["sell"].put(resting._replace(filled=3), resting)
    assert met(walk(asks, USER, "buy", 10, amount=5)) == [(1, 10, 2, 20)]


def test_funds_take_whole_steps_level_by_level() -> None:
    """61 of funds: 5 at 10 for 50, and 11 left do not pay for one at 12."""
    found = walk(book("sell", *ASKS), USER, "buy", 12, funds=61)
    assert (found.amount, found.value, found.ending) == (5, 50, "done")


def test_funds_that_are_spent_to_the_last_unit_are_done() -> None:
    found = walk(book("sell", *ASKS), USER, "buy", 12, funds=50)
    assert (found.value, found.ending) == (50, "done")


def test_funds_that_the_book_cannot_take_end_with_it() -> None:
    found = walk(book("sell", (OTHER, 10, 3)), USER, "buy", 12, funds=31)
    assert (found.value, found.ending) == (30, "book")


def test_a_sale_for_funds_stops_at_the_first_step_that_would_exceed_them() -> None:
    """25 are wanted: 2 at 10, and one more would bring 30. What is bid below is not asked."""
    found = walk(book("buy", (OTHER, 10, 3), (OTHER, 5, 3)), USER, "sell", 1, funds=25)
    assert (found.amount, found.value, found.ending) == (2, 20, "done")


def test_cancel_newest_stops_at_its_own_order() -> None:
    found = walk(book("sell", (OTHER, 10, 1), (USER, 10, 1), (OTHER, 10, 1)), USER, "buy", 10, amount=3)
    assert met(found) == [(1, 10, 1, 10)]
    assert (found.gives_way, found.ending) == ([], "self_trade")


def test_its_own_order_is_not_met_when_nothing_is_left_to_execute() -> None:
    found = walk(book("sell", (OTHER, 10, 1), (USER, 10, 1)), USER, "buy", 10, amount=1)
    assert found.ending == "done"


def test_cancel_oldest_goes_on_behind_its_own_orders() -> None:
    asks = book("sell", (OTHER, 10, 1), (USER, 10, 1), (OTHER, 10, 1), (USER, 11, 1), self_trade="cancel_oldest")
    found = walk(asks, USER, "buy", 11, amount=3)
    assert met(found) == [(1, 10, 1, 10), (3, 10, 1, 10)]
    assert [order.id for order in found.gives_way] == [2, 4]
    assert found.ending == "book"


def test_it_ends_after_a_thousand_fills() -> None:
    found = walk(book("sell", *[(OTHER, 10, 1)] * (FILLS_MAX + 1)), USER, "buy", 10, amount=2_000)
    assert (len(found.meetings), found.ending) == (FILLS_MAX, "fills_max") == (1_000, "fills_max")


def test_a_thousand_fills_that_finish_it_are_no_bound() -> None:
    found = walk(book("sell", *[(OTHER, 10, 1)] * (FILLS_MAX + 1)), USER, "buy", 10, amount=1_000)
    assert found.ending == "done"


def test_a_thousand_fills_at_the_end_of_the_book_are_no_bound() -> None:
    found = walk(book("sell", *[(OTHER, 10, 1)] * FILLS_MAX), USER, "buy", 10, amount=1_001)
    assert found.ending == "book"


def test_orders_that_give_way_count_toward_the_thousand() -> None:
    asks = book("sell", *[(USER, 10, 1)] * 600, *[(OTHER, 10, 1)] * 600, self_trade="cancel_oldest")
    found = walk(asks, USER, "buy", 10, amount=600)
    assert (len(found.gives_way), len(found.meetings), found.ending) == (600, 400, "fills_max")


@pytest.mark.parametrize(
    ("side", "best", "bound", "reach"),
    [
        ("buy", 100, 100_000, 110),
        ("buy", 15, 100_000, 16),
        ("buy", 9, 100_000, 9),
        ("buy", 9, 0, 9),
        ("buy", 9, 1_000_000, 18),
        ("sell", 100, 100_000, 90),
        ("sell", 15, 100_000, 14),
        ("sell", 9, 100_000, 9),
        ("sell", 9, 0, 9),
        ("sell", 9, 1_000_000, 0),
    ],
)
def test_a_market_order_reaches_so_far_from_the_best_and_never_a_step_more(
    side: Side, best: int, bound: int, reach: int
) -> None:
    other: Side = "sell" if side == "buy" else "buy"
    assert reach_of_market_order(book(other, (OTHER, best, 1), bound_ppm=bound), side) == reach


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_it_reaches_nowhere_in_an_empty_book(side: Side) -> None:
    assert reach_of_market_order(book("sell"), side) is None
