"""Orders and fills as replies write them, and how the commands that read them find them.

What an order is, in the exchange's words: `total` is the base asked for, of a market order by funds the base executed;
`startingAmount` (elsewhere `amount`) is its size in quote, price x total, of a market order the funds given, or what it
executed when it was placed by amount. What remains of an order is what it did not execute, also once it is closed. A
fee is in the asset received: base for a buy, quote for a sell. Nothing is stripped: prices have the market's price
decimals, base amounts its amount decimals, quote amounts and fees the asset's scale. A market order's price is ``0``.
"""

from typing import Any, NamedTuple

import msgspec

from spotbook.app.assets import Assets
from spotbook.app.books import order_of
from spotbook.app.markets import Markets
from spotbook.domain.amount import show
from spotbook.domain.asset import Asset, Market
from spotbook.domain.errors import UnknownMarket, UnknownOrder
from spotbook.domain.order import Order, Side, Status
from spotbook.wire.coinw.command import Answer, Call
from spotbook.wire.coinw.figures import time_text
from spotbook.wire.coinw.params import required

STATUS: dict[Status, int] = {"open": 1, "partly_filled": 2, "filled": 3, "cancelled": 4}


class Scales(NamedTuple):
    """A market with its assets: how its figures are written.

    `lot` is the base's smallest units in one step of the amount; a price of p steps and an amount of n lots are worth
    p x n x `tick` of the quote's smallest units.
    """

    market: Market
    base: Asset
    quote: Asset
    lot: int
    tick: int

    def price(self, order: Order) -> str:
        """Return the price of an order."""
        return show(order.price, self.market.price_decimals) if order.price else "0"

    def amount(self, units: int) -> str:
        """Return an amount of the base."""
        return show(units // self.lot, self.market.amount_decimals)

    def value(self, units: int) -> str:
        """Return an amount of the quote."""
        return show(units, self.quote.scale)

    def received(self, side: Side) -> Asset:
        """Return the asset that this side of a fill receives, and pays its fee in."""
        return self.base if side == "buy" else self.quote

    def fee(self, order: Order) -> str:
        """Return what an order has paid in fees."""
        return show(order.fee, self.received(order.side).scale)

    def worth(self, order: Order, amount: int) -> int:
        """Return what an amount costs at the order's price, in the quote's smallest units. It is exact."""
        return order.price * (amount // self.lot) * self.tick

    def size(self, order: Order) -> int:
        """Return an order's size in quote."""
        return self.worth(order, order.amount) if order.price else order.funds or order.value

    def left(self, order: Order) -> int:
        """Return what remains of an order, in quote."""
        if order.price:
            return self.worth(order, order.amount - order.filled)
        return order.funds - order.value if order.funds else 0


def scales(markets: Markets, assets: Assets, number: int) -> Scales:
    """Return how the figures of a market's orders and fills are written."""
    return scales_of(assets, markets.of(number))


def scales_of(assets: Assets, market: Market) -> Scales:
    """Return the same of a market that is at hand."""
    base, quote = assets.of(market.base), assets.of(market.quote)
    lot = 10 ** (base.scale - market.amount_decimals)
    tick = 10 ** (quote.scale - market.price_decimals - market.amount_decimals)
    return Scales(market, base, quote, lot, tick)


def total_of(order: Order) -> int:
    """Return an order's size in base, in its smallest units."""
    return order.amount or order.filled


def market_named(call: Call, name: str) -> Market:
    """Return the market that a parameter names; UnknownMarket when there is none."""
    symbol = required(call.params, name)
    market = call.markets.named(symbol)
    if market is None:
        raise UnknownMarket(symbol)
    return market


def order_numbered(call: Call, number: int) -> Order:
    """Return the account's order of this number, open or closed. Another's is as unknown as one that never was."""
    key = (call.account, number)
    row = call.reader.find("open_order", key) or call.reader.find("closed_order", key)
    if row is None:
        raise UnknownOrder(number)
    return order_of(row)


def details(call: Call, order: Order) -> dict[str, Any]:
    """Return the members by which returnOrderTrades describes an order."""
    written = scales(call.markets, call.assets, order.market)
    return {
        "tradeID": order.id,
        "currencyPair": written.market.symbol,
        "type": order.side,
        "amount": written.value(written.left(order)),
        "success_amount": written.value(order.value),
        "total": written.amount(total_of(order) - order.filled),
        "success_total": written.amount(order.filled),
        "fee": written.fee(order),
        "date": time_text(order.placed_at),
        "status": STATUS[order.status],
    }


def answered(call: Call, data: object) -> Answer:
    """Return `data` as JSON, with the version that the account has at the same moment."""
    return answered_with(call, msgspec.json.encode(data))


def answered_with(call: Call, data: bytes) -> Answer:
    """Return `data`, which is JSON already, with the version that the account has at the same moment."""
    sheet = call.reader.sheet(call.account)
    return Answer(data, sheet.version, sheet.batch, sheet.batch_time)
