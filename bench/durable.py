"""Durable commands through the engine, beside the bare `executemany` of the very rows that they came to.

Both begin with the same books and write to the same disk in the same number of transactions. The bare side decides
nothing, chains nothing and answers nobody: it is what SQLite alone does with these rows.
"""

import shutil
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.books import Submission, engine_on, submit_all
from bench.report import Figure
from spotbook.app import journal, projection
from spotbook.app.ports import Changes, StoredBatch
from spotbook.app.projection import TABLES, Table
from spotbook.app.writer import Commit
from spotbook.bootstrap import spare_collector
from spotbook.limits import CHECKPOINT_ROWS, PAGE_ROWS_MAX
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore


class Took(NamedTuple):
    """Seconds on the wall, and seconds of this process's time on its processors."""

    wall: float
    busy: float


class Round(NamedTuple):
    """What one round saw, after its warm part.

    `commands` is how many, `rows` what they came to: rows put by table, and rows removed by ``-table``.
    """

    commands: int
    engine: Took
    bare: Took
    batch_sizes: list[int]
    depths: list[int]
    rows: Counter[str]


class _Written(NamedTuple):
    """A batch, the rows that it came to, and how many commands changed anything in it."""

    batch: StoredBatch
    changes: Changes
    commands: int


def measure(base: Path, folder: Path, submissions: list[Submission], warm: int) -> Round:
    """Carry the submissions out on a copy of `base`, and write the same rows into another; the first `warm` warm."""
    ours, bare = folder / "ours", folder / "bare"
    for copy in (ours, bare):
        shutil.copytree(base, copy)
    depths: list[int] = []

    def committed(_: Commit) -> None:
        depths.append(engine.queued)

    store = SqliteStore(ours)
    spare_collector()  # as a server that is ready does
    before = store.head().number
    with engine_on(store, committed) as engine:
        submit_all(engine, submissions[:warm])
        first_timed = store.head().number + 1
        depths.clear()
        engine_took = clocked(lambda: submit_all(engine, submissions[warm:]))
    written = _written(store, before)
    store.close()
    timed = first_timed - before - 1
    bare_took = _bare(bare, written[:timed], written[timed:])
    for copy in (ours, bare):
        shutil.rmtree(copy)
    sizes = [batch.commands for batch in written[timed:]]
    return Round(len(submissions) - warm, engine_took, bare_took, sizes, depths, _rows(written[timed:]))


def figures(what: str, rounds: list[Round], *, floor: float, ratio_floor: float = 0) -> list[Figure]:
    """Return the medians of the rounds; `what` names the commands, such as ``deposits``."""

    def median(value: Callable[[Round], float]) -> float:
        return statistics.median(value(seen) for seen in rounds)

    rows = rounds[-1].rows.total() / rounds[-1].commands
    return [
        Figure(
            f"durable {what} through the engine", median(lambda seen: seen.commands / seen.engine.wall), "1/s", floor
        ),
        Figure("the same rows by bare executemany", median(lambda seen: seen.commands / seen.bare.wall), "1/s"),
        Figure("engine / bare", median(lambda seen: seen.bare.wall / seen.engine.wall), "", ratio_floor),
        Figure("engine / bare, by processor time", median(lambda seen: seen.bare.busy / seen.engine.busy), ""),
        Figure(f"{what} in a batch, median", statistics.median(n for seen in rounds for n in seen.batch_sizes), ""),
        Figure("queue at a commit, median", statistics.median(n for seen in rounds for n in seen.depths), ""),
        Figure("rows put or removed by one", rows, ""),
    ]


def clocked(work: Callable[[], object]) -> Took:
    """Return what some work takes."""
    wall, busy = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - busy)


def _written(store: SqliteStore, after: int) -> list[_Written]:
    """Return the batches above a number, each with the rows that it came to."""
    reader = store.reader()
    found: list[_Written] = []
    while page := reader.batches(after, PAGE_ROWS_MAX):
        for batch in page:
            _, transactions = journal.read(batch.body)
            found.append(_Written(batch, projection.changes_of(batch.number, transactions), len(transactions)))
        after = page[-1].number
    reader.close()
    return found


def _rows(written: list[_Written]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for _, changes, _ in written:
        counted.update({table: len(rows) for table, rows in changes.rows.items()})
        counted.update({f"-{table}": len(keys) for table, keys in changes.removed.items()})
    return counted


def _bare(folder: Path, warm: list[_Written], timed: list[_Written]) -> Took:
    """Write the batches with their rows; return what those that are timed took."""
    from spotbook.store.file import WRITER_PRAGMAS  # noqa: PLC0415  (an older spotbook has them elsewhere)

    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    for pragma in WRITER_PRAGMAS:
        connection.execute(pragma).fetchall()
    _put_all(connection, warm)
    took = clocked(lambda: _put_all(connection, timed))
    connection.close()
    return took


def _put_all(connection: sqlite3.Connection, written: list[_Written]) -> None:
    puts = {name: _put(table) for name, table in TABLES.items()}
    removes = {name: _remove(table) for name, table in TABLES.items()}
    rows = 0
    for batch, changes, _ in written:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE head SET number = ?, time = ?, hash = ?", batch[:3])
        connection.execute("INSERT INTO batch (number, time, hash, body) VALUES (?, ?, ?, ?)", batch)
        for table, keys in changes.removed.items():
            connection.executemany(removes[table], keys)
        for table, put in changes.rows.items():
            connection.executemany(puts[table], put)
            rows += len(put)
        connection.execute("COMMIT")
        if rows >= CHECKPOINT_ROWS:  # as often as the store does
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            rows = 0


def _remove(table: Table) -> str:
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{key} = ?' for key in table.columns[: table.keys])}"


def _put(table: Table) -> str:
    columns = table.columns
    put = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    if table.grows:
        return put
    ways = {"max": "max({0}, excluded.{0})", "min": "min({0}, excluded.{0})", "sum": "{0} + excluded.{0}"}
    merges = table.merges or tuple((column, "last") for column in columns[table.keys :])
    others = ", ".join(f"{column} = {ways.get(way, 'excluded.{0}').format(column)}" for column, way in merges)
    return f"{put} ON CONFLICT ({', '.join(columns[: table.keys])}) DO UPDATE SET {others}"
