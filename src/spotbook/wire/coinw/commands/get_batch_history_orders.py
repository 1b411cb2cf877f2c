"""getBatchHistoryOrders: finished orders of the account by their numbers.

`orderIds` is required: 1 to 100 numbers, with commas between. `data` is an array of objects in the sequence asked for:
orderId (number), date (number, milliseconds: when it was placed), side (``BUY`` or ``SELL``), type (``LIMIT`` or
``MARKET``), status (number), dealSize (base executed), dealFunds (quote executed), dealAvgPrice (their quotient at the
quote's scale, rounded down), fee, then symbol, price, size (the base asked) and out_trade_no. A number that comes again
is listed once. Left out are open orders, which are no history yet, those placed over three months ago (92 days), and
another's as well as unknown ones. What the exchange sends is known in part only: the members after fee, and all of
these rules, are this project's.
"""

from typing import Any

from spotbook.app.books import order_of
from spotbook.domain.amount import show
from spotbook.domain.errors import Invalid, UnknownOrder
from spotbook.domain.order import Order
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.orders import STATUS, Scales, answered, scales, total_of
from spotbook.wire.coinw.params import as_order_number, required

IDS_MAX = 100
AGE_MS_MAX = 92 * 24 * 60 * 60 * 1_000


def answer(call: Call) -> Answer:
    """Answer with the finished orders of these numbers."""
    data = []
    for number in _numbers(required(call.params, "orderIds")):
        row = call.reader.find("closed_order", (call.account, number))
        order = None if row is None else order_of(row)
        if order is not None and call.now - order.placed_at <= AGE_MS_MAX:
            data.append(_shown(order, scales(call.markets, call.assets, order.market)))
    return answered(call, data)


def _numbers(text: str) -> list[int]:
    """Return the numbers asked for, each once, without those that no order can have."""
    texts = text.split(",")
    if len(texts) > IDS_MAX:
        raise Invalid("orderIds", f"write at most {IDS_MAX}, with commas between")
    numbers: dict[int, None] = {}
    for part in texts:
        try:
            numbers[as_order_number("orderIds", part)] = None
        except UnknownOrder:
            continue
    return list(numbers)


def _shown(order: Order, written: Scales) -> dict[str, Any]:
    average = order.value * 10**written.base.scale // order.filled if order.filled else 0
    return {
        "orderId": order.id,
        "date": order.placed_at,
        "side": order.side.upper(),
        "type": "MARKET" if order.kind == "market" else "LIMIT",
        "status": STATUS[order.status],
        "dealSize": written.amount(order.filled),
        "dealFunds": written.value(order.value),
        "dealAvgPrice": show(average, written.quote.scale),
        "fee": written.fee(order),
        "symbol": written.market.symbol,
        "price": written.price(order),
        "size": written.amount(total_of(order)),
        "out_trade_no": order.out_trade_no,
    }


COMMAND = PrivateRead("getBatchHistoryOrders", "read", Limit(5, 2_000), answer)
