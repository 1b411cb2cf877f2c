"""The journal: batches as canonical bytes, chained by their hashes.

The bytes of a batch are one line of JSON without spaces::

    {"time":<ms>,"transactions":[{"by":"token:ops","command":"Deposit","events":[["entry",1,1,…],…]},…]}

An event is an array: its name from `NAMES`, then its fields in the order of its class. The hash of batch N is
SHA-256 over the hash of batch N-1 (32 bytes, zeros before the first), N as eight bytes, big end first, and the bytes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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


def read(body: bytes) -> tuple[int, list[Transaction]]:
    """Return the time and the transactions of a batch; NotCanonical when the bytes are not a batch's."""
    try:
        raw = msgspec.json.decode(body)
        transactions = [
            Transaction(part["by"], part["command"], [_event(event) for event in part["events"]])
            for part in raw["transactions"]
        ]
        time = raw["time"]
        # Each event with as many fields as it came with: those added to its class since have their defaults.
        written = [
            _encoded(
                by,
                command,
                [(came[0], *event[: len(came) - 1]) for event, came in zip(events, part["events"], strict=True)],
            )
            for (by, command, events), part in zip(transactions, raw["transactions"], strict=True)
        ]
        canonical = body_with(time, written)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NotCanonical(str(error)) from error
    if type(time) is not int or not all(isinstance(part, str) for by, name, _ in transactions for part in (by, name)):
        raise NotCanonical("the time is no whole number, or a name is no text")
    if canonical != body:
        raise NotCanonical("the bytes are not in their canonical form")
    return time, transactions


def _event(raw: list[Any]) -> e.Event:
    event: e.Event = msgspec.convert(raw[1:], KINDS[raw[0]])
    return event
