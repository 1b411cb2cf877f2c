"""getUserTrades: the account's fills, newest first.

All parameters are optional: `symbol` (a market), `startAt` and `endAt` (milliseconds, both inclusive, of the trade's
time), `limit` (1 to 100, else 20), `after` (a trade's id: older ones than that) and `before` (newer ones, those
next to it). `data` is {"list": […]}; each has orderType (``LIMIT``, as the exchange says of market orders too),
orderId (number), fee, price, size (18 decimals each), side (``BUY`` or ``SELL``), time (number, milliseconds), tradeId
(number). Beside the list stand `after`, the id to go on from, when there are older ones, and `before` when there are
newer ones.
"""

from typing import Any, cast

from spotbook.app.ports import Row
from spotbook.app.projection import FILL_COLUMNS
from spotbook.app.timeline import ids_within
from spotbook.domain.amount import show
from spotbook.domain.window import Limit
from spotbook.limits import ID_MAX, SCALE_MAX
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.orders import answered, market_named, scales
from spotbook.wire.coinw.params import optional, span, whole_or, whole_within

LIMIT_DEFAULT = 20
LIMIT_MAX = 100

_ID = FILL_COLUMNS.index("id")


def answer(call: Call) -> Answer:
    """Answer with a page of fills."""
    params = call.params
    market = market_named(call, "symbol") if optional(params, "symbol") else None
    prefix = (call.account,) if market is None else (call.account, market.id)
    times_ms = span(params, "startAt", "endAt")
    most = whole_within(params, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT)
    older_than, newer_than = whole_or(params, "after", ID_MAX + 1), whole_or(params, "before", 0)
    lowest, highest = ids_within(call.reader, "fill", prefix, "made_at", times_ms)

    def found(above: int, below: int, limit: int, *, newest: bool = True) -> list[Row]:
        return call.reader.span("fill", prefix, max(above, lowest), min(below, highest), limit, newest=newest)

    # With `before` alone the page goes on upwards from there; else it goes down from the newest that is asked for.
    upwards = bool(optional(params, "before")) and not optional(params, "after")
    rows = found(newer_than, older_than, most, newest=not upwards)
    if upwards:
        rows.reverse()
    data: dict[str, Any] = {"list": [_shown(call, row) for row in rows]}
    if rows:
        newest, oldest = cast("int", rows[0][_ID]), cast("int", rows[-1][_ID])
        if found(0, oldest, 1):
            data["after"] = oldest
        if found(newest, ID_MAX + 1, 1):
            data["before"] = newest
    return answered(call, data)


def _shown(call: Call, row: Row) -> dict[str, Any]:
    fill: dict[str, Any] = dict(zip(FILL_COLUMNS, row, strict=True))
    written = scales(call.markets, call.assets, fill["market"])
    return {
        "orderType": "LIMIT",
        "orderId": fill["order_id"],
        "fee": _wide(fill["fee"], written.received(fill["side"]).scale),
        "price": _wide(fill["price"], written.market.price_decimals),
        "size": _wide(fill["amount"], written.base.scale),
        "side": fill["side"].upper(),
        "time": fill["made_at"],
        "tradeId": fill["id"],
    }


def _wide(units: int, scale: int) -> str:
    """Return an amount with 18 decimals."""
    return show(units * 10 ** (SCALE_MAX - scale), SCALE_MAX)


COMMAND = PrivateRead("getUserTrades", "read", Limit(10, 2_000), answer)
