"""Exactly once: the out_trade_no, its repeats, and its fence."""

from typing import Any

import pytest

from spotbook.domain.commands import (
    CancelOrder,
    ChangeMarket,
    Deposit,
    FindOrder,
    FreezeAccount,
    Halt,
    PlaceOrder,
)
from spotbook.domain.errors import (
    InsufficientBalance,
    Invalid,
    OutTradeNoTaken,
)
from spotbook.domain.events import OrderPlaced, OutTradeNoClosed
from spotbook.domain.trading import OrderAt
from support.commands import OTHER, USER, limit, market
from support.floor import THIRD, Floor, floor, refused

UNIT = 100_000_000


@pytest.fixture
def books() -> Floor:
    return floor()


# --- exactly once ---------------------------------------------------------------------------------


def test_the_same_request_gives_the_first_answer_again(books: Floor) -> None:
    first = books.place(limit("buy", "30", "1", out_trade_no="a"))
    decision = books.decide(limit("buy", "30", "1", out_trade_no="a"))
    assert decision == ([], OrderAt(first, books.state.versions.get(USER) or 0), False)


def test_spelling_does_not_count(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    assert books.decide(limit("buy", "30.00", "1.0000000", out_trade_no="a")).result.id == 1


def test_nor_does_a_price_that_a_market_order_ignores(books: Floor) -> None:
    books.place(limit("sell", "10", "1", account=OTHER))
    books.place(market("buy", "1", out_trade_no="a"))
    assert books.decide(market("buy", "1.0", out_trade_no="a")._replace(price="99")).result.id == 2


def test_a_repeat_shows_the_order_as_it_stands_now(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    books.place(limit("sell", "30", "1", account=OTHER))
    assert books.decide(limit("buy", "30", "1", out_trade_no="a")).result.order.status == "filled"


@pytest.mark.parametrize(
    "other",
    [
        limit("buy", "30", "2", out_trade_no="a"),
        limit("buy", "31", "1", out_trade_no="a"),
        limit("sell", "30", "1", out_trade_no="a"),
        limit("buy", "30", "1", out_trade_no="a", kind="post_only"),
        limit("buy", "30", "1", out_trade_no="a", symbol="ONE_COIN"),
        market("buy", "1", out_trade_no="a"),
        market("buy", funds="30", out_trade_no="a"),
    ],
    ids=str,
)
def test_another_request_with_it_is_refused(books: Floor, other: PlaceOrder) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    refusal = refused(books, other, OutTradeNoTaken)
    assert isinstance(refusal, OutTradeNoTaken)
    assert refusal.named == "a"


def test_each_account_has_its_own(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    assert books.place(limit("buy", "30", "1", out_trade_no="a", account=OTHER)).id == 2


def test_a_refusal_binds_nothing(books: Floor) -> None:
    refused(books, limit("buy", "1001", "1", out_trade_no="a"), InsufficientBalance)
    books.do(Deposit(USER, "USDT", "1", "more", 0, ""))
    assert books.place(limit("buy", "1001", "1", out_trade_no="a")).status == "open"


@pytest.mark.parametrize(
    "since",
    [
        Halt("asked"),
        FreezeAccount(USER, frozen=True, reason="asked"),
        ChangeMarket("BTC_USDT", state="off"),
        ChangeMarket("BTC_USDT", price_min="100"),
        ChangeMarket("BTC_USDT", orders_max=1),
        CancelOrder(USER, 1),
        limit("buy", "970", "1"),
    ],
    ids=str,
)
def test_a_repeat_is_answered_whatever_has_happened_since(books: Floor, since: Any) -> None:
    """Halt, frozen account, closed market, new ranges, the order's end, nothing left to spend."""
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    books.do(since)
    assert books.decide(limit("buy", "30", "1", out_trade_no="a")).result.id == 1


def test_a_repeat_must_still_be_readable(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    with pytest.raises(Invalid):
        books.decide(limit("buy", "30", "1e0", out_trade_no="a"))


# --- what became of it ----------------------------------------------------------------------------


def test_an_order_is_found_by_its_out_trade_no(books: Floor) -> None:
    order = books.place(limit("buy", "30", "1", out_trade_no="a"))
    for fence in (False, True):
        decision = books.decide(FindOrder(USER, "a", fence))
        assert decision == ([], OrderAt(order, books.state.versions.get(USER) or 0), False)


def test_a_closed_order_is_found_as_well(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    books.place(CancelOrder(USER, 1))
    assert books.do(FindOrder(USER, "a", fence=False)).order.status == "cancelled"


def test_one_that_nobody_has_is_unknown_and_stays_free(books: Floor) -> None:
    version = books.state.versions.get(USER)
    assert books.decide(FindOrder(USER, "a", fence=False)) == ([], (None, version), False)
    assert books.place(limit("buy", "30", "1", out_trade_no="a")).id == 1


def test_of_an_account_that_never_held_anything_the_version_is_0(books: Floor) -> None:
    assert books.decide(FindOrder(THIRD + 1, "a", fence=False)).result == (None, 0)


def test_anothers_is_unknown(books: Floor) -> None:
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    assert books.do(FindOrder(OTHER, "a", fence=False)).order is None


def test_a_fence_closes_one_that_nobody_has_so_that_a_late_arrival_is_refused(books: Floor) -> None:
    decision = books.decide(FindOrder(USER, "a", fence=True))
    assert (decision.events, decision.result.order, decision.fresh) == ([OutTradeNoClosed(USER, "a")], None, True)
    books.do(FindOrder(USER, "a", fence=True))
    refused(books, limit("buy", "30", "1", out_trade_no="a"), OutTradeNoTaken)
    assert books.place(limit("buy", "30", "1", out_trade_no="a", account=OTHER)).id == 1


def test_a_fence_is_built_once(books: Floor) -> None:
    books.do(FindOrder(USER, "a", fence=True))
    for fence in (False, True):
        decision = books.decide(FindOrder(USER, "a", fence))
        assert (decision.events, decision.result.order, decision.fresh) == ([], None, False)


def test_a_fence_stays_whatever_orders_come_after_it(books: Floor) -> None:
    books.do(FindOrder(USER, "a", fence=True))
    assert books.place(limit("buy", "30", "1")).id == 1
    assert books.do(FindOrder(USER, "a", fence=False)).order is None
    refused(books, limit("buy", "30", "1", out_trade_no="a"), OutTradeNoTaken)


@pytest.mark.parametrize("closed", [Halt("asked"), FreezeAccount(USER, frozen=True, reason="asked")], ids=str)
def test_a_timeout_can_be_settled_whatever_keeps_from_placing(books: Floor, closed: Any) -> None:
    books.do(closed)
    books.do(FindOrder(USER, "a", fence=True))
    assert books.events[-1] == OutTradeNoClosed(USER, "a")


def test_an_order_is_journalled_as_it_stands_after_all_that_it_met_at_once(books: Floor) -> None:
    books.place(limit("sell", "30", "1", account=OTHER))
    books.place(limit("buy", "30", "1", out_trade_no="a"))
    placed = books.events[-1]
    assert isinstance(placed, OrderPlaced)
    assert (placed.id, placed.status, placed.filled, placed.out_trade_no) == (2, "filled", UNIT, "a")
