"""Matching: which resting orders a new one meets, price by price and in the sequence of their ids.

Nothing is changed here: a walk says what would happen, and the decision draws it up.
"""

from typing import Literal, NamedTuple

from spotbook.domain.asset import PPM
from spotbook.domain.book import Book
from spotbook.domain.order import OTHER_SIDE, Order, Side
from spotbook.limits import FILLS_MAX

Ending = Literal["done", "book", "reach", "self_trade", "fills_max"]


class Meeting(NamedTuple):
    """One fill: the resting order as it stood, its price, the base amount and the quote value that change hands."""

    maker: Order
    price: int
    amount: int
    value: int


class Walk(NamedTuple):
    """What an order meets.

    `gives_way` are resting orders of its own account that are cancelled on the way. It ended because it was ``done``
    (nothing is left that could be executed), at the end of the ``book``, at a price beyond its ``reach``, at its own
    account's order (``self_trade``), or at the bound on fills.
    """

    meetings: list[Meeting]
    gives_way: list[Order]
    ending: Ending

    @property
    def amount(self) -> int:
        """The base amount of all meetings."""
        return sum([meeting.amount for meeting in self.meetings])

    @property
    def value(self) -> int:
        """The quote value of all meetings."""
        return sum([meeting.value for meeting in self.meetings])


def crosses(side: Side, price: int, best: int | None) -> bool:
    """Whether an order of this side and price would meet the other half's best."""
    if best is None:
        return False
    return best <= price if side == "buy" else best >= price


def reach_of_market_order(book: Book, side: Side) -> int | None:
    """Return the worst price that a market order takes: so far from the best at its arrival; None for an empty half."""
    best = book.halves[OTHER_SIDE[side]].best()
    if best is None:
        return None
    bound = book.market.bound_ppm
    return best * (PPM + bound) // PPM if side == "buy" else -(-best * (PPM - bound) // PPM)


def walk(book: Book, account: int, side: Side, reach: int, *, amount: int = 0, funds: int = 0) -> Walk:
    """Return what an order of `account` for `amount` of the base, or for `funds` of the quote, would meet.

    Of funds, each fill takes as many whole steps of the amount as they still pay for.
    """
    meetings: list[Meeting] = []
    gives_way: list[Order] = []
    lot, tick = book.lot, book.tick
    keeps_oldest = book.market.self_trade == "cancel_newest"
    for price, level in book.halves[OTHER_SIDE[side]].from_best():
        if price > reach if side == "buy" else price < reach:
            return Walk(meetings, gives_way, "reach")
        lot_value = price * tick
        for maker in level.orders.values():
            wanted = funds // lot_value * lot if funds else amount
            if not wanted:
                return Walk(meetings, gives_way, "done")
            if maker.account == account and keeps_oldest:
                return Walk(meetings, gives_way, "self_trade")
            if len(meetings) + len(gives_way) >= FILLS_MAX:
                return Walk(meetings, gives_way, "fills_max")
            if maker.account == account:
                gives_way.append(maker)
                continue
            rest = maker.amount - maker.filled
            taken = min(wanted, rest)
            value = lot_value * (taken // lot)
            meetings.append(Meeting(maker, price, taken, value))
            if funds:
                funds -= value
            else:
                amount -= taken
            # Who wants more at this price than funds pay for is not passed over for a lower bid that they would reach.
            if taken < rest or not (funds or amount):
                return Walk(meetings, gives_way, "done")
    return Walk(meetings, gives_way, "book")
