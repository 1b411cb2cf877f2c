"""One order: whether what became of it in a transaction follows from what it was, and from its fills."""

from collections.abc import Iterator
from typing import cast

from spotbook.app.audit.fills import OrderEvent
from spotbook.app.audit.markets import Rules
from spotbook.domain.order import LIFE, Deed, Stage, Status


def faults(
    before: OrderEvent | None, order: OrderEvent, rules: Rules, met: tuple[int, int, int], time: int
) -> Iterator[str]:
    """Yield in words what is wrong with an order; `met` is the base, quote and fee of its fills in the transaction."""
    grown = order[8:11]
    if before is not None:
        grown = order.filled - before.filled, order.value - before.value, order.fee - before.fee
    if grown != met:
        yield f"grows by {grown} in base, quote and fee, and its fills by {met}, in smallest units"
    if order.status not in _statuses(before, order):
        yield f"is {order.status}; it was {before.status if before else 'new'}, and {order.filled} is executed of it"
    if order.changed_at != time or (before is None and order.placed_at != time):
        yield "has another time than its batch"
    if before is None and not _can_be(order, rules):
        yield f"is no {order.kind} order: price {order.price}, amount {order.amount}, funds {order.funds}"
    if order.filled < 0 or (order.amount and order.filled > order.amount):
        yield f"executes {order.filled} of {order.amount}, in smallest units"


def _statuses(before: OrderEvent | None, order: OrderEvent) -> tuple[Status | None, ...]:
    """Return what an order may be now, by the one table of its life."""
    was: Stage = cast("Stage", before.status) if before else "new"
    executed = order.filled - (before.filled if before else 0)
    if before is not None and not executed:
        return (LIFE.get((was, "cancel")),)
    full = order.filled == order.amount if order.amount else order.status == "filled"
    deed: Deed = "rest" if not executed else "fill_all" if full else "fill_some"
    then = LIFE.get((was, deed))
    if before is not None or then is None or then == "filled":
        return (then,)
    # What arrives may be cancelled when its fills are made; what came by the market's price is, for it never rests.
    ended = LIFE.get((then, "cancel"))
    return (ended,) if order.kind == "market" else (then, ended)


def _can_be(order: OrderEvent, rules: Rules) -> bool:
    """Whether a new order has what one of its kind has, and nothing else."""
    if order.side not in {"buy", "sell"} or order.amount < 0 or order.amount % rules.lot:
        return False
    if order.kind == "market":
        # It came to something, and of funds to no more than they are.
        paid = order.value <= order.funds if order.funds else True
        return not order.price and (order.amount > 0) != (order.funds > 0) and order.filled > 0 and paid
    return order.kind in {"limit", "post_only"} and order.price > 0 and order.amount > 0 and not order.funds
