"""The limiter of one node on a test clock."""

import pytest

from spotbook.domain.bans import Ladders, Subject, SubjectBan
from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules, Pacer, Verdict
from spotbook.domain.window import Limit, Window, Windows

NOW = 1_700_000_000_000
FIVE = Limit(5, 2_000)
HOUR_MS = 3_600_000
LIFTED = 1_000_000_000
HOME, USER = "192.0.2.1", 1_001

EXACT = LimitRules(clock_grain_ms=0)


def lenient(address_per_s: int = LIFTED, user_per_s: int = LIFTED, ladder: LadderRules | None = None) -> Pacer:
    return Pacer(LimitRules(address_per_s, user_per_s, ladder, clock_grain_ms=0))


# --- one window ---------------------------------------------------------------------------------------


def test_a_place_is_kept_for_its_span_and_no_longer() -> None:
    pacer = Pacer(EXACT)
    assert [pacer.user_call(USER, HOME, "c", FIVE, NOW).allowed for _ in range(6)] == [True] * 5 + [False]
    assert not pacer.user_call(USER, HOME, "c", FIVE, NOW + 1_999).allowed
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 2_000).allowed


def test_a_place_is_kept_a_clock_grain_longer_so_that_the_promise_holds_in_real_time() -> None:
    pacer = Pacer(LimitRules())
    for _ in range(5):
        pacer.user_call(USER, HOME, "c", FIVE, NOW)
    verdict = pacer.user_call(USER, HOME, "c", FIVE, NOW)
    assert (verdict.retry_after_ms, verdict.reset_ms) == (2_000, 2_000), "what is told leaves the grain out"
    verdict = pacer.user_call(USER, HOME, "c", FIVE, NOW + 2_000)
    assert (verdict.allowed, verdict.retry_after_ms, verdict.reset_ms) == (False, 1, 1)
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 2_001).allowed


def test_a_verdict_tells_how_many_calls_are_left() -> None:
    pacer = Pacer(EXACT)
    told = [pacer.user_call(USER, HOME, "c", FIVE, NOW + 100 * step) for step in range(7)]
    assert told[:5] == [Verdict(True, 5, left, 2_000, 0) for left in (4, 3, 2, 1, 0)]
    assert told[5:] == [Verdict(False, 5, 0, 1_900, 1_500), Verdict(False, 5, 0, 1_800, 1_400)]


def test_a_refused_call_takes_no_place() -> None:
    pacer = lenient()
    for step in range(1_000):
        pacer.user_call(USER, HOME, "c", FIVE, NOW + step)
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 2_000).allowed


def test_every_user_and_every_command_has_its_own_window() -> None:
    pacer = Pacer(EXACT)
    for _ in range(5):
        pacer.user_call(USER, HOME, "c", FIVE, NOW)
    assert not pacer.user_call(USER, "192.0.2.2", "c", FIVE, NOW).allowed, "all addresses of a user together"
    assert pacer.user_call(USER, HOME, "d", FIVE, NOW).allowed
    assert pacer.user_call(USER + 1, HOME, "c", FIVE, NOW).allowed


# --- all windows of a step, or none -------------------------------------------------------------------


def test_an_address_has_a_hundred_calls_a_second() -> None:
    pacer = Pacer(EXACT)
    told = [pacer.address_call(HOME, NOW) for _ in range(101)]
    assert told[0] == Verdict(True, 100, 99, 1_000, 0)
    assert told[-1] == Verdict(False, 100, 0, 1_000, 1_000)
    assert all(verdict.allowed for verdict in told[:-1])
    assert pacer.address_call("192.0.2.2", NOW).allowed
    assert pacer.address_call(HOME, NOW + 1_000).allowed


def test_a_user_has_three_hundred_calls_a_second_over_all_commands() -> None:
    pacer = Pacer(EXACT)
    told = [pacer.user_call(USER, HOME, f"c{number % 10}", Limit(80, 1_000), NOW) for number in range(301)]
    assert [verdict.allowed for verdict in told] == [True] * 300 + [False]
    assert told[0] == Verdict(True, 80, 79, 1_000, 0)
    assert told[299] == Verdict(True, 300, 0, 1_000, 0), "the tighter of the two is told"
    assert told[300] == Verdict(False, 300, 0, 1_000, 1_000)


def test_each_user_has_its_own() -> None:
    pacer = lenient(user_per_s=1)
    assert [pacer.user_call(user, HOME, "c", FIVE, NOW).allowed for user in (USER, USER, USER + 1)] == [
        True,
        False,
        True,
    ]


def test_a_clock_grain_is_added_for_addresses_and_all_calls_of_a_user_too() -> None:
    pacer = Pacer(LimitRules(address_per_s=1, user_per_s=1))
    for step, allowed in ((0, True), (1_000, False), (1_001, True)):
        assert pacer.address_call(HOME, NOW + step).allowed is allowed
        assert pacer.user_call(USER, HOME, f"c{step}", FIVE, NOW + step).allowed is allowed


def test_of_two_windows_with_as_many_places_left_the_commands_own_is_told() -> None:
    pacer = lenient(user_per_s=2)
    told = [pacer.user_call(USER, HOME, "c", Limit(2, 3_000), NOW) for _ in range(3)]
    assert told == [Verdict(True, 2, 1, 3_000, 0), Verdict(True, 2, 0, 3_000, 0), Verdict(False, 2, 0, 3_000, 3_000)]


def test_what_all_calls_refuse_takes_no_place_of_the_command() -> None:
    pacer = lenient(user_per_s=2)
    for command in ("a", "b"):
        assert pacer.user_call(USER, HOME, command, FIVE, NOW).allowed
    for _ in range(10):
        assert not pacer.user_call(USER, HOME, "c", FIVE, NOW).allowed
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 1_000).remaining == 1
    assert pacer.user_call(USER, HOME, "c", Limit(5, 60_000), NOW + 2_000) == Verdict(True, 2, 1, 1_000, 0)


def test_what_the_command_refuses_takes_no_place_of_all_calls() -> None:
    pacer = lenient(user_per_s=2)
    for _ in range(10):
        pacer.user_call(USER, HOME, "a", Limit(1, 1_000), NOW)
    assert pacer.user_call(USER, HOME, "b", FIVE, NOW).allowed


def test_the_wait_is_the_longer_of_both_windows() -> None:
    pacer = lenient(user_per_s=1)
    pacer.user_call(USER, HOME, "a", Limit(1, 5_000), NOW)
    assert pacer.user_call(USER, HOME, "a", Limit(1, 5_000), NOW + 10).retry_after_ms == 4_990
    pacer = lenient(user_per_s=1)
    pacer.user_call(USER, HOME, "a", Limit(1, 100), NOW)
    assert pacer.user_call(USER, HOME, "a", Limit(1, 100), NOW + 10) == Verdict(False, 1, 0, 90, 990)


def test_an_unknown_command_counts_among_all_calls_and_has_no_window() -> None:
    pacer = lenient(user_per_s=2)
    told = [pacer.user_call(USER, HOME, f"nonsense{number}", None, NOW) for number in range(3)]
    assert told == [Verdict(True, 2, 1, 1_000, 0), Verdict(True, 2, 0, 1_000, 0), Verdict(False, 2, 0, 1_000, 1_000)]
    assert not pacer._user_commands


def test_a_public_command_counts_by_address() -> None:
    pacer = Pacer(EXACT)
    told = [pacer.public_call(HOME, "returnTicker", Limit(2, 1_000), NOW) for _ in range(3)]
    assert [verdict.allowed for verdict in told] == [True, True, False]
    assert pacer.public_call("192.0.2.2", "returnTicker", Limit(2, 1_000), NOW).allowed
    assert pacer.public_call(HOME, "returnSymbol", Limit(2, 1_000), NOW).allowed


def test_lifted_limits_run_the_same_code_and_remember_one_window() -> None:
    pacer = lenient()
    limit = Limit(LIFTED, 2_000)
    for number in range(30_000):
        now = NOW + number // 10
        assert pacer.address_call(HOME, now).allowed
        assert pacer.user_call(USER, HOME, "c", limit, now).allowed
    assert len(pacer._user_commands["c"].at(USER, now)) == 20_000
    assert len(pacer._users.at(USER, now)) == len(pacer._addresses.at(HOME, now)) == 10_000


# --- the ladder ---------------------------------------------------------------------------------------

ONE = Limit(1, 1_000)


def refuse(pacer: Pacer, count: int, now: int, user: int = USER, address: str = HOME) -> list[SubjectBan]:
    """Have `count` calls of `user` refused at `now`; return the bans that they began."""
    begun: list[SubjectBan] = []
    while count:
        verdict = pacer.user_call(user, address, "full", ONE, now)
        count -= not verdict.allowed
        begun += verdict.begun
    return begun


def limit_at(pacer: Pacer, now: int, user: int = USER, address: str = HOME) -> int:
    return pacer.user_call(user, address, f"probe{now}", FIVE, now).limit


def test_the_whole_sequence_for_a_user() -> None:
    rules = EXACT._replace(ladder=LadderRules(address_errors_max=LIFTED))
    pacer, now = Pacer(rules), NOW
    assert refuse(pacer, 60, now) == []
    assert limit_at(pacer, now) == 5
    assert refuse(pacer, 1, now) == []
    assert limit_at(pacer, now + 1) == 2, "warned: halved, rounded down"
    assert limit_at(pacer, now + 1, address="192.0.2.2") == 5, "at this address only"

    for _ in range(10):
        now += 1_000
        assert refuse(pacer, 60, now) == []
        began = SubjectBan(Subject(USER, HOME), "ban", now, now + 30_000)
        assert pacer.user_call(USER, HOME, "full", ONE, now) == Verdict(False, 1, 0, 1_000, 30_000, (began,))
        assert pacer.bans(now) == [began]
        assert pacer.user_call(USER, HOME, "c", FIVE, now + 10_000) == Verdict(False, 0, 0, 20_000, 20_000)
        assert pacer.user_call(USER, "192.0.2.2", "c", FIVE, now).allowed
        now += 30_000
        assert pacer.bans(now) == []
        assert limit_at(pacer, now) == 2, "warned anew"

    now += 1_000
    began = SubjectBan(Subject(USER, HOME), "blacklist", now, now + 8 * HOUR_MS)
    assert refuse(pacer, 61, now) == [began]
    assert pacer.user_call(USER, HOME, "c", FIVE, now + HOUR_MS).retry_after_ms == 7 * HOUR_MS
    now += 8 * HOUR_MS
    assert limit_at(pacer, now) == 5


def test_an_address_is_warned_then_banned_for_what_it_is_refused_itself() -> None:
    pacer = Pacer(EXACT)
    for _ in range(100 + 80):
        pacer.address_call(HOME, NOW)
    assert pacer.public_call(HOME, "a", FIVE, NOW).limit == 5
    pacer.address_call(HOME, NOW)
    assert pacer.public_call(HOME, "b", FIVE, NOW).limit == 2
    assert limit_at(pacer, NOW) == 2, "its users too"
    assert pacer.address_call(HOME, NOW).limit == 100, "the limit over all calls is not halved"
    for _ in range(79):
        assert pacer.address_call(HOME, NOW).begun == ()
    began = SubjectBan(Subject(None, HOME), "ban", NOW, NOW + 30_000)
    assert pacer.address_call(HOME, NOW) == Verdict(False, 100, 0, 1_000, 30_000, (began,))
    assert pacer.address_call(HOME, NOW + 1) == Verdict(False, 0, 0, 29_999, 29_999)
    assert pacer.address_call("192.0.2.2", NOW).allowed
    assert pacer.address_call(HOME, NOW + 30_000).allowed


def test_a_users_refusals_count_for_the_address_too() -> None:
    pacer = Pacer(EXACT)
    refuse(pacer, 40, NOW, user=USER)
    refuse(pacer, 40, NOW, user=USER + 1)
    assert limit_at(pacer, NOW, user=USER + 2) == 5
    refuse(pacer, 1, NOW, user=USER + 2)
    assert limit_at(pacer, NOW + 1, user=USER + 3) == 2, "the address is warned"
    assert limit_at(pacer, NOW + 1, user=USER + 3, address="192.0.2.2") == 5


def test_a_public_refusal_counts_for_the_address() -> None:
    pacer = Pacer(EXACT)
    for _ in range(82):
        pacer.public_call(HOME, "a", ONE, NOW)
    assert pacer.public_call(HOME, "b", FIVE, NOW).limit == 2


def test_both_may_be_banned_by_one_refusal_and_a_limit_is_halved_once() -> None:
    pacer = Pacer(EXACT._replace(ladder=LadderRules(user_errors_max=1, address_errors_max=1)))
    refuse(pacer, 2, NOW)
    assert limit_at(pacer, NOW) == 2, "both are warned, the limit is halved once"
    begun = refuse(pacer, 2, NOW)
    assert [ban.subject for ban in begun] == [Subject(None, HOME), Subject(USER, HOME)]
    assert pacer.bans(NOW) == begun


def test_a_halved_limit_is_never_below_one() -> None:
    pacer = Pacer(EXACT)
    refuse(pacer, 61, NOW)
    assert pacer.user_call(USER, HOME, "c", ONE, NOW) == Verdict(True, 1, 0, 1_000, 0)


def test_a_limit_halved_after_the_places_were_taken_waits_for_as_many() -> None:
    pacer = Pacer(EXACT)
    for step in range(5):
        assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 100 * step).allowed
    refuse(pacer, 61, NOW + 500)
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW + 500) == Verdict(False, 2, 0, 1_900, 1_800)


def test_how_long_a_ban_lasts_is_the_rules() -> None:
    pacer = Pacer(EXACT._replace(ladder=LadderRules(user_errors_max=0, banned_ms=7)))
    (began,) = refuse(pacer, 2, NOW)
    assert (began.began_ms, began.until_ms) == (NOW, NOW + 7)


def test_refusals_because_of_a_ban_count_nowhere() -> None:
    pacer = Pacer(EXACT._replace(ladder=LadderRules(user_errors_max=1, address_errors_max=10)))
    refuse(pacer, 4, NOW)
    refuse(pacer, 100, NOW)
    assert len(pacer._ladders.by_subject[None, HOME].errors) == 4


@pytest.mark.parametrize("ladder", [None, LadderRules(enabled=False)])
def test_the_ladder_can_be_switched_off(ladder: LadderRules | None) -> None:
    pacer = Pacer(LimitRules(ladder=ladder))
    pacer.restore([SubjectBan(Subject(USER, HOME), "ban", NOW, NOW + 30_000)], NOW)
    assert refuse(pacer, 1_000, NOW) == []
    assert pacer.bans(NOW) == []
    assert limit_at(pacer, NOW) == 5


# --- stored bans, and pardon --------------------------------------------------------------------------


def test_bans_survive_a_restart() -> None:
    before = Pacer(EXACT)
    stored = refuse(before, 61 + 61, NOW)
    stored += refuse(before, 61 + 61, NOW, user=USER + 1)
    assert len(stored) == 3, "two users, and the address for what both were refused"
    after = Pacer(EXACT)
    after.restore(reversed(stored), NOW + 1_000)
    assert set(after.bans(NOW + 1_000)) == set(before.bans(NOW + 1_000)) == set(stored)
    assert not after.address_call(HOME, NOW + 29_999).allowed
    assert not after.user_call(USER, HOME, "c", FIVE, NOW + 29_999).allowed
    assert limit_at(after, NOW + 30_000) == 2


def test_old_bans_do_no_harm() -> None:
    pacer = Pacer(EXACT)
    pacer.restore([SubjectBan(Subject(USER, HOME), "ban", NOW, NOW + 30_000)], NOW + 8 * HOUR_MS)
    assert len(pacer._ladders) == 0


def test_the_operator_lifts_a_ban() -> None:
    pacer = Pacer(EXACT)
    refuse(pacer, 61 + 61, NOW)
    subject = Subject(USER, HOME)
    assert pacer.lift(subject, NOW)
    assert pacer.bans(NOW) == []
    assert limit_at(pacer, NOW) == 2, "the address is warned still"
    assert not pacer.lift(Subject(None, HOME), NOW), "which is no ban, but forgotten all the same"
    assert limit_at(pacer, NOW + 1) == 5
    assert not pacer.lift(subject, NOW)


# --- tables with a bound ------------------------------------------------------------------------------


def test_idle_callers_are_forgotten_as_new_ones_come() -> None:
    windows: Windows[int] = Windows(1_000, 1_000_000)
    for caller in range(10_000):
        windows.at(caller, NOW + caller).append(NOW + caller)
    assert len(windows) < 2_100


def test_who_calls_is_not_forgotten_while_there_is_room() -> None:
    windows: Windows[int] = Windows(1_000, 1_000)
    for caller in range(1_000):
        windows.at(caller, NOW).append(NOW)
    assert all(len(windows.at(caller, NOW + 999)) == 1 for caller in range(1_000))


def test_a_full_table_gives_up_one_for_each_newcomer() -> None:
    windows: Windows[int] = Windows(1_000, 3)
    for caller in range(100):
        windows.at(caller, NOW).append(NOW)
        assert len(windows) == min(caller + 1, 3)


def test_each_newcomer_looks_at_two() -> None:
    windows: Windows[int] = Windows(1_000, 10)
    for caller in range(3):
        windows.at(caller, NOW).append(NOW)
    windows.at(3, NOW + 1_000).append(NOW + 1_000)
    assert list(windows._windows) == [2, 3]


def test_of_a_full_table_in_which_nobody_is_idle_the_one_longest_looked_at_makes_room() -> None:
    windows: Windows[int] = Windows(1_000, 3)
    for caller in range(4):
        windows.at(caller, NOW).append(NOW)
    assert list(windows._windows) == [0, 1, 3]


def test_nobody_is_forgotten_as_long_as_a_place_counts_the_clock_grain_included() -> None:
    pacer, later = Pacer(LimitRules(address_per_s=1, user_per_s=2)), NOW + 1_000
    for caller, now in ((0, NOW), (1, later)):
        pacer.address_call(f"192.0.2.{caller}", now)
        pacer.user_call(caller, HOME, "c", ONE, now)
        pacer.user_call(caller, HOME, "d", ONE, now)
    assert not pacer.address_call("192.0.2.0", later).allowed
    assert not pacer.user_call(0, HOME, "c", Limit(9, 1_000), later).allowed, "two over all commands"
    pacer = Pacer(LimitRules())
    for caller, now in ((0, NOW), (1, later)):
        pacer.user_call(caller, HOME, "c", ONE, now)
    assert not pacer.user_call(0, HOME, "c", ONE, later).allowed, "one of this command"


@pytest.mark.parametrize(("per_key", "per_address"), [(1, 9), (9, 1)])
def test_nor_are_wrong_signatures(per_key: int, per_address: int) -> None:
    pacer = Pacer(LimitRules(forgeries_per_key=per_key, forgeries_per_address=per_address))
    pacer.forgery("k", HOME, NOW)
    pacer.forgery("k", "192.0.2.2", NOW + 10_000)
    assert not pacer.forgery("k", HOME, NOW + 10_000).allowed
    assert pacer.forgery("k", HOME, NOW + 10_001).allowed


def test_an_empty_window_needs_no_wait() -> None:
    assert (Window().wait(1, NOW), Window().rest(NOW)) == (0, 0)


TIGHT = LadderRules(user_errors_max=0, address_errors_max=0)


def ban(ladders: Ladders, address: str, now: int) -> SubjectBan | None:
    """Warn, then ban `address`."""
    ladders.count(Subject(None, address), 0, now)
    return ladders.count(Subject(None, address), 0, now)


def test_the_longest_unrefused_ladder_makes_room() -> None:
    ladders = Ladders(TIGHT, 2)
    for address in ("a", "b", "a", "c"):
        ladders.count(Subject(None, address), 5, NOW)
    assert [address for _, address in ladders.by_subject] == ["a", "c"]


def test_a_settled_ladder_makes_room_although_the_table_is_not_full() -> None:
    ladders = Ladders(TIGHT, 10)
    ladders.count(Subject(None, "a"), 5, NOW)
    ladders.count(Subject(None, "b"), 5, NOW + 10_000)
    assert [address for _, address in ladders.by_subject] == ["b"]


def test_who_is_banned_is_not_forgotten() -> None:
    ladders = Ladders(TIGHT, 20)
    for number in range(20):
        assert ban(ladders, f"banned{number}", NOW)
    assert ban(ladders, "newcomer", NOW) is None, "its windows refuse it all the same"
    assert len(ladders.bans(NOW)) == 20
    assert ban(ladders, "newcomer", NOW + 30_000), "who is banned no longer makes room"
    assert len(ladders) == 20


def test_who_was_banned_lately_is_passed_over_for_who_was_not() -> None:
    ladders = Ladders(TIGHT, 3)
    ban(ladders, "banned", NOW)
    for address in ("warned", "other", "newcomer"):
        ladders.count(Subject(None, address), 0, NOW + 30_000)
    assert sorted(address for _, address in ladders.by_subject) == ["banned", "newcomer", "other"]


def test_of_those_banned_lately_the_ninth_makes_room() -> None:
    """Eight are passed over for one that was not banned; then the next goes that is banned no longer."""
    ladders = Ladders(TIGHT, 12)
    for number in range(12):
        ban(ladders, f"banned{number}", NOW)
    ladders.count(Subject(None, "newcomer"), 5, NOW + 30_000)
    assert {f"banned{number}" for number in range(12)} - {address for _, address in ladders.by_subject} == {"banned8"}


def test_sixteen_are_looked_at_and_the_next_search_begins_behind_them() -> None:
    ladders = Ladders(TIGHT, 17)
    for number in range(16):
        ban(ladders, f"banned{number}", NOW)
    for _ in range(2):  # warned, and never banned
        ladders.count(Subject(None, "warned"), 1, NOW)
    ladders.count(Subject(None, "newcomer"), 5, NOW)
    assert next(iter(ladders.by_subject)) == (None, "warned"), "next in turn"
    assert (None, "newcomer") not in ladders.by_subject
    ladders.count(Subject(None, "newcomer"), 5, NOW)
    assert (None, "warned") not in ladders.by_subject
    assert (None, "newcomer") in ladders.by_subject


def test_a_ban_that_is_over_still_counts_after_a_restart() -> None:
    ladders = Ladders(TIGHT, 2)
    ladders.restore([SubjectBan(Subject(None, "a"), "ban", NOW, NOW + 30_000)], NOW + HOUR_MS)
    assert ladders.by_subject[None, "a"].bans == (NOW,)


def test_restoring_keeps_to_the_bound() -> None:
    ladders = Ladders(TIGHT, 2)
    stored = [SubjectBan(Subject(None, address), "ban", NOW, NOW + 30_000) for address in "abca"]
    ladders.restore(stored, NOW)
    assert [found.subject.address for found in ladders.bans(NOW)] == ["a", "b"]
    ladders.restore(stored[:1], NOW)
    assert len(ladders) == 2


# --- wrong signatures ---------------------------------------------------------------------------------


def forgeries(per_key: int = 2, per_address: int = 3, ladder: LadderRules | None = None) -> Pacer:
    rules = LimitRules(LIFTED, LIFTED, ladder, 0, forgeries_per_key=per_key, forgeries_per_address=per_address)
    return Pacer(rules)


def test_wrong_signatures_of_a_key_at_an_address_have_places_for_ten_seconds() -> None:
    pacer = forgeries()
    assert [pacer.forgery("k", HOME, NOW + step).allowed for step in range(3)] == [True, True, False]
    assert pacer.forgery("k", HOME, NOW + 9_999) == Verdict(False, 2, 0, 2, 1)
    assert pacer.forgery("k", HOME, NOW + 10_000).allowed


def test_so_have_those_of_an_address_whatever_the_key() -> None:
    pacer = forgeries()
    assert [pacer.forgery(key, HOME, NOW).allowed for key in "klmk"] == [True, True, True, False]


def test_another_address_has_places_of_its_own() -> None:
    pacer = forgeries()
    for key in "klmn":
        pacer.forgery(key, HOME, NOW)
    assert not pacer.forgery("o", HOME, NOW).allowed
    assert pacer.forgery("k", "192.0.2.2", NOW).allowed


def test_a_wrong_signature_takes_no_place_of_calls() -> None:
    pacer = Pacer(LimitRules(1, 1, None, 0))
    for _ in range(9):
        pacer.forgery("k", HOME, NOW)
    assert pacer.address_call(HOME, NOW).allowed
    assert pacer.user_call(USER, HOME, "c", FIVE, NOW).allowed


def test_wrong_signatures_that_were_refused_climb_the_ladder_of_the_address_alone() -> None:
    pacer = forgeries(ladder=LadderRules(address_errors_max=2, user_errors_max=0))
    verdicts = [pacer.forgery("k", HOME, NOW) for _ in range(2 + 6)]
    (ban,) = verdicts[-1].begun
    assert (ban.subject.user, ban.subject.address, ban.kind) == (None, HOME, "ban")
    assert not pacer.address_call(HOME, NOW).allowed
    assert pacer.address_call("192.0.2.2", NOW).allowed
    assert pacer.user_call(USER, "192.0.2.2", "c", FIVE, NOW).allowed


def test_the_tables_of_wrong_signatures_are_bounded() -> None:
    pacer = Pacer(LimitRules(LIFTED, LIFTED, None, 0, subjects_max=5))
    for number in range(50):
        pacer.forgery("k", f"192.0.2.{number}", NOW)
    assert len(pacer._key_forgeries) <= 5
    assert len(pacer._address_forgeries) <= 5
