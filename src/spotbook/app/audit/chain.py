"""The chain of the journal: what is wrong with a batch in its place."""

from collections.abc import Iterator

from spotbook.app import journal
from spotbook.app.journal import NotCanonical, Transaction
from spotbook.app.ports import Head, Reader, StoredBatch


class Unreadable(Exception):
    """The journal cannot be read beyond the batch `after`."""

    def __init__(self, after: int, odd: Exception) -> None:
        super().__init__(f"the journal cannot be read after batch {after}: {odd}")
        self.after = after


class EndUnreadable(Exception):
    """The journal's end cannot be read, so that there is nothing to measure the books by."""


SLICE = 32
"""Batches read at a time: a slice of the largest is some 50 MB."""


def end(reader: Reader) -> Head:
    """Return the head of the journal. Raises EndUnreadable."""
    try:
        head = reader.head()
    except Exception as odd:
        raise EndUnreadable(f"the head of the journal cannot be read: {odd}") from odd
    if tuple(type(value) for value in head) != (int, int, bytes):
        raise EndUnreadable("the head of the journal holds values of other kinds than a head's")
    return head


def stored(reader: Reader, after: int, last: int, at_once: int = SLICE) -> Iterator[StoredBatch]:
    """Yield the batches with numbers above `after` up to `last`, as far as they are there. Raises Unreadable."""
    while after < last:
        try:
            batches = [batch for batch in reader.batches(after, at_once) if _typed(batch)]
        except Exception as odd:
            raise Unreadable(after, odd) from odd
        for batch in batches:
            if batch.number > last:
                return
            yield batch
        if not batches:
            return
        after = batches[-1].number


def _typed(batch: StoredBatch) -> bool:
    # The tables are STRICT. Whoever can write the file could make others in their place.
    kinds = tuple(type(value) for value in batch)
    if kinds != (int, int, bytes, bytes):
        raise TypeError(f"batch {batch.number} holds values of other kinds than a batch's")
    return True


def fault(previous: Head, batch: StoredBatch) -> tuple[str, str] | None:
    """Return the check that `batch`, coming after `previous`, does not pass, and what is wrong; None if it fits."""
    if batch.number != previous.number + 1:
        missing = f"{previous.number + 1} to {batch.number - 1}"
        return "numbers", f"batches {missing} are missing from the journal"
    if batch.hash != journal.hash_of(previous.hash, batch.number, batch.body):
        return "chain", f"the hash of batch {batch.number} is not that of its bytes and the batch before it"
    if batch.time < previous.time:
        return "time", f"batch {batch.number} is {previous.time - batch.time} ms older than the batch before it"
    return None


def read(batch: StoredBatch) -> list[Transaction]:
    """Return the transactions of a batch; NotCanonical when its bytes are not what the writer writes."""
    return list(reading(batch))


def reading(batch: StoredBatch) -> Iterator[Transaction]:
    """Yield the transactions of a batch, each of which is read when it is asked for.

    NotCanonical, also after the last, when the bytes are not what the writer writes: none counts before all are there.
    """
    try:
        time, transactions = journal.reading(batch.body)
        yield from transactions
    except NotCanonical:
        raise
    except Exception as odd:  # whatever stands there, it is not a batch
        raise NotCanonical(f"{type(odd).__name__}: {odd}") from odd
    if time != batch.time:
        raise NotCanonical(f"they give the time {time}, the row says {batch.time}")
