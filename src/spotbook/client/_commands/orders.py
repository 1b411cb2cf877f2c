"""Looking at orders: open ones, closed ones, one by its number or by the reference that it was placed with."""

from collections.abc import Iterable
from typing import Any, TypeVar

from spotbook.client._ask import Ask
from spotbook.client._config import MinVersion
from spotbook.client._fields import Misshapen, Record, listed, record
from spotbook.client._signing import as_text
from spotbook.client.models import Reply
from spotbook.client.orders import ClosedOrder, OpenOrder, OrderByNumber, OrderByReference, OrderState, OrderSummary

__all__ = ["closed_orders", "open_orders", "order", "order_by_reference", "order_status", "orders_by_number"]

State = TypeVar("State", bound=OrderState)


def open_orders(
    symbol: str, *, start: int | None = None, end: int | None = None, min_version: MinVersion | None = None
) -> Ask[list[OpenOrder]]:
    """returnOpenOrders: the open orders of a market, the newest first, placed from `start` to `end`, both inclusive."""
    params = {"currencyPair": symbol, "startAt": start, "endAt": end}
    return Ask("returnOpenOrders", params, _open_orders, min_version)


def order(order_number: int, *, min_version: MinVersion | None = None) -> Ask[OrderState]:
    """returnOrderTrades: an order, what it filled and what is left of it. OrderNotFound: unknown, or another's."""
    return Ask("returnOrderTrades", {"orderNumber": order_number}, _order_state, min_version)


def order_status(order_number: int, *, min_version: MinVersion | None = None) -> Ask[OrderSummary]:
    """returnOrderStatus: an order's status and size. OrderNotFound: unknown, or another's."""

    def read(reply: Reply) -> OrderSummary:
        return _order_summary(int(order_number), record(reply.data))  # the reply does not repeat the number

    return Ask("returnOrderStatus", {"orderNumber": order_number}, read, min_version)


def order_by_reference(out_trade_no: str, *, fence: bool = False) -> Ask[OrderByReference | None]:
    """spotbook.order: the order that was accepted with this `out_trade_no`; None when there is none.

    This settles what no answer left open. With `fence`, an out_trade_no without an order is closed for ever in the same
    step: a request for it that is still on its way will be refused. So None is final then; without `fence` the order
    may yet arrive. With `fence` it is a write, which is not repeated; doing it again is harmless.
    Spotbook has it; the exchange does not.
    """

    def read(reply: Reply) -> OrderByReference | None:
        data = record(reply.data)
        match data.text("state"):
            case "accepted":
                found = record(data.get("order"), "order")
                return _state(OrderByReference, found, price=found.amount("prize"), out_trade_no=out_trade_no)
            case "unknown":
                return None
        raise Misshapen("state")

    return Ask("spotbook.order", {"out_trade_no": out_trade_no, "fence": fence or None}, read)


def closed_orders(
    symbol: str, *, start: int | None = None, end: int | None = None, min_version: MinVersion | None = None
) -> Ask[list[ClosedOrder]]:
    """returnUTradeHistory: filled and cancelled orders of a market, the newest first, 1,000 at most.

    Of those placed from `start` to `end`, both inclusive.
    """
    params = {"currencyPair": symbol, "startAt": start, "endAt": end}
    return Ask("returnUTradeHistory", params, _closed_orders, min_version)


def orders_by_number(
    order_numbers: Iterable[int], *, min_version: MinVersion | None = None
) -> Ask[list[OrderByNumber]]:
    """getBatchHistoryOrders: closed orders of the last three months by their numbers, 100 at most.

    Open ones are left out, and so are unknown ones and another's.
    """
    numbers = ",".join(as_text("order_numbers", number) for number in order_numbers)
    return Ask("getBatchHistoryOrders", {"orderIds": numbers}, _orders_by_number, min_version)


def _open_orders(reply: Reply) -> list[OpenOrder]:
    return listed(reply.data, _open_order)


def _open_order(data: Record) -> OpenOrder:
    return OpenOrder(
        number=data.whole("orderNumber"),
        side=data.side("type"),
        status=data.status(),
        price=data.amount("prize"),  # the exchange's spelling
        amount=data.amount("total"),
        value=data.amount("startingAmount"),
        filled_amount=data.amount("success_count"),
        filled_value=data.amount("success_amount"),
        placed_at=data.time("date"),
    )


def _order_state(reply: Reply) -> OrderState:
    return _state(OrderState, record(reply.data))


def _state(kind: type[State], data: Record, **more: Any) -> State:
    return kind(
        number=data.whole("tradeID"),  # the order's number, despite the name
        symbol=data.text("currencyPair"),
        side=data.side("type"),
        status=data.status(),
        filled_amount=data.amount("success_total"),
        filled_value=data.amount("success_amount"),
        remaining_amount=data.amount("total"),
        remaining_value=data.amount("amount"),
        fee=data.amount("fee"),
        placed_at=data.time("date"),
        **more,
    )


def _order_summary(number: int, data: Record) -> OrderSummary:
    return OrderSummary(
        number=number,
        symbol=data.text("currencyPair"),
        side=data.side("type"),
        status=data.status(),
        amount=data.amount("total"),
        value=data.amount("startingAmount"),
        placed_at=data.time("date"),
    )


def _closed_orders(reply: Reply) -> list[ClosedOrder]:
    return listed(reply.data, _closed_order)


def _closed_order(data: Record) -> ClosedOrder:
    return ClosedOrder(
        number=data.whole("tradeID"),  # the order's number, despite the name
        side=data.side("type"),
        status=data.status(),
        price=data.amount("prize"),
        amount=data.amount("total"),
        value=data.amount("amount"),
        filled_amount=data.amount("success_count"),
        filled_value=data.amount("success_amount"),
        fee=data.amount("fee"),
        out_trade_no=data.text_or_empty("out_trade_no"),
        placed_at=data.time("date"),
    )


def _orders_by_number(reply: Reply) -> list[OrderByNumber]:
    return listed(reply.data, _order_by_number)


def _order_by_number(data: Record) -> OrderByNumber:
    return OrderByNumber(
        number=data.whole("orderId"),
        symbol=data.text_or_empty("symbol"),
        side=data.side("side"),
        status=data.status(),
        filled_amount=data.amount("dealSize"),
        filled_value=data.amount("dealFunds"),
        average_price=data.amount("dealAvgPrice"),
        fee=data.amount("fee"),
        placed_at=data.time("date"),
    )
