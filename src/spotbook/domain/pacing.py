"""Rate limits of one node: the three layers of the contract's §7 joined, along the order of a request's checks.

    step           asked            bars                          windows (all must have a place)
    ─────────────  ───────────────  ────────────────────────────  ──────────────────────────────────────────────────
    address_call   before the form  a ban of the address          all calls of the address
    user_call      after a valid    a ban of the user at this     all calls of the user; the command's of the user
                   signature        address
    public_call    before a public  (address_call was asked)      the command's of the address
                   command

Each step asks all its windows first and then takes a place in all of them, or in none: a refused request takes no place
*in that step*. The address pays for having asked at all, so the place that address_call took stays taken when a later
step, or the command itself, refuses. A refusal counts as a limit error on the ladder of the address and, in user_call,
of the user at that address too; a refusal because of a ban counts nowhere. A command's limit is halved while the
address or the user there is warned (once, even if both are); the limits over all calls never are.
"""

from typing import NamedTuple

from spotbook.domain.bans import Ladders, Subject, SubjectBan
from spotbook.domain.ladder import Ban, Ladder, LadderRules, ban_in_force, level
from spotbook.domain.window import Limit, Tracks, Window
from spotbook.limits import SUBJECTS_MAX

_SECOND_MS = 1_000


class LimitRules(NamedTuple):
    """Every number of the limiter but the commands' own; the defaults are the exchange's.

    `ladder` None, or one that is not enabled, switches the ladder off: no bans, stored ones included.
    `clock_grain_ms`: a time cut to whole milliseconds lies up to one behind the truth, so two calls that are 2,000
    apart by the clock may be 1,999.1 ms apart. Each place is kept that much longer, which makes "never more than N in
    any W" true of real time; what is reported leaves it out. With 0 the windows are exact in the caller's clock.
    `subjects_max` bounds each of the three tables (users, addresses, ladders).
    """

    address_per_s: int = 100
    user_per_s: int = 300
    ladder: LadderRules | None = LadderRules()
    clock_grain_ms: int = 1
    subjects_max: int = SUBJECTS_MAX


class Verdict(NamedTuple):
    """The answer of one step. `limit`, `remaining` and `reset_ms` tell of its window with the fewest calls left.

    `reset_ms`: when that whole limit is free again if nothing more is called. `retry_after_ms`: 0 when allowed, else
    when one call may be let through. Both count from now. While banned: 0, 0, and twice the rest of the ban.
    `begun` are the bans that this refusal began, which the caller must store.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_ms: int
    retry_after_ms: int
    begun: tuple[SubjectBan, ...] = ()


class Pacer:
    """The limiter of one node. It has no clock: the same calls at the same times get the same verdicts.

    `now` is in milliseconds since 1970, since bans outlive the process, and must never go back: anchor a monotonic
    clock to the wall clock at start. Addresses are subjects (`limit_subject`), not the text of a header. Not
    thread-safe: one event loop owns it.
    """

    def __init__(self, rules: LimitRules) -> None:
        self._rules = rules
        self._grain = rules.clock_grain_ms
        self._address_limit = Limit(rules.address_per_s, _SECOND_MS)
        self._user_limit = Limit(rules.user_per_s, _SECOND_MS)
        self._addresses: Tracks[str] = Tracks(_SECOND_MS + self._grain, rules.subjects_max)
        self._users: Tracks[int] = Tracks(_SECOND_MS + self._grain, rules.subjects_max)
        self._ladder_rules = rules.ladder if rules.ladder and rules.ladder.enabled else None
        self._ladders = Ladders(self._ladder_rules or LadderRules(), rules.subjects_max)

    def address_call(self, address: str, now: int) -> Verdict:
        """Let `address` in, or not. Ask first for every request, public or private."""
        ladder = self._ladders.get(None, address)
        if ladder and (ban := ban_in_force(ladder, now)):
            return _barred(ban, now)
        total = self._addresses.at(address, now).total
        verdict = self._in_one(total, self._address_limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, None, address, now)

    def user_call(self, user: int, address: str, command: str, limit: Limit | None, now: int) -> Verdict:
        """Let `user` call `command` from `address`, or not. Ask after a valid signature only.

        `limit` is the command's; None for an unknown command, which has no window and so takes none (its name is the
        client's own text: windows by such names would have no bound).
        """
        ladder = self._ladders.get(user, address)
        if ladder and (ban := ban_in_force(ladder, now)):
            return _barred(ban, now)
        track = self._users.at(user, now)
        if limit is None:
            verdict = self._in_one(track.total, self._user_limit, now)
        else:
            if _warned(ladder, now) or _warned(self._ladders.get(None, address), now):
                limit = _halved(limit)
            own = track.of(command, limit.window_ms + self._grain)
            verdict = self._in_both(own, limit, track.total, self._user_limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, user, address, now)

    def public_call(self, address: str, command: str, limit: Limit, now: int) -> Verdict:
        """Let `address` call the public `command`, or not. Ask after `address_call`."""
        if _warned(self._ladders.get(None, address), now):
            limit = _halved(limit)
        own = self._addresses.at(address, now).of(command, limit.window_ms + self._grain)
        verdict = self._in_one(own, limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, None, address, now)

    def restore(self, bans: list[SubjectBan], now: int) -> None:
        """Take up the stored bans at start. Those of the last `bans_window_ms` are needed; older ones do no harm."""
        if self._ladder_rules:
            self._ladders.restore(bans, now)

    def bans(self, now: int) -> list[SubjectBan]:
        """Return the bans and blacklistings in force."""
        return self._ladders.bans(now)

    def lift(self, subject: Subject, now: int) -> bool:
        """Pardon `subject`: nothing of it is remembered. Return whether it was banned.

        The caller drops all stored bans of the subject, those already served included.
        """
        return self._ladders.lift(subject, now)

    def _in_one(self, window: Window, limit: Limit, now: int) -> Verdict:
        """Take a place in `window` if there is one."""
        calls, span = limit
        room = calls - window.used(now)
        if room > 0:
            window.take(now)
            return Verdict(True, calls, room - 1, span, 0)
        late = now + self._grain
        return Verdict(False, calls, 0, max(window.empty_at() - late, 1), max(window.freed_at(calls) - late, 1))

    def _in_both(self, own: Window, own_limit: Limit, total: Window, total_limit: Limit, now: int) -> Verdict:
        """Take a place in each of two windows if both have one; tell of the tighter, of `own` when they are equal."""
        own_room = own_limit.calls - own.used(now)
        total_room = total_limit.calls - total.used(now)
        if own_room > 0 and total_room > 0:
            own.take(now)
            total.take(now)
            if own_room <= total_room:
                return Verdict(True, own_limit.calls, own_room - 1, own_limit.window_ms, 0)
            return Verdict(True, total_limit.calls, total_room - 1, total_limit.window_ms, 0)
        late = now + self._grain
        window, limit = (own, own_limit) if own_room <= total_room else (total, total_limit)
        freed = max(own.freed_at(own_limit.calls), total.freed_at(total_limit.calls))
        return Verdict(False, limit.calls, 0, max(window.empty_at() - late, 1), max(freed - late, 1))

    def _refuse(self, verdict: Verdict, user: int | None, address: str, now: int) -> Verdict:
        """Count a refusal on the ladders that it concerns, and tell of the bans that it began."""
        rules = self._ladder_rules
        if rules is None:
            return verdict
        counted = [self._ladders.count(Subject(None, address), rules.address_errors_max, now)]
        if user is not None:
            counted.append(self._ladders.count(Subject(user, address), rules.user_errors_max, now))
        begun = tuple(ban for ban in counted if ban)
        wait = max([verdict.retry_after_ms, *(ban.until_ms - now for ban in begun)])
        return verdict._replace(retry_after_ms=wait, begun=begun)


def _warned(ladder: Ladder | None, now: int) -> bool:
    return ladder is not None and level(ladder, now) == "warned"


def _halved(limit: Limit) -> Limit:
    return Limit(max(limit.calls // 2, 1), limit.window_ms)


def _barred(ban: Ban, now: int) -> Verdict:
    rest = ban.until_ms - now
    return Verdict(False, 0, 0, rest, rest)
