"""What calls about orders, fills and holds return. Amounts are `Decimal`, times are milliseconds since 1970 UTC.

The same words everywhere: `amount` is of the base asset, `value` of the quote asset; what an order asked for, what it
`filled`, what `remaining` is left to fill. `fee` is in the asset received: the base of a buy, the quote of a sell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

__all__ = [
    "ClosedOrder",
    "Hold",
    "Holds",
    "MyTrade",
    "MyTradesPage",
    "OpenOrder",
    "OrderByNumber",
    "OrderByReference",
    "OrderState",
    "OrderSummary",
    "Side",
    "Status",
]

Side = Literal["buy", "sell"]
Status = Literal["open", "partly_filled", "filled", "cancelled"]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that can still be filled. `amount` and `value` are its size when it was placed, whatever was filled."""

    number: int
    side: Side
    status: Status
    price: Decimal
    amount: Decimal
    value: Decimal
    filled_amount: Decimal
    filled_value: Decimal
    placed_at: int


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order by its number: what it filled, and what it did not (`remaining`, also once it is closed)."""

    number: int
    symbol: str
    side: Side
    status: Status
    filled_amount: Decimal
    filled_value: Decimal
    remaining_amount: Decimal
    remaining_value: Decimal
    fee: Decimal
    placed_at: int


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order's status and its size, by its number."""

    number: int
    symbol: str
    side: Side
    status: Status
    amount: Decimal
    value: Decimal
    placed_at: int


@dataclass(frozen=True, slots=True)
class ClosedOrder:
    """An order that was filled or cancelled. What a cancelled one filled stands.

    `price` is 0 for a market order, `out_trade_no` "" for none.
    """

    number: int
    side: Side
    status: Status
    price: Decimal
    amount: Decimal
    value: Decimal
    filled_amount: Decimal
    filled_value: Decimal
    fee: Decimal
    out_trade_no: str
    placed_at: int


@dataclass(frozen=True, slots=True)
class OrderByNumber:
    """One of several closed orders that were asked for by number.

    `symbol` is "" where the host does not say; `average_price` is 0 when nothing was filled.
    """

    number: int
    symbol: str
    side: Side
    status: Status
    filled_amount: Decimal
    filled_value: Decimal
    average_price: Decimal
    fee: Decimal
    placed_at: int


@dataclass(frozen=True, slots=True)
class OrderByReference(OrderState):
    """The order that an out_trade_no was accepted with. `price` is 0 for a market order."""

    price: Decimal
    out_trade_no: str


@dataclass(frozen=True, slots=True)
class MyTrade:
    """A fill of one of the account's own orders."""

    id: int
    order_number: int
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal
    traded_at: int


@dataclass(frozen=True, slots=True)
class MyTradesPage:
    """Fills, the newest first. `after` asks for the older ones, `before` for the newer; None when there are none."""

    trades: tuple[MyTrade, ...]
    after: int | None
    before: int | None

    def older_than(self, after: int | None) -> int | None:
        """The `after` of the next page; None at the end, or where a host would send the same page for ever."""
        return self.after if self.trades and self.after != after else None


@dataclass(frozen=True, slots=True)
class Hold:
    """The part of what is on orders that one open order or pending withdrawal froze; `id` is its number."""

    asset: str
    amount: Decimal
    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Holds:
    """Every hold of the account at one `version`. Per asset they add up to `on_orders` of that version, exactly."""

    version: int
    holds: tuple[Hold, ...]

    def __iter__(self) -> Iterator[Hold]:
        return iter(self.holds)

    def __len__(self) -> int:
        return len(self.holds)

    def on_orders(self, asset: str) -> Decimal:
        """The sum of an asset's holds, exact whatever the caller's decimal context is."""
        exact, total = Context(prec=100), Decimal(0)
        for hold in self.holds:
            if hold.asset == asset:
                total = exact.add(total, hold.amount)
        return total
