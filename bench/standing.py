"""Orders that rest already: put into books as batches that the writer would have made, without deciding them."""

import random
from pathlib import Path

from bench import books, trading
from bench.books import ASSETS, HOUSE
from bench.trading import MARKETS, MIDDLES
from spotbook.app.books import Books
from spotbook.app.journal import Transaction
from spotbook.bootstrap import wall_clock
from spotbook.domain.account import USER_FIRST
from spotbook.domain.events import Entry, HoldChanged, OrderPlaced
from spotbook.domain.state import State
from spotbook.store.sqlite import SqliteStore

ORDERS_PER_BATCH = 5_000
STEPS_BETWEEN = 2
"""A level stands at every second price, so that an order at random joins one as often as it makes one."""


def grow(
    folder: Path, accounts: int, orders: int, *, levels: int, markets: int = len(MARKETS), nearest: int = 2
) -> list[tuple[int, int]]:
    """Let so many orders rest, spread evenly over markets, sides and levels; return them by account and id.

    The books must have been made by `trading.make` with so many accounts, and have no orders yet. `nearest` is how far
    from the middle price the first level stands, in steps.
    """
    store = SqliteStore(folder)
    head, time_ms, random_ = store.head(), wall_clock(), random.Random(17)
    standing = _Standing(Books(store).state, time_ms)
    placed: list[tuple[int, int]] = []
    while len(placed) < orders:
        transactions = []
        for number in range(len(placed), min(orders, len(placed) + ORDERS_PER_BATCH)):
            place, half = divmod(number, 2 * markets)
            market, side = divmod(half, 2)
            away = nearest + place % levels * STEPS_BETWEEN
            account = USER_FIRST + random_.randrange(accounts)
            order = standing.order(
                account,
                number + 1,
                market=market,
                side=side,
                away=away,
                lots=trading.lots(random_),
                reference=random_.randbytes(12).hex(),
            )
            transactions.append(Transaction(f"house:{HOUSE.part}", "PlaceOrder", standing.events(order)))
            placed.append((account, order.id))
        head = books.commit(store, head, time_ms, transactions)
    store.close()
    return placed


class _Standing:
    """What placing orders one after another makes of the accounts' balances, from a state on."""

    def __init__(self, state: State, time_ms: int) -> None:
        self._state = state
        self._time_ms = time_ms
        self._versions: dict[int, int] = {}
        self._sides: dict[tuple[int, int], tuple[int, int]] = {}

    def order(
        self, account: int, number: int, *, market: int, side: int, away: int, lots: int, reference: str
    ) -> OrderPlaced:
        """Return a limit order of so many steps of the amount, so many steps of the price from the middle."""
        price = MIDDLES[MARKETS[market].symbol] + (away if side else -away)
        amount = lots * self._state.open_orders.books[market + 1].lot
        return OrderPlaced(
            account=account,
            id=number,
            market=market + 1,
            side="sell" if side else "buy",
            kind="limit",
            price=price,
            amount=amount,
            funds=0,
            filled=0,
            value=0,
            fee=0,
            status="open",
            out_trade_no=reference,
            placed_at=self._time_ms,
            changed_at=self._time_ms,
        )

    def events(self, order: OrderPlaced) -> list[Entry | HoldChanged | OrderPlaced]:
        """Return the events of an order that meets nobody."""
        book = self._state.open_orders.books[order.market]
        buys = order.side == "buy"
        asset = len(ASSETS) if buys else book.market.base
        held = book.value(order.price, order.amount) if buys else order.amount
        key = (order.account, asset)
        version = self._versions.get(order.account) or self._state.versions.get(order.account) or 0
        available, frozen = self._sides.get(key) or (self._state.balances.get(key) or (0, 0))[:2]
        self._versions[order.account] = version + 1
        self._sides[key] = (available - held, frozen + held)
        return [
            Entry(
                account=order.account,
                version=version + 1,
                asset=asset,
                available_before=available,
                available_after=available - held,
                frozen_before=frozen,
                frozen_after=frozen + held,
                why="placed",
                ref=order.id,
            ),
            HoldChanged(order.account, asset, "order", order.id, 0, held),
            order,
        ]
