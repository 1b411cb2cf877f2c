"""returnOrderStatus: where one order of the account stands.

`orderNumber` is required. `data` is an object: status (number), currencyPair, date (text, UTC+8: when it was placed),
total and startingAmount (its size in base and in quote), type. `orders.py` says what these figures are.
"""

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.figures import time_text
from spotbook.wire.coinw.orders import STATUS, answered, order_numbered, scales, total_of
from spotbook.wire.coinw.params import order_number


def answer(call: Call) -> Answer:
    """Answer with the order of this number."""
    order = order_numbered(call, order_number(call.params, "orderNumber"))
    written = scales(call.markets, call.assets, order.market)
    data = {
        "status": STATUS[order.status],
        "currencyPair": written.market.symbol,
        "date": time_text(order.placed_at),
        "total": written.amount(total_of(order)),
        "type": order.side,
        "startingAmount": written.value(written.size(order)),
    }
    return answered(call, data)


COMMAND = PrivateRead("returnOrderStatus", "read", Limit(30, 2_000), answer)
