"""Limit orders: placed, cancelled, refused."""

from typing import Any

import pytest

from spotbook.domain.account import FEES, WORLD
from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    FreezeAccount,
    Halt,
    OpenWealth,
    PlaceOrder,
    Resume,
)
from spotbook.domain.errors import (
    AccountIsFrozen,
    Halted,
    InsufficientBalance,
    MarketClosed,
    NotAUser,
    OrderClosed,
    Refusal,
    TooManyOrders,
    UnknownAccount,
    UnknownMarket,
    UnknownOrder,
    WouldCross,
)
from spotbook.domain.events import OrderChanged
from spotbook.domain.state import HoldKey
from spotbook.limits import ID_MAX
from support.commands import OTHER, USER, limit, market
from support.floor import THIRD, Floor, floor, refused


@pytest.fixture
def books() -> Floor:
    return floor()


# --- resting --------------------------------------------------------------------------------------


def test_a_buy_freezes_price_times_amount(books: Floor) -> None:
    order = books.place(limit("buy", "30.55", "0.5"))
    assert (order.id, order.status, order.price, order.amount) == (1, "open", 3_055, 50_000_000)
    assert books.coins(USER, "USDT") == ("984.725", "15.275")
    assert books.state.holds.get(HoldKey(USER, 2, "order", 1)) == 1_527_500_000


def test_an_order_is_placed_as_it_was_asked_for(books: Floor) -> None:
    order = books.place(limit("buy", "30.55", "0.5", out_trade_no="a"))
    asked = (USER, 1, 1, "buy", "limit", 3_055, 50_000_000, 0)
    assert order == (*asked, 0, 0, 0, "open", "a", books.now, books.now)


def test_the_hold_of_an_order_that_has_just_got_its_number_is_not_looked_for(books: Floor) -> None:
    asked: list[Any] = []
    books.state.holds.get = asked.append  # type: ignore[method-assign]
    books.place(limit("buy", "30", "2"))
    assert asked == []


def test_a_sale_freezes_its_amount(books: Floor) -> None:
    books.place(limit("sell", "30.55", "0.5"))
    assert books.coins(USER, "BTC") == ("999.5", "0.5")
    assert books.state.holds.get(HoldKey(USER, 1, "order", 1)) == 50_000_000


def test_orders_are_numbered_in_the_sequence_in_which_they_are_accepted(books: Floor) -> None:
    assert [books.place(limit("buy", "1", "1", account=account)).id for account in (USER, OTHER, USER)] == [1, 2, 3]


def test_the_answer_names_the_accounts_version(books: Floor) -> None:
    version = books.state.versions.get(USER) or 0
    assert books.do(limit("buy", "1", "1")).version == version + 1 == books.state.versions.get(USER)


@pytest.mark.parametrize("amount", ["1", "3"], ids=["filled", "filled in part"])
def test_the_result_of_an_order_that_met_is_of_the_version_after_all_its_entries(books: Floor, amount: str) -> None:
    books.do(limit("sell", "90", "1", account=OTHER))
    before = books.state.versions.get(USER) or 0
    met = books.do(limit("buy", "100", amount))
    assert met.version == books.state.versions.get(USER)
    assert met.version > before + 1


def test_the_whole_balance_can_be_frozen_and_not_a_unit_more(books: Floor) -> None:
    refusal = refused(books, limit("buy", "1000.01", "1"), InsufficientBalance)
    assert isinstance(refusal, InsufficientBalance)
    assert (refusal.asset, refusal.needed, refusal.available) == (2, 100_001_000_000, 100_000_000_000)
    books.place(limit("buy", "1000", "1"))
    assert books.coins(USER, "USDT") == ("0", "1000")
    refused(books, limit("buy", "0.01", "0.000001"), InsufficientBalance)


def test_what_is_frozen_cannot_be_frozen_again(books: Floor) -> None:
    books.place(limit("sell", "5", "600"))
    refused(books, limit("sell", "5", "600"), InsufficientBalance)


# --- cancelling -----------------------------------------------------------------------------------


def test_a_cancel_gives_back_all_that_is_frozen(books: Floor) -> None:
    placed = books.place(limit("buy", "30", "2", out_trade_no="a"))
    books.now += 5
    version = books.state.versions.get(USER) or 0
    decision = books.decide(CancelOrder(USER, 1))
    books.apply(*decision.events)
    cancelled = OrderChanged(*placed._replace(status="cancelled", changed_at=books.now))
    assert (decision.events[-1], decision.result, decision.fresh) == (cancelled, (cancelled, version + 1), True)
    assert books.coins(USER, "USDT") == ("1000", "0")
    assert books.holds == 0


@pytest.mark.parametrize("account", [OTHER, 9])
def test_anothers_order_is_as_unknown_as_none(books: Floor, account: int) -> None:
    books.place(limit("buy", "30", "2"))
    first = refused(books, CancelOrder(account, 1), UnknownOrder)
    assert str(first) == "order 1 does not exist"
    books.place(CancelOrder(USER, 1))
    assert str(refused(books, CancelOrder(account, 1), UnknownOrder)) == str(first)


@pytest.mark.parametrize("number", [0, -1, 2, 2**53, 10**40])
def test_an_order_that_never_was_is_unknown(books: Floor, number: int) -> None:
    books.place(limit("buy", "30", "2"))
    refused(books, CancelOrder(USER, number), UnknownOrder)


def test_a_number_that_no_store_can_hold_is_not_looked_for(books: Floor) -> None:
    asked: list[tuple[int, int]] = []
    books.state.closed_orders.get = asked.append  # type: ignore[method-assign]
    refused(books, CancelOrder(USER, 2**63), UnknownOrder)
    assert asked == []


def test_an_order_is_cancelled_once(books: Floor) -> None:
    books.place(limit("buy", "30", "2"))
    books.place(CancelOrder(USER, 1))
    refusal = refused(books, CancelOrder(USER, 1), OrderClosed)
    assert isinstance(refusal, OrderClosed)
    assert refusal.number == 1


def test_the_largest_number_of_all_is_looked_for(books: Floor) -> None:
    placed = books.place(limit("buy", "30", "2"))
    books.state.closed_orders.put((USER, ID_MAX), placed._replace(id=ID_MAX, status="filled"))
    refused(books, CancelOrder(USER, ID_MAX), OrderClosed)


def test_a_filled_order_is_not_cancelled(books: Floor) -> None:
    books.place(limit("buy", "30", "2"))
    books.place(limit("sell", "30", "2", account=OTHER))
    assert str(refused(books, CancelOrder(USER, 1), OrderClosed)) == "order already closed"


def test_all_orders_of_one_market_or_of_all_are_cancelled(books: Floor) -> None:
    for command in (
        limit("buy", "30", "2"),
        limit("sell", "40", "3"),
        limit("buy", "2", "5", symbol="ONE_COIN"),
        limit("buy", "30", "1", account=OTHER),
    ):
        books.place(command)
    books.now += 5
    result = books.do(CancelAllOrders(USER, "BTC_USDT"))
    assert [books.order(USER, number).changed_at for number in (1, 2)] == [books.now] * 2
    assert (result.order, result.id, result.version) == (None, 0, books.state.versions.get(USER))
    assert (books.coins(USER, "USDT"), books.coins(USER, "BTC")) == (("1000", "0"), ("1000", "0"))
    assert books.coins(USER, "COIN") == ("990", "10")
    books.do(CancelAllOrders(USER, ""))
    assert books.coins(USER, "COIN") == ("1000", "0")
    assert books.coins(OTHER, "USDT") == ("970", "30")


def test_to_cancel_all_of_nothing_changes_nothing(books: Floor) -> None:
    books.place(limit("buy", "30", "2"))
    version = books.state.versions.get(USER)
    assert books.decide(CancelAllOrders(USER, "ONE_COIN")) == ([], (None, version), False)
    assert books.decide(CancelAllOrders(THIRD + 1, "")) == ([], (None, 0), False)


def test_to_cancel_all_in_a_market_that_is_not_there_is_refused(books: Floor) -> None:
    refusal = refused(books, CancelAllOrders(USER, "BTC_ONE"), UnknownMarket)
    assert str(refusal) == "market BTC_ONE does not exist"


@pytest.mark.parametrize(
    "closed",
    [
        Halt("asked"),
        FreezeAccount(USER, frozen=True, reason="asked"),
        ChangeMarket("BTC_USDT", state="off"),
        ChangeMarket("BTC_USDT", state="cancel_only"),
    ],
    ids=str,
)
def test_cancelling_works_whatever_keeps_from_placing(books: Floor, closed: Any) -> None:
    books.place(limit("buy", "30", "1"))
    books.place(limit("buy", "30", "2"))
    books.do(closed)
    books.place(CancelOrder(USER, 1))
    books.do(CancelAllOrders(USER, ""))
    assert books.coins(USER, "USDT") == ("1000", "0")


# --- what keeps from placing ----------------------------------------------------------------------

PLACINGS = [limit("buy", "30", "1"), limit("sell", "30", "1", kind="post_only"), market("buy", "1")]


@pytest.mark.parametrize("command", PLACINGS, ids=lambda command: command.kind)
@pytest.mark.parametrize(
    ("closed", "refusal"),
    [
        (Halt("asked"), Halted()),
        (FreezeAccount(USER, frozen=True, reason="asked"), AccountIsFrozen(USER)),
        (ChangeMarket("BTC_USDT", state="off"), MarketClosed("BTC_USDT", "off")),
        (ChangeMarket("BTC_USDT", state="cancel_only"), MarketClosed("BTC_USDT", "cancel_only")),
    ],
    ids=str,
)
def test_nothing_is_placed(books: Floor, command: PlaceOrder, closed: Any, refusal: Refusal) -> None:
    books.place(limit("sell", "30", "5", account=OTHER))
    books.do(closed)
    found = refused(books, command, type(refusal))
    assert (str(found), vars(found)) == (str(refusal), vars(refusal))


@pytest.mark.parametrize(
    ("closed", "opened"),
    [
        (Halt("asked"), Resume("checked")),
        (FreezeAccount(USER, frozen=True, reason="asked"), FreezeAccount(USER, frozen=False, reason="asked")),
        (ChangeMarket("BTC_USDT", state="off"), ChangeMarket("BTC_USDT", state="on")),
    ],
    ids=str,
)
def test_placing_goes_on_when_that_is_lifted(books: Floor, closed: Any, opened: Any) -> None:
    books.do(closed)
    books.do(opened)
    assert books.place(limit("buy", "30", "1")).status == "open"


@pytest.mark.parametrize(("account", "kind"), [(9, UnknownAccount), (WORLD, NotAUser), (FEES, NotAUser)])
def test_only_a_user_places(books: Floor, account: int, kind: type[Refusal]) -> None:
    refused(books, limit("buy", "30", "1", account=account), kind)


def test_a_wealth_account_does_not_trade(books: Floor) -> None:
    wealth = books.do(OpenWealth(USER)).id
    refused(books, limit("buy", "30", "1", account=wealth), NotAUser)


def test_an_unknown_market_is_refused(books: Floor) -> None:
    assert (
        str(refused(books, limit("buy", "30", "1", symbol="BTC_EUR"), UnknownMarket)) == "market BTC_EUR does not exist"
    )


def test_so_many_open_orders_and_no_more() -> None:
    """All open orders count, in all markets together; the market that is asked says how many there may be."""
    books = floor(orders_max=2)
    books.place(limit("buy", "1", "1", symbol="ONE_COIN"))
    books.place(limit("buy", "30", "1"))
    refusal = refused(books, limit("buy", "30", "1"), TooManyOrders)
    assert str(refusal) == "too many open orders, 2 is the most"
    books.place(limit("buy", "1", "1", symbol="ONE_COIN"))
    books.do(CancelAllOrders(USER, "ONE_COIN"))
    assert books.place(limit("buy", "30", "1")).status == "open"


def test_others_orders_and_market_orders_are_not_counted() -> None:
    books = floor(orders_max=1)
    books.place(limit("buy", "30", "1"))
    books.place(limit("buy", "31", "1", account=OTHER))
    assert books.place(market("sell", "1")).status == "filled"


def test_a_limit_order_is_counted_at_its_arrival_even_if_it_would_be_filled() -> None:
    books = floor(orders_max=1)
    books.place(limit("buy", "30", "1"))
    books.place(limit("sell", "40", "1", account=OTHER))
    refused(books, limit("buy", "40", "1"), TooManyOrders)


# --- post-only ------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [USER, OTHER])
def test_a_post_only_order_that_would_cross_is_refused_its_own_orders_included(books: Floor, owner: int) -> None:
    books.place(limit("sell", "30", "1", account=owner))
    assert str(refused(books, limit("buy", "30", "1", kind="post_only"), WouldCross)) == "post-only would cross"


@pytest.mark.parametrize("owner", [USER, OTHER])
def test_a_post_only_sale_that_would_cross_is_refused(books: Floor, owner: int) -> None:
    books.place(limit("buy", "30", "1", account=owner))
    refused(books, limit("sell", "29.99", "1", kind="post_only"), WouldCross)


def test_a_post_only_order_that_would_not_cross_rests(books: Floor) -> None:
    books.place(limit("sell", "30", "1", account=OTHER))
    order = books.place(limit("buy", "29.99", "1", kind="post_only"))
    assert (order.kind, order.status) == ("post_only", "open")


def test_a_post_only_order_that_rests_is_met_like_any_other(books: Floor) -> None:
    books.place(limit("buy", "30", "1", kind="post_only"))
    books.place(limit("sell", "30", "1", account=OTHER))
    assert books.order(USER, 1).status == "filled"
