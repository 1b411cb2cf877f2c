"""returnSymbol (public): every market and its rules, in the sequence in which they were made.

`data` is an array. `minBuyCount` and `maxBuyCount` bound the base amount of an order, `minBuyAmount` and `maxBuyAmount`
its value in the quote, `minBuyPrice` and `maxBuyPrice` its price: of buying and selling alike, despite their names, and
all with 20 decimals. A market without a largest value shows what its largest amount costs at its largest price.
`pricePrecision` and `countPrecision` are decimals. `state` is 1 when orders can be placed, 2 otherwise.
"""

import msgspec

from spotbook.domain.amount import show
from spotbook.domain.asset import Asset, Market
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicCall, PublicRead

DECIMALS = 20


def answer(call: PublicCall) -> bytes:
    """Answer with all markets."""
    of = call.assets.of
    return msgspec.json.encode([_row(market, of(market.base), of(market.quote)) for market in call.markets.all()])


def _row(market: Market, base: Asset, quote: Asset) -> dict[str, object]:
    lots_max = market.amount_max // 10 ** (base.scale - market.amount_decimals)
    dearest = _text(market.price_max * lots_max, market.price_decimals + market.amount_decimals)
    return {
        "currencyBase": base.name,
        "currencyQuote": quote.name,
        "currencyPair": market.symbol,
        "maxBuyCount": _text(market.amount_max, base.scale),
        "minBuyCount": _text(market.amount_min, base.scale),
        "minBuyAmount": _text(market.value_min, quote.scale),
        "maxBuyAmount": _text(market.value_max, quote.scale) if market.value_max else dearest,
        "minBuyPrice": _text(market.price_min, market.price_decimals),
        "maxBuyPrice": _text(market.price_max, market.price_decimals),
        "pricePrecision": market.price_decimals,
        "countPrecision": market.amount_decimals,
        "state": 1 if market.state == "on" else 2,
    }


def _text(units: int, scale: int) -> str:
    return show(units * 10 ** (DECIMALS - scale), DECIMALS)


COMMAND = PublicRead("returnSymbol", Limit(80, 1_000), answer)
