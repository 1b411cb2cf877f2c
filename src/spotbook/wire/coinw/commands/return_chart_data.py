"""returnChartData (public): the candles of a market, newest first, at most 100.

`period` is in seconds, one of `PERIODS`; every period begins at a whole multiple of its length since 1970 in UTC, so a
day at midnight UTC. `start` and `end` are in milliseconds or seconds, told apart by size; both are inclusive and mean
the time at which a candle opens, so that no candle is ever cut. `date` is that time in milliseconds, `volume` is in the
base. The newest candle may be unfinished. A period without a trade has no candle. The exchange's documents do not say
what they do then (of its futures' candles, that some may be missing): a candle of trades that never were could not be
told from a fact, while a client that wants one can make it of the last close.
"""

import msgspec

from spotbook.app.market_data import Candle, candles
from spotbook.domain.asset import Asset, Market
from spotbook.domain.errors import Invalid
from spotbook.domain.window import Limit
from spotbook.limits import CANDLES_MAX
from spotbook.wire.coinw.command import PublicCall, PublicRead
from spotbook.wire.coinw.figures import amount_text, price_text
from spotbook.wire.coinw.params import either, span_of_any_size, whole

PERIODS = (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 86_400)


def answer(call: PublicCall) -> bytes:
    """Answer with the newest candles of the span."""
    symbol, period = either(call.params, "currencyPair", "symbol"), whole(call.params, "period")
    if period not in PERIODS:
        raise Invalid("period", f"is one of {', '.join(map(str, PERIODS))}")
    start, end = span_of_any_size(call.params, "start", "end")
    market = call.market(symbol)
    base = call.assets.of(market.base)
    found = candles(call.reader, market.id, period, start, end, limit=CANDLES_MAX)
    return msgspec.json.encode([_row(market, base, candle) for candle in found])


def _row(market: Market, base: Asset, candle: Candle) -> dict[str, object]:
    return {
        "open": price_text(market, candle.open),
        "high": price_text(market, candle.high),
        "low": price_text(market, candle.low),
        "close": price_text(market, candle.close),
        "volume": amount_text(market, base, candle.amount),
        "date": candle.opens_at,
        "pair": market.symbol,
    }


COMMAND = PublicRead("returnChartData", Limit(10, 1_000), answer)
