"""The markets as the journal makes them, and what an amount costs in each. Told apart from the code that decides."""

from typing import NamedTuple

from spotbook.app.audit.report import Findings
from spotbook.domain.asset import PPM, Market, check_market
from spotbook.domain.errors import Invalid
from spotbook.domain.events import MarketChanged, MarketMade
from spotbook.limits import SCALE_MAX


class Rules(NamedTuple):
    """A market's rules at some moment of the journal.

    `lot` is the base's smallest units in one step of the amount, `tick` the quote's that one lot costs at a price of
    one step; `maker` and `taker` are the fees in parts per million.
    """

    symbol: str
    base: int
    quote: int
    lot: int
    tick: int
    maker: int
    taker: int

    def value(self, price: int, amount: int) -> int:
        """Return what an amount costs at a price, in the quote's smallest units."""
        return price * (amount // self.lot) * self.tick


def fee(gross: int, ppm: int) -> int:
    """Return the fee on what one side of a fill receives: rounded up to a whole unit."""
    whole, rest = divmod(gross * ppm, PPM)
    return whole + bool(rest)


class Markets:
    """Takes markets as they are made and changed; `rules` has those in force, by the market's number."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._events: dict[int, MarketMade | MarketChanged] = {}
        self._symbols: set[str] = set()
        self.rules: dict[int, Rules] = {}

    def take(self, batch: int, event: MarketMade | MarketChanged) -> None:
        """Take the next event of a market."""
        for words in self._wrong(event):
            self._findings.add("markets", f"market {event.symbol}: {words}", batch=batch)
        self._events[event.id] = event
        self._symbols.add(event.symbol)
        base, quote = (self._findings.assets.get(asset) for asset in (event.base, event.quote))
        if base is None or quote is None or not (_sound(base.scale) and _sound(quote.scale)):
            self._findings.add("markets", f"market {event.symbol} is of assets that were never made", batch=batch)
            return
        try:
            check_market(Market(*event), base, quote)
        except Invalid as invalid:
            self._findings.add("markets", f"market {event.symbol} cannot be: {invalid}", batch=batch)
            return
        self.rules[event.id] = Rules(
            event.symbol,
            event.base,
            event.quote,
            10 ** (base.scale - event.amount_decimals),
            10 ** (quote.scale - event.price_decimals - event.amount_decimals),
            event.maker_fee_ppm,
            event.taker_fee_ppm,
        )

    def _wrong(self, event: MarketMade | MarketChanged) -> list[str]:
        before = self._events.get(event.id)
        if isinstance(event, MarketMade):
            return ["it is made a second time"] if before or event.symbol in self._symbols else []
        if before is None:
            return ["it is changed and was never made"]
        # Symbol, assets and decimals: orders and fills are counted in them.
        names = event._fields[1:6]
        return [f"its {name} is fixed, and changes" for name in names if getattr(before, name) != getattr(event, name)]


def _sound(scale: int) -> bool:
    return 0 <= scale <= SCALE_MAX  # a journal that was changed may say anything
