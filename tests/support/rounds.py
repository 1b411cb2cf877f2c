"""Rounds of the background audit, taken by hand."""

from collections.abc import Callable
from itertools import count

from spotbook.app.audit.report import Finding
from spotbook.app.audit.rounds import Rounds
from spotbook.app.ports import Reader


def taken(rounds: Rounds, reader: Reader, between: Callable[[int], object] = lambda _: None) -> tuple[Finding, ...]:
    """Take one round to its end, with `between` before each of its steps; return what it found."""
    steps, found = rounds.round(reader), list[Finding]()
    for number in count():
        between(number)
        ended = next(steps, "ended")
        found += rounds.drain()
        if ended:
            return tuple(found)
    raise AssertionError("a round has an end")
