"""The ladder: who keeps running into limits is warned, then banned, then blacklisted (contract §7, third layer).

    state        refusals in error_window_ms go above the maximum          time passes
    ───────────  ────────────────────────────────────────────────────────  ───────────────────────────────────
    normal       warned for warned_ms; errors cleared
    warned       banned for banned_ms; errors cleared                      normal after warned_ms
                 … blacklisted for blacklisted_ms when this would be
                   ban number bans_max + 1 begun within bans_window_ms
    banned       (does not count)                                          warned, its warned_ms anew
    blacklisted  (does not count)                                          normal; the bans before it are served

A `Ladder` is a value; every function here is pure. Times are whole milliseconds; all spans are half-open: what lasts
30 s from `t` is over at t + 30,000, and a refusal at `t` has left the errors by t + error_window_ms.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal, NamedTuple

Level = Literal["normal", "warned", "banned", "blacklisted"]
BanKind = Literal["ban", "blacklist"]


class LadderRules(NamedTuple):
    """Every number of the ladder; the defaults are the exchange's."""

    enabled: bool = True
    error_window_ms: int = 10_000
    user_errors_max: int = 60
    address_errors_max: int = 80
    warned_ms: int = 300_000
    banned_ms: int = 30_000
    bans_max: int = 10
    bans_window_ms: int = 28_800_000
    blacklisted_ms: int = 28_800_000


class Ban(NamedTuple):
    """A ban or blacklisting in force during [began_ms, until_ms). This is what is stored."""

    began_ms: int
    until_ms: int
    kind: BanKind


class Ladder(NamedTuple):
    """Where one subject stands: times of its counted refusals, until when it is warned, its bans within the window.

    `latest` is the last ban or blacklisting, in force or served; `bans` are the beginnings of those that still count.
    """

    errors: tuple[int, ...] = ()
    warned_until: int = 0
    bans: tuple[int, ...] = ()
    latest: Ban | None = None


BLANK = Ladder()
"""Nothing counted, no ban remembered: where everybody begins, and where the operator's pardon leads."""


def level(ladder: Ladder, now: int) -> Level:
    """Return the state at `now`."""
    latest = ladder.latest
    if latest and now < latest.until_ms:
        return "banned" if latest.kind == "ban" else "blacklisted"
    return "warned" if now < ladder.warned_until else "normal"


def ban_in_force(ladder: Ladder, now: int) -> Ban | None:
    """Return the ban or blacklisting that is in force at `now`."""
    latest = ladder.latest
    return latest if latest and now < latest.until_ms else None


def refused(ladder: Ladder, rules: LadderRules, errors_max: int, now: int) -> tuple[Ladder, Ban | None]:
    """Count a refusal at `now`; return the new ladder and the ban that it began, which the caller must store.

    `errors_max` is the subject's (user_errors_max, address_errors_max). While banned nothing counts.
    """
    state = level(ladder, now)
    if state in ("banned", "blacklisted"):
        return ladder, None
    errors = (*ladder.errors[bisect_right(ladder.errors, now - rules.error_window_ms) :], now)
    if len(errors) <= errors_max:
        return ladder._replace(errors=errors), None
    if state == "normal":
        return ladder._replace(errors=(), warned_until=now + rules.warned_ms), None
    return _banned(ladder, rules, now)


def _banned(ladder: Ladder, rules: LadderRules, now: int) -> tuple[Ladder, Ban]:
    earlier = ladder.bans[bisect_right(ladder.bans, now - rules.bans_window_ms) :]
    if len(earlier) >= rules.bans_max:
        ban = Ban(now, now + rules.blacklisted_ms, "blacklist")
    else:
        ban = Ban(now, now + rules.banned_ms, "ban")
    return _after(earlier, ban, rules), ban


def _after(earlier: tuple[int, ...], ban: Ban, rules: LadderRules) -> Ladder:
    """Return the ladder of who has just been banned. What follows the ban is known already: warned anew, or normal."""
    if ban.kind == "blacklist":
        return Ladder(latest=ban)
    return Ladder(warned_until=ban.until_ms + rules.warned_ms, bans=(*earlier, ban.began_ms), latest=ban)


def restored(bans: Iterable[Ban], rules: LadderRules, now: int) -> Ladder:
    """Return the ladder that the stored bans of one subject lead to. Errors are not stored: they start at none."""
    ladder = BLANK
    for ban in sorted(bans):
        ladder = _after(ladder.bans, ban, rules)
    counting = ladder.bans[bisect_right(ladder.bans, now - rules.bans_window_ms) :]
    return ladder._replace(bans=counting)


def settled(ladder: Ladder, rules: LadderRules, now: int) -> bool:
    """Whether nothing is left to remember at `now`: to forget such a ladder changes no answer, ever."""
    return (
        now >= ladder.warned_until
        and ban_in_force(ladder, now) is None
        and (not ladder.errors or ladder.errors[-1] <= now - rules.error_window_ms)
        and (not ladder.bans or ladder.bans[-1] <= now - rules.bans_window_ms)
    )
