"""Sliding windows: never more than so many calls accepted in any so many milliseconds (contract §7, first two layers).

A call accepted at `t` keeps its place during [t, t + span) and gives it back at t + span: so any half-open interval of
`span` milliseconds holds at most as many accepted calls as there are places. This is exact: no buckets, no averages.
A window holds the time of each accepted call and no other; a limit of a billion costs what the calls cost.
"""

from collections import OrderedDict, deque
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", int, str)


class Limit(NamedTuple):
    """At most `calls` accepted in any `window_ms` milliseconds; both are 1 or more."""

    calls: int
    window_ms: int


class Window(deque[int]):
    """The times of the calls accepted lately, oldest first. `append` a time to take a place.

    It has no clock: the same calls at the same times give the same answers. Times are whole milliseconds and never go
    back. Whoever needs places in several windows asks `used` of all before taking one in each.
    """

    __slots__ = ()

    def used(self, edge: int) -> int:
        """Give back the places taken at `edge` (now − span) or before; return how many are still taken."""
        while self and self[0] <= edge:
            self.popleft()
        return len(self)

    def wait(self, calls: int, edge: int) -> int:
        """Return for how long, after `used(edge)`, no place is free under `calls`; 0 if one is.

        The limit may have been halved since the places were taken: then more than one has to be given back first.
        """
        excess = len(self) - calls
        return self[excess] - edge if excess >= 0 else 0

    def rest(self, edge: int) -> int:
        """Return how long it takes, after `used(edge)`, until every place is free if nothing more is accepted."""
        return self[-1] - edge if self else 0


class Windows(Generic[K]):
    """One limit's windows of at most `most` callers, each made at the caller's first call.

    To forget a caller that has called within the span gives it its places back. So `most` should exceed what one node
    can serve in that time (30,000 calls/s over 2 s are 60,000 callers): then only who is idle is ever forgotten.
    """

    def __init__(self, span: int, most: int) -> None:
        self._span = span
        self._most = most
        # Ordered: taking from the front of a plain dict again and again walks over all that was taken before.
        self._windows: OrderedDict[K, Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def at(self, caller: K, now: int) -> Window:
        """Return the caller's window. A new one displaces who is idle, or somebody when the table is full."""
        window = self._windows.get(caller)
        if window is None:
            self._make_room(now)
            window = self._windows[caller] = Window()
        return window

    def _make_room(self, now: int) -> None:
        # Each newcomer looks at two from the front: who is idle goes, who is not gets to the back. So the table keeps
        # to about the number of callers that are not idle, with no search and no mark to be made at every call.
        for _ in range(min(2, len(self._windows))):
            caller = next(iter(self._windows))
            if self._windows[caller].used(now - self._span):
                self._windows.move_to_end(caller)
            else:
                del self._windows[caller]
        if len(self._windows) >= self._most:
            self._windows.popitem(last=False)
