"""The writer's state: the domain's shelves over a store.

Small tables are read whole when the books are opened; of the large ones rows are read on demand and kept, with a
bound. Nothing is evicted until the fate of a batch is known: then it stays, or all is forgotten and read anew.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

from spotbook.app.ports import Row, Store
from spotbook.app.projection import TABLES
from spotbook.domain.account import Account
from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import Book, Depth, OpenOrders
from spotbook.domain.commands import Command, Deposit, PlaceOrder
from spotbook.domain.credentials import Key, Token
from spotbook.domain.deposits import identity_of
from spotbook.domain.events import DepositMade
from spotbook.domain.order import Order
from spotbook.domain.state import Balance, DepositKey, DictShelf, Standing, State
from spotbook.limits import CACHE_ROWS_MAX, CACHE_SELDOM_PART

K = TypeVar("K")
V = TypeVar("V")


class _Kept(dict[K, V | None]):
    """Values by key, each read by `load` when it is first asked for."""

    def __init__(self, load: Callable[[K], V | None]) -> None:
        super().__init__()
        self._load = load

    def __missing__(self, key: K) -> V | None:
        value = self[key] = self._load(key)
        return value


class CachedShelf(Generic[K, V]):
    """A shelf whose values are read by `load` when asked for, and kept up to a bound. `get` returns one, or None."""

    def __init__(self, load: Callable[[K], V | None], rows_max: int) -> None:
        self._rows_max = rows_max
        self._kept: _Kept[K, V] = _Kept(load)
        self._dropped: list[K] = []
        # Set and asked for many times in each command: the dict's own methods, with nothing of ours around them.
        self.get = self._kept.__getitem__
        self.put = self._kept.__setitem__

    def expect(self, keys: Iterable[K], there: Callable[[list[K]], Collection[Any]]) -> None:
        """Learn which of these have no value; `there` says which of many keys have one, in one read of the store."""
        kept = self._kept
        unknown = [key for key in keys if key not in kept]
        if unknown:
            found = there(unknown)
            kept.update(dict.fromkeys([key for key in unknown if key not in found]))

    def drop(self, key: K) -> None:
        """Forget that there is a value, until the store knows as much."""
        self._kept[key] = None
        self._dropped.append(key)

    def keep(self) -> None:
        """The batch is committed: only now is anything evicted, what is gone for good, then the first read first."""
        for key in self._dropped:
            if self._kept.get(key) is None:
                self._kept.pop(key, None)
        self._dropped.clear()
        surplus = len(self._kept) - self._rows_max
        if surplus > 0:
            for key in [key for key, _ in zip(self._kept, range(surplus), strict=False)]:
                del self._kept[key]

    def forget(self) -> None:
        """The batch is not there: everything is read from the store again, as it is needed. It happens seldom."""
        self._kept.clear()
        self._dropped.clear()


class Books:
    """The state of one store's books, and its fate at the end of a batch."""

    def __init__(self, store: Store, rows_max: int = CACHE_ROWS_MAX) -> None:
        self._store = store
        self._lazy: list[CachedShelf[Any, Any]] = []
        self._rows_max = rows_max
        seldom_max = -(-rows_max // CACHE_SELDOM_PART)
        self._deposits = self._shelf(self._deposit, seldom_max)
        self._out_trade_nos = self._shelf(lambda key: _made(_order_id, store.find("out_trade_no", key)), seldom_max)
        self.state = State(
            counters=DictShelf(),
            standing=DictShelf(),
            assets=DictShelf(),
            asset_ids=DictShelf(),
            markets=DictShelf(),
            tokens=DictShelf(),
            open_orders=OpenOrders(),
            accounts=self._shelf(lambda number: _made(account_of, store.find("account", (number,)))),
            wealth_of=self._shelf(lambda parent: _made(_second, store.find("wealth_account", (parent,)))),
            versions=self._shelf(store.last_version),
            balances=self._shelf(lambda key: _made(_balance_of, store.find("balance", key))),
            holds=self._shelf(lambda key: _made(_last, store.find("hold", key))),
            deposits=self._deposits,
            closed_orders=self._shelf(lambda key: _made(order_of, store.find("closed_order", key)), seldom_max),
            out_trade_nos=self._out_trade_nos,
            keys=self._shelf(lambda api_key: _made(key_of, store.find("api_key", (api_key,)))),
            keys_of=self._shelf(lambda account: tuple(store.keys_of(account))),
        )
        self._read_small()
        self.state.open_orders.load(sorted(map(order_of, store.rows("open_order")), key=_by_id))

    def depths(self) -> dict[str, Depth]:
        """Return the depth of every book that changed since this was last asked, by the market's symbol."""
        orders = self.state.open_orders
        changed = {orders.books[number].market.symbol: orders.books[number].depth() for number in orders.touched}
        orders.touched.clear()
        return changed

    def expect(self, commands: Iterable[Command]) -> None:
        """Learn at once which of the references and deposits of these commands are new, as nearly all of them are.

        It spares each a read of its own, and decides nothing: what is there is read when it is asked for.
        """
        references, deposits = [], []
        for command in commands:
            if isinstance(command, PlaceOrder):
                if command.out_trade_no:
                    references.append((command.account, command.out_trade_no))
            elif isinstance(command, Deposit) and (asset := self.state.asset_named(command.asset)) is not None:
                deposits.append(identity_of(asset, command))
        self._out_trade_nos.expect(references, lambda keys: self._there("out_trade_no", keys))
        self._deposits.expect(deposits, lambda keys: self._there("deposit_identity", keys))

    def _there(self, table: str, keys: Sequence[Row]) -> set[Row]:
        length = TABLES[table].keys
        return {row[:length] for row in self._store.find_all(table, keys)}

    def keep(self) -> None:
        """The batch is committed."""
        for shelf in self._lazy:
            shelf.keep()
        self.state.open_orders.keep()

    def forget(self) -> None:
        """The batch is not there: be as the store is."""
        for shelf in self._lazy:
            shelf.forget()
        self.state.open_orders.forget()
        self._read_small()

    def _shelf(self, load: Callable[[Any], Any], rows_max: int = 0) -> CachedShelf[Any, Any]:
        shelf: CachedShelf[Any, Any] = CachedShelf(load, rows_max or self._rows_max)
        self._lazy.append(shelf)
        return shelf

    def _read_small(self) -> None:
        store, state = self._store, self.state
        standing = [standing_of(row) for row in store.rows("standing")]
        assets = [asset_of(row) for row in store.rows("asset")]
        _refill(state.counters, {row[0]: row[1] for row in store.rows("counter")})
        _refill(state.standing, {"": standing[0]} if standing else {})
        _refill(state.assets, {asset.id: asset for asset in assets})
        _refill(state.asset_ids, {asset.name: asset.id for asset in assets})
        markets = [market_of(row) for row in store.rows("market")]
        _refill(state.markets, {market.symbol: market for market in markets})
        books = state.open_orders.books
        by_number = {asset.id: asset for asset in assets}
        for number in books.keys() - {market.id for market in markets}:
            del books[number]
            state.open_orders.touched.discard(number)
        for market in markets:
            if market.id in books:
                books[market.id].market = market
            else:
                books[market.id] = Book(market, by_number[market.base], by_number[market.quote])
        _refill(state.tokens, {row[0]: token_of(row) for row in store.rows("token")})

    def _deposit(self, key: DepositKey) -> DepositMade | None:
        identity = self._store.find("deposit_identity", key)
        if identity is None:
            return None
        row = self._store.find("deposit", identity[-2:])
        return None if row is None else deposit_of(row)


def _refill(shelf: Any, values: dict[Any, Any]) -> None:
    """Make a shelf that is all in memory hold just these values."""
    shelf.kept.clear()
    shelf.kept.update(values)


def _made(make: Callable[[Row], V], row: Row | None) -> V | None:
    return None if row is None else make(row)


def _order_id(row: Row) -> Any:
    return row[2]


def _by_id(order: Order) -> int:
    return order.id


def _second(row: Row) -> Any:
    return row[1]


def _last(row: Row) -> Any:
    return row[-1]


def _balance_of(row: Row) -> Balance:
    return Balance(*row[2:])  # type: ignore[arg-type]


def account_of(row: Row) -> Account:
    """Return the Account of a row of ``account``."""
    number, kind, name, parent, frozen, opened_at = row
    return Account(number, kind, name, parent, bool(frozen), opened_at)  # type: ignore[arg-type]


def asset_of(row: Row) -> Asset:
    """Return the Asset of a row of ``asset``."""
    return Asset(*row)  # type: ignore[arg-type]


def market_of(row: Row) -> Market:
    """Return the Market of a row of ``market``."""
    return Market(*row)  # type: ignore[arg-type]


def order_of(row: Row) -> Order:
    """Return the Order of a row of ``open_order`` or ``closed_order``."""
    return Order(*row[: len(Order._fields)])  # type: ignore[arg-type]


def key_of(row: Row) -> Key:
    """Return the Key of a row of ``api_key``."""
    api_key, account, permissions, allow, *rest, strict = row
    return Key._make((api_key, account, _words(permissions), _words(allow), *rest, bool(strict)))


def standing_of(row: Row) -> Standing:
    """Return the Standing of the row of ``standing``."""
    return Standing(*row[1:])  # type: ignore[arg-type]


def token_of(row: Row) -> Token:
    """Return the Token of a row of ``token``."""
    name, number, digest, roles, made_at, revoked_at = row
    return Token(name, number, digest, _words(roles), made_at, revoked_at)  # type: ignore[arg-type]


def deposit_of(row: Row) -> DepositMade:
    """Return the DepositMade of a row of ``deposit``."""
    account, number, *rest, _batch = row
    return DepositMade(number, account, *rest)  # type: ignore[arg-type]


def _words(text: Any) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
