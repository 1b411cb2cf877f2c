"""The journal: batches as canonical bytes, chained by their hashes.

The bytes of a batch are one line of JSON without spaces::

    {"time":<ms>,"transactions":[{"by":"token:ops","command":"Deposit","events":[["entry",1,1,…],…]},…]}

An event is an array: its name from `NAMES`, then its fields in the order of its class. The hash of batch N is
SHA-256 over the hash of batch N-1 (32 bytes, zeros before the first), N as eight bytes, big end first, and the bytes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, get_type_hints

import msgspec

from spotbook.app.ports import Head, StoredBatch
from spotbook.domain import events as e

NAMES: dict[type, str] = {
    e.AssetMade: "asset",
    e.MarketMade: "market",
    e.MarketChanged: "market_changed",
    e.AccountOpened: "account",
    e.AccountFrozen: "account_frozen",
    e.Entry: "entry",
    e.HoldChanged: "hold",
    e.DepositMade: "deposit",
    e.OrderPlaced: "order",
    e.OrderChanged: "order_changed",
    e.Traded: "trade",
    e.OutTradeNoClosed: "out_trade_no_closed",
    e.KeyMade: "key",
    e.KeyRevoked: "key_revoked",
    e.TokenMade: "token",
    e.TokenRevoked: "token_revoked",
    e.BanBegun: "ban",
    e.BanLifted: "ban_lifted",
    e.StandingChanged: "standing",
}
"""The name of each event in the journal. A name, once used, keeps its meaning for ever."""

KINDS: dict[str, Any] = {name: kind for kind, name in NAMES.items()}

_TAGS: dict[type, tuple[Any, ...]] = {kind: (name,) for kind, name in NAMES.items()}
"""The names as what an event is put behind: two tuples are joined quicker than one is spelt out."""

START = Head(0, 0, bytes(32))
"""The head of an empty journal."""


class Transaction(NamedTuple):
    """What one command came to: who asked, which command, its events."""

    by: str
    command: str
    events: Sequence[e.Event]


class NotCanonical(ValueError):
    """The bytes are no batch that this program could have written."""


def body_of(time: int, transactions: Iterable[Transaction]) -> bytes:
    """Return the canonical bytes of a batch."""
    return body_with(time, map(part_of, transactions))


def body_with(time: int, parts: Iterable[bytes]) -> bytes:
    """Return the canonical bytes of a batch that has these transactions, each as its `part_of`."""
    return b'{"time":%d,"transactions":[%b]}' % (time, b",".join(parts))


def part_of(transaction: Transaction) -> bytes:
    """Return the canonical bytes of one transaction of a batch."""
    by, command, events = transaction
    tags = _TAGS
    return _encoded(by, command, [tags[type(event)] + event for event in events])


def _encoded(by: str, command: str, events: Sequence[Sequence[Any]]) -> bytes:
    return msgspec.json.encode({"by": by, "command": command, "events": events})


def chained(previous: Head, time: int, body: bytes) -> StoredBatch:
    """Return the batch that follows `previous` and has this body."""
    number = previous.number + 1
    return StoredBatch(number, time, hash_of(previous.hash, number, body), body)


def hash_of(previous: bytes, number: int, body: bytes) -> bytes:
    """Return the hash of batch `number`."""
    return hashlib.sha256(previous + number.to_bytes(8, "big") + body).digest()


class _Frame(msgspec.Struct):
    """A batch whose transactions are bytes still: that is quick, and each can be read in its time."""

    time: int
    transactions: list[msgspec.Raw]


def _form(name: str, kind: Any) -> type[msgspec.Struct]:
    """Return what an event is decoded into at first: the decoder tells classes of this sort by their names, not tuples.

    So a whole transaction is decoded by one call, with its fields' types checked.
    """
    hints, defaults = get_type_hints(kind), kind._field_defaults
    fields = [(field, hints[field], msgspec.field(default=defaults.get(field, msgspec.NODEFAULT))) for field in hints]
    return msgspec.defstruct(kind.__name__, fields, tag=name, array_like=True, gc=False)


_KINDS_BY_FORM = {_form(name, kind): kind for name, kind in KINDS.items()}
_PART = msgspec.defstruct("_Part", [("by", str), ("command", str), ("events", list[reduce(or_, _KINDS_BY_FORM)])])  # type: ignore[misc]

_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_part: Callable[[bytes], Any] = msgspec.json.Decoder(_PART).decode

_ODD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
_NOT_IN_FORM = "the bytes are not in their canonical form"


def read(body: bytes) -> tuple[int, list[Transaction]]:
    """Return the time and the transactions of a batch; NotCanonical when the bytes are not a batch's."""
    time, transactions = reading(body)
    return time, list(transactions)


def reading(body: bytes) -> tuple[int, Iterator[Transaction]]:
    """Return the time of a batch and its transactions, each of which is read when it is asked for.

    NotCanonical when the bytes are not a batch's, at once or from any transaction on: until the last is there, those
    before it are not to be believed either.
    """
    try:
        frame = _decode_frame(body)
        framed = body_with(frame.time, frame.transactions)
    except _ODD as error:
        raise NotCanonical(str(error)) from error
    if framed != body:
        raise NotCanonical(_NOT_IN_FORM)
    return frame.time, map(_transaction, frame.transactions)


def _transaction(raw: msgspec.Raw) -> Transaction:
    """Read one transaction; NotCanonical when the bytes are not its `part_of`."""
    written = bytes(raw)
    try:
        part = _decode_part(written)
        canonical = msgspec.json.encode(part) == written or _as_it_came(part, written) == written
    except _ODD as error:
        raise NotCanonical(str(error)) from error
    if not canonical:
        raise NotCanonical(_NOT_IN_FORM)
    kinds, fields = _KINDS_BY_FORM, msgspec.structs.astuple
    return Transaction(part.by, part.command, [kinds[type(form)](*fields(form)) for form in part.events])


def _as_it_came(part: Any, written: bytes) -> bytes:
    """Return its canonical bytes with as many fields of each event as came: those added since have their defaults."""
    came = zip(part.events, msgspec.json.decode(written)["events"], strict=True)
    events = [(name, *msgspec.structs.astuple(form)[: len(fields)]) for form, (name, *fields) in came]
    return _encoded(part.by, part.command, events)
