"""Applying events: it cannot refuse, and an event that does not fit stops the writer."""

import pytest

from spotbook.domain.commands import (
    CancelOrder,
    ChangeMarket,
    FindOrder,
    Halt,
    LiftBan,
    OpenAccount,
    OpenWealth,
    RecordBan,
    RevokeToken,
)
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.events import BanBegun, Entry, Event, HoldChanged
from spotbook.domain.state import Balance, DictShelf, HoldKey, State, empty_state
from support.books import Bench, bench
from support.commands import BTC_USDT, USER, deposit, limit, make_key, make_token, market
from support.open_orders import books_of


@pytest.fixture
def books() -> Bench:
    made = bench()
    made.do(deposit("tx", "1"))
    return made


def test_what_does_not_fit_is_named(books: Bench) -> None:
    entry = Entry(USER, 2, 1, 99_999_999, 0, 0, 0, "x", 1)
    before = books.state.balances.get((USER, 1))
    with pytest.raises(InvariantBroken) as broken:
        books.apply(entry)
    assert str(broken.value) == f"entry {entry} does not follow {before} at version 1"
    hold = HoldChanged(USER, 1, "order", 7, 5, 6)
    with pytest.raises(InvariantBroken) as broken:
        books.apply(hold)
    assert str(broken.value) == f"{hold} does not follow what the hold owns"


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
    with pytest.raises(InvariantBroken, match="does not follow"):
        books.apply(event)


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
    other = books.do(OpenAccount("other")).id
    for command in (
        BTC_USDT,
        ChangeMarket("BTC_USDT", value_min="1"),
        deposit("usdt", "1000", account=other, asset="USDT"),
        limit("sell", "100", "0.5"),
        limit("sell", "101", "0.2", out_trade_no="one"),
        limit("buy", "100", "0.1", account=other),
        market("buy", funds="30", account=other),
        CancelOrder(USER, 2),
        FindOrder(USER, "late", fence=True),
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
    """Return what is on each shelf; the open orders as every half of every book."""
    kept = {name: getattr(state, name) for name in State.__slots__}
    in_memory = {name: dict(shelf.kept) for name, shelf in kept.items() if isinstance(shelf, DictShelf)}
    assert set(kept) - set(in_memory) == {"open_orders"}
    return {**in_memory, "open_orders": {**books_of(state.open_orders)}}
