"""The order book: price, then time.

A book has two halves. In each, orders of one price are a level, served in the sequence of their ids; levels are served
from the best price on. All open orders are in memory, each once: the writer matches against them, and rebuilds them
from the store when it starts. What an open batch changed can be undone.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from spotbook.domain.asset import Asset, Market
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.order import Order, Side
from spotbook.limits import DEPTH_LEVELS_MAX

_NONE: Mapping[int, Order] = {}


class Depth(NamedTuple):
    """The best levels of a book, best first: (price in steps, base amount in smallest units)."""

    asks: tuple[tuple[int, int], ...]
    bids: tuple[tuple[int, int], ...]


class Level:
    """The orders of one price, by id in the sequence in which they are served, and what they still want together."""

    __slots__ = ("amount", "orders")

    def __init__(self) -> None:
        self.amount = 0
        self.orders: dict[int, Order] = {}


class Half:
    """One side of a book.

    Prices are kept as ranks, in a sorted list whose last is the best: most of what happens, happens there, and there
    a list is quick. `sign` is 1 for bids, whose best is the highest, and -1 for asks.
    """

    __slots__ = ("_ranks", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, Level] = {}
        self._ranks: list[int] = []

    def best(self) -> int | None:
        """Return the best price, or None when nobody is there."""
        return self._ranks[-1] * self.sign if self._ranks else None

    def from_best(self) -> Iterator[tuple[int, Level]]:
        """Yield price and level from the best on. Nothing may be put or dropped meanwhile."""
        for rank in reversed(self._ranks):
            price = rank * self.sign
            yield price, self.levels[price]

    def depth(self, levels_max: int) -> tuple[tuple[int, int], ...]:
        """Return price and amount of the best levels."""
        best = self._ranks[: -levels_max - 1 : -1]
        return tuple((rank * self.sign, self.levels[rank * self.sign].amount) for rank in best)

    def put(self, order: Order, before: Order | None) -> None:
        """Let an order stand in the book; `before` is how it stood there, None if it is new."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self._ranks, order.price * self.sign)
        level.orders[order.id] = order
        level.amount += order.amount - order.filled
        if before is not None:
            level.amount -= before.amount - before.filled

    def drop(self, order: Order) -> None:
        """Take an order out of the book."""
        level = self.levels[order.price]
        del level.orders[order.id]
        level.amount -= order.amount - order.filled
        if not level.orders:
            del self.levels[order.price]
            del self._ranks[bisect_left(self._ranks, order.price * self.sign)]

    def fill_with(self, orders: Iterable[Order]) -> None:
        """Let many orders stand in an empty half; they come in the sequence of their ids."""
        for order in orders:
            level = self.levels.get(order.price)
            if level is None:
                level = self.levels[order.price] = Level()
            level.orders[order.id] = order
            level.amount += order.amount - order.filled
        self._ranks = sorted(price * self.sign for price in self.levels)

    def resort(self, price: int) -> None:
        """Bring the orders of a level into the sequence of their ids again."""
        level = self.levels[price]
        level.orders = dict(sorted(level.orders.items()))


class Book:
    """The open orders of one market.

    `lot` is the base's smallest units in one step of the amount, `tick` the quote's smallest units that one lot costs
    at a price of one step: a price of p and an amount of a cost exactly p x (a / lot) x tick.
    """

    __slots__ = ("halves", "lot", "market", "tick")

    def __init__(self, market: Market, base: Asset, quote: Asset) -> None:
        self.market = market
        self.lot: int = 10 ** (base.scale - market.amount_decimals)
        self.tick: int = 10 ** (quote.scale - market.price_decimals - market.amount_decimals)
        self.halves: dict[Side, Half] = {"buy": Half(1), "sell": Half(-1)}

    def value(self, price: int, amount: int) -> int:
        """Return what an amount costs at a price, in the quote's smallest units. It is exact."""
        return price * (amount // self.lot) * self.tick

    def held(self, order: Order) -> int:
        """Return what a limit order holds: what the rest of it could come to cost."""
        remaining = order.amount - order.filled
        return self.value(order.price, remaining) if order.side == "buy" else remaining

    def depth(self) -> Depth:
        """Return the best levels of both halves."""
        return Depth(self.halves["sell"].depth(DEPTH_LEVELS_MAX), self.halves["buy"].depth(DEPTH_LEVELS_MAX))


class OpenOrders:
    """All books by market, all open orders by account, and how what an open batch changed stood before.

    `touched` names the markets whose books changed since it was last cleared.
    """

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self.touched: set[int] = set()
        self._by_account: dict[int, dict[int, Order]] = {}
        self._before: dict[tuple[int, int], Order | None] = {}

    def get(self, account: int, number: int) -> Order | None:
        """Return the account's open order of this id, or None."""
        return self._by_account.get(account, _NONE).get(number)

    def of(self, account: int) -> Mapping[int, Order]:
        """Return the account's open orders by id."""
        return self._by_account.get(account, _NONE)

    def put(self, order: Order) -> None:
        """Let an order stand as it is now."""
        held = self._by_account.setdefault(order.account, {})
        before = held.get(order.id)
        self._before.setdefault((order.account, order.id), before)
        self._put(order, before, held)

    def _put(self, order: Order, before: Order | None, held: dict[int, Order]) -> None:
        held[order.id] = order
        self.books[order.market].halves[order.side].put(order, before)
        self.touched.add(order.market)

    def drop(self, account: int, number: int) -> None:
        """Take an order away, because it is closed."""
        order = self.get(account, number)
        if order is None:
            raise InvariantBroken(f"order {number} of account {account} is not open")
        self._before.setdefault((account, number), order)
        self._drop(order)

    def _drop(self, order: Order) -> None:
        held = self._by_account[order.account]
        del held[order.id]
        if not held:
            del self._by_account[order.account]
        self.books[order.market].halves[order.side].drop(order)
        self.touched.add(order.market)

    def keep(self) -> None:
        """The batch is committed."""
        self._before.clear()

    def forget(self) -> None:
        """The batch is not there: let every order stand as before."""
        for (account, number), before in self._before.items():
            now = self.get(account, number)
            if now is not None:
                self._drop(now)
            if before is not None:
                self._put(before, None, self._by_account.setdefault(account, {}))
        for before in self._before.values():
            if before is not None:
                self.books[before.market].halves[before.side].resort(before.price)
        for account in {account for account, _ in self._before} & self._by_account.keys():
            self._by_account[account] = dict(sorted(self._by_account[account].items()))
        self._before.clear()

    def load(self, orders: Iterable[Order]) -> None:
        """Fill empty books with orders, which come in the sequence of their ids."""
        halves: dict[tuple[int, Side], list[Order]] = {}
        for order in orders:
            self._by_account.setdefault(order.account, {})[order.id] = order
            halves.setdefault((order.market, order.side), []).append(order)
        for (market, side), standing in halves.items():
            self.books[market].halves[side].fill_with(standing)
        self.touched.update(self.books)
