"""What placing and cancelling cost in a deep book, beside a shallow one.

Each half of a book has so many levels, one order at every second price. Orders come at random prices over the whole
half, so that every other one makes a level and its cancel takes it away. Costs are processor time, which other work on
the machine disturbs least: once of the domain alone (decide and apply, on a state that is all in memory), once of the
writer with its commits.
"""

import random
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import standing, trading
from bench.books import HOUSE, alarm
from bench.report import Figure, RunFailed
from bench.sizes import Size
from bench.trading import MARKETS, MIDDLES, SIDES
from spotbook.app import journal
from spotbook.app.writer import Done, Submission, Writer
from spotbook.bootstrap import spare_collector, wall_clock
from spotbook.domain.account import USER_FIRST
from spotbook.domain.apply import apply
from spotbook.domain.commands import CancelOrder, PlaceOrder
from spotbook.domain.decide import decide
from spotbook.domain.state import State, empty_state
from spotbook.limits import PAGE_ROWS_MAX
from spotbook.store.sqlite import SqliteStore
from spotbook.store.vault import new_master_key

LEVELS_FEW = 100
ACCOUNTS = 200
COMMANDS_PER_BATCH = 250
RATIO_CEILING = 2.0
TRIES = 5
"""Rounds at the least: each is a second's work, and a median needs some."""

Carry = Callable[[list[PlaceOrder] | list[CancelOrder]], list[int]]
"""Carries commands out and returns the ids of their orders."""


class Place(NamedTuple):
    """A book to measure in: how many levels each half has, and the two ways to trade there."""

    levels: int
    domain: Carry
    writer: Carry


def run(size: Size, folder: Path) -> list[Figure]:
    """Make both books, trade in them in turn; return the figures."""
    stores = []
    places = {}
    for name, levels in (("few", LEVELS_FEW), ("many", size.levels)):
        trading.make(folder / name, new_master_key(), ACCOUNTS)
        standing.grow(folder / name, ACCOUNTS, 2 * levels, levels=levels, markets=1)
        stores.append(SqliteStore(folder / name))
        places[name] = Place(levels, _domain(_replayed(stores[-1])), _writer(stores[-1]))
    spare_collector()
    seen = _rounds(size, places)
    for store in stores:
        store.close()
    figures = []
    for way in ("domain", "writer"):
        for deed in ("place", "cancel"):
            cost = {name: statistics.median(seen[name, way, deed]) for name in places}
            figures += [
                *(Figure(f"{way}: {deed}, {places[name].levels:,} levels", cost[name], "µs") for name in places),
                Figure(f"{way}: {deed}, deep / shallow", cost["many"] / cost["few"], "", ceiling=RATIO_CEILING),
            ]
    return figures


def _rounds(size: Size, places: dict[str, Place]) -> dict[tuple[str, str, str], list[float]]:
    """Return the mean processor time of one command in microseconds, of each round, by place, way and deed."""
    seen: dict[tuple[str, str, str], list[float]] = {}
    random_ = random.Random(19)
    for turn in range(1 + max(size.rounds, TRIES)):
        for name, place in places.items():
            for way, carry in (("domain", place.domain), ("writer", place.writer)):
                orders = [_order(random_, place.levels) for _ in range(size.depth_orders)]
                begin = time.process_time()
                ids = carry(orders)
                placed = time.process_time()
                cancels = [CancelOrder(order.account, number) for order, number in zip(orders, ids, strict=True)]
                random_.shuffle(cancels)
                again = time.process_time()
                carry(cancels)
                ended = time.process_time()
                if turn:  # the first turn warms
                    for deed, took in (("place", placed - begin), ("cancel", ended - again)):
                        seen.setdefault((name, way, deed), []).append(took / len(orders) * 1e6)
    return seen


def _order(random_: random.Random, levels: int) -> PlaceOrder:
    """Return an order that rests somewhere among the levels of one half of the first market's book."""
    symbol, side = MARKETS[0].symbol, random_.choice(SIDES)
    away = random_.randrange(2, levels * standing.STEPS_BETWEEN + 2)
    price = MIDDLES[symbol] + (away if side == "sell" else -away)
    account = USER_FIRST + random_.randrange(ACCOUNTS)
    return trading.limit_order(account, symbol, side, price, random_)


def _replayed(store: SqliteStore) -> State:
    """Return the state that a journal leads to, all in memory."""
    state, reader, after = empty_state(), store.reader(), 0
    while page := reader.batches(after, PAGE_ROWS_MAX):
        for batch in page:
            for transaction in journal.read(batch.body)[1]:
                apply(state, list(transaction.events))
        after = page[-1].number
    reader.close()
    state.open_orders.keep()
    return state


def _domain(state: State) -> Carry:
    def carry(commands: list[PlaceOrder] | list[CancelOrder]) -> list[int]:
        ids = []
        for command in commands:
            decision = decide(state, command, HOUSE, 0)
            apply(state, decision.events)
            ids.append(decision.result.id)
        state.open_orders.keep()
        return ids

    return carry


def _writer(store: SqliteStore) -> Carry:
    writer = Writer(store, wall_clock, alarm=alarm)

    def carry(commands: list[PlaceOrder] | list[CancelOrder]) -> list[int]:
        ids = []
        for start in range(0, len(commands), COMMANDS_PER_BATCH):
            pending = deque(
                Submission(command, HOUSE, (), lambda _: None)
                for command in commands[start : start + COMMANDS_PER_BATCH]
            )
            while pending:
                for _, outcome in writer.carry_out(pending):
                    if not isinstance(outcome, Done):
                        raise RunFailed(f"a command was not carried out: {outcome}")
                    ids.append(outcome.result.id)
                writer.tidy()
        return ids

    return carry
