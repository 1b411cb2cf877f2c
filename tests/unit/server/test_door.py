"""The door: how many connections, from whom, and how many files that takes."""

import resource

import pytest

from spotbook.domain.address import Networks
from spotbook.limits import ADMIN_CONNECTIONS_MAX, CONNECTIONS_MAX, CONNECTIONS_MIN, DESCRIPTORS_RESERVED
from spotbook.server.door import Door, Room, TooFewDescriptors, claim_descriptors, room_for

WANTED = DESCRIPTORS_RESERVED + ADMIN_CONNECTIONS_MAX + CONNECTIONS_MAX


def test_each_address_has_its_bound_and_gets_its_place_back() -> None:
    door = Door(10, 2, Networks(()))
    places = [door.enter("192.0.2.1") for _ in range(3)]
    assert places == ["192.0.2.1", "192.0.2.1", None]
    assert door.enter("192.0.2.2") == "192.0.2.2"
    assert (door.open, door.refused) == (3, 1)
    door.leave("192.0.2.1")
    assert door.enter("192.0.2.1") == "192.0.2.1"


def test_a_network_of_ipv6_is_one_address() -> None:
    door = Door(10, 2, Networks(()))
    entered = [door.enter(f"2001:db8::{number}") for number in (1, 2, 3)]
    assert [place is None for place in entered] == [False, False, True]
    assert door.enter("2001:db8:0:1::1") is not None
    assert [door.enter(peer) is None for peer in ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1")] == [False, False, True]


def test_those_whose_address_cannot_be_told_share_one_bound() -> None:
    door = Door(10, 2, Networks(["10.0.0.0/8"]))
    assert [door.enter(peer) is None for peer in (None, "", None)] == [False, False, True]


def test_a_trusted_proxy_is_bound_by_the_total_alone() -> None:
    door = Door(4, 2, Networks(["10.0.0.0/8"]))
    assert [door.enter("10.1.2.3") for _ in range(5)] == ["", "", "", "", None]
    door.leave("")
    assert door.enter("10.1.2.3") == ""


def test_nothing_is_kept_of_those_who_have_gone() -> None:
    door = Door(10, 2, Networks(()))
    for number in range(1_000):
        place = door.enter(f"192.0.2.{number % 256}")
        assert place is not None
        door.leave(place)
    assert (door.open, door._by_subject) == (0, {})


def test_room_is_what_is_left_of_the_files() -> None:
    assert room_for(WANTED) == Room(CONNECTIONS_MAX, ADMIN_CONNECTIONS_MAX)
    assert room_for(1_000_000) == room_for(WANTED)
    for files in (DESCRIPTORS_RESERVED + CONNECTIONS_MIN, 100, 1_024):
        room = room_for(files)
        assert room.wire + room.admin + DESCRIPTORS_RESERVED == files
        assert 0 < room.admin < room.wire
    with pytest.raises(TooFewDescriptors, match="may open 63 files; it needs 64"):
        room_for(DESCRIPTORS_RESERVED + CONNECTIONS_MIN - 1)


@pytest.mark.parametrize(
    ("soft", "hard", "reached"),
    [
        (1_024, 1_048_576, WANTED),
        (1_024, 2_048, 2_048),
        (1_024, resource.RLIM_INFINITY, WANTED),
        (50_000, 50_000, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_as_many_files_are_claimed_as_are_of_use(
    soft: int, hard: int, reached: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_to.append(limits))
    assert claim_descriptors() == (reached or WANTED)
    assert set_to == ([] if reached is None else [(reached, hard)])
