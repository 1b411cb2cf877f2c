"""The replay: every batch taken in order, checked against what went before, and folded into the rows expected."""

import sys
from collections.abc import Callable, Iterable, Iterator

from spotbook.app.audit import candles, chain
from spotbook.app.audit.candles import Candles
from spotbook.app.audit.history import Marks, Tally
from spotbook.app.audit.report import Findings
from spotbook.app.audit.transaction import Checks
from spotbook.app.journal import START, Transaction
from spotbook.app.ports import Changes, Head, Row, StoredBatch
from spotbook.app.projection import TABLES, Fold, merged
from spotbook.domain.asset import Asset


class Replay:
    """What the batches taken so far make of the books.

    `tables` holds the rows of every table whose rows change, by key; `tallies` the digests of every table that grows.
    Candles are in both: those that still last as rows, the others as digests.
    """

    def __init__(self, findings: Findings, secret: bytes) -> None:
        self._findings = findings
        self.head: Head = START
        self.tables: dict[str, dict[Row, Row]] = {name: {} for name, table in TABLES.items() if not table.grows}
        self.candles = Candles()
        self.tables[candles.TABLE] = self.candles.lasting
        growing = [table for name, table in TABLES.items() if table.grows or name == candles.TABLE]
        self.tallies = {table.name: Tally(table.keys, secret) for table in growing}
        self.checks = Checks(self.tables, findings)

    def marks(self) -> Marks:
        """Return up to where the digests count."""
        counter = self.tables["counter"].get(("deposit",))
        return Marks(self.head.number, int(counter[1]) if counter else 0, self.candles.ended_by)

    def take(self, batch: StoredBatch) -> None:
        """Take the next batch. Whatever is wrong with it is noted, and the replay goes on as well as it can."""
        for _ in self.steps(batch, sys.maxsize):
            pass

    def steps(self, batch: StoredBatch, most: int) -> Iterator[None]:
        """Take the next batch by steps of about `most` events or rows: a step ends with a transaction.

        Only when all steps are done is the replay where the batch left the books.
        """
        wrong = chain.fault(self.head, batch)
        if wrong:
            self._findings.add(*wrong, batch=self.head.number + 1 if wrong[0] == "numbers" else batch.number)
        # Each link is checked against the hash as it is stored, so that one changed batch is one finding.
        self.head = Head(batch.number, max(batch.time, self.head.time), batch.hash)
        yield  # to have a large batch hashed, and be rid of the one before it, is a step of its own
        try:
            transactions: list[Transaction] = []
            yield from _by_events(
                chain.reading(batch), most, transactions.append
            )  # nothing is folded before all is read
            fold = Fold(batch.number)
            yield from _by_events(transactions, most, fold.take)
            changes = fold.changes()
        except Exception as odd:  # noqa: BLE001  (whatever stands in the file is a finding, not the end)
            words = f"the bytes of batch {batch.number} are not what the writer writes: {odd}"
            self._findings.add("bytes", words, batch=batch.number)
            return
        for row in changes.rows.get("asset", ()):
            self._findings.assets[int(row[0])] = Asset(*row)  # type: ignore[arg-type]
        yield from _by_events(
            transactions, most, lambda transaction: self.checks.transaction(batch.number, batch.time, transaction)
        )
        yield from self._fold(changes, most)
        self.tallies[candles.TABLE].add(self.candles.pass_to(self.head.time))

    def _fold(self, changes: Changes, most: int) -> Iterator[None]:
        for table, removed in changes.removed.items():
            for key in removed:
                self.tables[table].pop(key, None)
        for table, rows in changes.rows.items():
            for start in range(0, len(rows), most):
                self._set(table, rows[start : start + most])
                yield

    def _set(self, table: str, rows: list[Row]) -> None:
        declared = TABLES[table]
        if declared.grows:
            self.tallies[table].add(rows)
            return
        expected = self.tables[table]
        for row in rows:
            key = row[: declared.keys]
            is_merged = declared.merges and key in expected
            expected[key] = merged(declared, expected[key], row) if is_merged else row


def _by_events(transactions: Iterable[Transaction], most: int, take: Callable[[Transaction], None]) -> Iterator[None]:
    """Have every transaction taken; yield after about `most` events."""
    taken = 0
    for transaction in transactions:
        take(transaction)
        taken += len(transaction.events)
        if taken >= most:
            taken = 0
            yield
