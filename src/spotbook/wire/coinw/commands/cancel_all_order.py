"""cancelAllOrder: cancel every open order of the account, or those of one market. It is one transaction.

`currencyPair` is optional. `data` is {}, also when there was nothing to cancel. It may use the reserved part of the
queue. `cancelAll`, its old name, has a file of its own.
"""

from spotbook.domain.commands import CancelAllOrders
from spotbook.domain.trading import OrderAt
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Call, PrivateWrite
from spotbook.wire.coinw.params import optional

LIMIT = Limit(30, 2_000)


def command(call: Call) -> CancelAllOrders:
    """Return what is asked for."""
    return CancelAllOrders(call.account, optional(call.params, "currencyPair"))


def data(cancelled: OrderAt, call: Call) -> bytes:  # noqa: ARG001  (one shape for all)
    """Answer with nothing: that it succeeded is the answer."""
    return b"{}"


COMMAND = PrivateWrite("cancelAllOrder", "trade", LIMIT, command, data, gives_free=True)
