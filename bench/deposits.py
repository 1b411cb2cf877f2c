"""Durable deposits through the engine, beside the bare `executemany` of the very rows that they came to."""

import random
from pathlib import Path

from bench import books, durable
from bench.books import ASSETS, OPERATOR, Submission
from bench.report import Figure
from bench.sizes import Size
from spotbook.store.vault import new_master_key

FLOOR = 15_000
WARM_PART = 5
"""One deposit in so many is made before the clock starts: caches are warm in an exchange that has run for a minute."""


def run(size: Size, folder: Path) -> list[Figure]:
    """Make books once and write to copies of them; return the figures."""
    base = folder / "base"
    master_key = new_master_key()
    books.make(base, master_key, size.assets)
    accounts = [account.id for account in books.fill(base, master_key, size.accounts, size.assets)]
    random_ = random.Random(11)
    commands = [
        Submission(books.deposit(random_, random_.choice(accounts), random_.choice(ASSETS[: size.assets])), OPERATOR)
        for _ in range(size.deposits)
    ]
    rounds = [durable.measure(base, folder, commands, len(commands) // WARM_PART) for _ in range(size.rounds)]
    return durable.figures("deposits", rounds, floor=FLOOR)
