"""Fresh calls: stamps near to now, nonces used once, and what is refused when neither can be told."""

import pytest

from spotbook.domain.nonces import SPAN_MS, Judged, Nonces
from support.clock import NOW

FLOOR = NOW - SPAN_MS
"""Where the floor stands for a process that began 10 s ago."""

TAKEN = Judged("taken")


def long_since(**bounds: int) -> Nonces:
    return Nonces(NOW - 2 * SPAN_MS - 1, **bounds)


def test_a_nonce_is_taken_once() -> None:
    nonces = long_since()
    assert nonces.take("k", b"a", NOW, NOW) == TAKEN
    assert nonces.take("k", b"a", NOW, NOW) == Judged("used")
    assert nonces.take("k", b"b", NOW, NOW) == TAKEN


def test_another_stamp_does_not_make_a_used_nonce_fresh() -> None:
    nonces = long_since()
    nonces.take("k", b"a", NOW, NOW)
    assert nonces.take("k", b"a", NOW + 1, NOW) == Judged("used")


def test_another_keys_nonce_is_another() -> None:
    nonces = long_since()
    assert [nonces.take(key, b"a", NOW, NOW) for key in ("k", "l")] == [TAKEN, TAKEN]


@pytest.mark.parametrize(
    ("stamp", "judged"),
    [
        (NOW - SPAN_MS - 1, Judged("old", SPAN_MS + 1)),
        (NOW - SPAN_MS, TAKEN),
        (NOW + SPAN_MS, TAKEN),
        (NOW + SPAN_MS + 1, Judged("new", SPAN_MS + 1)),
        (0, Judged("old", NOW)),
    ],
)
def test_a_stamp_is_within_five_seconds(stamp: int, judged: Judged) -> None:
    assert long_since().take("k", b"a", stamp, NOW) == judged


def test_what_is_refused_uses_nothing_up() -> None:
    nonces = long_since()
    nonces.take("k", b"a", NOW + SPAN_MS + 1, NOW)
    nonces.take("k", b"a", NOW - SPAN_MS - 1, NOW)
    assert len(nonces) == 0


def test_a_nonce_is_kept_until_its_stamp_is_too_old_and_no_longer() -> None:
    nonces = long_since()
    stamp = NOW + SPAN_MS
    nonces.take("k", b"a", stamp, NOW)
    last = stamp + SPAN_MS
    assert nonces.take("k", b"a", stamp, last) == Judged("used")
    assert nonces.take("k", b"a", stamp, last + 1) == Judged("old", SPAN_MS + 1)
    assert nonces.take("k", b"a", last, last + 1) == TAKEN


# --- starts and jumps ---------------------------------------------------------------------------


def test_after_a_start_only_stamps_are_taken_that_none_before_it_can_have_had() -> None:
    nonces = Nonces(NOW)
    assert nonces.take("k", b"a", NOW, NOW) == Judged("floor", SPAN_MS + 1)
    assert nonces.take("k", b"a", NOW + SPAN_MS, NOW) == Judged("floor", SPAN_MS + 1)
    assert nonces.take("k", b"a", NOW + SPAN_MS, NOW + 1_000) == Judged("floor", SPAN_MS - 999)
    assert nonces.take("k", b"a", NOW + SPAN_MS + 1, NOW + 1_000) == TAKEN


def test_who_waits_as_long_as_told_after_a_start_is_let_in() -> None:
    nonces = Nonces(NOW)
    later = NOW + nonces.take("k", b"a", NOW, NOW).ms
    assert nonces.take("k", b"a", later, later) == TAKEN


def test_a_clock_that_jumps_ahead_and_back_opens_nothing() -> None:
    nonces = long_since()
    nonces.take("k", b"a", NOW, NOW)
    ahead = NOW + 3_600_000
    assert nonces.take("k", b"b", ahead, ahead) == TAKEN
    assert nonces.take("k", b"a", NOW, NOW).why == "floor"
    assert nonces.take("k", b"b", ahead, NOW).why == "new"
    assert nonces.take("k", b"b", ahead, ahead).why == "used"


def test_a_clock_that_is_set_back_a_little_refuses_nothing_new() -> None:
    nonces = long_since()
    nonces.take("k", b"a", NOW, NOW)
    assert nonces.take("k", b"b", NOW - 2_000, NOW - 2_000) == TAKEN
    assert nonces.take("k", b"a", NOW, NOW - 2_000) == Judged("used")


# --- bounds -------------------------------------------------------------------------------------


def test_a_key_with_as_many_nonces_as_it_may_have_waits_and_none_is_forgotten() -> None:
    nonces = long_since(most=2)
    nonces.take("k", b"a", NOW, NOW)
    nonces.take("k", b"b", NOW + 7, NOW)
    assert nonces.take("k", b"c", NOW, NOW) == Judged("full", SPAN_MS + 1)
    assert nonces.take("k", b"a", NOW, NOW) == Judged("used")
    assert nonces.take("l", b"c", NOW, NOW) == TAKEN
    later = NOW + SPAN_MS + 1
    assert nonces.take("k", b"c", later - 1, later - 1).why == "full"
    assert nonces.take("k", b"c", later, later) == TAKEN
    assert nonces.take("k", b"d", later, later).why == "full"


def test_the_wait_ends_with_the_oldest_nonce_whenever_that_is() -> None:
    nonces = long_since(most=1)
    nonces.take("k", b"a", NOW - SPAN_MS, NOW)
    assert nonces.take("k", b"b", NOW, NOW) == Judged("full", 1)
    assert nonces.take("k", b"b", NOW + 1, NOW + 1) == TAKEN


def test_each_newcomer_looks_at_two_keys() -> None:
    nonces = long_since(keys_most=4)
    for key in "abc":
        nonces.take(key, b"a", NOW, NOW)
    later = NOW + 2 * SPAN_MS
    nonces.take("d", b"a", later, later)
    assert [key for key in "abcd" if key in nonces._used] == ["c", "d"]


def test_who_lags_behind_the_floor_is_never_told_to_have_come_before_now() -> None:
    nonces = Nonces(NOW)  # so the floor is at NOW + SPAN_MS
    later = NOW + SPAN_MS + 2_500
    assert nonces.take("k", b"a", NOW + SPAN_MS - 1, later) == Judged("floor", 1)


def test_with_as_many_keys_as_there_may_be_a_further_one_waits() -> None:
    nonces = long_since(keys_most=2)
    for key in ("k", "l"):
        nonces.take(key, b"a", NOW, NOW)
    assert nonces.take("m", b"a", NOW, NOW) == Judged("full", SPAN_MS)
    assert nonces.take("k", b"b", NOW, NOW) == TAKEN
    later = NOW + SPAN_MS + 1
    assert nonces.take("m", b"a", later, later) == TAKEN
    assert len(nonces) == 1


def test_keys_that_are_idle_are_forgotten_as_others_come() -> None:
    nonces = long_since()
    for number in range(1_000):
        nonces.take(f"key-{number}", b"a", NOW + 100 * number, NOW + 100 * number)
        assert len(nonces) <= 102


def test_a_long_life_keeps_ten_seconds_of_nonces() -> None:
    nonces = long_since()
    for step in range(3_000):
        assert nonces.take("k", b"%d" % step, NOW + 10 * step + SPAN_MS, NOW + 10 * step) == TAKEN
    assert len(nonces) == 1_001
