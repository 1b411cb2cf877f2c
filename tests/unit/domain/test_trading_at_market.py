"""Market orders, and orders that meet their own account."""

from typing import Any

import pytest

from spotbook.domain.errors import (
    InsufficientBalance,
    NoLiquidity,
    UnknownAccount,
)
from support.commands import OTHER, USER, limit, market
from support.floor import THIRD, Floor, floor, refused

UNIT = 100_000_000


@pytest.fixture
def books() -> Floor:
    return floor()


# --- market orders --------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("given", [{"amount": "1"}, {"funds": "10"}], ids=str)
def test_an_empty_book_has_no_liquidity(books: Floor, side: Any, given: dict[str, Any]) -> None:
    assert str(refused(books, market(side, **given), NoLiquidity)) == "no liquidity"


def test_funds_that_do_not_pay_for_one_step_have_no_liquidity(books: Floor) -> None:
    books.place(limit("sell", "3", "10", account=OTHER, symbol="ONE_COIN"))
    refused(books, market("buy", funds="2", symbol="ONE_COIN"), NoLiquidity)


@pytest.mark.parametrize("self_trade", ["cancel_newest", "cancel_oldest"])
def test_a_market_order_that_would_meet_its_own_account_first_has_no_liquidity(self_trade: str) -> None:
    books = floor(self_trade=self_trade)
    books.place(limit("sell", "30", "1"))
    refused(books, market("buy", "1"), NoLiquidity)
    assert books.order(USER, 1).status == "open"


def test_liquidity_is_looked_at_before_the_balance(books: Floor) -> None:
    refused(books, market("buy", "9000"), NoLiquidity)


def test_an_account_that_cannot_pay_for_what_would_be_filled_is_refused_and_nothing_happens(books: Floor) -> None:
    books.place(limit("sell", "600", "1", account=OTHER))
    books.place(limit("sell", "601", "1", account=OTHER))
    refusal = refused(books, market("buy", "2"), InsufficientBalance)
    assert isinstance(refusal, InsufficientBalance)
    assert (refusal.asset, refusal.needed) == (2, 1_201 * UNIT)
    assert books.order(OTHER, 1).filled == 0
    refused(books, market("sell", "1", account=9), UnknownAccount)


def test_only_what_would_be_filled_must_be_payable(books: Floor) -> None:
    books.place(limit("sell", "600", "1", account=OTHER))
    assert books.place(market("buy", "500")).filled == UNIT


def test_a_sale_must_have_what_would_be_sold(books: Floor) -> None:
    books.place(limit("buy", "0.01", "2000", account=OTHER))
    books.place(limit("sell", "9", "999.5"))
    refusal = refused(books, market("sell", "1"), InsufficientBalance)
    assert isinstance(refusal, InsufficientBalance)
    assert (refusal.account, refusal.asset, refusal.needed, refusal.available) == (USER, 1, UNIT, UNIT // 2)
    assert books.place(market("sell", "0.5")).status == "filled"


def test_a_buy_by_funds_needs_all_of_them_available(books: Floor) -> None:
    """Though the book has only 10 to sell: what is left over must have been there."""
    books.place(limit("sell", "10", "1", account=OTHER))
    refused(books, market("buy", funds="1000.01"), InsufficientBalance)
    order = books.place(market("buy", funds="1000"))
    assert (order.status, order.value) == ("cancelled", 10 * UNIT)


def test_a_market_order_ignores_a_price_that_comes_along(books: Floor) -> None:
    books.place(limit("sell", "10", "1", account=OTHER))
    order = books.place(market("buy", "1")._replace(price="nonsense"))
    assert (order.price, order.status) == (0, "filled")


def test_a_market_order_never_rests(books: Floor) -> None:
    books.place(limit("sell", "10", "1", account=OTHER))
    books.place(market("buy", "2"))
    assert not books.state.open_orders.of(USER)
    assert not books.state.open_orders.of(OTHER)


# --- self-trade -----------------------------------------------------------------------------------


def test_cancel_newest_cancels_what_is_left_of_the_taker_and_leaves_the_resting_order() -> None:
    books = floor(self_trade="cancel_newest")
    books.place(limit("sell", "30", "0.4", account=OTHER))
    books.place(limit("sell", "31", "1"))
    books.place(limit("sell", "31", "1", account=OTHER))
    order = books.place(limit("buy", "32", "1"))
    assert (order.status, order.filled, order.value) == ("cancelled", 40_000_000, 12 * UNIT)
    assert books.order(USER, 2).status == "open"
    assert books.coins(USER, "USDT") == ("988", "0")
    assert books.coins(USER, "BTC") == ("999.4", "1")


def test_cancel_newest_accepts_an_order_that_meets_its_own_at_once_and_cancels_it() -> None:
    books = floor(self_trade="cancel_newest")
    books.place(limit("sell", "31", "1"))
    since = len(books.events)
    order = books.place(limit("buy", "31", "1"))
    assert (order.id, order.status, order.filled) == (2, "cancelled", 0)
    assert books.entries(USER, "USDT", since) == [("placed", "-31", "31"), ("cancelled", "31", "-31")]


def test_cancel_oldest_cancels_the_resting_order_and_goes_on() -> None:
    books = floor(self_trade="cancel_oldest")
    books.place(limit("sell", "30", "1"))
    books.place(limit("sell", "31", "0.4", account=OTHER))
    order = books.place(limit("buy", "32", "1"))
    assert (order.status, order.filled) == ("partly_filled", 40_000_000)
    assert (books.order(USER, 1).status, books.order(USER, 1).changed_at) == ("cancelled", books.now)
    assert books.coins(USER, "BTC") == ("1000.4", "0")
    assert books.coins(USER, "USDT") == ("968.4", "19.2")


def test_cancel_oldest_keeps_what_the_resting_order_had_filled() -> None:
    books = floor(self_trade="cancel_oldest")
    books.place(limit("sell", "30", "1"))
    books.place(limit("buy", "30", "0.25", account=OTHER))
    assert books.place(limit("buy", "30", "1")).status == "open"
    assert (books.order(USER, 1).status, books.order(USER, 1).filled) == ("cancelled", 25_000_000)


def test_a_market_order_stops_at_its_own_order_with_what_it_filled() -> None:
    books = floor(self_trade="cancel_newest")
    books.place(limit("sell", "30", "0.4", account=OTHER))
    books.place(limit("sell", "31", "1"))
    order = books.place(market("buy", "1"))
    assert (order.status, order.filled) == ("cancelled", 40_000_000)
    assert books.order(USER, 2).status == "open"


def test_a_market_order_goes_on_behind_its_own_order_under_cancel_oldest() -> None:
    books = floor(self_trade="cancel_oldest")
    books.place(limit("sell", "30", "1"))
    books.place(limit("sell", "31", "1", account=OTHER))
    order = books.place(market("buy", "1"))
    assert (order.status, order.value) == ("filled", 31 * UNIT)
    assert books.order(USER, 1).status == "cancelled"


def test_orders_of_two_accounts_always_trade() -> None:
    books = floor(self_trade="cancel_newest")
    books.place(limit("sell", "30", "1", account=OTHER))
    assert books.place(limit("buy", "30", "1", account=THIRD)).status == "filled"
