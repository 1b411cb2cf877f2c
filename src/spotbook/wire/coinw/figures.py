"""Prices, amounts, values and times as replies write them (contract §4). Nothing at all is ``0``."""

from datetime import UTC, datetime, timedelta

from spotbook.domain.amount import show
from spotbook.domain.asset import Asset, Market

_EIGHT_HOURS = timedelta(hours=8)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def price_text(market: Market, price: int) -> str:
    """Return a price, given in the market's steps, at its price decimals."""
    return show(price, market.price_decimals) if price else "0"


def amount_text(market: Market, base: Asset, amount: int) -> str:
    """Return an amount of the base, given in smallest units, at the market's amount decimals."""
    return show(amount // 10 ** (base.scale - market.amount_decimals), market.amount_decimals) if amount else "0"


def value_text(quote: Asset, value: int) -> str:
    """Return an amount of the quote, given in smallest units, at the asset's scale."""
    return show(value, quote.scale) if value else "0"


def time_text(time_ms: int) -> str:
    """Return a time as ``YYYY-MM-DD HH:MM:SS`` in UTC+8, whatever the machine's own zone; parts of a second go."""
    return (_EPOCH + timedelta(milliseconds=time_ms) + _EIGHT_HOURS).strftime("%Y-%m-%d %H:%M:%S")
