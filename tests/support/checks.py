"""What must be so of any books, asked of their tables alone."""

from collections import defaultdict
from typing import Any

from spotbook.app import journal, projection
from spotbook.app.journal import Transaction
from spotbook.app.ports import Reader, Row
from spotbook.app.projection import TABLES
from spotbook.domain.events import Entry
from spotbook.store.memory import MemoryBooks

WORLD = 1
EVERYTHING = 10**9

Tables = dict[str, list[Row]]


def tables_of(reader: Reader) -> Tables:
    """Return all rows of all projections, in key order."""
    return {name: reader.page(name, (), (), EVERYTHING) for name in TABLES}


def rebuilt(reader: Reader) -> Tables:
    """Return all rows that the journal alone makes."""
    fresh = MemoryBooks()
    for batch in reader.batches(0, EVERYTHING):
        fresh.write(projection.changes_of(batch.number, journal.read(batch.body)[1]))
    return {name: [rows[key] for key in sorted(rows)] for name, rows in fresh.tables.items()}


def check_journal(reader: Reader) -> None:
    """Invariants 2 and 7: numbers have no gap, the chain holds and ends at the head, time never runs backwards."""
    head = journal.START
    for batch in reader.batches(0, EVERYTHING):
        time, transactions = journal.read(batch.body)
        assert batch == journal.chained(head, time, batch.body)
        assert time >= head.time
        for transaction in transactions:
            check_legs(transaction)
        head = type(head)(batch.number, batch.time, batch.hash)
    assert reader.head() == head


def check_legs(transaction: Transaction) -> None:
    """The legs of each asset sum to zero."""
    sums: dict[int, int] = defaultdict(int)
    for event in transaction.events:
        if isinstance(event, Entry):
            sums[event.asset] += event.available_after - event.available_before
            sums[event.asset] += event.frozen_after - event.frozen_before
    assert not any(sums.values())


def check_tables(reader: Reader) -> None:
    """The invariants 1, 3, 4, 6 and 7 of the books as they are stored."""
    tables = tables_of(reader)
    assert tables == rebuilt(reader)
    totals: dict[Any, int] = defaultdict(int)
    frozen: dict[Any, int] = defaultdict(int)
    for account, asset, available, held, _ in tables["balance"]:
        totals[asset] += int(available) + int(held)
        frozen[account, asset] += int(held)
        assert int(available) >= 0 or account == WORLD
        assert int(held) >= 0
        assert not held or account != WORLD
    assert not any(totals.values())
    for account, asset, _, _, amount in tables["hold"]:
        frozen[account, asset] -= int(amount)
    assert not any(frozen.values())
    check_entries(tables)


def check_entries(tables: Tables) -> None:
    """Each entry goes on where the one before it ended, and the last is the balance; versions have no gap."""
    versions: dict[Any, int] = defaultdict(int)
    sides: dict[Any, tuple[Any, ...]] = defaultdict(lambda: (0, 0))
    named: dict[Any, int] = {}
    for account, version, asset, available_before, available, frozen_before, frozen, *_ in tables["entry"]:
        assert version == versions[account] + 1
        assert sides[account, asset] == (available_before, frozen_before)
        versions[account] = int(version)
        sides[account, asset] = (available, frozen)
        named[account, asset] = int(version)
    shown = {(row[0], row[1]): (row[2], row[3], row[4]) for row in tables["balance"]}
    assert shown == {key: (*sides[key], named[key]) for key in sides}


def check_books(reader: Reader) -> None:
    """Everything above."""
    check_journal(reader)
    check_tables(reader)
