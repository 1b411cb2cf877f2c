"""cancelOrder: cancel an open order; what it still holds is released.

`orderNumber` is required. `data` is {"clientOrderId": number}, which is the order's id, whatever its name says. An
order that was filled or cancelled before is refused (10009). It may use the reserved part of the queue.
"""

from spotbook.domain.commands import CancelOrder
from spotbook.domain.trading import OrderAt
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Call, PrivateWrite
from spotbook.wire.coinw.params import order_number


def command(call: Call) -> CancelOrder:
    """Return what is asked for."""
    return CancelOrder(call.account, order_number(call.params, "orderNumber"))


def data(cancelled: OrderAt, call: Call) -> bytes:  # noqa: ARG001  (one shape for all)
    """Answer with the order's id."""
    return b'{"clientOrderId":%d}' % cancelled.id


COMMAND = PrivateWrite("cancelOrder", "trade", Limit(30, 2_000), command, data, gives_free=True)
