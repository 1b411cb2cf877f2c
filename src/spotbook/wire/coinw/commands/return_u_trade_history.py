"""returnUTradeHistory: the account's finished orders of one market, newest first, at most 1,000.

`currencyPair` is required; `startAt` and `endAt` (milliseconds, both inclusive) bound the time of placing. `data` is an
array of objects: tradeID (number: the order's id), date (number: when it was placed), amount and total (its size in
quote and in base), fee, type, prize, success_count and success_amount (what it executed, in base and in quote), status
(number), out_trade_no (``""`` when it has none). The newest are listed when there are more; `endAt` reaches the others.
"""

from typing import Any

from spotbook.app.books import order_of
from spotbook.app.timeline import ids_within
from spotbook.domain.order import Order
from spotbook.domain.window import Limit
from spotbook.limits import PAGE_ROWS_MAX
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.orders import STATUS, Scales, answered, market_named, scales_of, total_of
from spotbook.wire.coinw.params import span


def answer(call: Call) -> Answer:
    """Answer with the finished orders."""
    market = market_named(call, "currencyPair")
    times_ms = span(call.params, "startAt", "endAt")
    prefix = (call.account, market.id)
    above, below = ids_within(call.reader, "closed_order", prefix, "placed_at", times_ms)
    rows = call.reader.span("closed_order", prefix, above, below, PAGE_ROWS_MAX)
    written = scales_of(call.assets, market)
    return answered(call, [_shown(order_of(row), written) for row in rows])


def _shown(order: Order, written: Scales) -> dict[str, Any]:
    return {
        "tradeID": order.id,
        "date": order.placed_at,
        "amount": written.value(written.size(order)),
        "total": written.amount(total_of(order)),
        "fee": written.fee(order),
        "type": order.side,
        "prize": written.price(order),
        "success_count": written.amount(order.filled),
        "success_amount": written.value(order.value),
        "status": STATUS[order.status],
        "out_trade_no": order.out_trade_no,
    }


COMMAND = PrivateRead("returnUTradeHistory", "read", Limit(5, 2_000), answer)
