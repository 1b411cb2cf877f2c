"""Applying events: it cannot refuse, and an event that does not fit stops the writer."""

import pytest

from spotbook.domain.commands import Halt, LiftBan, OpenWealth, RecordBan, RevokeToken
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.events import BanBegun, Entry, Event, HoldChanged
from spotbook.domain.state import Balance, DictShelf, HoldKey, State, empty_state
from support.books import Bench, bench
from support.commands import BTC_USDT, USER, deposit, make_key, make_token


@pytest.fixture
def books() -> Bench:
    made = bench()
    made.do(deposit("tx", "1"))
    return made


MISFITS: list[Event] = [
    Entry(USER, 2, 1, 99_999_999, 0, 0, 0, "x", 1),
    Entry(USER, 2, 1, 100_000_000, 0, 1, 0, "x", 1),
    Entry(USER, 1, 1, 100_000_000, 0, 0, 0, "x", 1),
    Entry(USER, 3, 1, 100_000_000, 0, 0, 0, "x", 1),
    Entry(USER, 1, 2, 0, 5, 0, 0, "x", 1),
    Entry(USER + 1, 1, 1, 5, 5, 0, 0, "x", 1),
    HoldChanged(USER, 1, "order", 7, 5, 6),
]


@pytest.mark.parametrize("event", MISFITS, ids=str)
def test_an_event_that_does_not_follow_what_is_there_breaks_the_books(books: Bench, event: Event) -> None:
    with pytest.raises(InvariantBroken):
        books.apply(event)


def test_a_hold_that_is_there_does_not_begin_anew(books: Bench) -> None:
    books.apply(HoldChanged(USER, 1, "order", 7, 0, 5))
    with pytest.raises(InvariantBroken):
        books.apply(HoldChanged(USER, 1, "order", 7, 0, 5))


def test_an_entry_makes_the_balance_and_the_version(books: Bench) -> None:
    books.apply(Entry(USER, 2, 1, 100_000_000, 70, 0, 30, "x", 1))
    assert books.state.balances.get((USER, 1)) == Balance(70, 30, 2)
    assert books.state.versions.get(USER) == 2


def test_a_hold_is_kept_while_it_owns_something(books: Bench) -> None:
    books.apply(HoldChanged(USER, 1, "order", 7, 0, 5), HoldChanged(USER, 1, "order", 7, 5, 3))
    assert books.state.holds.get(HoldKey(USER, 1, "order", 7)) == 3


def test_bans_are_no_part_of_the_state(books: Bench) -> None:
    before = shelves(books.state)
    books.apply(BanBegun("10.0.0.1", "ban", 1, 2))
    assert shelves(books.state) == before


def test_the_same_events_make_the_same_state_again(books: Bench) -> None:
    for command in (
        BTC_USDT,
        OpenWealth(USER),
        make_key(),
        make_token(),
        RevokeToken("ops"),
        RecordBan("10.0.0.1", "ban", 1, 2),
        LiftBan("10.0.0.1", 9),
        Halt("audit"),
    ):
        books.do(command)
    again = Bench()
    again.apply(*books.events)
    assert shelves(again.state) == shelves(books.state) != shelves(empty_state())


def shelves(state: State) -> dict[str, dict[object, object]]:
    kept = {name: getattr(state, name) for name in State.__slots__}
    return {name: dict(shelf.kept) for name, shelf in kept.items() if isinstance(shelf, DictShelf)}
