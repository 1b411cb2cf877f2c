"""doTrade: place an order.

`type` is 0 to buy, 1 to sell. A limit order has `amount` (base) and `rate`; with `postOnly` it never takes. A market
order (`isMarket`) has `amount` (base) or `funds` (quote); a `rate` that comes along is ignored. An `out_trade_no` makes
a repeat harmless. `data` is {"orderNumber": number}.
"""

from spotbook.domain.commands import PlaceOrder
from spotbook.domain.errors import Invalid
from spotbook.domain.order import Kind, Side
from spotbook.domain.trading import OrderAt
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Call, PrivateWrite
from spotbook.wire.coinw.params import flag, out_trade_no, required

SIDES: dict[str, Side] = {"0": "buy", "1": "sell"}


def command(call: Call) -> PlaceOrder:
    """Return the order that is asked for."""
    params = call.params
    symbol = required(params, "symbol")
    side = SIDES.get(required(params, "type"))
    if side is None:
        raise Invalid("type", "write 0 to buy or 1 to sell")
    is_market, post_only = flag(params, "isMarket"), flag(params, "postOnly")
    if is_market and post_only:
        raise Invalid("postOnly", "is for a limit one only")
    kind: Kind = "market" if is_market else "post_only" if post_only else "limit"
    reference = out_trade_no(params)
    return PlaceOrder(
        call.account,
        symbol,
        side,
        kind,
        params.get("rate", ""),
        params.get("amount", ""),
        params.get("funds", ""),
        reference,
    )


def data(placed: OrderAt, call: Call) -> bytes:  # noqa: ARG001  (one shape for all)
    """Answer with the order's id."""
    return b'{"orderNumber":%d}' % placed.id


COMMAND = PrivateWrite("doTrade", "trade", Limit(30, 2_000), command, data, names={"price": "rate"})
