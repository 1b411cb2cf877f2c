"""Books with markets to trade in, and a flow of orders and cancels of which every one is accepted.

Most orders rest within some hundred steps around a market's middle price; the others go for what rests. A flow is
drawn on the state that it meets, by the domain itself and without committing anything, so that ids are known before
they are given and no cancel comes too late. The engine gives the same ids again, because they follow from the sequence
of commands alone.
"""

import random
from pathlib import Path
from typing import NamedTuple

from bench import books
from bench.books import ASSETS, SignedAccount, Submission, engine_on, submit_all
from spotbook.app.books import Books
from spotbook.domain.account import USER_FIRST
from spotbook.domain.apply import apply
from spotbook.domain.commands import CancelOrder, MakeMarket, PlaceOrder
from spotbook.domain.credentials import KeyHolder
from spotbook.domain.decide import decide
from spotbook.domain.events import OrderPlaced, Traded
from spotbook.domain.order import OTHER_SIDE, Side
from spotbook.domain.state import State
from spotbook.store.sqlite import SqliteStore

UNITS_MIN = 10**14
"""A million of every asset for every account: nobody runs out."""
CANCELS = 0.3
"""Part of the commands that cancel."""
TAKERS = 0.2
"""Part of the orders that go for what rests. Each meets one or two, so that about 40 % of all orders are executed."""
SPREAD_STEPS = 500
"""How far from the middle orders rest, in steps of the price."""
NEAR_STEPS = 4 * SPREAD_STEPS
"""Who goes for what rests does so no further from the middle; no order's price is more than a spread beyond."""
LOTS_MAX = 100_000
"""The largest amount of one order, in steps of the amount; the least is a hundredth of it."""

SIDES: tuple[Side, ...] = ("buy", "sell")

MARKETS = tuple(
    MakeMarket(
        symbol=f"{base}_USDT",
        price_decimals=2,
        amount_decimals=6,
        value_min="0",
        price_min="0.01",
        price_max="1000000",
        amount_min="0.000001",
        amount_max="10000",
        maker_fee_ppm=2_000,
        taker_fee_ppm=2_000,
        self_trade="cancel_newest",
        state="on",
    )
    for base in ASSETS[:4]
)
MIDDLES = {market.symbol: 1_000_000 * (number + 1) for number, market in enumerate(MARKETS)}
"""The price around which a market trades, in its steps: 10,000.00 USDT to 40,000.00."""


class Drawn(NamedTuple):
    """A flow. After its first `warm` commands: orders placed, orders executed in part or whole, and fills."""

    submissions: list[Submission]
    warm: int
    placed: int
    executed: int
    fills: int


def make(folder: Path, master_key: str, accounts: int) -> list[SignedAccount]:
    """Make books with four markets and so many accounts, each with funds of every asset and a key that may trade."""
    books.make(folder, master_key, len(ASSETS))
    store = SqliteStore(folder)
    with engine_on(store) as engine:
        submit_all(engine, [Submission(market) for market in MARKETS])
    store.close()
    books.grow(folder, accounts, len(ASSETS), units_min=UNITS_MIN)
    numbers = range(USER_FIRST, USER_FIRST + accounts)
    return books.make_keys(folder, master_key, numbers, ("read", "trade"))


def draw(
    folder: Path, accounts: list[SignedAccount], count: int, warm: int, standing: list[tuple[int, int]] | None = None
) -> Drawn:
    """Draw a flow of so many commands on the books as they are; they stay so.

    `accounts` are all that the books have. With `standing`, cancels are of those orders only, by account and id, so
    that the flow still is accepted when its commands overtake each other.
    """
    store = SqliteStore(folder)
    store.begin()
    flow = Flow(Books(store).state, random.Random(13), standing)
    submissions, placed, fills, executed = [], 0, 0, set[int]()
    for turn in range(count):
        command = flow.command(flow.random.choice(accounts).id)
        actor = KeyHolder(accounts[command.account - accounts[0].id].api_key, "trade")
        events = decide(flow.state, command, actor, 0).events
        apply(flow.state, events)
        submissions.append(Submission(command, actor))
        for event in events:
            if isinstance(event, OrderPlaced):
                flow.note(event)
                placed += turn >= warm
            elif isinstance(event, Traded) and turn >= warm:
                fills += 1
                executed |= {event.maker_order, event.taker_order}
    store.end()
    store.close()
    return Drawn(submissions, warm, placed, len(executed), fills)


class Flow:
    """Draws commands one by one, to fit a state that each was applied to."""

    def __init__(self, state: State, random_: random.Random, standing: list[tuple[int, int]] | None) -> None:
        self.state = state
        self.random = random_
        self._may_cancel = list(standing or ())
        self._notes = standing is None

    def command(self, account: int) -> PlaceOrder | CancelOrder:
        """Return a cancel of anybody's open order, or an order of `account`."""
        if self.random.random() < CANCELS and (found := self._open()) is not None:
            return CancelOrder(*found)
        return self._order(account)

    def note(self, order: OrderPlaced) -> None:
        """Remember an order that was placed: it may be cancelled."""
        if self._notes:
            self._may_cancel.append((order.account, order.id))

    def _open(self) -> tuple[int, int] | None:
        """Return account and id of one of the open orders, each as likely as the others; it is not returned again."""
        candidates = self._may_cancel
        while candidates:
            index = self.random.randrange(len(candidates))
            candidates[index], candidates[-1] = candidates[-1], candidates[index]
            found = candidates.pop()
            if self.state.open_orders.get(*found) is not None:
                return found
        return None

    def _order(self, account: int) -> PlaceOrder:
        """Return an order of the account: one that rests, or one that goes for the best of the other side."""
        random_ = self.random
        market, side = random_.choice(MARKETS), random_.choice(SIDES)
        middle, toward = MIDDLES[market.symbol], 1 if side == "buy" else -1
        price = middle - toward * random_.randrange(1, SPREAD_STEPS)
        if random_.random() < TAKERS:
            book = self.state.open_orders.books[MARKETS.index(market) + 1]
            best = book.halves[OTHER_SIDE[side]].best()
            if best is not None and abs(best - middle) <= NEAR_STEPS:
                price = best + toward * SPREAD_STEPS
        return limit_order(account, market.symbol, side, price, random_)


def lots(random_: random.Random) -> int:
    """Return a random amount, in steps."""
    return random_.randrange(LOTS_MAX // 100, LOTS_MAX)


def limit_order(account: int, symbol: str, side: Side, price: int, random_: random.Random) -> PlaceOrder:
    """Return a limit order in one of `MARKETS` at a price in steps, of a random amount and out_trade_no."""
    amount, out_trade_no = lots(random_), random_.randbytes(12).hex()
    price_text = f"{price // 100}.{price % 100:02}"
    amount_text = f"{amount // 10**6}.{amount % 10**6:06}"
    return PlaceOrder(account, symbol, side, "limit", price_text, amount_text, "", out_trade_no)
