"""returnTradeHistory (public): the trades of a market, newest first, at most 50.

`start` and `end` are milliseconds, both inclusive, both optional. `type` is the taker's side; `total` is what the trade
cost, in the quote at the asset's scale; `time` is text in UTC+8.
"""

from typing import cast

import msgspec

from spotbook.app.ports import Row
from spotbook.app.timeline import first_since
from spotbook.domain.asset import Market
from spotbook.domain.window import Limit
from spotbook.limits import ID_MAX, PUBLIC_TRADES_MAX
from spotbook.wire.coinw.command import PublicCall, PublicRead
from spotbook.wire.coinw.figures import amount_text, price_text, time_text, value_text
from spotbook.wire.coinw.params import either, span


def answer(call: PublicCall) -> bytes:
    """Answer with the newest trades of the span."""
    symbol = either(call.params, "symbol", "currencyPair")
    start, end = span(call.params, "start", "end")
    market = call.market(symbol)
    above = _first_since(call, market, start) - 1 if start else -1
    below = _first_since(call, market, end + 1) if end < ID_MAX else ID_MAX + 1
    rows = call.reader.span("trade", (market.id,), above, below, PUBLIC_TRADES_MAX)
    return msgspec.json.encode([_trade(call, market, row) for row in rows])


def _first_since(call: PublicCall, market: Market, time_ms: int) -> int:
    return first_since(call.reader, "trade", (market.id,), "made_at", time_ms)


def _trade(call: PublicCall, market: Market, row: Row) -> dict[str, object]:
    _, number, side, price, amount, value, made_at, _ = cast("tuple[int, int, str, int, int, int, int, int]", row)
    return {
        "id": number,
        "type": side.upper(),
        "price": price_text(market, price),
        "amount": amount_text(market, call.assets.of(market.base), amount),
        "total": value_text(call.assets.of(market.quote), value),
        "time": time_text(made_at),
        "pair": market.symbol,
    }


COMMAND = PublicRead("returnTradeHistory", Limit(10, 1_000), answer)
