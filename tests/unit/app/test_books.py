"""The writer's state over a store: read on demand, kept with a bound, forgotten when a batch is not there."""

import pytest

from spotbook.app.books import Books, CachedShelf
from spotbook.app.journal import START, Transaction, chained
from spotbook.app.projection import changes_of
from spotbook.domain.commands import Halt, OpenWealth, RevokeKey
from spotbook.domain.events import HoldChanged
from spotbook.domain.state import Balance, DepositKey, HoldKey, Standing
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.clock import NOW
from support.commands import BTC_USDT, USER, deposit, make_key, make_token
from support.writers import Desk


class Shelf:
    """A cached shelf over a dict, and which keys were read from it."""

    def __init__(self, rows_max: int = 3) -> None:
        self.stored: dict[str, int] = {}
        self.loads: list[str] = []
        self.shelf: CachedShelf[str, int] = CachedShelf(self.load, rows_max)

    def load(self, key: str) -> int | None:
        self.loads.append(key)
        return self.stored.get(key)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_value_is_read_when_it_is_asked_for(shelf: Shelf) -> None:
    shelf.stored["a"] = 1
    assert shelf.loads == []
    assert shelf.shelf.get("a") == 1


@pytest.mark.parametrize("value", [1, None])
def test_it_is_read_once_and_so_is_its_absence(shelf: Shelf, value: int | None) -> None:
    if value:
        shelf.stored["a"] = value
    assert [shelf.shelf.get("a") for _ in range(3)] == [value] * 3
    assert shelf.loads == ["a"]


def test_what_is_put_is_there_without_being_read(shelf: Shelf) -> None:
    shelf.shelf.put("a", 1)
    assert (shelf.shelf.get("a"), shelf.loads) == (1, [])


def test_what_is_dropped_is_not_there_though_the_store_still_has_it(shelf: Shelf) -> None:
    shelf.stored["a"] = 1
    shelf.shelf.drop("a")
    assert shelf.shelf.get("a") is None


def test_what_a_batch_changed_and_lost_is_read_anew(shelf: Shelf) -> None:
    shelf.stored.update(a=1, b=2)
    shelf.shelf.get("a")
    shelf.shelf.get("b")
    shelf.shelf.put("a", 9)
    shelf.shelf.drop("b")
    shelf.shelf.put("c", 9)
    shelf.shelf.forget()
    assert [shelf.shelf.get(key) for key in "abc"] == [1, 2, None]


def test_what_a_lost_batch_only_read_stays(shelf: Shelf) -> None:
    shelf.stored.update(a=1)
    shelf.shelf.get("a")
    shelf.shelf.forget()
    shelf.shelf.get("a")
    assert shelf.loads == ["a"]


def test_what_a_batch_changed_and_kept_is_not_lost_with_the_next(shelf: Shelf) -> None:
    shelf.shelf.put("a", 1)
    shelf.stored["a"] = 1
    shelf.shelf.keep()
    shelf.shelf.forget()
    assert (shelf.shelf.get("a"), shelf.loads) == (1, [])


def test_beyond_the_bound_what_was_read_first_goes_first(shelf: Shelf) -> None:
    for key in "abcde":
        shelf.shelf.get(key)
    shelf.shelf.keep()
    shelf.loads.clear()
    for key in "edc":
        shelf.shelf.get(key)
    assert shelf.loads == []
    shelf.shelf.get("a")
    assert shelf.loads == ["a"]


def test_nothing_that_an_open_batch_changed_is_evicted(shelf: Shelf) -> None:
    """The store has nothing of it yet: read again, it would be what it was before the batch."""
    for key in "abcdefgh":
        shelf.shelf.put(key, 1)
        shelf.shelf.get(key.upper())
    assert [shelf.shelf.get(key) for key in "abcdefgh"] == [1] * 8


def test_up_to_the_bound_nothing_is_evicted(shelf: Shelf) -> None:
    for key in "abc":
        shelf.shelf.get(key)
    shelf.shelf.keep()
    assert len(shelf.shelf._kept) == 3


# --- over a store -------------------------------------------------------------------------------


@pytest.fixture
def disk() -> MemoryBooks:
    return MemoryBooks()


@pytest.fixture
def desk(disk: MemoryBooks) -> Desk:
    made = Desk(MemoryStore(disk))
    made.found()
    return made


def reopened(disk: MemoryBooks, rows_max: int = 100) -> Books:
    disk.writing = False
    return Books(MemoryStore(disk), rows_max)


def test_a_reopened_state_is_the_state_that_was_written(disk: MemoryBooks, desk: Desk) -> None:
    desk.batch(deposit("0x" + "AB" * 32, "1", chain="ETH", index=3), BTC_USDT, make_token(), OpenWealth(USER))
    desk.batch(make_key("b", allow=("10.0.0.0/8",), label="x", permissions=("read", "trade")), make_key("a"))
    desk.batch(make_key("c"), RevokeKey(USER, "c", NOW), Halt("why"))
    before, after = desk.writer.books.state, reopened(disk).state
    for shelf, key in (
        ("standing", ""),
        ("assets", 1),
        ("assets", 2),
        ("asset_ids", "USDT"),
        ("markets", "BTC_USDT"),
        ("accounts", 1),
        ("accounts", USER),
        ("wealth_of", USER),
        ("versions", USER),
        ("balances", (USER, 1)),
        ("balances", (1, 1)),
        ("deposits", DepositKey(1, "ETH", "ab" * 32, 3)),
        ("keys", "a"),
        ("keys", "b"),
        ("keys", "c"),
        ("tokens", "ops"),
        ("counters", "account"),
        ("counters", "deposit"),
        ("counters", "token"),
        ("counters", "asset"),
        ("counters", "market"),
    ):
        assert getattr(after, shelf).get(key) == getattr(before, shelf).get(key) != None, (shelf, key)  # noqa: E711
    assert set(after.keys_of.get(USER) or ()) == {"a", "b"}


def test_what_is_not_there_is_none(disk: MemoryBooks) -> None:
    state = reopened(disk).state
    assert state.standing.get("") is None
    assert state.accounts.get(5) is None
    assert state.wealth_of.get(5) is None
    assert state.balances.get((5, 5)) is None
    assert state.holds.get(HoldKey(5, 5, "order", 5)) is None
    assert state.deposits.get(DepositKey(5, "", "x", 0)) is None
    assert state.keys.get("x") is None
    assert state.versions.get(5) == 0
    assert state.keys_of.get(5) == ()


def test_a_hold_is_read_as_what_it_owns(disk: MemoryBooks) -> None:
    transaction = Transaction("house:test", "Test", [HoldChanged(USER, 1, "order", 7, 0, 5)])
    MemoryStore(disk).commit(chained(START, NOW, b""), changes_of(1, [transaction]), ())
    assert reopened(disk).state.holds.get(HoldKey(USER, 1, "order", 7)) == 5


def test_an_identity_whose_deposit_is_gone_is_no_deposit(disk: MemoryBooks, desk: Desk) -> None:
    desk.do(deposit("a"))
    disk.tables["deposit"].clear()
    assert reopened(disk).state.deposits.get(DepositKey(1, "", "a", 0)) is None


def test_a_lost_batch_leaves_no_trace_in_the_small_tables_either(disk: MemoryBooks, desk: Desk) -> None:
    books = reopened(disk)
    books.state.standing.put("", Standing("halted", "lost", 1))
    books.state.counters.put("asset", 99)
    books.state.asset_ids.put("LOST", 99)
    books.forget()
    assert books.state.standing.get("") is None
    assert books.state.counters.get("asset") == 2
    assert books.state.asset_named("LOST") is None


def test_refusals_and_repeats_do_not_pile_up_in_memory(
    disk: MemoryBooks, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They change nothing, so no batch is committed for them; what was read for them goes all the same."""
    desk.do(deposit("a"))
    desk.writer.books = reopened(disk, rows_max=10)
    for account in range(2_000, 2_100):
        desk.do(deposit("a", account=account))
    assert len(desk.writer.books.state.accounts._kept) <= 10  # type: ignore[attr-defined]


def test_books_go_on_within_the_smallest_cache(disk: MemoryBooks, desk: Desk) -> None:
    desk.writer.books = Books(desk.writer._store, rows_max=1)
    for number in range(50):
        desk.batch(deposit(f"{number}"), deposit(f"{number}"), deposit(f"u{number}", asset="USDT"))
    assert desk.writer.books.state.balances.get((USER, 1)) == Balance(50 * 10**8, 0, 99)
    assert disk.tables["balance"][(USER, 2)] == (USER, 2, 50 * 10**8, 0, 100)
