"""Sheets read at the store's port from small books and from large ones; memory and start-up time of the large ones."""

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench import books, start
from bench.reads import signed_body
from bench.report import Figure, RunFailed
from bench.sizes import Size
from spotbook.app.ports import Reader
from spotbook.domain.account import USER_FIRST
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import new_master_key

RATIO_CEILING = 1.5
START_SECONDS_CEILING = 10.0
ASSETS = 2
"""Assets of an account: fewer than over HTTP, so that a million accounts are made in a minute or two."""
TRIES = 3
"""Rounds at the least: each is a second's work, and a median needs some."""


def run(size: Size, folder: Path) -> list[Figure]:
    """Make both books, read from them in turn, start a server on the large ones; return the figures."""
    assets, master_key = min(ASSETS, size.assets), new_master_key()
    few, many = folder / "few", folder / "many"
    begin = time.perf_counter()
    for place, accounts in ((few, size.few_accounts), (many, size.many_accounts)):
        books.make(place, master_key, assets)
        books.grow(place, accounts, assets)
    built = time.perf_counter() - begin
    [account] = books.make_keys(many, master_key, [USER_FIRST + size.many_accounts // 2])
    figures = [Figure("both books made in", built, "s"), Figure("accounts of the large books", size.many_accounts, "")]
    figures += _sheets(size, few, many, assets)
    figures += start.figures(many, master_key, signed_body(account), ceiling=START_SECONDS_CEILING)
    return figures


def _sheets(size: Size, few: Path, many: Path, assets: int) -> list[Figure]:
    readers = {"few": (SqliteReader(few), size.few_accounts), "many": (SqliteReader(many), size.many_accounts)}
    kinds: dict[str, Callable[[Reader, list[int]], float]] = {"sheet": _alone, "sheet in a held moment": _held}
    seen: dict[tuple[str, str], list[float]] = {(kind, which): [] for kind in kinds for which in readers}
    random_ = random.Random(5)
    for turn in range(1 + max(size.rounds, TRIES)):
        for which, (reader, accounts) in readers.items():
            asked = [USER_FIRST + random_.randrange(accounts) for _ in range(size.sheet_reads)]
            if any(len(reader.sheet(account).balances) != assets for account in asked[:100]):
                raise RunFailed("an account lacks a balance")
            for kind, read in kinds.items():
                took = read(reader, asked)
                if turn:  # the first turn warms
                    seen[kind, which].append(took)
    for reader, _ in readers.values():
        reader.close()
    figures = []
    for kind in kinds:
        p50 = {which: statistics.median(seen[kind, which]) for which in readers}
        figures += [
            Figure(f"{kind}: p50 of {size.few_accounts:,} accounts", p50["few"], "µs"),
            Figure(f"{kind}: p50 of {size.many_accounts:,} accounts", p50["many"], "µs"),
            Figure(f"{kind}: large / small", p50["many"] / p50["few"], "", ceiling=RATIO_CEILING),
        ]
    return figures


def _alone(reader: Reader, accounts: list[int]) -> float:
    """Return the median time of a sheet in microseconds, each with a snapshot of its own."""
    clock, sheet, took = time.perf_counter_ns, reader.sheet, []
    for account in accounts:
        begin = clock()
        sheet(account)
        took.append(clock() - begin)
    return statistics.median(took) / 1_000


def _held(reader: Reader, accounts: list[int]) -> float:
    """Return the same within one snapshot, as the calls of one turn of the server's loop share one."""
    with reader.snapshot():
        return _alone(reader, accounts)
