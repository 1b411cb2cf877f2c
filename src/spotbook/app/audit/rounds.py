"""The audit beside a running writer: one replay that is kept, and rounds over all tables, in small steps.

A round catches up with the journal, compares every table with the replay, and reads the journal's chain again from its
first batch, so that a row that became wrong is found within one round, although no batch is replayed twice. It goes on
catching up all the while.

The method is that of a whole pass (see the package): a row that differs is only suspected, and read again in one
moment with the head; the replay goes on to just that head, and what differs then is a finding. Tables that grow are
compared by the sums of their parts up to the batch at which the reading began.

What ends a round::

    RoundEnds
    ├── ReadLater      a read failed in a way that says nothing of the books: try again in a while
    ├── JournalBack    the journal ends before what was replayed of it: begin from the first batch
    ├── ReplayFailed   a fault of the program: begin from the first batch
    └── TooLarge       more rows change than are to be kept in memory
"""

import secrets
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from spotbook.app.audit import candles, chain, tables, totals
from spotbook.app.audit.history import History
from spotbook.app.audit.replay import Replay
from spotbook.app.audit.report import Finding, Findings
from spotbook.app.journal import START
from spotbook.app.pages import pages
from spotbook.app.ports import Head, Reader, Row, StoredBatch
from spotbook.app.projection import TABLES
from spotbook.limits import AUDIT_ROWS_MAX, AUDIT_SLICE_ROWS

BATCHES_AT_ONCE = 8
"""Batches read by one statement: the largest are some 2 MB."""

T = TypeVar("T")
Steps = Generator[None, None, T]


class RoundEnds(Exception):
    """The round did not come to its end."""


class ReadLater(RoundEnds):
    """The books cannot be read for now."""


class JournalBack(RoundEnds):
    """The journal ends before what was replayed of it."""


class ReplayFailed(RoundEnds):
    """A batch could not be replayed: a fault of the program."""


class TooLarge(RoundEnds):
    """The books have more rows that change than are to be kept in memory."""


class Rounds:
    """Rounds over one store's books. Readers come with each round; the replay stays.

    `passing` says of what a read raised whether it may do better later. A step takes about `slice_rows` rows or events.
    """

    def __init__(
        self,
        *,
        passing: Callable[[Exception], bool] = lambda _: False,
        rows_max: int = AUDIT_ROWS_MAX,
        slice_rows: int = AUDIT_SLICE_ROWS,
    ) -> None:
        self._passing = passing
        self._rows_max = rows_max
        self._slice = slice_rows
        self._secret = secrets.token_bytes(16)
        self._findings = Findings()
        self._replay = Replay(self._findings, self._secret)
        self._in_doubt = False

    @property
    def batch(self) -> int:
        """The batch up to which the journal is replayed."""
        return self._replay.head.number

    def drain(self) -> tuple[Finding, ...]:
        """Return what was found since this was last asked."""
        return self._findings.drain()

    def round(self, reader: Reader) -> Steps[bool]:
        """Make one round, a step at a time; return whether all was read. Raises RoundEnds.

        A round that was begun must be taken to its end, or be the last.
        """
        try:
            yield from self._catch_up(reader, chain.end(reader))
            for table in self._replay.tables:
                yield from self._read(f"table {table}", lambda table=table: self._changing(reader, table))  # type: ignore[misc]
            for table in self._replay.tallies:
                yield from self._read(f"table {table}", lambda table=table: self._growing(reader, table))  # type: ignore[misc]
            yield from self._read("the journal", lambda: self._beside(reader, self._journal(reader)))
            yield from totals.steps(self._replay.tables, self._findings, self._slice)
        except (chain.Unreadable, chain.EndUnreadable) as odd:
            passing = isinstance(odd.__cause__, Exception) and self._passing(odd.__cause__)
            if passing or not self._in_doubt:  # what was read wrong once may have been read wrong
                self._in_doubt = self._in_doubt or not passing
                raise ReadLater(str(odd)) from odd
            if isinstance(odd, chain.Unreadable):
                self._findings.add("numbers", str(odd), batch=odd.after + 1)
            else:
                self._findings.add("head", str(odd))
            return False
        self._in_doubt = False
        return True

    def _read(self, what: str, make: Callable[[], Steps[None]]) -> Steps[None]:
        """Take the steps; when they cannot read, once again; then it is a finding."""
        odd: Exception
        for _ in range(2):
            try:
                yield from make()
            except (RoundEnds, chain.Unreadable, chain.EndUnreadable):
                raise
            except Exception as unreadable:
                if self._passing(unreadable):
                    raise ReadLater(f"{what} cannot be read for now: {unreadable}") from unreadable
                odd = unreadable
            else:
                return
        self._findings.add("tables", f"{what} cannot be read: {odd}")

    # --- the journal --------------------------------------------------------------------------------------------------

    def _catch_up(self, reader: Reader, head: Head) -> Iterator[None]:
        """Replay up to this head, and no further."""
        replay, findings = self._replay, self._findings
        if head.number < self.batch:
            words = f"the journal ends with batch {head.number}; it went on to batch {self.batch} before"
            findings.add("head", words, batch=head.number)
            raise JournalBack(words)
        for batch in chain.stored(reader, self.batch, head.number, BATCHES_AT_ONCE):
            yield from self._take(batch)
        if self.batch < head.number:
            missing = f"batches {self.batch + 1} to {head.number} are missing from the journal"
            findings.add("numbers", missing, batch=self.batch + 1)
        elif head != replay.head:
            findings.add("head", f"the head of the journal is not its last batch, {self.batch}", batch=self.batch)
        replay.head = head  # so that it is said once

    def _take(self, batch: StoredBatch) -> Iterator[None]:
        try:
            yield from self._replay.steps(batch, self._slice)
        except Exception as fault:
            raise ReplayFailed(f"batch {batch.number} could not be replayed") from fault
        rows = sum(map(len, self._replay.tables.values()))
        if rows > self._rows_max:
            raise TooLarge(f"{rows} rows change, and {self._rows_max} are kept: use `spotbook audit`")

    def _beside(self, reader: Reader, steps: Steps[T]) -> Steps[T]:
        """Take the steps, and catch up between them; return what they come to."""
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            yield
            yield from self._catch_up(reader, chain.end(reader))

    def _journal(self, reader: Reader) -> Steps[None]:
        """Read the journal's chain again: it still leads to where it led when it was replayed."""
        first = reader.batches(-(2**63), 1)
        if first and first[0].number < 1:
            self._findings.add("numbers", "the journal begins with batch 1", batch=first[0].number)
        mark, previous = self._replay.head, START
        for batch in chain.stored(reader, 0, mark.number, BATCHES_AT_ONCE):
            wrong = chain.fault(previous, batch)
            if wrong:
                self._findings.add(*wrong, batch=batch.number)
            previous = Head(batch.number, max(batch.time, previous.time), batch.hash)
            yield
        if previous.number < mark.number:
            missing = f"batches {previous.number + 1} to {mark.number} are missing from the journal"
            self._findings.add("numbers", missing, batch=previous.number + 1)
        elif previous.hash != mark.hash:
            words = f"the journal up to batch {mark.number} was written anew since it was replayed"
            self._findings.add("chain", words, batch=mark.number)

    # --- tables whose rows change -------------------------------------------------------------------------------------

    def _changing(self, reader: Reader, table: str) -> Steps[None]:
        expected, keys = self._replay.tables[table], TABLES[table].keys
        for rows in pages(reader, table, rows_max=self._slice):
            if table == candles.TABLE:  # those that ended are compared with what grows
                rows = [row for row in rows if self._replay.candles.lasts(row)]  # noqa: PLW2901
            suspects = [row[:keys] for row in rows if expected.get(row[:keys]) != row]
            if suspects:
                yield from self._examine(reader, table, suspects)
            yield
            yield from self._catch_up(reader, chain.end(reader))
        yield from self._missing(reader, table)

    def _missing(self, reader: Reader, table: str) -> Iterator[None]:
        """Look for rows that should be there: one by one only if there are fewer than there should be."""
        if table != candles.TABLE:
            with reader.snapshot():
                head, count = chain.end(reader), reader.count(table)
            yield from self._catch_up(reader, head)
            if count >= len(self._replay.tables[table]):
                return
        keys = list(self._replay.tables[table])
        for start in range(0, len(keys), self._slice):
            gone = [key for key in keys[start : start + self._slice] if reader.find(table, key) is None]
            if gone:
                yield from self._examine(reader, table, gone)
            yield

    def _examine(self, reader: Reader, table: str, keys: list[Row]) -> Iterator[None]:
        """Compare the rows of these keys as they are together with one head."""
        with reader.snapshot():
            head = chain.end(reader)
            beyond = reader.batches(head.number, 1)
            rows: tables.Rows = [(table, key, reader.find(table, key)) for key in keys]
        yield from self._catch_up(reader, head)
        if beyond:
            number = beyond[0].number
            words = f"batch {number} lies beyond the head, which is {head.number}"
            self._findings.add("head", words, batch=number)
        tables.compare(reader, rows, self._replay, self._findings)

    # --- tables that grow ---------------------------------------------------------------------------------------------

    def _growing(self, reader: Reader, table: str) -> Steps[None]:
        sums = {table: self._replay.tallies[table].copy()}
        history = History(reader, sums, self._replay.marks(), self._secret)
        parts: set[int] | None = None
        for _ in range(2):  # the same here
            differing = yield from self._beside(reader, history.scan(table, self._findings, self._slice))
            parts = set(differing) if parts is None else parts & set(differing)
            if not parts:
                return
        words = f"table {table} is not what the journal makes of it; which rows, is looked for"
        self._findings.add("tables", words)
        yield
        yield from self._beside(reader, history.explain({table: sorted(parts or ())}, self._findings, self._slice))
