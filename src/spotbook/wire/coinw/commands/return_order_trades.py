"""returnOrderTrades: one order of the account, open or closed.

`orderNumber` is required. `data` is an object: tradeID (number, the order's id), currencyPair, type (``buy`` or
``sell``), amount and total (what remains of it in quote and in base), success_amount and success_total (what it
executed), fee, date (text, UTC+8: when it was placed), status (number: 1 open, 2 partly filled, 3 filled, 4 cancelled).
"""

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.orders import answered, details, order_numbered
from spotbook.wire.coinw.params import order_number


def answer(call: Call) -> Answer:
    """Answer with the order of this number."""
    return answer_by(call, "orderNumber")


def answer_by(call: Call, name: str) -> Answer:
    """Answer with the order whose number the parameter `name` gives."""
    return answered(call, details(call, order_numbered(call, order_number(call.params, name))))


COMMAND = PrivateRead("returnOrderTrades", "read", Limit(30, 2_000), answer)
