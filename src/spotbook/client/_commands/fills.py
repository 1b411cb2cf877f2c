"""Fills of the account's own orders, page by page."""

from spotbook.client._ask import Ask
from spotbook.client._config import MinVersion
from spotbook.client._fields import Record, listed, record
from spotbook.client.models import Reply
from spotbook.client.orders import MyTrade, MyTradesPage

__all__ = ["my_trades_page"]


def my_trades_page(
    symbol: str | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
    limit: int | None = None,
    after: int | None = None,
    before: int | None = None,
    min_version: MinVersion | None = None,
) -> Ask[MyTradesPage]:
    """getUserTrades: one page of the account's fills, the newest first, from `start` to `end`, both inclusive.

    `limit` is 1 to 100, 20 unless told. `after` a trade's id gives older ones, `before` it newer ones.
    """
    span = {"symbol": symbol, "startAt": start, "endAt": end}
    return Ask("getUserTrades", {**span, "limit": limit, "after": after, "before": before}, _page, min_version)


def _page(reply: Reply) -> MyTradesPage:
    data = record(reply.data)
    trades = tuple(listed(data.get("list"), _trade, "list"))
    return MyTradesPage(trades, data.whole_or_none("after"), data.whole_or_none("before"))


def _trade(data: Record) -> MyTrade:
    return MyTrade(
        id=data.whole("tradeId"),
        order_number=data.whole("orderId"),
        side=data.side("side"),
        price=data.amount("price"),
        amount=data.amount("size"),
        fee=data.amount("fee"),
        traded_at=data.time("time"),
    )
