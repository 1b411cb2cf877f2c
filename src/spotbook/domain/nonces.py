"""Which signed calls are fresh: a stamp near to now, and a nonce that its key has not used. For the signature ``v1``.

    now − 5 s                now                  now + 5 s
    ────┤ too old            │                    ├──── too new
        └── taken, unless the stamp is at or below the floor, or the nonce is used ──┘

A nonce is kept until its stamp is too old to be taken again. What was forgotten must never be taken, so there is a
*floor*: no stamp at or below it is taken, whatever the time is said to be. It only ever rises.

- It begins at start + 5 s. A process before this one took stamps up to 5 s after its own last moment, and its nonces
  went with it; `start` is not before that moment, so none of them is above the floor.
- It follows now − 5 s, and nonces are forgotten by it alone. So a clock that jumps ahead and back again makes calls be
  refused until it has come up to where it was, and opens nothing.

`start` and `now` are the later of the clock and the time of the journal's last batch. That is what makes a restart safe
for everything that changed something, also if the clock was set back in between: the change is a batch, its time is not
before the call was taken, and so the call is at or below the new floor. Nothing is written for a read. So one thing
remains: a clock that ran ahead while nothing at all was written, was set back, and comes by those seconds again after a
restart could see a read taken twice. To keep that out would cost every read a write.
"""

import heapq
from typing import Literal, NamedTuple

from spotbook.limits import NONCE_KEYS_MAX, NONCES_MAX

SPAN_MS = 5_000
"""How far a stamp may be from now, either way."""

Why = Literal["taken", "old", "new", "floor", "used", "full"]


class Judged(NamedTuple):
    """Whether a call is fresh: `why` is ``taken``, or what stands against it.

    ``old`` and ``new``: the stamp is `ms` before or after now. ``used``: the nonce is. ``floor`` and ``full``: not now,
    but a call that is stamped `ms` from now may be taken.
    """

    why: Why
    ms: int = 0


class _Used:
    """The nonces of one key, each with its stamp, and by their stamps."""

    __slots__ = ("by_stamp", "nonces")

    def __init__(self) -> None:
        self.nonces: set[bytes] = set()
        self.by_stamp: list[tuple[int, bytes]] = []

    def forget(self, floor: int) -> None:
        """Forget the nonces whose stamps are at or below the floor."""
        while self.by_stamp and self.by_stamp[0][0] <= floor:
            self.nonces.discard(heapq.heappop(self.by_stamp)[1])

    def add(self, nonce: bytes, stamp: int) -> None:
        self.nonces.add(nonce)
        heapq.heappush(self.by_stamp, (stamp, nonce))


class Nonces:
    """The nonces that the keys of one node have used lately. It has no clock; times are milliseconds since 1970.

    Not thread-safe: one event loop owns it. A key has at most `most` nonces, and at most `keys_most` keys have any:
    beyond either a call is refused and no nonce forgotten, for one forgotten could be used again.
    """

    def __init__(self, start: int, most: int = NONCES_MAX, keys_most: int = NONCE_KEYS_MAX) -> None:
        self._floor = start + SPAN_MS
        self._most = most
        self._keys_most = keys_most
        self._used: dict[str, _Used] = {}

    def __len__(self) -> int:
        """How many nonces are kept."""
        return sum(len(used.nonces) for used in self._used.values())

    def take(self, api_key: str, nonce: bytes, stamp: int, now: int) -> Judged:
        """Take the nonce for a call stamped `stamp`, or say why not. Ask only for a signature that is right."""
        self._floor = max(self._floor, now - SPAN_MS - 1)
        if stamp < now - SPAN_MS:
            return Judged("old", now - stamp)
        if stamp > now + SPAN_MS:
            return Judged("new", stamp - now)
        if stamp <= self._floor:
            return Judged("floor", max(self._floor + 1 - now, 1))
        used = self._used.get(api_key)
        if used is None:
            if not self._make_room():
                return Judged("full", SPAN_MS)
            used = self._used[api_key] = _Used()
        used.forget(self._floor)
        if nonce in used.nonces:
            return Judged("used")
        if len(used.nonces) >= self._most:
            return Judged("full", max(used.by_stamp[0][0] - self._floor, 1))
        used.add(nonce, stamp)
        return Judged("taken")

    def _make_room(self) -> bool:
        # Each newcomer looks at two from the front, as in `window.Windows`: so who is idle goes, without a search.
        for _ in range(min(2, len(self._used))):
            api_key = next(iter(self._used))
            used = self._used.pop(api_key)
            used.forget(self._floor)
            if used.nonces:
                self._used[api_key] = used
        return len(self._used) < self._keys_most
