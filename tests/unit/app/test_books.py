"""The writer's state over a store: read on demand, kept with a bound, forgotten when a batch is not there."""

from collections.abc import Sequence
from random import Random

import pytest

from spotbook.app.books import Books, CachedShelf, order_of
from spotbook.app.journal import START, Transaction, chained
from spotbook.app.ports import Row
from spotbook.app.projection import changes_of
from spotbook.app.writer import Done, NotDone
from spotbook.domain.book import Depth
from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    Command,
    FindOrder,
    Halt,
    MakeAsset,
    OpenWealth,
    RevokeKey,
)
from spotbook.domain.events import HoldChanged
from spotbook.domain.order import Side
from spotbook.domain.state import Balance, DepositKey, HoldKey, Standing
from spotbook.limits import DEPTH_LEVELS_MAX
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.checks import check_books, tables_of
from support.clock import NOW
from support.commands import BTC_USDT, OTHER, USER, deposit, limit, make_key, make_token, market
from support.open_orders import accounts_of, books_of, check_open_orders, levels_of
from support.stores import FaultyStore
from support.writers import Desk, kinds

ETH = MakeAsset("ETH", 8, "1000000")
ETH_USDT = BTC_USDT._replace(symbol="ETH_USDT")


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


def test_of_what_is_expected_only_what_is_there_is_read(shelf: Shelf) -> None:
    shelf.stored.update(a=1, b=2)
    assert shelf.shelf.get("a") == 1
    asked: list[list[str]] = []

    def there(keys: list[str]) -> set[str]:
        asked.append(keys)
        return shelf.stored.keys() & set(keys)

    shelf.shelf.expect(["a", "b", "c"], there)
    shelf.shelf.expect(["a", "c"], there)
    assert asked == [["b", "c"]]
    assert [shelf.shelf.get(key) for key in "abc"] == [1, 2, None]
    assert shelf.loads == ["a", "b"]


def test_what_was_dropped_for_good_takes_no_room(shelf: Shelf) -> None:
    shelf.shelf.put("a", 1)
    shelf.shelf.drop("a")
    shelf.shelf.drop("b")
    shelf.shelf.put("b", 2)
    shelf.shelf.keep()
    assert shelf.shelf._kept == {"b": 2}
    shelf.shelf.drop("b")
    shelf.shelf.forget()
    shelf.stored["b"] = 2
    assert shelf.shelf.get("b") == 2
    shelf.shelf.keep()
    assert shelf.shelf._kept == {"b": 2}


def test_what_a_batch_changed_and_lost_is_read_anew(shelf: Shelf) -> None:
    shelf.stored.update(a=1, b=2)
    shelf.shelf.get("a")
    shelf.shelf.get("b")
    shelf.shelf.put("a", 9)
    shelf.shelf.drop("b")
    shelf.shelf.put("c", 9)
    shelf.shelf.forget()
    assert [shelf.shelf.get(key) for key in "abc"] == [1, 2, None]


def test_what_a_lost_batch_only_read_is_read_anew_too(shelf: Shelf) -> None:
    shelf.stored.update(a=1)
    assert [shelf.shelf.get("a"), shelf.shelf.get("b")] == [1, None]
    shelf.shelf.forget()
    shelf.stored.update(a=2, b=3)
    assert [shelf.shelf.get("a"), shelf.shelf.get("b")] == [2, 3]


def test_what_a_batch_changed_and_kept_is_not_lost_with_the_next(shelf: Shelf) -> None:
    shelf.shelf.put("a", 1)
    shelf.stored["a"] = 1
    shelf.shelf.keep()
    shelf.shelf.put("a", 2)
    shelf.shelf.forget()
    assert shelf.shelf.get("a") == 1


def test_what_was_kept_needs_no_reading(shelf: Shelf) -> None:
    shelf.shelf.put("a", 1)
    shelf.shelf.keep()
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
    desk.batch(deposit("0x" + "AB" * 32, "1", chain="ETH", index=3), make_token())
    desk.open_market()
    desk.do(OpenWealth(USER))
    desk.batch(make_key("b", allow=("10.0.0.0/8",), label="x", permissions=("read", "trade")), make_key("a"))
    desk.do(FindOrder(USER, "late", fence=True))
    desk.batch(limit("sell", "101", "1", out_trade_no="one"), limit("sell", "100", "1"), CancelOrder(USER, 2))
    desk.batch(market("buy", funds="50", account=OTHER), limit("buy", "99", "2", account=OTHER))
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
        ("counters", "order"),
        ("counters", "trade"),
        ("closed_orders", (USER, 2)),
        ("closed_orders", (OTHER, 3)),
        ("out_trade_nos", (USER, "one")),
        ("out_trade_nos", (USER, "late")),
        ("holds", HoldKey(USER, 1, "order", 1)),
        ("holds", HoldKey(OTHER, 2, "order", 4)),
    ):
        assert getattr(after, shelf).get(key) == getattr(before, shelf).get(key) != None, (shelf, key)  # noqa: E711
    assert set(after.keys_of.get(USER) or ()) == {"a", "b"}
    assert books_of(after.open_orders) == books_of(before.open_orders)
    assert accounts_of(after.open_orders) == accounts_of(before.open_orders)
    assert set(accounts_of(after.open_orders)) == {USER, OTHER}


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
    assert state.closed_orders.get((5, 5)) is None
    assert state.out_trade_nos.get((5, "x")) is None
    assert state.open_orders.get(5, 5) is None
    assert state.open_orders.of(5) == {}


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


# --- the books of orders ------------------------------------------------------------------------


def trading(disk: MemoryBooks) -> tuple[FaultyStore, Desk]:
    """Return a desk with a market, two users and three levels of orders, over a store that fails as told."""
    store = FaultyStore(MemoryStore(disk))
    desk = Desk(store)
    desk.found()
    desk.open_market()
    desk.batch(*ORDERS)
    return store, desk


ORDERS = [
    limit("sell", "101", "1", account=OTHER),
    limit("sell", "100", "2", out_trade_no="two"),
    limit("sell", "100", "3", account=OTHER),
    limit("buy", "99", "4", account=OTHER, kind="post_only"),
    limit("buy", "98", "5"),
    limit("sell", "100", "6"),
    limit("buy", "99", "7"),
]
"""Orders 1 to 7, in whose rows, by account, those of one level are not in the sequence of their ids."""


def ids(books: Books, side: Side, symbol: int = 1) -> list[list[int]]:
    """Return the ids of each level in sequence, best level first."""
    return [[order.id for order in orders] for _, _, orders in levels_of(books.state.open_orders.books[symbol], side)]


def test_recovered_books_stand_by_price_and_then_by_id(disk: MemoryBooks) -> None:
    trading(disk)
    books = reopened(disk)
    assert ids(books, "sell") == [[2, 3, 6], [1]]
    assert ids(books, "buy") == [[4, 7], [5]]


@pytest.mark.parametrize("seed", range(5))
def test_they_do_in_whatever_order_the_rows_are_read(disk: MemoryBooks, seed: int) -> None:
    _, desk = trading(disk)
    disk.writing = False
    store = MemoryStore(disk)
    rows = store.rows

    def shuffled(table: str) -> list[Row]:
        found = rows(table)
        Random(seed).shuffle(found)
        return found

    store.rows = shuffled  # type: ignore[method-assign]
    books = Books(store)
    assert books_of(books.state.open_orders) == books_of(desk.writer.books.state.open_orders)
    assert ids(books, "sell") == [[2, 3, 6], [1]]


def test_recovered_books_say_what_each_level_still_wants(disk: MemoryBooks) -> None:
    _, desk = trading(disk)
    desk.do(market("buy", "1.5", account=OTHER))
    depth = reopened(disk).state.open_orders.books[1].depth()
    assert depth == Depth(
        ((10_000, 950_000_000), (10_100, 100_000_000)), ((9_900, 1_100_000_000), (9_800, 500_000_000))
    )
    assert depth == desk.writer.books.state.open_orders.books[1].depth()


def test_recovered_books_go_on_matching_where_they_were(disk: MemoryBooks) -> None:
    trading(disk)
    disk.writing = False
    desk = Desk(MemoryStore(disk))
    assert isinstance(desk.do(limit("buy", "100", "3.5", account=OTHER)), Done)
    fills = sorted(disk.tables["fill"].values(), key=lambda row: row[1])
    assert [(row[2], row[7]) for row in fills if row[5] == "maker"] == [(2, 200_000_000)]
    # Its own order 3 came next, and with the market's rule the newest gives way.
    assert disk.tables["closed_order"][OTHER, 8][11] == "cancelled"
    check_open_orders(desk.writer.books.state.open_orders, map(order_of, disk.tables["open_order"].values()))


LOST: dict[str, Sequence[Command]] = {
    "an order that rests": [limit("sell", "100", "1"), limit("sell", "102", "1")],
    "a level that was emptied": [CancelOrder(OTHER, 1), limit("sell", "101", "9")],
    "the first of a level": [CancelOrder(USER, 2)],
    "one in the middle of a level": [CancelOrder(OTHER, 3)],
    "the first, filled in part": [market("buy", "1", account=OTHER)],
    "several, filled in part and whole": [limit("buy", "100", "2", account=OTHER), market("sell", "4")],
    "all of one account": [CancelAllOrders(USER, "")],
    "all of all": [CancelAllOrders(USER, ""), CancelAllOrders(OTHER, "BTC_USDT")],
    "an order that came and went": [limit("sell", "103", "1"), CancelOrder(USER, 8)],
    "one that was filled and then cancelled": [market("buy", "1", account=OTHER), CancelOrder(USER, 2)],
    "a market that was changed": [ChangeMarket("BTC_USDT", state="off", value_min="6"), CancelOrder(USER, 2)],
    "a market that was made": [ETH, ETH_USDT, limit("buy", "10", "1", symbol="ETH_USDT")],
}


@pytest.mark.parametrize("what", LOST)
def test_a_lost_batch_leaves_the_books_as_they_were(disk: MemoryBooks, what: str) -> None:
    store, desk = trading(disk)
    orders = desk.writer.books.state.open_orders
    before = (books_of(orders), accounts_of(orders), {number: book.depth() for number, book in orders.books.items()})
    markets = {number: book.market for number, book in orders.books.items()}
    decided = tables_of(store.reader())
    store.faults.append("not committed")
    assert {type(outcome) for outcome in desk.batch(*LOST[what])} == {NotDone}
    assert tables_of(store.reader()) == decided
    depths = {number: book.depth() for number, book in orders.books.items()}
    assert (books_of(orders), accounts_of(orders), depths) == before
    assert {number: book.market for number, book in orders.books.items()} == markets
    assert [market.id for market in desk.writer.books.state.markets.kept.values()] == list(markets)  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", LOST)
def test_it_may_be_done_after_all_with_the_same_outcome(disk: MemoryBooks, what: str) -> None:
    store, desk = trading(disk)
    store.faults.append("not committed")
    desk.batch(*LOST[what])
    assert {type(outcome) for outcome in desk.batch(*LOST[what])} == {Done}
    untroubled = MemoryBooks()
    _, other = trading(untroubled)
    other.batch(*LOST[what])
    assert books_of(desk.writer.books.state.open_orders) == books_of(other.writer.books.state.open_orders)
    assert disk.tables == untroubled.tables
    check_books(store.reader())


def test_a_lost_batch_binds_no_out_trade_no_and_closes_no_order(disk: MemoryBooks) -> None:
    store, desk = trading(disk)
    store.faults.append("not committed")
    desk.batch(CancelOrder(USER, 2), limit("buy", "90", "1", out_trade_no="new"), FindOrder(USER, "late", fence=True))
    state = desk.writer.books.state
    assert state.out_trade_nos.get((USER, "new")) is None
    assert state.out_trade_nos.get((USER, "late")) is None
    assert state.out_trade_nos.get((USER, "two")) == 2
    assert state.closed_orders.get((USER, 2)) is None
    assert state.open_orders.get(USER, 2) is not None
    assert state.counters.get("order") == 7


def test_a_lost_batch_is_lost_alone(disk: MemoryBooks) -> None:
    """What an earlier batch changed is not undone with it."""
    store, desk = trading(disk)
    desk.batch(CancelOrder(USER, 2), limit("sell", "100", "8"))
    store.faults.append("not committed")
    desk.batch(CancelOrder(OTHER, 3))
    assert ids(desk.writer.books, "sell") == [[3, 6, 8], [1]]


def test_a_market_that_was_lost_may_be_made_otherwise(disk: MemoryBooks) -> None:
    store, desk = trading(disk)
    store.faults.append("not committed")
    desk.batch(ETH, ETH_USDT)
    desk.batch(ETH, ETH_USDT._replace(amount_decimals=0, amount_min="1"))
    book = desk.writer.books.state.open_orders.books[2]
    assert (book.lot, book.market.amount_decimals) == (10**8, 0)
    assert isinstance(desk.do(limit("buy", "10", "1", symbol="ETH_USDT")), Done)
    check_books(store.reader())


def test_closed_orders_and_out_trade_nos_are_read_when_they_are_asked_for(disk: MemoryBooks) -> None:
    _, desk = trading(disk)
    desk.do(CancelOrder(USER, 2))
    books = reopened(disk, rows_max=1)
    for _ in range(3):
        assert books.state.out_trade_nos.get((USER, "two")) == 2
        closed = books.state.closed_orders.get((USER, 2))
        assert closed is not None
        assert (closed.status, closed.out_trade_no, closed.amount) == ("cancelled", "two", 200_000_000)
        books.keep()


# --- depths -------------------------------------------------------------------------------------


ORDER = limit("buy", "10", "1", out_trade_no="mine")


def test_new_references_and_deposits_of_a_batch_are_not_looked_for_one_by_one(disk: MemoryBooks) -> None:
    store = FaultyStore(MemoryStore(disk))
    desk = Desk(store)
    desk.found()
    desk.open_market()
    store.found.clear()
    commands: list[Command] = [ORDER, ORDER._replace(out_trade_no="other"), limit("buy", "10", "1"), deposit("new")]
    assert kinds(desk.batch(*commands)) == ["Done"] * 4
    assert not {"out_trade_no", "deposit_identity"} & set(store.found)


def test_repeats_within_a_batch_and_after_it_are_still_repeats(disk: MemoryBooks) -> None:
    store = MemoryStore(disk)
    desk = Desk(store)
    desk.found()
    desk.open_market()
    first, again = desk.batch(ORDER, ORDER)
    store.close()
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    later = Desk(MemoryStore(disk))
    [third] = later.batch(ORDER)
    [credited] = later.batch(deposit("seed-BTC-1001", "100"))
    assert isinstance(third, Done)
    assert isinstance(credited, Done)
    assert [outcome.fresh for outcome in (first, again, third, credited)] == [True, False, False, False]
    assert first.result.id == again.result.id == third.result.id


def test_when_many_cannot_be_read_together_each_asks_by_itself(
    disk: MemoryBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore(disk)
    desk = Desk(store)
    desk.found()
    desk.open_market()

    def broken(*_: object) -> list[Row]:
        raise OSError

    monkeypatch.setattr(store, "find_all", broken)
    assert kinds(desk.batch(ORDER, deposit("new"))) == ["Done", "Done"]


def test_the_depths_of_all_books_are_given_first_and_then_of_those_that_changed(disk: MemoryBooks) -> None:
    _, desk = trading(disk)
    desk.batch(ETH, ETH_USDT)
    books = reopened(disk)
    assert set(books.depths()) == {"BTC_USDT", "ETH_USDT"}
    assert books.depths() == {}
    books.state.open_orders.drop(USER, 5)
    changed = books.depths()
    assert set(changed) == {"BTC_USDT"}
    assert changed["BTC_USDT"].bids == ((9_900, 1_100_000_000),)
    assert books.depths() == {}


def test_a_depth_ends_with_the_best_twenty_levels(disk: MemoryBooks) -> None:
    desk = Desk(MemoryStore(disk))
    desk.found()
    desk.open_market()
    desk.batch(*[limit(side, str(price), "0.1") for side, price in SCATTERED])
    asks, bids = desk.depths[-1]["BTC_USDT"]
    assert asks == tuple((price * 100, 10_000_000) for price in range(200, 200 + DEPTH_LEVELS_MAX))
    assert bids == tuple((price * 100, 10_000_000) for price in range(199, 199 - DEPTH_LEVELS_MAX, -1))


SCATTERED: list[tuple[Side, int]] = [
    ("sell" if price >= 200 else "buy", price) for price in sorted(range(175, 225), key=lambda price: price * 7 % 25)
]


def test_an_empty_book_has_an_empty_depth(disk: MemoryBooks) -> None:
    _, desk = trading(disk)
    desk.batch(CancelAllOrders(USER, ""), CancelAllOrders(OTHER, ""))
    assert desk.depths[-1] == {"BTC_USDT": Depth((), ())}
    assert reopened(disk).depths() == {"BTC_USDT": Depth((), ())}
