"""The markets, for readers. Their rules may change, so they are looked up anew after every commit."""

from spotbook.app.books import market_of
from spotbook.app.ports import Reader
from spotbook.domain.asset import Market
from spotbook.limits import MARKETS_MAX


class Markets:
    """Keeps the markets of some books as the reader's moment has them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._by_symbol: dict[str, Market] = {}
        self._by_number: dict[int, Market] = {}
        self._read_at = -1

    def named(self, symbol: str) -> Market | None:
        """Return the market of this symbol, or None."""
        self._refresh()
        return self._by_symbol.get(symbol)

    def of(self, number: int) -> Market:
        """Return the market of this number, which an order or a fill names; KeyError when there is none."""
        market = self._by_number.get(number)
        if market is None:
            self._refresh()
            market = self._by_number[number]
        return market

    def all(self) -> list[Market]:
        """Return all markets in the sequence in which they were made."""
        self._refresh()
        return list(self._by_number.values())

    def _refresh(self) -> None:
        changed = self._reader.changed()
        if changed != self._read_at:
            markets = [market_of(row) for row in self._reader.page("market", (), (), MARKETS_MAX)]
            self._by_number = {market.id: market for market in markets}
            self._by_symbol = {market.symbol: market for market in markets}
            self._read_at = changed
