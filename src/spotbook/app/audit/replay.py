"""The replay: every batch taken in order, checked against what went before, and folded into the rows expected."""

from spotbook.app.audit import candles, chain
from spotbook.app.audit.candles import Candles
from spotbook.app.audit.history import Tally
from spotbook.app.audit.report import Findings
from spotbook.app.audit.transaction import Checks
from spotbook.app.journal import START
from spotbook.app.ports import Changes, Head, Row, StoredBatch
from spotbook.app.projection import TABLES, changes_of, merged
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

    def take(self, batch: StoredBatch) -> None:
        """Take the next batch. Whatever is wrong with it is noted, and the replay goes on as well as it can."""
        wrong = chain.fault(self.head, batch)
        if wrong:
            self._findings.add(*wrong, batch=batch.number)
        # Each link is checked against the hash as it is stored, so that one changed batch is one finding.
        self.head = Head(batch.number, max(batch.time, self.head.time), batch.hash)
        try:
            transactions = chain.read(batch)
            changes = changes_of(batch.number, transactions)
        except Exception as odd:  # noqa: BLE001  (whatever stands in the file is a finding, not the end)
            words = f"the bytes of batch {batch.number} are not what the writer writes: {odd}"
            self._findings.add("bytes", words, batch=batch.number)
            return
        for row in changes.rows.get("asset", ()):
            self._findings.assets[int(row[0])] = Asset(*row)  # type: ignore[arg-type]
        for transaction in transactions:
            self.checks.transaction(batch.number, batch.time, transaction)
        self._fold(changes)
        self.tallies[candles.TABLE].add(self.candles.pass_to(self.head.time))

    def _fold(self, changes: Changes) -> None:
        for table, removed in changes.removed.items():
            for key in removed:
                self.tables[table].pop(key, None)
        for table, rows in changes.rows.items():
            if TABLES[table].grows:
                self.tallies[table].add(rows)
            else:
                declared, expected = TABLES[table], self.tables[table]
                for row in rows:
                    key = row[: declared.keys]
                    is_merged = declared.merges and key in expected
                    expected[key] = merged(declared, expected[key], row) if is_merged else row
