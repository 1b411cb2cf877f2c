"""cancelAll: the old name of cancelAllOrder, by which some clients still call it. Its `symbol` is `currencyPair`.

Both names have one window of the limiter.
"""

from spotbook.domain.commands import CancelAllOrders
from spotbook.wire.coinw.command import Call
from spotbook.wire.coinw.commands import cancel_all_order
from spotbook.wire.coinw.params import optional


def command(call: Call) -> CancelAllOrders:
    """Return what is asked for."""
    return CancelAllOrders(call.account, optional(call.params, "symbol"))


COMMAND = cancel_all_order.COMMAND._replace(command=command)
