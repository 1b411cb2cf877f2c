"""Rate limits of one node: the three layers of the contract's §7 joined, along the order of a request's checks.

    step           asked            bars                          windows (all must have a place)
    ─────────────  ───────────────  ────────────────────────────  ──────────────────────────────────────────────────
    address_call   before the form  a ban of the address          all calls of the address
    user_call      after a valid    a ban of the user at this     all calls of the user; the command's of the user
                   signature        address
    public_call    before a public  (address_call was asked)      the command's of the address
                   command
    forgery        after a wrong    (address_call was asked)      wrong signatures of the address; those of the key
                   signature                                      at the address

Each step asks all its windows first and then takes a place in all of them, or in none: a refused request takes no place
*in that step*. The address pays for having asked at all, so the place that address_call took stays taken when a later
step, or the command itself, refuses. A refusal counts as a limit error on the ladder of the address and, in user_call,
of the user at that address too; a refusal because of a ban counts nowhere. A command's limit is halved while the
address or the user there is warned (once, even if both are); the limits over all calls never are.

`forgery` takes places for wrong signatures only, answered as such as long as there is one, and refused beyond. So who
sends many of them comes to be banned, at that address; a right signature asks for no place there, so that the key's
owner is let in, however many try the key.
"""

from collections.abc import Iterable
from typing import NamedTuple

from spotbook.domain.bans import Ladders, Subject, SubjectBan
from spotbook.domain.ladder import Ban, Ladder, LadderRules, ban_in_force, level
from spotbook.domain.window import K, Limit, Window, Windows
from spotbook.limits import SUBJECTS_MAX

_SECOND_MS = 1_000
_FORGERIES_MS = 10_000


class LimitRules(NamedTuple):
    """Every number of the limiter but the commands' own; the defaults are the exchange's.

    `ladder` None, or one that is not enabled, switches the ladder off: no bans, stored ones included.
    `clock_grain_ms`: a time cut to whole milliseconds lies up to one behind the truth, so two calls that are 2,000
    apart by the clock may be 1,999.1 ms apart. Each place is kept that much longer, which makes "never more than N in
    any W" true of real time; what is reported leaves it out. With 0 the windows are exact in the caller's clock.
    `forgeries_per_key` and `forgeries_per_address`: wrong signatures in 10 s, of a key at an address and of all there.
    `subjects_max` bounds every table: users, addresses, either of them for each command, ladders.
    """

    address_per_s: int = 100
    user_per_s: int = 300
    ladder: LadderRules | None = LadderRules()
    clock_grain_ms: int = 1
    subjects_max: int = SUBJECTS_MAX
    forgeries_per_key: int = 20
    forgeries_per_address: int = 60


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
        self._addresses: Windows[str] = Windows(_SECOND_MS + self._grain, rules.subjects_max)
        self._users: Windows[int] = Windows(_SECOND_MS + self._grain, rules.subjects_max)
        self._key_forgeries_limit = Limit(rules.forgeries_per_key, _FORGERIES_MS)
        self._address_forgeries_limit = Limit(rules.forgeries_per_address, _FORGERIES_MS)
        self._key_forgeries: Windows[str] = Windows(_FORGERIES_MS + self._grain, rules.subjects_max)
        self._address_forgeries: Windows[str] = Windows(_FORGERIES_MS + self._grain, rules.subjects_max)
        self._address_commands: dict[str, Windows[str]] = {}
        self._user_commands: dict[str, Windows[int]] = {}
        self._ladder_rules = rules.ladder if rules.ladder and rules.ladder.enabled else None
        self._ladders = Ladders(self._ladder_rules or LadderRules(), rules.subjects_max)

    def address_call(self, address: str, now: int) -> Verdict:
        """Let `address` in, or not. Ask first for every request, public or private."""
        ladder = self._ladder(None, address)
        if ladder and (ban := ban_in_force(ladder, now)):
            return _barred(ban, now)
        verdict = self._in_one(self._addresses.at(address, now), self._address_limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, None, address, now)

    def user_call(self, user: int, address: str, command: str, limit: Limit | None, now: int) -> Verdict:
        """Let `user` call `command` from `address`, or not. Ask after a valid signature only.

        `limit` is the command's, with the same window at each call; None for an unknown command, which has no window:
        its name is the client's own text, so windows by such names would have no bound.
        """
        ladder = self._ladder(user, address)
        if ladder and (ban := ban_in_force(ladder, now)):
            return _barred(ban, now)
        total = self._users.at(user, now)
        if limit is None:
            verdict = self._in_one(total, self._user_limit, now)
        else:
            if self._ladders.by_subject and (_warned(ladder, now) or _warned(self._ladder(None, address), now)):
                limit = _halved(limit)
            own = self._of_command(self._user_commands, command, limit).at(user, now)
            verdict = self._in_both(own, limit, total, self._user_limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, user, address, now)

    def public_call(self, address: str, command: str, limit: Limit, now: int) -> Verdict:
        """Let `address` call the public `command`, or not. Ask after `address_call`, for known commands only."""
        if _warned(self._ladder(None, address), now):
            limit = _halved(limit)
        own = self._of_command(self._address_commands, command, limit).at(address, now)
        verdict = self._in_one(own, limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, None, address, now)

    def forgery(self, api_key: str, address: str, now: int) -> Verdict:
        """Count a wrong signature of a key from `address`; not allowed, when there were too many lately.

        Ask for keys that exist only: else the table would fill with the client's own texts.
        """
        own = self._key_forgeries.at(f"{address} {api_key}", now)
        total = self._address_forgeries.at(address, now)
        verdict = self._in_both(own, self._key_forgeries_limit, total, self._address_forgeries_limit, now)
        return verdict if verdict.allowed else self._refuse(verdict, None, address, now)

    def restore(self, bans: Iterable[SubjectBan], now: int) -> None:
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

    def _ladder(self, user: int | None, address: str) -> Ladder | None:
        ladders = self._ladders.by_subject
        # Nearly always there is none at all. A plain tuple is found as a Subject is, and made faster.
        return ladders.get((user, address)) if ladders else None

    def _of_command(self, tables: dict[str, Windows[K]], command: str, limit: Limit) -> Windows[K]:
        table = tables.get(command)
        if table is None:
            table = tables[command] = Windows(limit.window_ms + self._grain, self._rules.subjects_max)
        return table

    def _in_one(self, window: Window, limit: Limit, now: int) -> Verdict:
        """Take a place in `window` if there is one."""
        calls, span = limit
        edge = now - span
        room = calls - window.used(edge - self._grain)
        if room > 0:
            window.append(now)
            return _allowed(calls, room - 1, span)
        return _refused(calls, window.rest(edge), window.wait(calls, edge))

    def _in_both(self, own: Window, own_limit: Limit, total: Window, total_limit: Limit, now: int) -> Verdict:
        """Take a place in each of two windows if both have one; tell of the tighter, of `own` when they are equal."""
        own_calls, own_span = own_limit
        total_calls, total_span = total_limit
        past = now - self._grain
        own_room = own_calls - own.used(past - own_span)
        total_room = total_calls - total.used(past - total_span)
        if own_room > 0 and total_room > 0:
            own.append(now)
            total.append(now)
            if own_room <= total_room:
                return _allowed(own_calls, own_room - 1, own_span)
            return _allowed(total_calls, total_room - 1, total_span)
        wait = max(own.wait(own_calls, now - own_span), total.wait(total_calls, now - total_span))
        if own_room <= total_room:
            return _refused(own_calls, own.rest(now - own_span), wait)
        return _refused(total_calls, total.rest(now - total_span), wait)

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


def _allowed(limit: int, remaining: int, reset_ms: int) -> Verdict:
    # As the named tuple's own constructor does it, at less than half its price; there are two in every request.
    return tuple.__new__(Verdict, (True, limit, remaining, reset_ms, 0, ()))


def _refused(limit: int, reset_ms: int, retry_after_ms: int) -> Verdict:
    # At least 1: in the grain's last millisecond a place is as good as free, but it is not.
    return Verdict(
        allowed=False, limit=limit, remaining=0, reset_ms=max(reset_ms, 1), retry_after_ms=max(retry_after_ms, 1)
    )


def _warned(ladder: Ladder | None, now: int) -> bool:
    return ladder is not None and level(ladder, now) == "warned"


def _halved(limit: Limit) -> Limit:
    return Limit(max(limit.calls // 2, 1), limit.window_ms)


def _barred(ban: Ban, now: int) -> Verdict:
    rest = ban.until_ms - now
    return _refused(0, rest, rest)
