"""The ladder on a test clock: normal, warned, banned, blacklisted, and back."""

import pytest

from spotbook.domain.ladder import BLANK, Ban, Ladder, LadderRules, ban_in_force, level, refused, restored, settled

RULES = LadderRules()
USER = RULES.user_errors_max
HOUR_MS = 3_600_000
NOW = 1_700_000_000_000


def go_above(ladder: Ladder, now: int) -> tuple[Ladder, Ban | None]:
    """Refuse once more than is borne, all at `now`."""
    ban = None
    for _ in range(USER + 1):
        assert ban is None
        ladder, ban = refused(ladder, RULES, USER, now)
    return ladder, ban


def test_the_whole_sequence() -> None:
    ladder, now = BLANK, NOW
    for _ in range(60):
        ladder, ban = refused(ladder, RULES, USER, now)
        assert (level(ladder, now), ban) == ("normal", None)
    ladder, ban = refused(ladder, RULES, USER, now)
    assert (level(ladder, now), ban) == ("warned", None)

    for number in range(1, 11):
        now += 1_000
        for _ in range(60):
            ladder, ban = refused(ladder, RULES, USER, now)
            assert (level(ladder, now), ban) == ("warned", None)
        ladder, ban = refused(ladder, RULES, USER, now)
        assert ban == Ban(now, now + 30_000, "ban"), number
        assert level(ladder, now) == level(ladder, now + 29_999) == "banned"
        for _ in range(100):  # what is refused while banned does not count
            assert refused(ladder, RULES, USER, now + 29_999) == (ladder, None)
        now += 30_000
        assert level(ladder, now) == level(ladder, now + 299_999) == "warned"
        assert level(ladder, now + 300_000) == "normal"

    ladder, ban = go_above(ladder, now)
    assert ban == Ban(now, now + 8 * HOUR_MS, "blacklist")
    assert level(ladder, now) == level(ladder, now + 8 * HOUR_MS - 1) == "blacklisted"
    assert refused(ladder, RULES, USER, now + HOUR_MS) == (ladder, None)
    now += 8 * HOUR_MS
    assert level(ladder, now) == "normal"

    ladder, ban = go_above(ladder, now)
    assert (level(ladder, now), ban) == ("warned", None)
    _, ban = go_above(ladder, now)
    assert ban == Ban(now, now + 30_000, "ban"), "the bans before the blacklisting are served"


def test_a_warning_ends_after_five_minutes_and_errors_do_not_prolong_it() -> None:
    ladder, _ = go_above(BLANK, NOW)
    for _ in range(60):
        ladder, _ = refused(ladder, RULES, USER, NOW + 299_999)
    assert level(ladder, NOW + 299_999) == "warned"
    assert level(ladder, NOW + 300_000) == "normal"
    ladder, ban = refused(ladder, RULES, USER, NOW + 300_000)
    assert (level(ladder, NOW + 300_000), ban) == ("warned", None), "from normal one is warned first, once more"


def test_errors_count_for_ten_seconds() -> None:
    ladder = BLANK
    for _ in range(60):
        ladder, _ = refused(ladder, RULES, USER, NOW)
    inside, _ = refused(ladder, RULES, USER, NOW + 9_999)
    assert level(inside, NOW + 9_999) == "warned"
    outside, _ = refused(ladder, RULES, USER, NOW + 10_000)
    assert outside.errors == (NOW + 10_000,)


def test_an_address_bears_eighty() -> None:
    ladder = BLANK
    for _ in range(80):
        ladder, _ = refused(ladder, RULES, RULES.address_errors_max, NOW)
    assert level(ladder, NOW) == "normal"
    ladder, _ = refused(ladder, RULES, RULES.address_errors_max, NOW)
    assert level(ladder, NOW) == "warned"


def bans(count: int, start: int) -> list[Ban]:
    return [Ban(began, began + 30_000, "ban") for began in range(start, start + count * 60_000, 60_000)]


def test_the_eleventh_ban_counts_those_begun_within_eight_hours() -> None:
    ten = bans(10, NOW)
    now = NOW + 8 * HOUR_MS - 1
    ladder, _ = go_above(restored(ten, RULES, now), now)
    _, ban = go_above(ladder, now)
    assert ban == Ban(now, now + 8 * HOUR_MS, "blacklist")
    now += 1  # the first of the ten began eight hours ago, and is out
    ladder, _ = go_above(restored(ten, RULES, now), now)
    _, ban = go_above(ladder, now)
    assert ban == Ban(now, now + 30_000, "ban")


def test_restored_bans_lead_where_they_led() -> None:
    ladder, _ = go_above(BLANK, NOW)
    ladder, ban = go_above(ladder, NOW)
    assert ban
    assert restored([ban], RULES, NOW) == ladder
    assert restored([], RULES, NOW) == BLANK


def test_restored_bans_may_come_in_any_order_and_be_old() -> None:
    stored = bans(3, NOW - 9 * HOUR_MS) + bans(2, NOW - HOUR_MS)
    ladder = restored(reversed(stored), RULES, NOW)
    assert ladder.bans == (NOW - HOUR_MS, NOW - HOUR_MS + 60_000)
    assert level(ladder, NOW) == "normal"


def test_a_restored_blacklisting_is_served_to_its_end_and_clears_what_was_before() -> None:
    stored = [*bans(10, NOW - HOUR_MS), Ban(NOW, NOW + 8 * HOUR_MS, "blacklist")]
    ladder = restored(stored, RULES, NOW)
    assert ban_in_force(ladder, NOW) == stored[-1]
    assert ladder.bans == ()
    assert ban_in_force(ladder, NOW + 8 * HOUR_MS) is None


@pytest.mark.parametrize(
    ("ladder", "rest"),
    [
        (BLANK, 0),
        (Ladder(errors=(NOW,)), 10_000),
        (Ladder(warned_until=NOW + 300_000), 300_000),
        (restored([Ban(NOW, NOW + 30_000, "ban")], RULES, NOW), 8 * HOUR_MS),
        (restored([Ban(NOW, NOW + 8 * HOUR_MS, "blacklist")], RULES, NOW), 8 * HOUR_MS),
    ],
)
def test_a_ladder_is_settled_when_nothing_is_left_to_remember(ladder: Ladder, rest: int) -> None:
    assert settled(ladder, RULES, NOW + rest)
    assert rest == 0 or not settled(ladder, RULES, NOW + rest - 1)


def test_every_number_is_configuration() -> None:
    rules = LadderRules(
        error_window_ms=10, warned_ms=20, banned_ms=5, bans_max=1, bans_window_ms=100, blacklisted_ms=50
    )
    ladder, found = BLANK, []
    for now in range(100):
        ladder, ban = refused(ladder, rules, 1, now)
        found += [ban] if ban else []
    assert found == [Ban(3, 8, "ban"), Ban(9, 59, "blacklist"), Ban(62, 67, "ban"), Ban(68, 118, "blacklist")]
