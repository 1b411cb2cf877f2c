"""Orders and fills as replies write them: each figure at its own scale."""

from types import SimpleNamespace
from typing import Any

import pytest

from spotbook.app.projection import FILL_COLUMNS
from spotbook.domain.asset import Asset, Market
from spotbook.domain.errors import Invalid, UnknownOrder
from spotbook.domain.order import Kind, Order, Side, Status
from spotbook.wire.coinw.commands import get_batch_history_orders, get_user_trades
from spotbook.wire.coinw.orders import details, order_numbered, scales_of, total_of

BASE, QUOTE = Asset(1, "BASE", 6, 10**15), Asset(2, "QUOTE", 8, 10**17)
MARKET = Market(3, "BASE_QUOTE", 1, 2, 2, 4, 0, 1, 10**9, 1, 10**15, 0, 0, "cancel_newest", "on")
"""One lot is 0.0001 of the base, 100 units; at a price of 0.01 it costs 0.000001 of the quote, 100 units."""

NOON = 1_893_470_400_000


class Found:
    """Assets and markets by their numbers, as a reader has them."""

    def __init__(self, *things: Asset | Market) -> None:
        self.of = {thing.id: thing for thing in things}.__getitem__


CALL: Any = SimpleNamespace(assets=Found(BASE, QUOTE), markets=Found(MARKET))
WRITTEN = scales_of(CALL.assets, MARKET)


def order(
    side: Side = "buy",
    kind: Kind = "limit",
    status: Status = "open",
    *,
    price: int = 1_234,
    amount: int = 2_000_000,
    funds: int = 0,
    filled: int = 0,
    value: int = 0,
    fee: int = 0,
) -> Order:
    return Order(1_001, 7, 3, side, kind, price, amount, funds, filled, value, fee, status, "mine", NOON, NOON + 5)


PARTLY = order(status="partly_filled", filled=500_000, value=617_000_000, fee=1_000)
SOLD = order("sell", status="filled", filled=2_000_000, value=2_468_000_000, fee=4_936_000)
BY_FUNDS = order("buy", "market", "filled", price=0, amount=0, funds=700_000_000, filled=500_000, value=617_000_000)
BY_AMOUNT = order("sell", "market", "cancelled", price=0, filled=500_000, value=617_000_000)


def test_a_lot_and_what_it_costs() -> None:
    assert (WRITTEN.lot, WRITTEN.tick) == (100, 100)


@pytest.mark.parametrize(
    ("shown", "price", "size", "left", "total"),
    [
        (order(), "12.34", 2_468_000_000, 2_468_000_000, 2_000_000),
        (PARTLY, "12.34", 2_468_000_000, 1_851_000_000, 2_000_000),
        (SOLD, "12.34", 2_468_000_000, 0, 2_000_000),
        (BY_FUNDS, "0", 700_000_000, 83_000_000, 500_000),
        (BY_AMOUNT, "0", 617_000_000, 0, 2_000_000),
    ],
    ids=["open", "partly filled", "sold", "market by funds", "market by amount"],
)
def test_figures_of_an_order(shown: Order, price: str, size: int, left: int, total: int) -> None:
    assert WRITTEN.price(shown) == price
    assert (WRITTEN.size(shown), WRITTEN.left(shown), total_of(shown)) == (size, left, total)


def test_a_buy_pays_its_fee_in_the_base_and_a_sale_in_the_quote() -> None:
    assert (WRITTEN.fee(PARTLY), WRITTEN.fee(SOLD)) == ("0.001000", "0.04936000")


def test_the_details_of_an_order() -> None:
    assert details(CALL, PARTLY) == {
        "tradeID": 7,
        "currencyPair": "BASE_QUOTE",
        "type": "buy",
        "amount": "18.51000000",
        "success_amount": "6.17000000",
        "total": "1.5000",
        "success_total": "0.5000",
        "fee": "0.001000",
        "date": "2030-01-01 12:00:00",
        "status": 2,
    }


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (PARTLY, {"side": "BUY", "type": "LIMIT", "status": 2, "dealAvgPrice": "12.34000000", "price": "12.34"}),
        (SOLD, {"side": "SELL", "type": "LIMIT", "status": 3, "dealAvgPrice": "12.34000000", "size": "2.0000"}),
        (BY_FUNDS, {"side": "BUY", "type": "MARKET", "dealAvgPrice": "12.34000000", "price": "0", "size": "0.5000"}),
        (order(kind="post_only"), {"type": "LIMIT", "dealAvgPrice": "0.00000000", "dealSize": "0.0000"}),
    ],
    ids=["partly filled", "sold", "market by funds", "nothing filled"],
)
def test_an_order_of_the_history(shown: Order, said: dict[str, object]) -> None:
    written = get_batch_history_orders._shown(shown, WRITTEN)
    assert {name: written[name] for name in said} == said
    assert (written["orderId"], written["date"], written["out_trade_no"]) == (7, NOON, "mine")
    assert written["symbol"] == "BASE_QUOTE"


def test_up_to_a_hundred_numbers_of_orders_each_once_and_one_that_no_order_has_left_out() -> None:
    hundred = [str(number) for number in range(100)]  # 0 is no order's
    assert get_batch_history_orders._numbers(",".join(hundred)) == list(range(1, 100))
    assert get_batch_history_orders._numbers("7,0,3,7") == [7, 3]
    with pytest.raises(Invalid, match=r"^orderIds: write at most 100, with commas between$"):
        get_batch_history_orders._numbers(",".join([*hundred, "7"]))


@pytest.mark.parametrize(("side", "fee"), [("buy", "0.001000000000000000"), ("sell", "0.000010000000000000")])
def test_a_fill_pays_its_fee_in_what_it_received(side: str, fee: str) -> None:
    figures: dict[str, int | str] = {
        "market": 3,
        "side": side,
        "price": 1_234,
        "amount": 500_000,
        "fee": 1_000,
        "id": 9,
    }
    row = tuple(figures.get(column, 0) for column in FILL_COLUMNS)
    assert get_user_trades._shown(CALL, row) == {
        "orderType": "LIMIT",
        "orderId": 0,
        "fee": fee,
        "price": "12.340000000000000000",
        "size": "0.500000000000000000",
        "side": side.upper(),
        "time": 0,
        "tradeId": 9,
    }


def test_an_order_that_is_on_no_shelf_is_unknown_by_its_number() -> None:
    asked: list[tuple[str, tuple[int, int]]] = []
    reader = SimpleNamespace(find=lambda table, key: asked.append((table, key)))
    call: Any = SimpleNamespace(account=1_001, reader=reader)
    with pytest.raises(UnknownOrder) as refused:
        order_numbered(call, 7)
    assert refused.value.named == 7
    assert asked == [("open_order", (1_001, 7)), ("closed_order", (1_001, 7))]
