"""returnTicker (public): what every market did in the last 24 hours, and its best prices now.

`data` is an object: pair → figures as text, but `id` (the market's number) and `isFrozen` (1 when orders cannot be
placed) as numbers. `last` is the last price ever; `percentChange` is a share (0.0135 is 1.35 %) of the first price of
these 24 hours, to four decimals, a half away from zero; `baseVolume` is in the quote, despite its name. What there is
none of is "0". The 24 hours begin with a whole minute: see `app.market_data.day`.
"""

import msgspec

from spotbook.domain.amount import show
from spotbook.domain.asset import Market
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicCall, PublicRead
from spotbook.wire.coinw.figures import price_text, value_text

CHANGE_DECIMALS = 4


def answer(call: PublicCall) -> bytes:
    """Answer with all markets, in the sequence in which they were made."""
    return msgspec.json.encode({market.symbol: _figures(call, market) for market in call.markets.all()})


def _figures(call: PublicCall, market: Market) -> dict[str, object]:
    day, depth = call.days.of(market.id, call.now), call.board.depth(market.symbol)
    return {
        "percentChange": show(day.change(CHANGE_DECIMALS), CHANGE_DECIMALS) if day.traded else "0",
        "high24hr": price_text(market, day.high),
        "low24hr": price_text(market, day.low),
        "last": price_text(market, day.last),
        "highestBid": price_text(market, _best(depth.bids)),
        "lowestAsk": price_text(market, _best(depth.asks)),
        "baseVolume": value_text(call.assets.of(market.quote), day.value),
        "id": market.id,
        "isFrozen": 0 if market.state == "on" else 1,
    }


def _best(levels: tuple[tuple[int, int], ...]) -> int:
    return levels[0][0] if levels else 0


COMMAND = PublicRead("returnTicker", Limit(80, 1_000), answer)
