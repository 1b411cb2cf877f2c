"""What a market admits: an order's text read into units, and the ranges that it must lie in."""

from spotbook.domain import amount as amounts
from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import Book
from spotbook.domain.commands import PlaceOrder
from spotbook.domain.errors import Invalid, InvariantBroken
from spotbook.domain.order import Order
from spotbook.domain.state import State
from spotbook.limits import UNITS_MAX


def asked(state: State, market: Market, command: PlaceOrder, number: int, now: int) -> Order:
    """Return the order that is asked for, by value: spelling does not count, nor does what the order ignores.

    `number` is its id if it is accepted. Invalid when a text is missing, or there and should not be, or has too many
    decimals.
    """
    price = units = funds = 0
    if command.kind != "market":
        if command.funds:
            raise Invalid("funds", "is for a market one only")
        price = _parsed("price", command.price, market.price_decimals)
    elif bool(command.amount) == bool(command.funds):
        raise Invalid("amount", "give either amount or funds" if command.amount else "is missing, and so is funds")
    if command.funds:
        funds = _parsed("funds", command.funds, asset_of(state, market.quote).scale)
    else:
        lot: int = 10 ** (asset_of(state, market.base).scale - market.amount_decimals)
        units = _parsed("amount", command.amount, market.amount_decimals) * lot
    return Order(
        command.account,
        number,
        market.id,
        command.side,
        command.kind,
        price,
        units,
        funds,
        0,
        0,
        0,
        "open",
        command.out_trade_no,
        now,
        now,
    )


def _parsed(name: str, text: str, decimals: int) -> int:
    """Return the steps of 10^-decimals that a text is."""
    if not text:
        raise Invalid(name, "is missing")
    steps = amounts.parse(text, decimals, name=name)
    if not steps:
        raise Invalid(name, "is more than zero")
    return steps


def asset_of(state: State, number: int) -> Asset:
    """Return the asset of a market, which is always there."""
    asset = state.assets.get(number)
    if asset is None:
        raise InvariantBroken(f"asset {number} of a market does not exist")
    return asset


def check_limit(state: State, book: Book, order: Order) -> None:
    """Raise Invalid unless a limit order's price, amount and value are in its market's ranges."""
    market = book.market
    if not market.price_min <= order.price <= market.price_max:
        _refuse("price", order.price, market.price_min, market.price_max, market.price_decimals)
    check_amount(state, market, order)
    check_value(state, market, book.value(order.price, order.amount))


def check_amount(state: State, market: Market, order: Order) -> None:
    """Raise Invalid unless the base amount asked for is in the market's range."""
    if not market.amount_min <= order.amount <= market.amount_max:
        scale = asset_of(state, market.base).scale
        _refuse("amount", order.amount, market.amount_min, market.amount_max, scale)


def check_funds(state: State, market: Market, order: Order) -> None:
    """Raise Invalid unless the funds given are in the market's range of values."""
    if order.funds < market.value_min or (market.value_max and order.funds > market.value_max):
        _refuse("funds", order.funds, market.value_min, market.value_max, asset_of(state, market.quote).scale)


def check_value(state: State, market: Market, value: int) -> None:
    """Raise Invalid unless a base amount's value is in the market's range."""
    if value < market.value_min:
        least = amounts.show_stripped(market.value_min, asset_of(state, market.quote).scale)
        raise Invalid("amount", f"so little is worth less than the least value, {least}")
    value_max = market.value_max or UNITS_MAX  # what an order may come to must fit the books, a sale's value too
    if value > value_max:
        most = amounts.show_stripped(value_max, asset_of(state, market.quote).scale)
        raise Invalid("amount", f"so much is worth more than the largest value, {most}")


def _refuse(name: str, units: int, least: int, most: int, scale: int) -> None:
    if units < least:
        raise Invalid(name, f"is at least {amounts.show_stripped(least, scale)}")
    raise Invalid(name, f"is at most {amounts.show_stripped(most, scale)}")
