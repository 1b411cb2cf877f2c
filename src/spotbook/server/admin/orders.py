"""Open orders, for the operator: what an account has in the books, and taking it out of them."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Literal

from msgspec import Meta

from spotbook.app.books import order_of
from spotbook.app.ports import Reader
from spotbook.domain.amount import show_stripped
from spotbook.domain.commands import CancelAllOrders, CancelOrder
from spotbook.domain.errors import UnknownMarket, UnknownOrder
from spotbook.domain.order import Order
from spotbook.limits import ID_MAX, PAGE_ROWS_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Id, Page, Shown, Time
from spotbook.server.admin.office import Office

OfMarket = Annotated[str, Meta(description="Only those of this market.", min_length=1)]


class OrdersPage(Page, frozen=True):
    """Which part of an account's open orders."""

    symbol: OfMarket | None = None


class Which(In, frozen=True):
    """Which of an account's open orders: all, or those of a market."""

    symbol: OfMarket | None = None


class OrderShown(Out, frozen=True):
    """A limit order. `amount` is the base asked; `filled` and `value` are the base and quote executed.

    `fee` is in the asset received. `out_trade_no` is the client's own reference, empty for none.
    """

    id: Id
    symbol: str
    side: Literal["buy", "sell"]
    kind: Literal["limit", "post_only"]
    price: Shown
    amount: Shown
    filled: Shown
    value: Shown
    fee: Shown
    status: Literal["open", "partly_filled", "cancelled"]
    out_trade_no: str
    placed_at: Time
    changed_at: Time


class Orders(Out, frozen=True):
    """Open orders by id; `next` is the `after` of the next page, null at the end."""

    orders: list[OrderShown]
    next: int | None


def _shown(office: Office, order: Order) -> OrderShown:
    market = office.markets.of(order.market)
    base, quote = office.assets.of(market.base).scale, office.assets.of(market.quote).scale
    return OrderShown(
        order.id,
        market.symbol,
        order.side,
        order.kind,  # type: ignore[arg-type]  # a market order is never open, so it is never cancelled here
        show_stripped(order.price, market.price_decimals),
        show_stripped(order.amount, base),
        show_stripped(order.filled, base),
        show_stripped(order.value, quote),
        show_stripped(order.fee, base if order.side == "buy" else quote),
        order.status,  # type: ignore[arg-type]  # nor is one that is filled
        order.out_trade_no,
        order.placed_at,
        order.changed_at,
    )


def _open(reader: Reader, account: int, after: int, market: int | None) -> Iterator[Order]:
    """Yield an account's open orders with ids above `after`; they are bounded, see `limits.OPEN_ORDERS_MAX`."""
    while rows := reader.page("open_order", (account,), (after,), PAGE_ROWS_MAX):
        orders = [order_of(row) for row in rows]
        yield from (order for order in orders if market in {None, order.market})
        after = orders[-1].id


def _market(office: Office, symbol: str | None) -> int | None:
    """Return the number of the market that is asked for; UnknownMarket when there is none of this symbol."""
    if symbol is None:
        return None
    market = office.markets.named(symbol)
    if market is None:
        raise UnknownMarket(symbol)
    return market.id


async def _list(office: Office, call: Call) -> Reply:
    account, market, limit = office.account(call).id, _market(office, call.query.symbol), call.query.limit
    found = await office.read(lambda reader: list(islice(_open(reader, account, call.query.after, market), limit)))
    orders = [_shown(office, order) for order in found]
    return Reply(200, Orders(orders, orders[-1].id if len(orders) == limit else None))


async def _cancel(office: Office, call: Call) -> Reply:
    account, text = office.account(call).id, call.path["order"]
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > ID_MAX:
        raise UnknownOrder(text)
    done = await office.carry_out(CancelOrder(account, int(text)), call, gives_free=True)
    return Reply(200, _shown(office, done.result.order))


async def _cancel_all(office: Office, call: Call) -> Reply:
    command = CancelAllOrders(office.account(call).id, call.query.symbol or "")
    await office.carry_out(command, call, gives_free=True)
    return Reply(204, None)


LIST = Endpoint(
    "GET",
    "/accounts/{account}/orders",
    "view",
    "An account's open orders, by id",
    _list,
    {200: Orders},
    query=OrdersPage,
)
CANCEL = Endpoint(
    "DELETE",
    "/accounts/{account}/orders/{order}",
    "operate",
    "Cancel an open order; 409 when it was filled or cancelled before",
    _cancel,
    {200: OrderShown},
    refusals={409: None},
)
CANCEL_ALL = Endpoint(
    "DELETE",
    "/accounts/{account}/orders",
    "operate",
    "Cancel every open order of an account, or those of a market",
    _cancel_all,
    {204: None},
    query=Which,
)
