"""return24hVolume (public): what was traded in the last 24 hours, per market and in all.

`data` is an object of `totalETH`, `totalUSDT` and `totalBTC` (the value of all trades in the markets quoted in that
asset, in that asset) and, per pair, an object with the traded amount of the base and of the quote. All is text, "0"
where nothing was traded. The 24 hours are returnTicker's.
"""

import msgspec

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicCall, PublicRead
from spotbook.wire.coinw.figures import amount_text, value_text

TOTALS = ("ETH", "USDT", "BTC")


def answer(call: PublicCall) -> bytes:
    """Answer with the totals and then all markets, in the sequence in which they were made."""
    pairs: dict[str, dict[str, str]] = {}
    totals: dict[str, int] = {}
    texts: dict[str, str] = {}
    for market in call.markets.all():
        base, quote = call.assets.of(market.base), call.assets.of(market.quote)
        day = call.days.of(market.id, call.now)
        pairs[market.symbol] = {
            base.name: amount_text(market, base, day.amount),
            quote.name: value_text(quote, day.value),
        }
        totals[quote.name] = totals.get(quote.name, 0) + day.value
        texts[quote.name] = value_text(quote, totals[quote.name])
    return msgspec.json.encode({**{f"total{name}": texts.get(name, "0") for name in TOTALS}, **pairs})


COMMAND = PublicRead("return24hVolume", Limit(80, 1_000), answer)
