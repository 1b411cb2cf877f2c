"""Start-up with very many open orders: the books are rebuilt from them before the first call is answered."""

import time
from pathlib import Path

from bench import standing, start, trading
from bench.reads import signed_body
from bench.report import Figure
from bench.sizes import Size
from spotbook.store.vault import new_master_key

LEVELS = 20_000
"""Levels of each half of each book: with a million orders, six stand at each price."""


def run(size: Size, folder: Path) -> list[Figure]:
    """Make the books, start a server on them; return the figures."""
    begin, master_key = time.perf_counter(), new_master_key()
    accounts = trading.make(folder / "books", master_key, size.traders)
    standing.grow(folder / "books", size.traders, size.open_orders, levels=LEVELS)
    built = time.perf_counter() - begin
    return [
        Figure("books made in", built, "s"),
        Figure("open orders", size.open_orders, ""),
        *start.figures(folder / "books", master_key, signed_body(accounts[-1])),
    ]
