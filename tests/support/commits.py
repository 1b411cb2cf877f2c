"""Committing rows of the tables as they are, without a writer that decides anything."""

from spotbook.app import journal
from spotbook.app.ports import Changes, Row, SealedSecret, Store, StoredBatch
from support.clock import NOW


def commit(
    store: Store,
    rows: dict[str, list[Row]] | None = None,
    removed: dict[str, list[Row]] | None = None,
    secrets: tuple[SealedSecret, ...] = (),
    body: bytes = b"{}",
) -> StoredBatch:
    """Commit the next batch with these changes."""
    batch = journal.chained(store.head(), NOW, body)
    store.commit(batch, Changes(rows or {}, removed or {}), secrets)
    return batch
