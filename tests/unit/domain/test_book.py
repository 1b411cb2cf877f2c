"""The book: price, then time; what an open batch changed can be undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import Book, Depth, OpenOrders
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.order import Order, Side
from support.commands import OTHER, USER
from support.open_orders import SIDES, accounts_of, books_of, check_open_orders

BASE = Asset(1, "BASE", 8, 10**17)
QUOTE = Asset(2, "QUOTE", 8, 10**17)
MARKET = Market(1, "BASE_QUOTE", 1, 2, 2, 4, 0, 1, 10**9, 1, 10**17, 0, 0, "cancel_newest", "on")
LOT = 10_000


def order(number: int, side: Side, price: int, amount: int = LOT, *, filled: int = 0, account: int = USER) -> Order:
    status = "partly_filled" if filled else "open"
    return Order(account, number, 1, side, "limit", price, amount, 0, filled, 0, 0, status, "", 0, 0)  # type: ignore[arg-type]


def opened(*orders: Order) -> OpenOrders:
    made = OpenOrders()
    made.books[1] = Book(MARKET, BASE, QUOTE)
    for each in orders:
        made.put(each)
    made.keep()
    return made


def sequence(orders: OpenOrders, side: Side) -> list[int]:
    return [each.id for _, level in orders.books[1].halves[side].from_best() for each in level.orders.values()]


def test_asks_are_served_from_the_lowest_price_on_and_the_older_first() -> None:
    orders = opened(order(1, "sell", 12), order(2, "sell", 11), order(3, "sell", 12), order(4, "sell", 11))
    assert sequence(orders, "sell") == [2, 4, 1, 3]
    assert orders.books[1].halves["sell"].best() == 11


def test_bids_are_served_from_the_highest_price_on_and_the_older_first() -> None:
    orders = opened(order(1, "buy", 9), order(2, "buy", 10), order(3, "buy", 9), order(4, "buy", 10))
    assert sequence(orders, "buy") == [2, 4, 1, 3]
    assert orders.books[1].halves["buy"].best() == 10


def test_an_empty_half_has_no_best() -> None:
    assert opened().books[1].halves["buy"].best() is None


FAR = 2**60 + 1
"""A price that no float can hold."""


def test_a_price_is_kept_to_the_last_step() -> None:
    orders = opened(order(1, "sell", FAR), order(2, "buy", FAR - 1))
    assert [orders.books[1].halves[side].best() for side in SIDES] == [FAR - 1, FAR]
    assert orders.books[1].depth() == Depth(asks=((FAR, LOT),), bids=((FAR - 1, LOT),))


def test_of_two_prices_a_step_apart_the_one_goes_whose_order_is_dropped() -> None:
    orders = opened(order(1, "sell", FAR), order(2, "sell", FAR - 1))
    orders.drop(USER, 1)
    assert orders.books[1].depth() == Depth(asks=((FAR - 1, LOT),), bids=())


def test_so_it_is_in_books_that_are_loaded() -> None:
    orders = OpenOrders()
    orders.books[1] = Book(MARKET, BASE, QUOTE)
    orders.load([order(1, "sell", FAR), order(2, "buy", FAR - 1)])
    assert orders.books[1].depth() == Depth(asks=((FAR, LOT),), bids=((FAR - 1, LOT),))


def test_a_fill_leaves_an_order_its_place() -> None:
    orders = opened(order(1, "sell", 5, 3 * LOT), order(2, "sell", 5))
    orders.put(order(1, "sell", 5, 3 * LOT, filled=LOT))
    assert sequence(orders, "sell") == [1, 2]
    assert orders.books[1].depth() == Depth(asks=((5, 3 * LOT),), bids=())


def test_a_level_is_gone_with_its_last_order() -> None:
    orders = opened(order(1, "buy", 5), order(2, "buy", 4))
    orders.drop(USER, 1)
    assert orders.books[1].halves["buy"].best() == 4
    assert list(orders.books[1].halves["buy"].levels) == [4]


def test_depth_is_the_twenty_best_levels_of_each_side_best_first() -> None:
    orders = opened(
        *(order(price, "sell", 100 + price) for price in range(1, 26)),
        *(order(100 + price, "buy", price) for price in range(1, 26)),
        order(300, "sell", 101, 2 * LOT),
    )
    depth = orders.books[1].depth()
    assert depth.asks == ((101, 3 * LOT), *((100 + price, LOT) for price in range(2, 21)))
    assert depth.bids == tuple((price, LOT) for price in range(25, 5, -1))


def test_price_times_amount_is_exact() -> None:
    """0.0807 at 30.00 and 8 decimals: 2.421."""
    assert opened().books[1].value(3_000, 8_070_000) == 242_100_000


def test_a_bid_holds_quote_and_an_ask_holds_base() -> None:
    book = opened().books[1]
    assert book.held(order(1, "buy", 3_000, 3 * LOT, filled=LOT)) == 3_000 * 2 * book.tick
    assert book.held(order(1, "sell", 3_000, 3 * LOT, filled=LOT)) == 2 * LOT


def test_an_order_is_found_by_its_account_only() -> None:
    orders = opened(order(1, "buy", 5))
    assert orders.get(USER, 1) == order(1, "buy", 5)
    assert orders.get(OTHER, 1) is None
    assert orders.get(USER, 2) is None
    assert dict(orders.of(USER)) == {1: order(1, "buy", 5)}
    assert not orders.of(OTHER)


def test_an_order_that_is_not_open_cannot_be_dropped() -> None:
    with pytest.raises(InvariantBroken, match="order 1 of account 1001 is not open"):
        opened().drop(USER, 1)


def test_books_that_changed_are_named_until_they_are_looked_at() -> None:
    orders = opened(order(1, "buy", 5))
    orders.touched.clear()
    orders.put(order(2, "buy", 5))
    assert orders.touched == {1}
    orders.touched.clear()
    orders.drop(USER, 2)
    assert orders.touched == {1}


def test_a_batch_that_is_not_there_leaves_no_trace() -> None:
    """A level emptied, one filled in part, one made, and an order that came and went."""
    before = (order(1, "sell", 5, 2 * LOT), order(2, "sell", 5), order(3, "sell", 6, account=OTHER))
    orders = opened(*before)
    orders.put(order(1, "sell", 5, 2 * LOT, filled=LOT))
    orders.put(order(1, "sell", 5, 2 * LOT, filled=LOT + 1))
    orders.drop(USER, 1)
    orders.drop(OTHER, 3)
    orders.put(order(4, "buy", 3))
    orders.put(order(5, "buy", 4))
    orders.drop(USER, 5)
    orders.forget()
    check_open_orders(orders, before)
    assert sequence(orders, "sell") == [1, 2, 3]


def test_an_accounts_orders_are_in_the_sequence_of_their_ids_again() -> None:
    """Otherwise one process would cancel all of them in another sequence than the next."""
    orders = opened(order(1, "sell", 5), order(2, "sell", 6))
    orders.drop(USER, 1)
    orders.forget()
    assert list(orders.of(USER)) == [1, 2]


def test_a_batch_that_is_there_stays() -> None:
    orders = opened(order(1, "sell", 5))
    orders.drop(USER, 1)
    orders.keep()
    orders.forget()
    assert not orders.of(USER)


def test_books_are_filled_from_orders_in_the_sequence_of_their_ids() -> None:
    standing = [
        order(1, "sell", 7, 3 * LOT, filled=LOT),
        order(2, "buy", 5),
        order(3, "sell", 6, account=OTHER),
        order(4, "sell", 7),
    ]
    loaded = opened()
    loaded.load(standing)
    check_open_orders(loaded, standing)
    assert loaded.touched == {1}


@given(st.data())
def test_whatever_happens_the_book_is_what_its_orders_make(data: st.DataObject) -> None:
    """Puts, fills, drops, and now and then a batch that is lost."""
    orders, standing, kept, number = opened(), dict[int, Order](), dict[int, Order](), 0
    for deed in data.draw(
        st.lists(st.sampled_from(["put", "put", "put", "fill", "drop", "keep", "forget"]), max_size=40)
    ):
        if deed == "put":
            number += 1
            side, price = data.draw(st.sampled_from(SIDES)), data.draw(st.integers(1, 6))
            standing[number] = order(number, side, price, 5 * LOT, account=USER + number % 2)
            orders.put(standing[number])
        elif deed == "keep":
            orders.keep()
            kept = dict(standing)
        elif deed == "forget":
            orders.forget()
            standing = dict(kept)
        elif standing:
            chosen = standing[data.draw(st.sampled_from(sorted(standing)))]
            if deed == "fill" and chosen.filled < 4 * LOT:
                standing[chosen.id] = chosen._replace(filled=chosen.filled + LOT, status="partly_filled")
                orders.put(standing[chosen.id])
            elif deed == "drop":
                orders.drop(chosen.account, chosen.id)
                del standing[chosen.id]
    check_open_orders(orders, standing.values())
    assert [list(held) for held in accounts_of(orders).values()] == [
        sorted(held) for held in accounts_of(orders).values()
    ]
    again = opened()
    again.load(sorted(standing.values(), key=lambda each: each.id))
    assert books_of(again) == books_of(orders)
