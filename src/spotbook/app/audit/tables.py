"""The tables whose rows change, compared with what the replay makes of them, beside a running writer."""

from collections.abc import Iterator

from spotbook.app.audit import candles
from spotbook.app.audit.replay import Replay
from spotbook.app.audit.report import Findings
from spotbook.app.audit.words import difference, place_of
from spotbook.app.pages import every
from spotbook.app.ports import Reader, Row
from spotbook.app.projection import TABLES

Key = tuple[str, Row]
"""A table and a key in it."""

Rows = list[tuple[str, Row, Row | None]]
"""Table, key and row, None where there is none."""


def suspects(reader: Reader, replay: Replay, findings: Findings) -> Iterator[list[Key]]:
    """Yield the keys under which a table and the replay's differ, some at a time.

    A later batch may have changed them: they are to be read again in one moment with the head. The caller may let the
    replay go on between two yields.
    """
    found: list[Key] = []
    for table in replay.tables:
        try:
            for key in _differing(reader, table, replay):
                found.append((table, key))
                if len(found) >= SUSPECTS_MAX:
                    yield found
                    found = []
        except Exception as unreadable:  # noqa: BLE001  (whatever stands in the file is a finding, not the end)
            findings.add("tables", f"table {table} cannot be read: {unreadable}")
    yield found


SUSPECTS_MAX = 10_000
"""Keys that are read again in one snapshot: a tenth of a second."""


def _differing(reader: Reader, table: str, replay: Replay) -> Iterator[Row]:
    if table == candles.TABLE:
        yield from _differing_candles(reader, replay)
        return
    expected, keys, there = replay.tables[table], TABLES[table].keys, 0
    for row in every(reader, table):
        key = row[:keys]
        should = expected.get(key)
        there += should is not None
        if should != row:
            yield key
    if there < len(expected):
        seen = {row[:keys] for row in every(reader, table)}
        yield from [key for key in expected if key not in seen]


def _differing_candles(reader: Reader, replay: Replay) -> Iterator[Row]:
    """Yield the keys of candles that still last and differ. While this goes on, some may end."""
    expected, keys, seen = replay.candles.lasting, TABLES[candles.TABLE].keys, set()
    for row in every(reader, candles.TABLE):
        if replay.candles.lasts(row):
            key = row[:keys]
            seen.add(key)
            if expected.get(key) != row:
                yield key
    yield from [key for key in expected if key not in seen]


def reread(reader: Reader, keys: list[Key], findings: Findings) -> Rows:
    """Return the rows of these keys."""
    rows: Rows = []
    for table, key in keys:
        try:
            rows.append((table, key, reader.find(table, key)))
        except Exception as unreadable:  # noqa: BLE001  (the same)
            findings.add("tables", f"{table} {key} cannot be read: {unreadable}", **place_of(table, key))
    return rows


def compare(reader: Reader, rows: Rows, replay: Replay, findings: Findings) -> None:
    """Note every row that is not as the replay has it by now. Candles that have ended meanwhile are history's."""
    for table, key, row in rows:
        if table == candles.TABLE and not replay.candles.lasts(key):
            continue
        should = replay.tables[table].get(key)
        if row != should:
            place = place_of(table, should or row or key)
            if table == "balance" and should is not None:
                entry = reader.find("entry", (should[0], should[4]))
                place["batch"] = int(entry[-1]) if entry else None
            findings.add("tables", difference(findings, table, row, should), **place)
