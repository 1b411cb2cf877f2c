"""The state hash: what books come to, whatever way they came to it.

Two books with the same state hash have the same assets and markets, the same ids still to be given out, the same
balances and versions, the same holds, and the same open orders in the same priority (invariant 10). A backup that was
restored has it, and so have books made anew from their journal.

It is SHA-256 over lines, each a JSON array without spaces, in UTF-8, ended by a newline. The first is ``["spotbook
state",1]``; then each row of `SECTIONS`, its table's name first. No batch number, time or ciphertext is in them: those
tell how the books came there. `docs/reference/state-hash.md` says it for those who read the file without us.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from spotbook.app.pages import every
from spotbook.app.ports import Head, Reader, Row
from spotbook.app.projection import TABLES

TITLE = ("spotbook state", 1)

SECTIONS: dict[str, tuple[str, ...]] = {
    "asset": ("id", "name", "scale", "supply_max"),
    "market": (
        *("id", "symbol", "base", "quote", "price_decimals", "amount_decimals", "value_min", "price_min", "price_max"),
        *("amount_min", "amount_max", "maker_fee_ppm", "taker_fee_ppm", "self_trade", "state", "value_max"),
        *("orders_max", "bound_ppm"),
    ),
    "counter": ("name", "value"),
    "balance": ("account", "asset", "available", "frozen", "version"),
    "hold": ("account", "asset", "kind", "id", "amount"),
    "open_order": (
        *("account", "id", "market", "side", "kind", "price", "amount", "funds", "filled", "value", "fee", "status"),
        "out_trade_no",
    ),
}
"""Each table and its columns, in the sequence in which they are hashed. Rows come by key, open orders by priority. Who
changes any of this changes the number in `TITLE`."""


class StateHash(NamedTuple):
    """The state hash, 32 bytes, and the journal's end at which it was so."""

    head: Head
    hash: bytes


def state_hash(reader: Reader) -> StateHash:
    """Return the state hash of this moment.

    All of it is one snapshot, however long that takes: some seconds for a million balances. A writer goes on meanwhile;
    its log is copied back afterwards. Memory: the open orders, once.
    """
    digest = hashlib.sha256(_line(TITLE))
    with reader.snapshot():
        head = reader.head()
        for table in SECTIONS:
            for row in _rows(reader, table):
                digest.update(_line((table, *row)))
    return StateHash(head, digest.digest())


def _line(values: tuple[Any, ...]) -> bytes:
    return msgspec.json.encode(values) + b"\n"


def _rows(reader: Reader, table: str) -> Iterator[Row]:
    columns = TABLES[table].columns
    places = [columns.index(column) for column in SECTIONS[table]]
    rows = (tuple(row[place] for place in places) for row in every(reader, table))
    if table == "open_order":
        yield from sorted(rows, key=_priority)
    else:
        yield from rows


def _priority(row: Row) -> tuple[int, str, int, int]:
    """Market by market, buy side first; the best price first, and at one price the order that came first."""
    order: dict[str, Any] = dict(zip(SECTIONS["open_order"], row, strict=True))
    side, price = order["side"], order["price"]
    return order["market"], side, -price if side == "buy" else price, order["id"]
