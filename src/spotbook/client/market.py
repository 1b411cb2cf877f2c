"""What public calls return. Amounts are `Decimal`, times are milliseconds since 1970 UTC.

`amount` is of the base asset, `value` of the quote asset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from spotbook.client.orders import Side

__all__ = ["Candle", "Currency", "Level", "OrderBook", "Symbol", "Ticker", "Trade", "Volumes"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A market and its rules: decimals of price and amount, the least and the most of each. `is_on`: open to orders."""

    name: str
    base: str
    quote: str
    price_decimals: int
    amount_decimals: int
    price_min: Decimal
    price_max: Decimal
    amount_min: Decimal
    amount_max: Decimal
    value_min: Decimal
    value_max: Decimal
    is_on: bool


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last 24 hours of a market. `change` is a fraction: 0.0135 is 1.35 %. A price is 0 where there is none."""

    id: int
    last: Decimal
    high: Decimal
    low: Decimal
    change: Decimal
    highest_bid: Decimal
    lowest_ask: Decimal
    value: Decimal
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Currency:
    """An asset: whether it can be deposited and withdrawn, how much at a time, for which fee, on which chains."""

    name: str
    id: str
    can_deposit: bool
    can_withdraw: bool
    withdrawal_min: Decimal
    withdrawal_max: Decimal
    withdrawal_fee: Decimal
    chains: tuple[str, ...]


class Level(NamedTuple):
    """One price of a book, and the base amount that stands at it."""

    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """The best of both sides: `asks` from the lowest price up, `bids` from the highest down."""

    symbol: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade between two others; `side` is the taker's."""

    id: int
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    value: Decimal
    traded_at: int


@dataclass(frozen=True, slots=True)
class Candle:
    """What a market did in one period, which began at `opened_at`. `volume` is of the base asset."""

    symbol: str
    opened_at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Volumes:
    """What was traded in 24 hours: `totals` by asset, as far as the host totals it, `symbols` by market and asset."""

    totals: Mapping[str, Decimal]
    symbols: Mapping[str, Mapping[str, Decimal]]
