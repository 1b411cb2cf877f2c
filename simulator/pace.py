"""The model's limits: windows as lists of times, ladders as records, and the nonces that were used.

All of it is a process's own memory: it ends with the process. Only bans are kept in the books.
"""

import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GRAIN = 1
FRESH_MS = 5_000


class Limits(NamedTuple):
    """The numbers of a run's limiter. `commands` has (calls, window in ms) by command."""

    address_per_s: int
    user_per_s: int
    forgeries_per_key: int
    forgeries_per_address: int
    user_errors_max: int
    address_errors_max: int
    error_window_ms: int
    warned_ms: int
    banned_ms: int
    bans_max: int
    bans_window_ms: int
    blacklisted_ms: int
    commands: dict[str, tuple[int, int]]


class Told(NamedTuple):
    """What the limiter's headers must say: the limit, the calls left, and when to come again (0: not asked to)."""

    limit: int
    left: int
    retry_ms: int


class Barred(Exception):
    """The limiter refuses."""

    def __init__(self, told: Told) -> None:
        super().__init__(told)
        self.told = told


@dataclass
class Ladder:
    """One subject's: times of refusals that count, until when it is warned, bans that count, the last ban."""

    errors: list[int] = field(default_factory=list)
    warned_until: int = 0
    bans: list[int] = field(default_factory=list)
    banned_until: int = 0


Subject = tuple[int, str]
"""A user (0: none) and an address."""


class Pace:
    """One process's limiter, given the bans that the books hold at its start."""

    def __init__(self, limits: Limits, bans: list[tuple[Subject, int, str, int]], nonce_floor: int) -> None:
        self.limits = limits
        self.windows: dict[Any, list[int]] = {}
        self.ladders: dict[Subject, Ladder] = {}
        self.begun: list[tuple[Subject, str, int, int]] = []
        self.nonces: dict[str, dict[str, int]] = {}
        self.nonce_floor = nonce_floor
        for subject, began, kind, until in sorted(bans, key=lambda ban: (ban[0], ban[1], ban[3])):
            self._banned(self.ladders.setdefault(subject, Ladder()), kind, began, until)

    def fork(self) -> "Pace":
        """Return one that goes on by itself from here."""
        return copy.deepcopy(self)

    def address_call(self, address: str, now: int) -> None:
        """Any request."""
        self._check_ban((0, address), now)
        self._take((0, address), [(("address", address), self.limits.address_per_s, 1_000)], now)

    def user_call(self, user: int, address: str, command: str | None, now: int) -> Told:
        """A request that is rightly signed; `command` is None for one that there is none of."""
        self._check_ban((user, address), now)
        asked: list[tuple[Any, int, int]] = [(("user", user), self.limits.user_per_s, 1_000)]
        if command is not None:
            calls, span = self.limits.commands[command]
            if self._warned((user, address), now) or self._warned((0, address), now):
                calls = max(calls // 2, 1)
            asked.insert(0, (("user", user, command), calls, span))
        return self._take((user, address), asked, now)

    def public_call(self, address: str, command: str, now: int) -> Told:
        """A public command."""
        calls, span = self.limits.commands[command]
        if self._warned((0, address), now):
            calls = max(calls // 2, 1)
        return self._take((0, address), [(("public", address, command), calls, span)], now)

    def forgery(self, api_key: str, address: str, now: int) -> None:
        """A signature that is wrong."""
        asked = [
            (("forged", address, api_key), self.limits.forgeries_per_key, 10_000),
            (("forged", address), self.limits.forgeries_per_address, 10_000),
        ]
        self._take((0, address), asked, now)

    def fresh(self, api_key: str, nonce: str, stamp: int, now: int) -> tuple[str, int]:
        """Return whether a stamped call is taken: ``taken``, ``stale``, ``used`` or ``floor``, and how long to wait."""
        self.nonce_floor = max(self.nonce_floor, now - FRESH_MS - 1)
        if not now - FRESH_MS <= stamp <= now + FRESH_MS:
            return "stale", 0
        if stamp <= self.nonce_floor:
            return "floor", max(1, self.nonce_floor + 1 - now)
        used = self.nonces.setdefault(api_key, {})
        if used.get(nonce, -1) > self.nonce_floor:
            return "used", 0
        used[nonce] = stamp
        return "taken", 0

    def lift(self, subject: Subject) -> None:
        """Forget everything of a subject."""
        self.ladders.pop(subject, None)

    # --- windows ----------------------------------------------------------------------------------------------------

    def _take(self, subject: Subject, asked: list[tuple[Any, int, int]], now: int) -> Told:
        """Take a place in each window, or in none; tell of the one with the least room, the first of equals."""
        rooms = []
        for name, calls, span in asked:
            times = [at for at in self.windows.get(name, ()) if at > now - span - GRAIN]
            self.windows[name] = times
            rooms.append(calls - len(times))
        least = min(range(len(asked)), key=lambda at: rooms[at])
        name, calls, span = asked[least]
        if rooms[least] > 0:
            for name, _, _ in asked:
                self.windows[name].append(now)
            return Told(calls, rooms[least] - 1, 0)
        waits = [
            self.windows[name][-room] - (now - span)
            for (name, _, span), room in zip(asked, rooms, strict=True)
            if room <= 0
        ]
        retry = max(1, *waits)
        for whose in {(0, subject[1]), subject}:
            retry = max(retry, self._refused(whose, now))
        raise Barred(Told(calls, 0, retry))

    # --- ladders ----------------------------------------------------------------------------------------------------

    def _check_ban(self, subject: Subject, now: int) -> None:
        ladder = self.ladders.get(subject)
        if ladder and now < ladder.banned_until:
            raise Barred(Told(0, 0, ladder.banned_until - now))

    def _warned(self, subject: Subject, now: int) -> bool:
        ladder = self.ladders.get(subject)
        return ladder is not None and ladder.banned_until <= now < ladder.warned_until

    def _refused(self, subject: Subject, now: int) -> int:
        """Count a refusal; return how long the ban is that it begins, 0 for none."""
        limits = self.limits
        ladder = self.ladders.setdefault(subject, Ladder())
        if now < ladder.banned_until:
            return 0
        ladder.errors = [at for at in ladder.errors if at > now - limits.error_window_ms] + [now]
        if len(ladder.errors) <= (limits.user_errors_max if subject[0] else limits.address_errors_max):
            return 0
        ladder.errors = []
        if now >= ladder.warned_until:
            ladder.warned_until = now + limits.warned_ms
            return 0
        ladder.bans = [at for at in ladder.bans if at > now - limits.bans_window_ms]
        heavy = len(ladder.bans) >= limits.bans_max
        kind, until = ("blacklist", now + limits.blacklisted_ms) if heavy else ("ban", now + limits.banned_ms)
        self._banned(ladder, kind, now, until)
        self.begun.append((subject, kind, now, until))
        return until - now

    def _banned(self, ladder: Ladder, kind: str, began: int, until: int) -> None:
        ladder.errors = []
        ladder.banned_until = until
        ladder.warned_until = 0 if kind == "blacklist" else until + self.limits.warned_ms
        ladder.bans = [] if kind == "blacklist" else [*ladder.bans, began]
