"""What the public is told of a market's past: candles of any period, and the last 24 hours.

Candles of a minute, an hour and a day are kept (see `projection.CANDLE_SECONDS`); all others are made of them. Every
question here reads a bounded number of rows, however long the history is. Prices are in the market's steps, amounts in
the base's smallest units, values in the quote's; times are in milliseconds since 1970, and every period begins at a
whole multiple of its length since then, so at UTC's hours and midnights.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple, cast

from spotbook.app.ports import Reader, Row
from spotbook.app.projection import CANDLE_SECONDS
from spotbook.limits import ID_MAX

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_HOURS_OF_A_DAY_MAX = 26
"""A day that begins within an hour touches 25; one more, should the clock lag behind the journal's time."""

_Numbers = tuple[int, ...]
"""A row of ``candle``: the market, the length in seconds, then as here."""
_OPENS_AT, _OPEN, _HIGH, _LOW, _CLOSE, _AMOUNT, _VALUE = range(2, 9)


class Candle(NamedTuple):
    """The trades of one period: prices of the first and last, highest and lowest, base amount and quote value."""

    opens_at: int
    open: int
    high: int
    low: int
    close: int
    amount: int
    value: int


class Day(NamedTuple):
    """A market's last 24 hours. All is 0 when nothing was traded, but `last`, which is the last price ever."""

    last: int
    first: int
    high: int
    low: int
    amount: int
    value: int

    @property
    def traded(self) -> bool:
        """Whether anything was traded in these 24 hours."""
        return bool(self.amount)

    def change(self, decimals: int) -> int:
        """Return how far the last price is from the first, as a share of the first, in units of 10^-decimals.

        It is rounded to the nearest unit, a half away from zero.
        """
        if not self.traded:
            return 0
        moved, units = self.last - self.first, 10**decimals
        size: int = (2 * abs(moved) * units + self.first) // (2 * self.first)
        return size if moved > 0 else -size


def candles(reader: Reader, market: int, seconds: int, start: int, end: int, *, limit: int) -> list[Candle]:
    """Return up to `limit` candles of a market, newest first, that open between `start` and `end`, both inclusive.

    `seconds` is a multiple of a minute. Periods without a trade have no candle. At most `limit` times the number of
    kept candles in one of these are read.
    """
    kept = max(length for length in CANDLE_SECONDS if seconds % length == 0)
    period = seconds * 1_000
    first, last = -(-start // period) * period, end // period * period
    # So many rows hold `limit` candles with all that belongs to each: none has more than `seconds // kept`.
    rows = reader.span("candle", (market, kept), first - 1, last + period, limit * (seconds // kept))
    return merged(rows, seconds)[:limit]


def merged(rows: Iterable[Row], seconds: int) -> list[Candle]:
    """Return the candles of `seconds` that rows of ``candle``, of shorter ones, make; both come newest first."""
    period = seconds * 1_000
    grouped = groupby(cast("Iterable[_Numbers]", rows), lambda row: row[_OPENS_AT] // period)
    return [_candle(number * period, list(group)) for number, group in grouped]


def day(reader: Reader, market: int, last: int, now: int) -> Day:
    """Return the last 24 hours of a market whose last price is `last`.

    They begin with the minute in which the time was 24 hours ago: no trade of the last 24 hours is left out, none older
    by more than a minute is in. Read are the minutes up to the first whole hour, and the hours from there on.
    """
    rows = _rows_since(reader, market, _begins(now))
    if not rows:
        return Day(last, 0, 0, 0, 0, 0)
    total = _candle(0, rows)
    return Day(last, total.open, total.high, total.low, total.amount, total.value)


class Days:
    """The last 24 hours of every market, worked out anew when the market has traded or a minute has passed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[int, _Kept] = {}

    def of(self, market: int, now: int) -> Day:
        """Return the last 24 hours of the market of this number."""
        changed, begins = self._reader.changed(), _begins(now)
        kept = self._kept.get(market)
        if kept is not None and (kept.changed, kept.begins) == (changed, begins):
            return kept.day
        trade, price, made_at = self._newest(market)
        if kept is not None and (kept.trade, kept.begins) == (trade, begins):
            result = kept.day
        elif made_at < begins:
            result = Day(price, 0, 0, 0, 0, 0)
        else:
            result = day(self._reader, market, price, now)
        self._kept[market] = _Kept(changed, begins, trade, result)
        return result

    def _newest(self, market: int) -> tuple[int, int, int]:
        """Return the id, the price and the time of the last trade, zeros when there is none."""
        rows = self._reader.span("trade", (market,), -1, ID_MAX + 1, 1)
        if not rows:
            return 0, 0, 0
        _, number, _, price, _, _, made_at, _ = cast("tuple[int, ...]", rows[0])
        return number, price, made_at


class _Kept(NamedTuple):
    """A day as it was worked out: at which change of the books, from which minute on, after which trade."""

    changed: int
    begins: int
    trade: int
    day: Day


def _begins(now: int) -> int:
    ago = now - DAY_MS
    return ago - ago % MINUTE_MS


def _rows_since(reader: Reader, market: int, begins: int) -> list[_Numbers]:
    """Return rows of ``candle``, newest first, that hold every trade since a minute began, each once."""
    whole_hours = -(-begins // HOUR_MS) * HOUR_MS
    rows = reader.span("candle", (market, 3_600), whole_hours - 1, ID_MAX + 1, _HOURS_OF_A_DAY_MAX)
    minutes = (whole_hours - begins) // MINUTE_MS
    if minutes:
        rows += reader.span("candle", (market, 60), begins - 1, whole_hours, minutes)
    return cast("list[_Numbers]", rows)


def _candle(opens_at: int, rows: list[_Numbers]) -> Candle:
    """Return one candle of rows that come newest first. Thousands of rows a call: hence no object for each."""
    return Candle(
        opens_at,
        rows[-1][_OPEN],
        max([row[_HIGH] for row in rows]),
        min([row[_LOW] for row in rows]),
        rows[0][_CLOSE],
        sum([row[_AMOUNT] for row in rows]),
        sum([row[_VALUE] for row in rows]),
    )
