"""spotbook.order (an extension): what became of the order that an out_trade_no was sent with.

`out_trade_no` is required; `fence` (true or false) is optional. `data` is {"state": "accepted", "order": {…}}, whose
members are those of returnOrderTrades and then `prize` and `out_trade_no`, or {"state": "unknown"}. The question passes
the writer's queue, so whatever was sent before it and has arrived is decided by then. With `fence` an unknown one is
closed in the same step and for good: what arrives late with it is refused (10008). That settles a timeout.
"""

import msgspec

from spotbook.domain.commands import FindOrder
from spotbook.domain.trading import OrderAt
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Call, PrivateWrite
from spotbook.wire.coinw.orders import details, scales
from spotbook.wire.coinw.params import flag, out_trade_no


def command(call: Call) -> FindOrder:
    """Return what is asked for."""
    return FindOrder(call.account, out_trade_no(call.params, needed=True), flag(call.params, "fence"))


def data(found: OrderAt, call: Call) -> bytes:
    """Answer with the order, or with the word that there is none."""
    order = found.order
    if order is None:
        return b'{"state":"unknown"}'
    shown = {
        **details(call, order),
        "prize": scales(call.markets, call.assets, order.market).price(order),
        "out_trade_no": order.out_trade_no,
    }
    return msgspec.json.encode({"state": "accepted", "order": shown})


COMMAND = PrivateWrite("spotbook.order", "read", Limit(30, 2_000), command, data)
