"""returnOrderBook (public): the best levels of a market, or of several.

`symbol` (or `currencyPair`) is one symbol, for an object, or a list with commas, for an array in the sequence of the
list. `size` up to 5 (and none at all) gives 5 levels a side, a larger one 20. Levels are [price, amount] as text, from
the best on: asks ascending, bids descending.
"""

import msgspec

from spotbook.domain.asset import Market
from spotbook.domain.errors import Invalid
from spotbook.domain.window import Limit
from spotbook.limits import DEPTH_LEVELS_MAX, SYMBOLS_MAX
from spotbook.wire.coinw.command import PublicCall, PublicRead
from spotbook.wire.coinw.figures import amount_text, price_text
from spotbook.wire.coinw.params import either, whole_or

LEVELS_FEW = 5


def answer(call: PublicCall) -> bytes:
    """Answer with the books as they stood after the last batch that changed each."""
    symbols = either(call.params, "symbol", "currencyPair").split(",")
    if len(symbols) > SYMBOLS_MAX:
        raise Invalid("symbol", f"list at most {SYMBOLS_MAX}")
    if "" in symbols:
        raise Invalid("symbol", "write names with one comma between them")
    levels = LEVELS_FEW if whole_or(call.params, "size", LEVELS_FEW) <= LEVELS_FEW else DEPTH_LEVELS_MAX
    books = [_book(call, call.market(symbol), levels) for symbol in symbols]
    return msgspec.json.encode(books if len(books) > 1 else books[0])


def _book(call: PublicCall, market: Market, levels: int) -> dict[str, object]:
    depth = call.board.depth(market.symbol)
    return {
        "asks": _side(call, market, depth.asks[:levels]),
        "bids": _side(call, market, depth.bids[:levels]),
        "pair": market.symbol,
    }


def _side(call: PublicCall, market: Market, levels: tuple[tuple[int, int], ...]) -> list[tuple[str, str]]:
    base = call.assets.of(market.base)
    return [(price_text(market, price), amount_text(market, base, amount)) for price, amount in levels]


COMMAND = PublicRead("returnOrderBook", Limit(10, 1_000), answer)
