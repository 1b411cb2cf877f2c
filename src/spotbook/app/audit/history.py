"""The tables that grow, compared with the journal in bounded memory.

The rows of a table are spread over parts by their key. Of each part there is one sum: of the digests of its rows, from
the replay and from the table. Only parts whose sums differ are looked at row by row, in a second reading of both.

The digest is Python's own hash of bytes, SipHash, which is the quickest there is; bytes that nobody knows come first,
anew for each audit, so that no rows can be made up whose sum comes out right.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from spotbook.app.audit import candles, chain
from spotbook.app.audit.report import Findings
from spotbook.app.audit.words import difference, place_of
from spotbook.app.journal import NotCanonical
from spotbook.app.pages import pages
from spotbook.app.ports import Reader, Row
from spotbook.app.projection import TABLES, changes_of, merged
from spotbook.limits import PAGE_ROWS_MAX

T = TypeVar("T")

PARTS = 65_536
"""With a thousand million rows, a part has some 15,000."""

EXPLAINED_MAX = 64
"""Parts that are looked at row by row."""

_encode = msgspec.json.Encoder().encode


class Tally:
    """The sums of digests, by part."""

    def __init__(self, keys: int, secret: bytes) -> None:
        self._keys = keys
        self._secret = secret
        self.sums = [0] * PARTS

    def part(self, row: Row) -> int:
        """Return the part in which the row is counted."""
        return hash(row[: self._keys]) % PARTS

    def copy(self) -> "Tally":
        """Return the sums of this moment."""
        copy = Tally(self._keys, self._secret)
        copy.sums[:] = self.sums
        return copy

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows."""
        sums, keys, secret = self.sums, self._keys, self._secret
        for row in rows:
            sums[hash(row[:keys]) % PARTS] += hash(secret + _encode(row))

    def differing(self, other: "Tally") -> list[int]:
        """Return the parts whose sums are not the same."""
        if self.sums == other.sums:  # as nearly always, and much quicker told
            return []
        return [part for part, (one, two) in enumerate(zip(self.sums, other.sums, strict=True)) if one != two]


class Marks(NamedTuple):
    """Up to where the tables are compared: the last batch, the last deposit that it knows, the last candle's end."""

    batch: int
    deposit: int
    candle_end: int


class Bound(NamedTuple):
    """Up to where the rows of one table are compared: those that `of` puts above `last` came later.

    `now` says where the table itself ends at this moment; None when what came later is compared elsewhere.
    """

    last: int
    of: Callable[[Row], Any]
    now: Callable[[], int] | None


def _last(row: Row) -> Any:
    return row[-1]


class History:
    """Compares every table that grows, and the candles that ended, with what the replay counted, up to some marks."""

    def __init__(self, reader: Reader, tallies: dict[str, Tally], marks: Marks, secret: bytes) -> None:
        self._reader = reader
        self._tallies = tallies
        self._last = marks.batch
        self._secret = secret
        self._bounds = dict.fromkeys(tallies, Bound(marks.batch, _last, lambda: reader.head().number))
        # A row of deposit_identity has no batch; deposits are numbered in the order in which they are made.
        self._bounds["deposit_identity"] = Bound(marks.deposit, _last, self._deposits_now)
        self._bounds[candles.TABLE] = Bound(marks.candle_end, candles.end_of, None)

    def _deposits_now(self) -> int:
        counter = self._reader.find("counter", ("deposit",))
        return int(counter[1]) if counter else 0

    def compare(self, findings: Findings) -> None:
        """Note every row that is missing, left over or different."""
        differing = {}
        for table in self._tallies:
            try:
                differing[table] = finished(self.scan(table, findings))
            except Exception as unreadable:  # noqa: BLE001  (whatever stands in the file is a finding, not the end)
                findings.add("tables", f"table {table} cannot be read: {unreadable}")
        differing = {table: parts for table, parts in differing.items() if parts}
        if differing:
            try:
                finished(self.explain(differing, findings))
            except Exception as unreadable:  # noqa: BLE001  (the same)
                findings.add("tables", f"{', '.join(differing)} differ from the journal, and {unreadable}")

    def scan(self, table: str, findings: Findings, rows_max: int = PAGE_ROWS_MAX) -> Generator[None, None, list[int]]:
        """Read a table, up to `rows_max` rows a step; return the parts that are not as the replay has them."""
        last, of, now = self._bounds[table]
        tally = Tally(TABLES[table].keys, self._secret)
        latest: Row = (last,)
        for rows in pages(self._reader, table, rows_max=rows_max):
            # A row with anything but a number there makes the table unreadable.
            later = [row for row in rows if of(row) > last]
            tally.add([row for row in rows if of(row) <= last] if later else rows)
            latest = max([latest, *later], key=_last) if now else latest
            yield
        if now and _last(latest) > now():
            findings.add("tables", f"table {table} has a row that no batch made: {latest}", **place_of(table, latest))
        return self._tallies[table].differing(tally)

    def explain(
        self, differing: dict[str, list[int]], findings: Findings, rows_max: int = PAGE_ROWS_MAX
    ) -> Generator[None, None, None]:
        """Note the rows by which these parts differ, a batch or up to `rows_max` rows a step."""
        wanted = {table: set(parts[:EXPLAINED_MAX]) for table, parts in differing.items()}
        expected: dict[str, dict[Row, Row]] = {table: {} for table in wanted}
        for made in self._journalled(wanted):
            for table, row in made:
                key = row[: TABLES[table].keys]
                if TABLES[table].merges and key in expected[table]:
                    row = merged(TABLES[table], expected[table][key], row)  # noqa: PLW2901  (what it became by now)
                elif key in expected[table]:
                    words = f"the journal makes a row of {table} twice: {key}"
                    findings.add("twice", words, **place_of(table, row))
                expected[table][key] = row
            yield
        for table, parts in differing.items():
            yield from self._compare_rows(table, wanted[table], expected[table], findings, rows_max)
            if len(parts) > EXPLAINED_MAX:
                words = f"{len(parts) - EXPLAINED_MAX} parts more of table {table} differ from the journal"
                findings.add("tables", words)

    def _journalled(self, wanted: dict[str, set[int]]) -> Iterator[list[tuple[str, Row]]]:
        """Yield, batch by batch, the rows of the wanted parts as the journal makes them."""
        for batch in chain.stored(self._reader, 0, self._last):
            try:
                rows = changes_of(batch.number, chain.read(batch)).rows
            except NotCanonical:
                continue  # the replay has said so
            made: list[tuple[str, Row]] = []
            for table, parts in wanted.items():
                part, (last, of, _) = self._tallies[table].part, self._bounds[table]
                made += [(table, row) for row in rows.get(table, ()) if part(row) in parts and of(row) <= last]
            yield made

    def _compare_rows(
        self, table: str, parts: set[int], expected: dict[Row, Row], findings: Findings, rows_max: int
    ) -> Iterator[None]:
        keys, part, (last, of, _) = TABLES[table].keys, self._tallies[table].part, self._bounds[table]
        for rows in pages(self._reader, table, rows_max=rows_max):
            for row in rows:
                if part(row) not in parts or of(row) > last:
                    continue
                should = expected.pop(row[:keys], None)
                if should != row:
                    findings.add("tables", difference(findings, table, row, should), **place_of(table, should or row))
            yield
        for should in expected.values():
            findings.add("tables", difference(findings, table, None, should), **place_of(table, should))


def finished(steps: Generator[None, None, T]) -> T:
    """Return what steps come to, taken at one go."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
