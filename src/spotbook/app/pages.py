"""Whole tables, read page by page: memory stays bounded, and no read lasts long."""

from collections.abc import Iterator

from spotbook.app.ports import Reader, Row
from spotbook.app.projection import TABLES
from spotbook.limits import PAGE_ROWS_MAX


def pages(reader: Reader, table: str, prefix: Row = (), rows_max: int = PAGE_ROWS_MAX) -> Iterator[list[Row]]:
    """Yield the rows of a table whose key begins with `prefix`, in key order, up to `rows_max` at a time.

    Each page is a read of its own: what is committed meanwhile may be seen or not. Inside `reader.snapshot()` all of it
    is of one moment.
    """
    keys = TABLES[table].keys
    after: Row = ()
    while rows := reader.page(table, prefix, after, rows_max):
        yield rows
        if len(rows) < rows_max:
            return
        after = rows[-1][len(prefix) : keys]


def every(reader: Reader, table: str, prefix: Row = ()) -> Iterator[Row]:
    """Yield the same rows, one at a time."""
    for rows in pages(reader, table, prefix):
        yield from rows
