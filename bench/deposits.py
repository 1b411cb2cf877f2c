"""Durable deposits through the engine, beside the bare `executemany` of the very rows that they came to.

Both begin with the same books and write to the same disk in the same number of transactions. The bare side decides
nothing, chains nothing and answers nobody: it is what SQLite alone does with these rows.
"""

import random
import shutil
import sqlite3
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from bench import books
from bench.books import ASSETS, OPERATOR, Submission, engine_on, submit_all
from bench.report import Figure
from bench.sizes import Size
from spotbook.app import journal, projection
from spotbook.app.ports import Changes, StoredBatch
from spotbook.app.projection import TABLES, Table
from spotbook.app.writer import Commit
from spotbook.bootstrap import spare_collector
from spotbook.limits import CHECKPOINT_ROWS, PAGE_ROWS_MAX
from spotbook.store.sqlite import FILE, WRITER_PRAGMAS, SqliteStore
from spotbook.store.vault import new_master_key

FLOOR = 15_000
WARM_PART = 5
"""One deposit in so many is made before the clock starts: caches are warm in an exchange that has run for a minute."""


class Round(NamedTuple):
    """What one round saw: deposits a second by each side, commands per batch, and how many waited at each commit."""

    engine_rate: float
    bare_rate: float
    batch_sizes: list[int]
    depths: list[int]


def run(size: Size, folder: Path) -> list[Figure]:
    """Make books once and write to copies of them; return the figures."""
    base = folder / "base"
    master_key = new_master_key()
    books.make(base, master_key, size.assets)
    accounts = [account.id for account in books.fill(base, master_key, size.accounts, size.assets)]
    random_ = random.Random(11)
    commands = [
        Submission(books.deposit(random_, random_.choice(accounts), random_.choice(ASSETS[: size.assets])))
        for _ in range(size.deposits)
    ]
    rounds = [_round(base, folder, commands) for _ in range(size.rounds)]
    engine_rate = statistics.median(seen.engine_rate for seen in rounds)
    bare_rate = statistics.median(seen.bare_rate for seen in rounds)
    ratio = statistics.median(seen.engine_rate / seen.bare_rate for seen in rounds)
    return [
        Figure("durable deposits through the engine", engine_rate, "1/s", floor=FLOOR),
        Figure("the same rows by bare executemany", bare_rate, "1/s"),
        Figure("engine / bare", ratio, ""),
        Figure("deposits in a batch, median", statistics.median(n for seen in rounds for n in seen.batch_sizes), ""),
        Figure("queue at a commit, median", statistics.median(n for seen in rounds for n in seen.depths), ""),
    ]


def _round(base: Path, folder: Path, commands: list[Submission]) -> Round:
    ours, bare = folder / "ours", folder / "bare"
    for copy in (ours, bare):
        shutil.copytree(base, copy)
    sizes: list[int] = []
    depths: list[int] = []

    def committed(commit: Commit) -> None:
        sizes.append(len(commit.transactions))
        depths.append(engine.queued)

    warm = len(commands) // WARM_PART
    store = SqliteStore(ours)
    spare_collector()  # as a server that is ready does
    before = store.head().number
    with engine_on(store, committed) as engine:
        submit_all(engine, commands[:warm], OPERATOR)
        first_timed = store.head().number + 1
        sizes.clear()
        depths.clear()
        begin = time.perf_counter()
        submit_all(engine, commands[warm:], OPERATOR)
        took = time.perf_counter() - begin
    batches = _batches(store, before)
    store.close()
    count = len(commands) - warm
    bare_took = _bare(bare, batches, first_timed)
    for copy in (ours, bare):
        shutil.rmtree(copy)
    return Round(count / took, count / bare_took, sizes, depths)


def _batches(store: SqliteStore, after: int) -> list[tuple[StoredBatch, Changes]]:
    """Return the batches above a number, each with the rows that it came to."""
    reader = store.reader()
    found: list[tuple[StoredBatch, Changes]] = []
    while page := reader.batches(after, PAGE_ROWS_MAX):
        for batch in page:
            _, transactions = journal.read(batch.body)
            found.append((batch, projection.changes_of(batch.number, transactions)))
        after = page[-1].number
    reader.close()
    return found


def _bare(folder: Path, batches: list[tuple[StoredBatch, Changes]], first_timed: int) -> float:
    """Write the batches with their rows; return the seconds that those from `first_timed` on took."""
    puts = {name: _put(table) for name, table in TABLES.items()}
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    for pragma in WRITER_PRAGMAS:
        connection.execute(pragma).fetchall()
    begin, rows = time.perf_counter(), 0
    for batch, changes in batches:
        if batch.number == first_timed:
            begin = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE head SET number = ?, time = ?, hash = ?", batch[:3])
        connection.execute("INSERT INTO batch (number, time, hash, body) VALUES (?, ?, ?, ?)", batch)
        for table, put in changes.rows.items():
            connection.executemany(puts[table], put)
            rows += len(put)
        connection.execute("COMMIT")
        if rows >= CHECKPOINT_ROWS:  # as often as the store does
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            rows = 0
    took = time.perf_counter() - begin
    connection.close()
    return took


def _put(table: Table) -> str:
    columns = table.columns
    put = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    if table.grows:
        return put
    others = ", ".join(f"{column} = excluded.{column}" for column in columns[table.keys :])
    return f"{put} ON CONFLICT ({', '.join(columns[: table.keys])}) DO UPDATE SET {others}"
