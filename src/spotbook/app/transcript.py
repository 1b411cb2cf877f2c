r"""A transcript: the journal as lines of JSON, from which the same books can be made again.

::

    {"format":"spotbook journal","version":1,"schema":2,"books":"<id>","batch":<N>,"time":<ms>,"hash":"<hex>"}
    {"number":1,"time":<ms>,"hash":"<hex>","body":"{\"time\":…,\"transactions\":[…]}"}
    …

The first line names the head that the last line must come to, so that a transcript which was cut off is known; `body`
is the text over which the hash of a batch is made. Every line is in one spelling only: no spaces, these fields, in
this sequence.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from spotbook.app.audit import chain
from spotbook.app.journal import START, NotCanonical
from spotbook.app.ports import Head, Reader, StoredBatch
from spotbook.app.rebuild import ChainBroken
from spotbook.limits import TRANSCRIPT_LINE_BYTES_MAX

FORMAT = "spotbook journal"
VERSION = 1


class LineRefused(ChainBroken):
    """A line of a transcript is not what it must be."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: the format, the schema and the id of the books it was taken from, and the journal's end."""

    format: str
    version: int
    schema: int
    books: str
    batch: int
    time: int
    hash: str


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One batch; `hash` is hex, `body` its canonical text."""

    number: int
    time: int
    hash: str
    body: str


T = TypeVar("T", Title, Line)


def written(reader: Reader, schema: int, last: int | None = None) -> Iterator[bytes]:
    """Yield the lines of the journal up to batch `last`, or up to its head as it is now.

    Raises ChainBroken where the journal contradicts itself, also when there is no batch `last` yet.
    """
    head = _end(reader, last)
    yield _encoded(Title(FORMAT, VERSION, schema, reader.books, head.number, head.time, head.hash.hex()))
    previous = START
    try:
        for batch in chain.stored(reader, 0, head.number):
            wrong = chain.fault(previous, batch)
            if wrong:
                raise ChainBroken(f"batch {batch.number}: {wrong[1]}")
            yield _encoded(Line(batch.number, batch.time, batch.hash.hex(), batch.body.decode()))
            previous = Head(batch.number, batch.time, batch.hash)
    except chain.Unreadable as odd:
        raise ChainBroken(str(odd)) from odd
    except UnicodeDecodeError as odd:
        raise ChainBroken(f"batch {previous.number + 1}: its bytes are no text") from odd
    if previous != head:
        raise ChainBroken(f"the journal ends with batch {previous.number}, and its head says {head.number}")


def _end(reader: Reader, last: int | None) -> Head:
    head = reader.head()
    if last is None or last == head.number:
        return head
    if last > head.number:
        raise ChainBroken(f"there is no batch {last} yet: the journal ends with batch {head.number}")
    found = reader.batches(last - 1, 1)
    if not found or found[0].number != last:
        raise ChainBroken(f"batch {last} is missing from the journal")
    return Head(last, found[0].time, found[0].hash)


def _encoded(line: Title | Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def read(lines: Iterable[bytes], schema: int) -> Iterator[StoredBatch]:
    """Yield the batches of a transcript, each shown to be the one that comes next. Raises LineRefused.

    `schema` is the newest that this program knows. When the last batch was yielded, nothing is missing.
    """
    title, previous, number = None, START, 0
    for number, line in enumerate(lines, start=1):
        if title is None:
            title = _title(line, schema)
            continue
        batch = _batch(number, line, previous)
        yield batch
        previous = Head(batch.number, batch.time, batch.hash)
    if title is None:
        raise LineRefused(1, "this is no transcript: there is nothing in it")
    if previous != Head(title.batch, title.time, bytes.fromhex(title.hash)):
        raise LineRefused(
            number + 1, f"it ends with batch {previous.number}, and its first line says {title.batch}:{title.hash}"
        )


def _title(line: bytes, schema: int) -> Title:
    title = _decoded(1, line, Title, f"this is no transcript, whose first line has the format {FORMAT!r}")
    if title.format != FORMAT or title.version != VERSION:
        raise LineRefused(1, f"the format is {title.format!r} {title.version}; this version reads {FORMAT!r} {VERSION}")
    if title.schema > schema:
        raise LineRefused(
            1, f"it is of schema {title.schema} and this version of Spotbook knows {schema}: use a newer version"
        )
    try:
        bytes.fromhex(title.hash)
    except ValueError:
        raise LineRefused(1, "the hash is no hash") from None
    return title


def _batch(number: int, line: bytes, previous: Head) -> StoredBatch:
    """Return the batch of a line, which must follow `previous`."""
    said = _decoded(number, line, Line, "this is no batch in the spelling of a transcript")
    if said.number != previous.number + 1:
        raise LineRefused(number, f"it is batch {said.number}, and batch {previous.number + 1} comes next")
    try:
        batch = StoredBatch(said.number, said.time, bytes.fromhex(said.hash), said.body.encode())
        wrong = chain.fault(previous, batch)
        if wrong:
            raise LineRefused(number, wrong[1])
        chain.read(batch)
    except NotCanonical as odd:
        raise LineRefused(number, f"the body is not what the writer writes: {odd}") from odd
    except ValueError as odd:
        raise LineRefused(number, f"the hash or the body is none: {odd}") from odd
    return batch


def _decoded(number: int, line: bytes, kind: type[T], otherwise: str) -> T:
    if len(line) > TRANSCRIPT_LINE_BYTES_MAX:
        raise LineRefused(number, f"it is longer than {TRANSCRIPT_LINE_BYTES_MAX} bytes")
    try:
        found = msgspec.json.decode(line, type=kind)
        if _encoded(found) == line:  # one spelling: nothing is there twice, left out or hidden in a space
            return found
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as odd:
        raise LineRefused(number, otherwise) from odd
    raise LineRefused(number, otherwise)
