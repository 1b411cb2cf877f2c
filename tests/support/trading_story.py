"""A short story of trading, with something of everything, for tests that look at what it leaves behind."""

from spotbook.app.writer import Done, Outcome
from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    Command,
    FindOrder,
    OpenAccount,
    PlaceOrder,
)
from spotbook.domain.order import Kind, Side
from support.commands import BTC_USDT, USER, deposit
from support.writers import Desk

OTHER = USER + 1
THIRD = USER + 2

OPENING: tuple[Command, ...] = (
    OpenAccount("other"),
    OpenAccount("third"),
    BTC_USDT,
    *(deposit(f"b{account}", "10", account=account) for account in (USER, OTHER, THIRD)),
    *(deposit(f"u{account}", "1000", asset="USDT", account=account) for account in (USER, OTHER, THIRD)),
)


def limit(
    account: int, side: Side, amount: str, price: str, *, kind: Kind = "limit", out_trade_no: str = ""
) -> PlaceOrder:
    return PlaceOrder(account, "BTC_USDT", side, kind, price, amount, "", out_trade_no)


def market(account: int, side: Side, *, amount: str = "", funds: str = "") -> PlaceOrder:
    return PlaceOrder(account, "BTC_USDT", side, "market", "", amount, funds, "")


STORY: tuple[Command, ...] = (
    limit(OTHER, "sell", "0.807", "30"),  # order 1
    limit(OTHER, "sell", "1", "55"),  # 2
    limit(USER, "buy", "1", "55", out_trade_no="mine"),  # 3: fills 1 and 2, with an improvement; filled
    limit(USER, "buy", "2", "50"),  # 4
    limit(OTHER, "sell", "0.5", "50"),  # 5: fill 3
    market(OTHER, "sell", amount="0.25"),  # 6: fill 4
    market(USER, "buy", funds="20"),  # 7: fill 5, with order 2; the last of the funds buys nothing
    limit(USER, "sell", "1", "40"),  # 8: meets its own order 4 first and is cancelled
    CancelOrder(USER, 4),
    ChangeMarket("BTC_USDT", maker_fee_ppm=0, taker_fee_ppm=500, self_trade="cancel_oldest"),
    limit(USER, "buy", "0.1", "54"),  # 9
    limit(USER, "sell", "0.1", "54"),  # 10: cancels order 9 and rests
    limit(OTHER, "buy", "0.095", "54", out_trade_no="its-own"),  # 11: fill 6, at the new fees
    limit(THIRD, "buy", "1", "10", kind="post_only", out_trade_no="post"),  # 12
    CancelAllOrders(THIRD, ""),
    FindOrder(USER, "late", fence=True),
    market(THIRD, "buy", amount="5"),  # 13: fills 7 and 8, with orders 10 and 2; the book ends, the rest is cancelled
    limit(THIRD, "sell", "1", "60"),  # 14
    limit(USER, "buy", "0.1", "60"),  # 15: fill 9
)
"""After `OPENING`. Order 14 is open in the end, partly filled. Commands 1 to 15 have a batch each."""


def tell(desk: Desk) -> None:
    """Found books and tell the story, a second and a batch a command."""
    desk.found()
    commands = (desk.batch(*OPENING), *(_later(desk, command) for command in STORY))
    assert all(isinstance(outcome, Done) for outcomes in commands for outcome in outcomes), commands


def _later(desk: Desk, command: Command) -> list[Outcome]:
    desk.clock.now += 1_000
    return [desk.do(command)]
