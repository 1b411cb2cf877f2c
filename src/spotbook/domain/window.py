"""A sliding window: never more than so many calls accepted in any so many milliseconds (contract §7, first layers).

A call accepted at `t` keeps its place during [t, t + span) and gives it back at t + span: so any half-open interval of
`span` milliseconds holds at most `calls` accepted ones. This is exact: no buckets, no averages.

Calls accepted in the same millisecond share one row. So a window holds at most one row per millisecond of its span,
however high its limit is, and at most one per accepted call, however long its span.
"""

from bisect import bisect_right
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")


class Limit(NamedTuple):
    """At most `calls` accepted in any `window_ms` milliseconds."""

    calls: int
    window_ms: int


class Window:
    """What was accepted within the last `span` milliseconds. No clock in it: the same calls at the same times give the
    same answers. Times are whole milliseconds and never go back. The caller asks all windows of a step with `used`
    before it takes a place in all of them.
    """

    __slots__ = ("_counts", "_taken", "_times", "span")

    def __init__(self, span: int) -> None:
        self.span = span
        self._times: list[int] = []
        self._counts: list[int] = []
        self._taken = 0

    def used(self, now: int) -> int:
        """Give back the places whose time is over, and return how many are still taken."""
        times = self._times
        if times and times[0] <= now - self.span:
            gone = bisect_right(times, now - self.span)
            self._taken -= sum(self._counts[:gone])
            del times[:gone]
            del self._counts[:gone]
        return self._taken

    def take(self, now: int) -> None:
        """Take a place; that there is one is for the caller to see."""
        times = self._times
        if times and times[-1] == now:
            self._counts[-1] += 1
        else:
            times.append(now)
            self._counts.append(1)
        self._taken += 1

    def freed_at(self, calls: int) -> int:
        """Return when there will be a place again under `calls`, if nothing more is accepted; 0 when there is one.

        More than one place may have to be given back first: `calls` may have been halved since they were taken.
        """
        excess, freed = self._taken - calls, 0
        for time, count in zip(self._times, self._counts, strict=True):
            if excess < 0:
                break
            excess -= count
            freed = time + self.span
        return freed

    def empty_at(self) -> int:
        """Return when the last place will be given back, if nothing more is accepted; 0 when none is taken."""
        return self._times[-1] + self.span if self._times else 0


class Track:
    """The windows of one user or address: `total` over all calls, and one for each command, made when first called."""

    __slots__ = ("_commands", "total")

    def __init__(self, total_span: int) -> None:
        self.total = Window(total_span)
        self._commands: dict[str, Window] = {}

    def of(self, command: str, span: int) -> Window:
        """Return the window of one command."""
        window = self._commands.get(command)
        if window is None:
            window = self._commands[command] = Window(span)
        return window

    def idle(self, now: int) -> bool:
        """Whether every place has been given back, so that nothing need be remembered."""
        return self.total.empty_at() <= now and all(window.empty_at() <= now for window in self._commands.values())


class Tracks(Generic[K]):
    """The tracks of at most `most` users or addresses.

    To forget one that is not idle gives its caller the places back. So `most` should exceed what one node can serve
    within its longest window (30,000 calls/s over 2 s are 60,000 callers): then only the idle are ever forgotten.
    """

    def __init__(self, total_span: int, most: int) -> None:
        self._total_span = total_span
        self._most = most
        self._tracks: dict[K, Track] = {}

    def __len__(self) -> int:
        return len(self._tracks)

    def at(self, key: K, now: int) -> Track:
        """Return the caller's track, a new one if need be."""
        track = self._tracks.get(key)
        if track is None:
            self._make_room(now)
            track = self._tracks[key] = Track(self._total_span)
        return track

    def _make_room(self, now: int) -> None:
        # Each newcomer looks at the two at the front: who is idle goes, who is not gets to the back. So the table keeps
        # to about twice the callers that are not idle, without a search, and without a mark at every call. Only a table
        # that is full gives up somebody else.
        for _ in range(2):
            if self._tracks:
                key = next(iter(self._tracks))
                track = self._tracks.pop(key)
                if not track.idle(now):
                    self._tracks[key] = track
        if len(self._tracks) >= self._most:
            del self._tracks[next(iter(self._tracks))]
