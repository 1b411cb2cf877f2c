"""returnOpenOrders: the account's open orders of one market, newest first.

`currencyPair` is required; `startAt` and `endAt` (milliseconds, both inclusive) bound the time of placing. `data` is an
array of objects: orderNumber (number), date (number, milliseconds), startingAmount and total (its original size in
quote and in base), type, prize (its price, sic), success_count and success_amount (what it executed, in base and in
quote), status (number). All are listed: there are never more than a bounded number of them.
"""

from functools import lru_cache

import msgspec

from spotbook.app.assets import Assets
from spotbook.app.books import order_of
from spotbook.app.markets import Markets
from spotbook.app.pages import every
from spotbook.app.ports import Row
from spotbook.domain.order import Order
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.orders import STATUS, answered_with, market_named, scales
from spotbook.wire.coinw.params import span

_MARKET, _PLACED_AT = Order._fields.index("market"), Order._fields.index("placed_at")


def answer(call: Call) -> Answer:
    """Answer with the open orders."""
    market = market_named(call, "currencyPair")
    begin, end = span(call.params, "startAt", "endAt")
    shown = [
        _remembered(call.assets, call.markets, row)
        for row in every(call.reader, "open_order", (call.account,))
        if row[_MARKET] == market.id and begin <= int(row[_PLACED_AT]) <= end
    ]
    shown.reverse()
    return answered_with(call, b"[%s]" % b",".join(shown))


@lru_cache(32_768)  # an open order is asked for more often than it changes; some 30 MB at most
def _remembered(assets: Assets, markets: Markets, row: Row) -> bytes:
    """Return the text of one row. It follows from it alone, since decimals never change, so it is never stale."""
    order = order_of(row)
    written = scales(markets, assets, order.market)
    return msgspec.json.encode(
        {
            "orderNumber": order.id,
            "date": order.placed_at,
            "startingAmount": written.value(written.size(order)),
            "total": written.amount(order.amount),
            "type": order.side,
            "prize": written.price(order),
            "success_count": written.amount(order.filled),
            "success_amount": written.value(order.value),
            "status": STATUS[order.status],
        }
    )


COMMAND = PrivateRead("returnOpenOrders", "read", Limit(30, 2_000), answer)
