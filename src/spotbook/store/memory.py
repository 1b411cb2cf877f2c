"""The books in memory: the fake that passes every test of the real stores, for tests and tools.

`Books` is the disk; a `MemoryStore` writes to it and `MemoryReader`s read from it. Rows are kept by key and pages come
in key order, as from a database.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from spotbook.app import journal
from spotbook.app.ports import (
    Changes,
    Deposed,
    Head,
    Row,
    SealedKey,
    SealedSecret,
    Sheet,
    StoredBatch,
    WriterActive,
)
from spotbook.app.projection import TABLES, merged


class MemoryBooks:
    """What lasts: the journal, the projections, the sealed secrets."""

    def __init__(self) -> None:
        self.books = secrets.token_hex(16)
        self.head = journal.START
        self.batches: list[StoredBatch] = []
        self.tables: dict[str, dict[Row, Row]] = {name: {} for name in TABLES}
        self.secrets: dict[str, bytes] = {}
        self.commits = 0
        self.epoch = 0
        self.writing = False

    def write(self, changes: Changes) -> None:
        """Set and remove rows."""
        for table, removed in changes.removed.items():
            for key in removed:
                self.tables[table].pop(key, None)
        for table, rows in changes.rows.items():
            declared, kept = TABLES[table], self.tables[table]
            if declared.merges:
                for row in rows:
                    key = row[: declared.keys]
                    kept[key] = merged(declared, kept[key], row) if key in kept else tuple(row)
            else:
                kept.update((row[: declared.keys], tuple(row)) for row in rows)

    def account_rows(self, table: str, account: int) -> list[Row]:
        """Return the rows of a table whose key begins with the account, in key order."""
        return sorted(row for row in self.tables[table].values() if row[0] == account)


class MemoryReader:
    """The Reader port over books in memory. See `spotbook.app.ports.Reader`."""

    def __init__(self, disk: MemoryBooks) -> None:
        self._disk = disk
        self.books = disk.books

    def head(self) -> Head:
        return self._disk.head

    def changed(self) -> int:
        return self._disk.commits

    def damage(self) -> list[str]:
        return []

    def sheet(self, account: int) -> Sheet:
        rows = self._disk.account_rows("balance", account)
        versions = [int(row[4]) for row in rows]
        balances = [(int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in rows]
        return Sheet(max(versions, default=0), self._disk.head.number, self._disk.head.time, balances)

    def holds(self, account: int) -> tuple[int, list[Row]]:
        return self.sheet(account).version, self._disk.account_rows("hold", account)

    def sealed_key(self, api_key: str) -> SealedKey | None:
        row, sealed = self._disk.tables["api_key"].get((api_key,)), self._disk.secrets.get(api_key)
        return SealedKey(row, sealed) if row is not None and sealed is not None else None

    def master_key_check(self) -> bytes | None:
        return self._disk.secrets.get("")

    def keys_of(self, account: int, after: Row, limit: int) -> list[Row]:
        held = [row for row in self._disk.tables["api_key"].values() if row[1] == account]
        later = [row for row in held if not after or (row[5], row[0]) > after]
        return sorted(later, key=lambda row: (row[5], row[0]))[:limit]

    def find(self, table: str, key: Row) -> Row | None:
        return self._disk.tables[table].get(tuple(key))

    def count(self, table: str) -> int:
        return len(self._disk.tables[table])

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        kept = self._disk.tables[table]
        keys = sorted(key for key in kept if key[: len(prefix)] == prefix and (not after or key[len(prefix) :] > after))
        return [kept[key] for key in keys[:limit]]

    def span(self, table: str, prefix: Row, above: int, below: int, limit: int, *, newest: bool = True) -> list[Row]:
        columns = TABLES[table].columns
        by = [columns.index(column) for column in TABLES[table].sequence(len(prefix) + 1)]
        found = [
            row
            for row in self._disk.tables[table].values()
            if tuple(row[place] for place in by[:-1]) == tuple(prefix) and above < int(row[by[-1]]) < below
        ]
        return sorted(found, key=lambda row: row[by[-1]], reverse=newest)[:limit]

    def batches(self, after: int, limit: int) -> list[StoredBatch]:
        return self._disk.batches[after : after + limit]

    def hold(self) -> None:
        """Memory is read by one thread at a time, so every moment is one."""

    def release(self) -> None:
        """See `hold`."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """There is nothing to give back."""


class MemoryStore:
    """The Store port over books in memory. See `spotbook.app.ports.Store`."""

    def __init__(self, disk: MemoryBooks) -> None:
        if disk.writing:
            raise WriterActive("another store writes to these books")
        disk.writing = True
        disk.epoch += 1
        self._disk = disk
        self._epoch = disk.epoch
        self.books = disk.books

    def head(self) -> Head:
        return self._disk.head

    def begin(self) -> None:
        """Reading memory costs nothing that could be saved."""

    def end(self) -> None:
        """See `begin`."""

    def commit(self, batch: StoredBatch, changes: Changes, secrets: Sequence[SealedSecret]) -> None:
        disk = self._disk
        if disk.epoch != self._epoch or disk.head.number != batch.number - 1:
            raise Deposed("another writer has taken over these books")
        disk.batches.append(batch)
        disk.write(changes)
        disk.secrets.update(secrets)
        disk.head = Head(batch.number, batch.time, batch.hash)
        disk.commits += 1

    def find(self, table: str, key: Row) -> Row | None:
        return self._disk.tables[table].get(tuple(key))

    def find_all(self, table: str, keys: Sequence[Row]) -> list[Row]:
        kept = self._disk.tables[table]
        return [kept[key] for key in dict.fromkeys(map(tuple, keys)) if key in kept]

    def rows(self, table: str) -> list[Row]:
        return sorted(self._disk.tables[table].values())

    def last_version(self, account: int) -> int:
        return self.reader().sheet(account).version

    def keys_of(self, account: int) -> list[str]:
        held = [row for row in self._disk.tables["api_key"].values() if row[1] == account and not row[7]]
        return [str(row[0]) for row in sorted(held, key=lambda row: (row[5], row[0]))]

    def tidy(self) -> None:
        """Memory needs no tidying."""

    def probe(self) -> None:
        """Memory is never full."""

    def rebuild(self, changes: Iterator[Changes]) -> None:
        fresh = MemoryBooks()
        for change in changes:
            fresh.write(change)
        self._disk.tables = fresh.tables
        self._disk.commits += 1

    def reseal(self, secrets: Sequence[SealedSecret]) -> None:
        self._disk.secrets.update(secrets)
        self._disk.commits += 1

    def reader(self) -> MemoryReader:
        return MemoryReader(self._disk)

    def close(self) -> None:
        self._disk.writing = False
