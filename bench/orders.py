"""Durable trading through the engine, beside the bare `executemany` of the very rows that it came to.

Seven commands in ten place a limit order, three cancel an open one; the accounts, the markets and the prices are
random, the seed is fixed. An order counts as executed when it was filled in part or whole, as taker or as maker.
"""

from pathlib import Path

from bench import durable, trading
from bench.report import Figure, RunFailed
from bench.sizes import Size
from spotbook.store.vault import new_master_key

FLOOR = 15_000
RATIO_FLOOR = 0.3
WARM_PART = 3
"""One command in so many comes before the clock starts: books are not empty, nor are caches, after a minute."""


def run(size: Size, folder: Path) -> list[Figure]:
    """Make books once and trade on copies of them; return the figures."""
    base = folder / "base"
    accounts = trading.make(base, new_master_key(), size.traders)
    drawn = trading.draw(base, accounts, size.orders, size.orders // WARM_PART)
    rounds = [durable.measure(base, folder, drawn.submissions, drawn.warm) for _ in range(size.rounds)]
    for seen in rounds:
        if (seen.rows["trade"], seen.rows["out_trade_no"]) != (drawn.fills, drawn.placed):
            raise RunFailed("the engine did not trade what was drawn")
    count = rounds[0].commands
    return [
        *durable.figures("orders and cancels", rounds, floor=FLOOR, ratio_floor=RATIO_FLOOR),
        Figure("part that places", drawn.placed / count, ""),
        Figure("part of the placed that is executed", drawn.executed / drawn.placed, ""),
        Figure("fills of one command", drawn.fills / count, ""),
    ]
