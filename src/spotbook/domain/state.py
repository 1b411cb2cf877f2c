"""The state that decisions read: shelves of values by key.

A shelf is a mapping that may be larger than memory. The domain sees only `get`, `put` and `drop`; a test keeps a shelf
in a dict, and the writer keeps one in a cache over its store. Only `apply` puts and drops.
"""

from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from spotbook.domain.account import Account
from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import OpenOrders
from spotbook.domain.credentials import Key, Token
from spotbook.domain.events import DepositMade
from spotbook.domain.order import Order

K = TypeVar("K")
Key_contra = TypeVar("Key_contra", contravariant=True)
V = TypeVar("V")


class Shelf(Protocol[Key_contra, V]):
    """Values of one sort, by key."""

    def get(self, key: Key_contra, /) -> V | None:
        """Return the value, or None."""

    def put(self, key: Key_contra, value: V, /) -> None:
        """Set the value."""

    def drop(self, key: Key_contra, /) -> None:
        """Forget the value."""


class DictShelf(Generic[K, V]):
    """A shelf that is all in memory."""

    def __init__(self) -> None:
        self.kept: dict[K, V] = {}
        self.get = self.kept.get

    def put(self, key: K, value: V) -> None:
        """Set the value."""
        self.kept[key] = value

    def drop(self, key: K) -> None:
        """Forget the value."""
        self.kept.pop(key, None)


class Balance(NamedTuple):
    """One account's balance of one asset, in smallest units, and the account's version that made it so."""

    available: int
    frozen: int
    version: int


class BalanceKey(NamedTuple):
    """Whose balance of what."""

    account: int
    asset: int


class HoldKey(NamedTuple):
    """What a hold belongs to: ``order`` or ``withdrawal`` number `id` of the account."""

    account: int
    asset: int
    kind: str
    id: int


class DepositKey(NamedTuple):
    """What makes a deposit the same deposit; `txid` is as it compares, see `deposits.same_txid`."""

    asset: int
    chain: str
    txid: str
    txid_index: int


class Standing(NamedTuple):
    """What the books admit: ``running``, ``halted`` or ``stopped``; why, and since when."""

    standing: str
    reason: str
    since: int


RUNNING = Standing("running", "", 0)
NOTHING = Balance(0, 0, 0)


class State:
    """All shelves, and the open orders with their books, which are always all in memory.

    `counters` holds the last number given out of each sort; `standing` has the one key ``""``; closed orders are found
    by (account, id), and an out_trade_no by (account, text): it gives the order's id, 0 when it was closed.
    """

    __slots__ = (
        "accounts",
        "asset_ids",
        "assets",
        "balances",
        "closed_orders",
        "counters",
        "deposits",
        "holds",
        "keys",
        "keys_of",
        "markets",
        "open_orders",
        "out_trade_nos",
        "standing",
        "tokens",
        "versions",
        "wealth_of",
    )

    def __init__(
        self,
        *,
        counters: Shelf[str, int],
        standing: Shelf[str, Standing],
        assets: Shelf[int, Asset],
        asset_ids: Shelf[str, int],
        markets: Shelf[str, Market],
        accounts: Shelf[int, Account],
        wealth_of: Shelf[int, int],
        versions: Shelf[int, int],
        balances: Shelf[tuple[int, int], Balance],
        holds: Shelf[HoldKey, int],
        deposits: Shelf[DepositKey, DepositMade],
        keys: Shelf[str, Key],
        keys_of: Shelf[int, tuple[str, ...]],
        tokens: Shelf[str, Token],
        open_orders: OpenOrders,
        closed_orders: Shelf[tuple[int, int], Order],
        out_trade_nos: Shelf[tuple[int, str], int],
    ) -> None:
        self.counters = counters
        self.standing = standing
        self.assets = assets
        self.asset_ids = asset_ids
        self.markets = markets
        self.accounts = accounts
        self.wealth_of = wealth_of
        self.versions = versions
        self.balances = balances
        self.holds = holds
        self.deposits = deposits
        self.keys = keys
        self.keys_of = keys_of
        self.tokens = tokens
        self.open_orders = open_orders
        self.closed_orders = closed_orders
        self.out_trade_nos = out_trade_nos

    def next_id(self, sort: str, first: int = 1) -> int:
        """Return the number that the next thing of this sort gets."""
        return max((self.counters.get(sort) or 0) + 1, first)

    def asset_named(self, name: str) -> Asset | None:
        """Return the asset of this name, or None."""
        number = self.asset_ids.get(name)
        return None if number is None else self.assets.get(number)


def empty_state() -> State:
    """Return a state with nothing in it, all in memory."""
    shelves: dict[str, Any] = {name: DictShelf() for name in State.__slots__}
    return State(**{**shelves, "open_orders": OpenOrders()})
