"""Making every projection anew from the journal, once the journal is shown to be whole."""

from collections.abc import Iterator

from spotbook.app.audit import chain
from spotbook.app.journal import START, NotCanonical
from spotbook.app.ports import Changes, Head, Reader, Store
from spotbook.app.projection import changes_of


class ChainBroken(Exception):
    """The journal contradicts itself, so nothing may be made from it. Nothing was changed."""


def verify(reader: Reader) -> Head:
    """Check every batch's number, hash, time and bytes up to the head; return the head. ChainBroken at a fault."""
    head = reader.head()
    previous = START
    try:
        for batch in chain.stored(reader, 0, head.number):
            wrong = chain.fault(previous, batch)
            if wrong:
                raise ChainBroken(f"batch {batch.number}: {wrong[1]}")
            chain.read(batch)
            previous = Head(batch.number, batch.time, batch.hash)
    except chain.Unreadable as odd:
        raise ChainBroken(str(odd)) from odd
    except NotCanonical as odd:
        raise ChainBroken(f"batch {previous.number + 1}: its bytes are not what the writer writes: {odd}") from odd
    if previous != head:
        raise ChainBroken(f"the journal ends with batch {previous.number}, and its head says {head.number}")
    if reader.batches(head.number, 1):
        raise ChainBroken(f"there are batches beyond the head, which is {head.number}")
    return head


def rebuild(store: Store) -> Head:
    """Empty every projection and make it again from the journal, in one transaction; return the journal's head.

    ChainBroken, and nothing changed, when the journal is not whole; the store's own errors as `ports` has them.
    """
    reader = store.reader()
    try:
        head = verify(reader)
        store.rebuild(_changes(reader, head.number))
    finally:
        reader.close()
    return head


def _changes(reader: Reader, last: int) -> Iterator[Changes]:
    for batch in chain.stored(reader, 0, last):
        yield changes_of(batch.number, chain.read(batch))
