"""Placing and cancelling orders, and asking what became of one.

A limit order freezes all that it could come to cost, meets what stands in the book, and rests with the remainder. A
market order freezes nothing: what it would meet is known before anything is moved. All of one command is one
transaction; `settling.py` draws up its fills.
"""

from typing import NamedTuple

from spotbook.domain import rules
from spotbook.domain.accounts import user_account
from spotbook.domain.asset import Market
from spotbook.domain.book import Book
from spotbook.domain.commands import CancelAllOrders, CancelOrder, FindOrder, PlaceOrder
from spotbook.domain.decision import Decision
from spotbook.domain.errors import (
    AccountIsFrozen,
    Halted,
    InsufficientBalance,
    MarketClosed,
    NoLiquidity,
    OrderClosed,
    OutTradeNoTaken,
    TooManyOrders,
    UnknownMarket,
    UnknownOrder,
    WouldCross,
)
from spotbook.domain.events import OrderChanged, OrderPlaced, OutTradeNoClosed
from spotbook.domain.ledger import Draft
from spotbook.domain.matching import Walk, crosses, reach_of_market_order, walk
from spotbook.domain.order import OTHER_SIDE, Order, Stage, Status, after
from spotbook.domain.settling import Settlement, hold_of, release
from spotbook.domain.state import NOTHING, RUNNING, State
from spotbook.limits import ID_MAX

CLOSED = 0
"""What an out_trade_no is bound to that was closed before any order had it."""


class OrderAt(NamedTuple):
    """An order as it stands (None: there is none), and the account's version at which that is so."""

    order: Order | None
    version: int

    @property
    def id(self) -> int:
        """The order's id, 0 when there is none."""
        return self.order.id if self.order else 0


def place_order(state: State, command: PlaceOrder, now: int) -> Decision:
    """Decide `PlaceOrder`; the result is an OrderAt, the first order's when its out_trade_no was used for the same."""
    market = state.markets.get(command.symbol)
    if market is None:
        raise UnknownMarket(command.symbol)
    order = rules.asked(state, market, command, state.next_id("order"), now)
    if command.out_trade_no:
        first = _first(state, order)
        if first is not None:
            return Decision([], OrderAt(first, _version(state, command.account)), fresh=False)
    _check_open(state, market, command.account)
    book = state.open_orders.books[market.id]
    return (_market if order.kind == "market" else _limit)(state, book, order)


def _first(state: State, asked: Order) -> Order | None:
    """Return the order of this out_trade_no, None when it is free; OutTradeNoTaken when another request has it."""
    number = state.out_trade_nos.get((asked.account, asked.out_trade_no))
    if number is None:
        return None
    first = _order(state, asked.account, number) if number != CLOSED else None
    if first is None or _request(first) != _request(asked):
        raise OutTradeNoTaken(asked.out_trade_no)
    return first


def _request(order: Order) -> tuple[object, ...]:
    """Return what was asked for, without what became of it."""
    return order.market, order.side, order.kind, order.price, order.amount, order.funds


def _order(state: State, account: int, number: int) -> Order | None:
    return state.open_orders.get(account, number) or state.closed_orders.get((account, number))


def _version(state: State, account: int) -> int:
    return state.versions.get(account) or 0


def _check_open(state: State, market: Market, account: int) -> None:
    """Raise the refusal that keeps anybody, or this account, from placing anything in this market now."""
    if (state.standing.get("") or RUNNING).standing == "halted":
        raise Halted
    if user_account(state, account).frozen:
        raise AccountIsFrozen(account)
    if market.state != "on":
        raise MarketClosed(market.symbol, market.state)


def _limit(state: State, book: Book, order: Order) -> Decision:
    """Decide a limit order: freeze, meet, rest."""
    rules.check_limit(state, book, order)
    market = book.market
    if len(state.open_orders.of(order.account)) >= market.orders_max:
        raise TooManyOrders(market.orders_max)
    meets = crosses(order.side, order.price, book.halves[OTHER_SIDE[order.side]].best())
    if meets and order.kind == "post_only":
        raise WouldCross
    hold, draft = hold_of(book, order), Draft(state)
    version = draft.freeze(hold, book.held(order), why="placed", new=True)
    if not meets:
        placed = OrderPlaced(*order[:11], after("new", "rest"), *order[12:])
        return Decision([*draft.close(), placed], OrderAt(placed, version))
    settlement = Settlement(state, draft, book, order, hold)
    met = walk(book, order.account, order.side, order.price, amount=order.amount)
    stage = _meet(settlement, met, full=met.amount == order.amount)
    if met.ending in {"self_trade", "fills_max"}:
        release(draft, book, order._replace(filled=settlement.filled))
        return _placed(settlement, order, after(stage, "cancel"))
    return _placed(settlement, order, after("new", "rest") if stage == "new" else stage)


def _market(state: State, book: Book, order: Order) -> Decision:
    """Decide a market order: what it would meet is looked at first, and must be payable."""
    market, reach = book.market, reach_of_market_order(book, order.side)
    if order.funds:
        rules.check_funds(state, market, order)
    else:
        rules.check_amount(state, market, order)
    if reach is None:
        raise NoLiquidity
    met = walk(book, order.account, order.side, reach, amount=order.amount, funds=order.funds)
    if not met.meetings:
        raise NoLiquidity
    if not order.funds:
        rules.check_value(state, market, met.value)
    if order.side == "buy":
        asset, needed = market.quote, order.funds or met.value
    else:
        asset, needed = market.base, met.amount
    available = (state.balances.get((order.account, asset)) or NOTHING).available
    if available < needed:
        raise InsufficientBalance(order.account, asset, needed, available)
    settlement = Settlement(state, Draft(state), book, order, None)
    stage = _meet(settlement, met, full=met.ending == "done")
    return _placed(settlement, order, stage if stage == "filled" else after(stage, "cancel"))


def _meet(settlement: Settlement, met: Walk, *, full: bool) -> Stage:
    """Settle all that a walk came to; return the arriving order's status then."""
    for order in met.gives_way:
        settlement.give_way(order)
    for meeting in met.meetings:
        settlement.settle(meeting)
    if not met.meetings:
        return "new"
    return after("new", "fill_all" if full else "fill_some")


def _placed(settlement: Settlement, order: Order, status: Status) -> Decision:
    """Return the decision about an order that was accepted."""
    executed = settlement.filled, settlement.value, settlement.fee
    placed = OrderPlaced(*order[:8], *executed, status, *order[12:])
    return Decision(settlement.close(placed), OrderAt(placed, settlement.draft.version(order.account)))


def cancel_order(state: State, command: CancelOrder, now: int) -> Decision:
    """Decide `CancelOrder`; the result is an OrderAt. Another's order is as unknown as one that never was."""
    order = state.open_orders.get(command.account, command.id)
    if order is None:
        if 0 < command.id <= ID_MAX and state.closed_orders.get((command.account, command.id)) is not None:
            raise OrderClosed(command.id)
        raise UnknownOrder(command.id)
    return _cancelled(state, [order], command.account, now)


def cancel_all_orders(state: State, command: CancelAllOrders, now: int) -> Decision:
    """Decide `CancelAllOrders`, in one market or in all; the result is an OrderAt without order."""
    orders = list(state.open_orders.of(command.account).values())
    if command.symbol:
        market = state.markets.get(command.symbol)
        if market is None:
            raise UnknownMarket(command.symbol)
        orders = [order for order in orders if order.market == market.id]
    decision = _cancelled(state, orders, command.account, now)
    return decision._replace(result=decision.result._replace(order=None))


def _cancelled(state: State, orders: list[Order], account: int, now: int) -> Decision:
    draft = Draft(state)
    closed = []
    for order in orders:
        release(draft, state.open_orders.books[order.market], order)
        status = after(order.status, "cancel")
        closed.append(OrderChanged(*order[:11], status, *order[12:14], now))
    result = OrderAt(closed[-1] if closed else None, draft.version(account))
    return Decision([*draft.close(), *closed], result, fresh=bool(closed))


def find_order(state: State, command: FindOrder, now: int) -> Decision:  # noqa: ARG001  (one shape for all)
    """Decide `FindOrder`; the result is an OrderAt, without an order when none was accepted.

    With `fence`, an out_trade_no that nobody has is closed: what arrives late with it will be refused.
    """
    version = _version(state, command.account)
    number = state.out_trade_nos.get((command.account, command.out_trade_no))
    if number is None:
        closed = [OutTradeNoClosed(command.account, command.out_trade_no)] if command.fence else []
        return Decision([*closed], OrderAt(None, version), fresh=command.fence)
    order = _order(state, command.account, number) if number != CLOSED else None
    return Decision([], OrderAt(order, version), fresh=False)
