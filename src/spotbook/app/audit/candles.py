"""Candles: rows that change while their period lasts, and never afterwards.

Of the kept ones only those that last need to be in memory. The others are history, and compared as such: else an audit
would hold every minute in which anything was ever traded.
"""

from spotbook.app.ports import Row

TABLE = "candle"

_STEP_MS = 60_000
"""The shortest candle: nothing ends in between."""


def end_of(row: Row) -> int:
    """Return when the period of a candle, or of its key, ends, in milliseconds: it is not part of it."""
    _, seconds, opens_at, *_ = row
    return int(opens_at) + int(seconds) * 1_000


class Candles:
    """The candles of a replay that still last; `ended_by` is the time by which all others ended."""

    def __init__(self) -> None:
        self.lasting: dict[Row, Row] = {}
        self.ended_by = 0

    def pass_to(self, time: int) -> list[Row]:
        """Let the journal's time, which never runs backwards, go on; return the candles that ended."""
        if time - self.ended_by < _STEP_MS:
            return []
        self.ended_by = time - time % _STEP_MS
        ended = [key for key in self.lasting if end_of(key) <= self.ended_by]
        return [self.lasting.pop(key) for key in ended]

    def lasts(self, row: Row) -> bool:
        """Whether a row of the table, or its key, is of a candle that still lasts."""
        return end_of(row) > self.ended_by
