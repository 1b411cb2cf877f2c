"""Orders, and their life as one table.

::

             ┌────────── rest ─────────▶ open ───────────┐
    new ─────┤                            │ fill_some    │ fill_all, cancel
             ├──── fill_some ──▶ partly_filled ◀─┐       │
             │                      │ └─fill_some┘       ▼
             └──── fill_all, cancel ┴──────────▶ filled | cancelled

To change the life of an order, change `LIFE`, and nothing else: decisions ask it, and so does the audit. An order that
is ``filled`` or ``cancelled`` is closed: it holds nothing and never changes again. What a cancelled order executed
stands.
"""

from typing import Literal, NamedTuple

from spotbook.domain.errors import InvariantBroken

Side = Literal["buy", "sell"]
Kind = Literal["limit", "post_only", "market"]
Status = Literal["open", "partly_filled", "filled", "cancelled"]
Stage = Status | Literal["new"]
Deed = Literal["rest", "fill_some", "fill_all", "cancel"]

OPEN: tuple[Status, ...] = ("open", "partly_filled")
OTHER_SIDE: dict[Side, Side] = {"buy": "sell", "sell": "buy"}

LIFE: dict[tuple[Stage, Deed], Status] = {
    ("new", "rest"): "open",
    ("new", "fill_some"): "partly_filled",
    ("new", "fill_all"): "filled",
    ("new", "cancel"): "cancelled",
    ("open", "fill_some"): "partly_filled",
    ("open", "fill_all"): "filled",
    ("open", "cancel"): "cancelled",
    ("partly_filled", "fill_some"): "partly_filled",
    ("partly_filled", "fill_all"): "filled",
    ("partly_filled", "cancel"): "cancelled",
}


class Order(NamedTuple):
    """An order as it stands.

    `price` is in the market's price steps, 0 for a market order. `amount` is the base asked in smallest units, 0 for a
    market order that was given `funds`, the quote asked, which is 0 for all others. `filled` and `value` are the base
    and quote executed; `fee` is in the asset received. `out_trade_no` is the client's own reference, ``""`` for none.
    Times are milliseconds since 1970. Orders of one price are served in the sequence of their ids.
    """

    account: int
    id: int
    market: int
    side: Side
    kind: Kind
    price: int
    amount: int
    funds: int
    filled: int
    value: int
    fee: int
    status: Status
    out_trade_no: str
    placed_at: int
    changed_at: int


def after(status: Stage, deed: Deed) -> Status:
    """Return the status that a deed leads to; InvariantBroken for a deed that cannot be done to such an order."""
    try:
        return LIFE[status, deed]
    except KeyError:
        raise InvariantBroken(f"an order that is {status} cannot {deed}") from None
