"""The open orders in memory as plain values, so that two sets of books can be compared to the last detail."""

from collections.abc import Iterable

from spotbook.domain.book import Book, OpenOrders
from spotbook.domain.order import Order, Side

Level = tuple[int, int, list[Order]]
"""Price, what its orders still want together, and they in the sequence in which they are served."""

SIDES: tuple[Side, ...] = ("buy", "sell")


def levels_of(book: Book, side: Side) -> list[Level]:
    """Return the levels of one half, best first."""
    return [(price, level.amount, list(level.orders.values())) for price, level in book.halves[side].from_best()]


def books_of(orders: OpenOrders) -> dict[tuple[int, Side], list[Level]]:
    """Return every half of every book, by market and side."""
    return {(number, side): levels_of(book, side) for number, book in orders.books.items() for side in SIDES}


def accounts_of(orders: OpenOrders) -> dict[int, dict[int, Order]]:
    """Return every account's open orders by id; an account without any is not there."""
    return {account: dict(held) for account, held in orders._by_account.items()}


def served(orders: Iterable[Order]) -> dict[tuple[int, Side], list[Level]]:
    """Return what `books_of` must say when these orders are open, worked out the slow way: price, then id.

    A half in which nobody stands is left out.
    """
    halves: dict[tuple[int, Side], dict[int, list[Order]]] = {}
    for order in sorted(orders, key=lambda order: order.id):
        halves.setdefault((order.market, order.side), {}).setdefault(order.price, []).append(order)
    return {
        (market, side): [
            (price, sum(order.amount - order.filled for order in levels[price]), levels[price])
            for price in sorted(levels, reverse=side == "buy")
        ]
        for (market, side), levels in halves.items()
    }


def check_open_orders(orders: OpenOrders, stored: Iterable[Order]) -> None:
    """The books in memory are what the stored open orders make, level by level, in the sequence of service."""
    stored = list(stored)
    assert {half: levels for half, levels in books_of(orders).items() if levels} == served(stored)
    by_account: dict[int, dict[int, Order]] = {}
    for order in stored:
        by_account.setdefault(order.account, {})[order.id] = order
    assert accounts_of(orders) == by_account
    for held in accounts_of(orders).values():
        assert list(held) == sorted(held)  # all of them are cancelled in this sequence, whatever failed before
