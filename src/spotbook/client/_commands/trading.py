"""Placing and cancelling: the writes. The client never repeats one."""

from decimal import Decimal
from typing import Final

from spotbook.client._ask import Ask
from spotbook.client._fields import record
from spotbook.client._signing import Parameter
from spotbook.client.models import Reply
from spotbook.client.orders import Side

__all__ = ["cancel", "cancel_all", "place_limit", "place_market"]

TYPES: Final[dict[str, int]] = {"buy": 0, "sell": 1}


def place_limit(
    symbol: str,
    side: Side,
    amount: Decimal | int | str,
    price: Decimal | int | str,
    *,
    post_only: bool = False,
    out_trade_no: str | None = None,
) -> Ask[int]:
    """doTrade: buy or sell `amount` of the base asset at `price` or better; the order's number.

    What finds no other side rests in the book. With `post_only` all of it rests, or RuleRefused is raised and nothing
    is frozen. With an `out_trade_no`, up to 50 letters, digits, - and _, the order is placed once however often this is
    sent: the same again gives the same number, another order under it is DuplicateOrderId.
    """
    params: dict[str, Parameter] = {
        "symbol": symbol,
        "type": _type(side),
        "amount": amount,
        "rate": price,
        "postOnly": post_only or None,
        "out_trade_no": out_trade_no,
    }
    return Ask("doTrade", params, _order_number)


def place_market(
    symbol: str,
    side: Side,
    *,
    amount: Decimal | int | str | None = None,
    funds: Decimal | int | str | None = None,
    out_trade_no: str | None = None,
) -> Ask[int]:
    """doTrade: buy or sell at once, at the prices there are; the order's number.

    Either `amount` of the base asset, or `funds` of the quote asset to spend or to receive: ValueError otherwise. What
    cannot be filled is not kept; when nothing can, RuleRefused. `out_trade_no` as in `place_limit`.
    """
    if (amount is None) == (funds is None):
        raise ValueError("a market order has an amount or funds, one of the two")
    params: dict[str, Parameter] = {
        "symbol": symbol,
        "type": _type(side),
        "amount": amount,
        "funds": funds,
        "isMarket": True,
        "out_trade_no": out_trade_no,
    }
    return Ask("doTrade", params, _order_number)


def cancel(order_number: int) -> Ask[None]:
    """cancelOrder: cancel an open order. What it filled stands, what it froze is free again.

    OrderNotFound when it is unknown or another's; RuleRefused when it is closed already.
    """
    return Ask("cancelOrder", {"orderNumber": order_number}, _nothing)


def cancel_all(symbol: str | None = None) -> Ask[None]:
    """cancelAllOrder: cancel every open order of the account, or of one market."""
    return Ask("cancelAllOrder", {"currencyPair": symbol}, _nothing)


def _type(side: Side) -> int:
    if side not in TYPES:
        raise ValueError("side is buy or sell")
    return TYPES[side]


def _order_number(reply: Reply) -> int:
    return record(reply.data).whole("orderNumber")


def _nothing(reply: Reply) -> None:
    """The code of the reply has said it: it is done."""
