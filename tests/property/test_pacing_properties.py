"""The limiter against naive models, and against another implementation."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import InMemoryBucket, Rate, RateItem

from spotbook.domain.ladder import BLANK, Ban, LadderRules, ban_in_force, level, refused, restored, settled
from spotbook.domain.pacing import LimitRules, Pacer
from spotbook.domain.window import Limit

START = 1_700_000_000_000
gaps = st.lists(st.integers(0, 40) | st.sampled_from([0, 1, 49, 50, 51, 99, 100, 101, 200]), max_size=150)
limits = st.builds(Limit, st.integers(1, 8), st.sampled_from([1, 2, 50, 100]))


def moments(steps: list[int], start: int = START) -> list[int]:
    found = []
    for step in steps:
        start += step
        found.append(start)
    return found


def pacer(grain: int, user_per_s: int = 10**9) -> Pacer:
    return Pacer(LimitRules(10**9, user_per_s, ladder=None, clock_grain_ms=grain))


@given(gaps, limits, st.integers(0, 2))
def test_a_window_does_as_a_list_of_all_that_was_accepted(steps: list[int], limit: Limit, grain: int) -> None:
    subject, accepted = pacer(grain), list[int]()
    span = limit.window_ms + grain
    for now in moments(steps):
        kept = [time for time in accepted if time > now - span]
        verdict = subject.user_call(7, "a", "c", limit, now)
        assert verdict.allowed == (len(kept) < limit.calls)
        if verdict.allowed:
            accepted.append(now)
            kept.append(now)
            assert verdict.retry_after_ms == 0
        else:
            freed = min(t for t in range(now, now + span + 1) if sum(x > t - span for x in kept) < limit.calls)
            assert verdict.retry_after_ms == max(freed - grain - now, 1)
        assert verdict.remaining == limit.calls - len(kept)
        assert verdict.reset_ms == max(kept[-1] + span - grain - now, 1)


@given(gaps, limits)
def test_never_more_than_so_many_in_any_window_of_real_time(steps: list[int], limit: Limit) -> None:
    """Real time in tenths of a millisecond, cut to whole ones for the limiter, as a clock does it."""
    subject = pacer(grain=1)
    accepted = [tick for tick in moments(steps) if subject.user_call(7, "a", "c", limit, tick // 10).allowed]
    for first, beyond in zip(accepted, accepted[limit.calls :], strict=False):
        assert beyond - first > limit.window_ms * 10


@given(gaps, limits)
def test_a_window_does_as_pyrate_limiter(steps: list[int], limit: Limit) -> None:
    """Pyrate-limiter counts what is exactly one interval old, too: a closed window, which is ours with a grain of 1."""
    subject = pacer(grain=1)
    oracle = InMemoryBucket([Rate(limit.calls, limit.window_ms)])
    for now in moments(steps):
        assert subject.user_call(7, "a", "c", limit, now).allowed == oracle.put(RateItem("c", now))


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=150), limits, limits)
def test_two_windows_give_a_place_in_both_or_in_none(calls: list[tuple[int, str]], one: Limit, other: Limit) -> None:
    limits_of = {"a": one, "b": other}
    subject, accepted, now = pacer(0, user_per_s=10), list[tuple[int, str]](), START
    for step, command in calls:
        now += step
        own = [time for time, name in accepted if name == command and time > now - limits_of[command].window_ms]
        total = [time for time, _ in accepted if time > now - 1_000]
        verdict = subject.user_call(7, "a", command, limits_of[command], now)
        assert verdict.allowed == (len(own) < limits_of[command].calls and len(total) < 10)
        rooms = [limits_of[command].calls - len(own), 10 - len(total)]
        assert verdict.remaining == max(min(rooms) - verdict.allowed, 0)
        if verdict.allowed:
            accepted.append((now, command))


RULES = LadderRules(error_window_ms=10, warned_ms=50, banned_ms=20, bans_max=2, bans_window_ms=300, blacklisted_ms=200)


@dataclass
class NaiveLadder:
    """The contract's words, played through millisecond by millisecond."""

    state: str = "normal"
    until: int = 0
    errors: list[int] = field(default_factory=list)
    bans: list[int] = field(default_factory=list)

    def tick(self, now: int) -> None:
        if self.state != "normal" and now == self.until:
            if self.state == "banned":
                self.state, self.until = "warned", now + RULES.warned_ms
            else:
                self.state = "normal"

    def refuse(self, now: int, most: int) -> Ban | None:
        if self.state in ("banned", "blacklisted"):
            return None
        self.errors.append(now)
        if sum(now - RULES.error_window_ms < time for time in self.errors) <= most:
            return None
        self.errors.clear()
        if self.state == "normal":
            self.state, self.until = "warned", now + RULES.warned_ms
            return None
        self.bans.append(now)
        if sum(now - RULES.bans_window_ms < time for time in self.bans) > RULES.bans_max:
            self.bans.clear()
            self.state, self.until = "blacklisted", now + RULES.blacklisted_ms
            return Ban(now, self.until, "blacklist")
        self.state, self.until = "banned", now + RULES.banned_ms
        return Ban(now, self.until, "ban")


refusals = st.lists(st.integers(0, 6) | st.sampled_from([9, 10, 11, 19, 20, 50, 199, 200, 300]), max_size=200)


@given(refusals, st.integers(0, 3))
def test_the_ladder_does_as_the_contracts_words(steps: list[int], most: int) -> None:
    ladder, naive, now, stored = BLANK, NaiveLadder(), START, list[Ban]()
    for step in steps:
        for _ in range(step):
            now += 1
            naive.tick(now)
            assert level(ladder, now) == naive.state
        ladder, ban = refused(ladder, RULES, most, now)
        assert ban == naive.refuse(now, most)
        assert level(ladder, now) == naive.state
        stored += [ban] if ban else []
        again = restored(stored, RULES, now)
        assert ban_in_force(again, now) == ban_in_force(ladder, now)
        assert set(again.bans) <= set(ladder.bans), "what counts no longer may be dropped"


@given(refusals, refusals, st.integers(0, 3))
def test_to_forget_a_settled_ladder_changes_nothing(before: list[int], after: list[int], most: int) -> None:
    ladder, now = BLANK, START
    for now in moments(before):
        ladder, _ = refused(ladder, RULES, most, now)
    while not settled(ladder, RULES, now):
        now += 1
    fresh = BLANK
    for later in moments(after, now):
        ladder, ban = refused(ladder, RULES, most, later)
        fresh, same = refused(fresh, RULES, most, later)
        assert (ban, level(ladder, later)) == (same, level(fresh, later))
