"""Finding a time in rows that are kept by id.

Ids are given out as time goes on, so within an account or a market they grow together with the time of placing or of
the trade. Where a time begins is therefore found by halving the range of ids: some thirty reads of one row each,
however long the history is.
"""

from typing import Literal, cast

from spotbook.app.ports import Reader, Row
from spotbook.app.projection import TABLES
from spotbook.limits import ID_MAX

Timed = Literal["closed_order", "fill", "trade"]


def ids_within(
    reader: Reader, table: Timed, prefix: Row, time_column: str, times_ms: tuple[int, int]
) -> tuple[int, int]:
    """Return two ids between which lie the rows of a span of time, both of whose ends belong to it.

    The two are no part of the span, as `Reader.span` has it. From 0, or to `limits.ID_MAX`, the span is open.
    """
    begin_ms, end_ms = times_ms
    above = first_since(reader, table, prefix, time_column, begin_ms) - 1 if begin_ms else 0
    below = first_since(reader, table, prefix, time_column, end_ms + 1) if end_ms < ID_MAX else ID_MAX + 1
    return above, below


def first_since(reader: Reader, table: Timed, prefix: Row, time_column: str, time_ms: int) -> int:
    """Return the smallest id whose time is `time_ms` or later; one above the largest id when there is none.

    `prefix` is as for `Reader.span`: all that stands before the id in the table's key, or in its other sequence.
    """
    columns = TABLES[table].columns
    number, time = columns.index("id"), columns.index(time_column)

    def found(above: int, below: int, *, newest: bool = False) -> tuple[int, int] | None:
        rows = reader.span(table, prefix, above, below, 1, newest=newest)
        return (cast("int", rows[0][number]), cast("int", rows[0][time])) if rows else None

    last = found(-1, ID_MAX + 1, newest=True)
    if last is None or last[1] < time_ms:
        return 1 if last is None else last[0] + 1
    # Every id up to `early` is too early; the first that is not is `answer`, or lies between `early` and `bound`.
    early, answer, bound = -1, last[0], last[0]
    while bound - early > 1:
        middle = (early + bound) // 2
        row = found(middle - 1, bound)
        if row is not None and row[1] < time_ms:
            early = row[0]
            continue
        bound = middle
        if row is not None:
            answer = row[0]
    return answer
