"""Assets and markets, and the rule that makes trading exact.

Every amount of an asset is a whole number of 10^-scale. A market counts its prices in steps of 10^-price_decimals of
the quote asset and its amounts in steps of 10^-amount_decimals of the base asset. Because price decimals and amount
decimals together never exceed the quote asset's scale, price x amount is always a whole number of the quote's smallest
units: nothing is rounded, and there is no dust.
"""

import re
from typing import Literal, NamedTuple

from spotbook.domain import amount
from spotbook.domain.errors import AmountTooLarge, Invalid
from spotbook.limits import OPEN_ORDERS_MAX, SCALE_MAX, UNITS_MAX

SelfTrade = Literal["cancel_newest", "cancel_oldest"]
MarketState = Literal["on", "cancel_only", "off"]

SELF_TRADES: tuple[SelfTrade, ...] = ("cancel_newest", "cancel_oldest")
MARKET_STATES: tuple[MarketState, ...] = ("on", "cancel_only", "off")
PPM = 1_000_000
BOUND_PPM = 100_000
"""How far from the best price at its arrival a market order goes, unless its market says otherwise: 10 %."""

_ASSET_NAME = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)


class Asset(NamedTuple):
    """An asset: its number (the order in which it was made), name, decimals, and the most there can be, in units."""

    id: int
    name: str
    scale: int
    supply_max: int


class Market(NamedTuple):
    """A market and its rules.

    Prices are counted in 10^-price_decimals, `value_min` and `value_max` (0: none) in the quote's smallest units,
    amounts in the base's. Fees are parts per million of what a side receives. Who has `orders_max` open orders, in all
    markets together, rests no more of them here. `bound_ppm` is how far from the best price at its arrival a market
    order goes, in parts per million of that price.
    """

    id: int
    symbol: str
    base: int
    quote: int
    price_decimals: int
    amount_decimals: int
    value_min: int
    price_min: int
    price_max: int
    amount_min: int
    amount_max: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    self_trade: SelfTrade
    state: MarketState
    value_max: int = 0
    orders_max: int = OPEN_ORDERS_MAX
    bound_ppm: int = BOUND_PPM


def check_asset_name(name: str) -> None:
    """Raise Invalid unless `name` is 1 to 16 capital letters and digits."""
    if not _ASSET_NAME.fullmatch(name):
        raise Invalid("asset", "write 1 to 16 capital letters and digits")


def check_scale(scale: int) -> None:
    """Raise Invalid unless `scale` is 0 to 18."""
    if not 0 <= scale <= SCALE_MAX:
        raise Invalid("scale", f"is 0 to {SCALE_MAX}")


def supply_units(text: str, scale: int) -> int:
    """Return the `supply_max` written as `text`, in smallest units; at least one, below 2^62."""
    try:
        units = amount.parse(text, scale, name="supply_max")
    except AmountTooLarge:
        raise AmountTooLarge("supply_max", f"in smallest units is at most {UNITS_MAX}, 2^62 - 1") from None
    if units == 0:
        raise Invalid("supply_max", "is more than zero")
    return units


def check_market(market: Market, base: Asset, quote: Asset) -> None:
    """Raise Invalid unless the market's rules are consistent and exact; `base` and `quote` are its assets."""
    if base.id == quote.id:
        raise Invalid("symbol", "base and quote are the same asset")
    if market.price_decimals < 0:
        raise Invalid("price_decimals", "is 0 or more")
    if not 0 <= market.amount_decimals <= base.scale:
        raise Invalid("amount_decimals", f"is 0 to {base.scale}, the scale of {base.name}")
    if market.price_decimals + market.amount_decimals > quote.scale:
        raise Invalid(
            "price_decimals",
            f"with amount_decimals is at most {quote.scale}, the scale of {quote.name}, so that nothing is rounded",
        )
    _check_ranges(market)


def _check_ranges(market: Market) -> None:
    if market.price_min < 1:
        raise Invalid("price_min", "is at least one step")
    if market.price_max < market.price_min:
        raise Invalid("price_max", "is at least price_min")
    if market.amount_min < 1:
        raise Invalid("amount_min", "is at least one step")
    if market.amount_max < market.amount_min:
        raise Invalid("amount_max", "is at least amount_min")
    for name, ppm in (("maker_fee_ppm", market.maker_fee_ppm), ("taker_fee_ppm", market.taker_fee_ppm)):
        if not 0 <= ppm <= PPM:
            raise Invalid(name, f"is 0 to {PPM}")
    if market.value_max and market.value_max < market.value_min:
        raise Invalid("value_max", "is at least value_min, or 0 for none")
    if not 1 <= market.orders_max <= OPEN_ORDERS_MAX:
        raise Invalid("orders_max", f"is 1 to {OPEN_ORDERS_MAX}")
    if not 0 <= market.bound_ppm <= PPM:
        raise Invalid("bound_ppm", f"is 0 to {PPM}")
    if market.self_trade not in SELF_TRADES:
        raise Invalid("self_trade", f"is one of {', '.join(SELF_TRADES)}")
    if market.state not in MARKET_STATES:
        raise Invalid("state", f"is one of {', '.join(MARKET_STATES)}")
