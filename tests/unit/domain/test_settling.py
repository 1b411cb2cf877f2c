"""Fills, settled to the last unit: the worked examples of docs/concepts/trading.md, number by number."""

import pytest

from spotbook.domain.account import FEES
from spotbook.domain.asset import PPM
from spotbook.domain.commands import CancelOrder, ChangeMarket, FreezeAccount
from spotbook.domain.events import Entry, Traded
from spotbook.domain.order import Status
from spotbook.domain.settling import fee_of
from support.commands import OTHER, USER, limit, market
from support.floor import THIRD, Floor, floor

HOUR = 3_600_000
UNIT = 100_000_000


def test_a_buy_of_1_at_55_that_fills_at_30_and_55_leaves_nothing_frozen() -> None:
    books = floor()
    books.place(limit("sell", "30", "0.807", account=OTHER))
    books.place(limit("sell", "55", "0.5", account=THIRD))
    since = len(books.events)
    order = books.place(limit("buy", "55", "1"))
    assert (order.status, order.filled, order.value) == ("filled", 100_000_000, 3_482_500_000)
    assert books.entries(USER, "USDT", since) == [
        ("placed", "-55", "55"),
        ("paid", "0", "-24.21"),
        ("improvement", "20.175", "-20.175"),
        ("paid", "0", "-10.615"),
    ]
    assert books.coins(USER, "USDT") == ("965.175", "0")
    assert books.coins(USER, "BTC") == ("1001", "0")
    assert books.coins(OTHER, "USDT") == ("1024.21", "0")
    assert books.coins(THIRD, "USDT") == ("1010.615", "0")
    assert books.coins(THIRD, "BTC") == ("999.5", "0.307")


def test_a_bid_at_100_that_meets_an_ask_of_98_gets_2_back_at_once() -> None:
    books = floor()
    books.place(limit("sell", "98", "1", account=OTHER))
    since = len(books.events)
    books.place(limit("buy", "100", "1"))
    assert books.entries(USER, "USDT", since) == [
        ("placed", "-100", "100"),
        ("paid", "0", "-98"),
        ("improvement", "2", "-2"),
    ]
    assert books.coins(USER, "USDT") == ("902", "0")


def test_an_ask_at_98_that_meets_a_bid_of_100_is_paid_100() -> None:
    """The price is the resting order's, whoever comes. A seller's improvement is what it receives."""
    books = floor()
    books.place(limit("buy", "100", "1", account=OTHER))
    order = books.place(limit("sell", "98", "1"))
    assert order.value == 10_000_000_000
    assert books.coins(USER, "USDT") == ("1100", "0")
    assert books.coins(OTHER, "USDT") == ("900", "0")


def test_a_partial_fill_and_then_a_cancel_give_back_what_is_left() -> None:
    books = floor()
    placed = books.place(limit("buy", "100", "1"))
    books.place(limit("sell", "100", "0.4", account=OTHER))
    assert books.coins(USER, "USDT") == ("900", "60")
    assert books.order(USER, placed.id).status == "partly_filled"
    cancelled = books.place(CancelOrder(USER, placed.id))
    assert (cancelled.status, cancelled.filled, cancelled.value) == ("cancelled", 40_000_000, 4_000_000_000)
    assert books.coins(USER, "USDT") == ("960", "0")
    assert books.coins(USER, "BTC") == ("1000.4", "0")
    assert books.holds == 0


def test_what_rests_after_fills_holds_what_the_rest_can_come_to_cost() -> None:
    books = floor()
    books.place(limit("sell", "98", "0.4", account=OTHER))
    order = books.place(limit("buy", "100", "1"))
    assert order.status == "partly_filled"
    assert books.coins(USER, "USDT") == ("900.8", "60")


@pytest.mark.parametrize(
    ("gross", "ppm", "fee"),
    [
        (1, 2_000, 1),
        (100, 2_000, 1),
        (500, 2_000, 1),
        (501, 2_000, 2),
        (1, 1, 1),
        (1_000_000, 1, 1),
        (1_000_001, 1, 2),
        (7, 0, 0),
        (7, PPM, 7),
        (2**62 - 1, PPM, 2**62 - 1),
        (0, 2_000, 0),
    ],
)
def test_a_fee_is_rounded_up_and_never_more_than_the_gross(gross: int, ppm: int, fee: int) -> None:
    assert fee_of(gross, ppm) == fee


def test_of_one_smallest_unit_the_fee_is_all() -> None:
    books = floor()
    books.place(limit("sell", "1", "1", account=OTHER, symbol="ONE_COIN"))
    order = books.place(limit("buy", "1", "1", symbol="ONE_COIN"))
    assert (order.filled, order.fee) == (1, 1)
    assert books.coins(USER, "ONE") == ("1000", "0")
    assert books.coins(USER, "COIN") == ("999", "0")
    assert books.coins(OTHER, "COIN") == ("1000", "0")
    assert (books.fees("ONE"), books.fees("COIN")) == ("1", "1")


def test_of_100_units_at_a_fifth_of_a_percent_the_fee_is_1_and_the_net_99() -> None:
    books = floor()
    books.place(limit("sell", "1", "100", account=OTHER, symbol="ONE_COIN"))
    books.place(limit("buy", "1", "100", symbol="ONE_COIN"))
    assert books.coins(USER, "ONE") == ("1099", "0")
    assert books.coins(OTHER, "COIN") == ("1099", "0")
    assert (books.fees("ONE"), books.fees("COIN")) == ("1", "1")


def test_a_fee_is_rounded_once_per_fill() -> None:
    """Two fills of 50 cost a unit each, where one of 100 costs one."""
    books = floor()
    for _ in range(2):
        books.place(limit("sell", "1", "50", account=OTHER, symbol="ONE_COIN"))
    assert books.place(limit("buy", "1", "100", symbol="ONE_COIN")).fee == 2


def test_each_side_pays_its_own_rate_in_what_it_receives() -> None:
    books = floor(maker_fee_ppm=1_000, taker_fee_ppm=2_000)
    books.place(limit("sell", "100", "1", account=OTHER))
    since = len(books.events)
    order = books.place(limit("buy", "100", "1"))
    assert order.fee == 200_000
    assert books.order(OTHER, 1).fee == 10_000_000
    assert (books.fees("BTC"), books.fees("USDT")) == ("0.002", "0.1")
    assert books.entries(USER, "BTC", since) == [("received", "0.998", "0")]
    assert books.entries(OTHER, "USDT", since) == [("received", "99.9", "0")]


def test_a_fee_is_at_the_rates_of_the_time_of_the_fill() -> None:
    books = floor(maker_fee_ppm=1_000)
    books.place(limit("sell", "100", "1", account=OTHER))
    books.do(ChangeMarket("BTC_USDT", maker_fee_ppm=500_000))
    books.place(limit("buy", "100", "1"))
    assert books.order(OTHER, 1).fee == 5_000_000_000


def test_a_fill_says_both_sides_and_both_fees() -> None:
    books = floor(maker_fee_ppm=1_000, taker_fee_ppm=2_000)
    books.place(limit("buy", "100", "1", account=OTHER))
    books.now += HOUR
    books.place(limit("sell", "99", "0.5"))
    assert [event for event in books.events if isinstance(event, Traded)] == [
        Traded(1, 1, "sell", 10_000, 50_000_000, 5_000_000_000, OTHER, 1, 50_000, USER, 2, 10_000_000, books.now)
    ]
    assert books.order(OTHER, 1).changed_at == books.now
    assert books.order(OTHER, 1).placed_at == books.now - HOUR


def test_each_leg_says_why_and_names_the_order_that_it_is_of() -> None:
    books = floor(maker_fee_ppm=1_000, taker_fee_ppm=2_000)
    books.place(limit("sell", "98", "1", account=OTHER))
    since = len(books.events)
    books.place(limit("buy", "100", "1"))
    assert legs(books, since) == [
        (USER, 2, "placed", 2),
        (USER, 2, "paid", 2),
        (OTHER, 1, "paid", 1),
        (USER, 1, "received", 2),
        (FEES, 1, "fee", 2),
        (OTHER, 2, "received", 1),
        (FEES, 2, "fee", 1),
        (USER, 2, "improvement", 2),
    ]


def test_so_do_the_legs_of_a_market_order() -> None:
    books = floor()
    books.place(limit("buy", "100", "1", account=OTHER))
    since = len(books.events)
    books.place(market("sell", "1"))
    assert legs(books, since) == [
        (USER, 1, "paid", 2),
        (OTHER, 2, "paid", 1),
        (USER, 2, "received", 2),
        (OTHER, 1, "received", 1),
    ]


def test_a_fee_that_takes_all_leaves_no_leg_of_nothing() -> None:
    books = floor()
    books.place(limit("sell", "1", "1", account=OTHER, symbol="ONE_COIN"))
    since = len(books.events)
    books.place(limit("buy", "1", "1", symbol="ONE_COIN"))
    assert [why for _, _, why, _ in legs(books, since)] == ["placed", "paid", "paid", "fee", "fee"]


def legs(books: Floor, since: int) -> list[tuple[int, int, str, int]]:
    """Return account, asset, why and order of each entry after so many events."""
    return [(leg.account, leg.asset, leg.why, leg.ref) for leg in books.events[since:] if isinstance(leg, Entry)]


def test_of_a_resting_order_only_what_a_fill_changes_is_changed() -> None:
    books = floor(maker_fee_ppm=1_000)
    placed = books.place(limit("sell", "100", "1", account=OTHER, out_trade_no="a"))
    books.now += HOUR
    stages: list[tuple[int, Status]] = [(50_000_000, "partly_filled"), (UNIT, "filled")]
    for filled, status in stages:
        books.place(limit("buy", "100", "0.5"))
        assert books.order(OTHER, 1) == placed._replace(
            filled=filled, value=100 * filled, fee=filled // 10, status=status, changed_at=books.now
        )


def test_of_one_that_gives_way_only_that_it_is_cancelled() -> None:
    books = floor(self_trade="cancel_oldest")
    placed = books.place(limit("sell", "100", "1", out_trade_no="a"))
    books.now += HOUR
    books.place(limit("buy", "100", "1"))
    assert books.order(USER, 1) == placed._replace(status="cancelled", changed_at=books.now)


def test_fills_are_numbered_without_a_gap_over_all_markets() -> None:
    books = floor()
    for symbol, price in (("BTC_USDT", "100"), ("ONE_COIN", "1"), ("BTC_USDT", "100")):
        books.place(limit("sell", price, "1", account=OTHER, symbol=symbol))
        books.place(limit("sell", price, "1", account=THIRD, symbol=symbol))
        books.place(limit("buy", price, "2", symbol=symbol))
    assert [event.id for event in books.events if isinstance(event, Traded)] == [1, 2, 3, 4, 5, 6]


def test_a_market_order_pays_from_what_is_available() -> None:
    books = floor()
    books.place(limit("sell", "100", "1", account=OTHER))
    since = len(books.events)
    books.place(market("buy", "1"))
    assert books.entries(USER, "USDT", since) == [("paid", "-100", "0")]
    assert books.holds == 0


def test_a_market_buy_by_funds_cannot_spend_its_last_unit() -> None:
    """10 of funds at 3 each: 3 pieces for 9, and 1 stays available."""
    books = floor(each="10")
    books.place(limit("sell", "3", "10", account=OTHER, symbol="ONE_COIN"))
    order = books.place(market("buy", funds="10", symbol="ONE_COIN"))
    assert (order.status, order.filled, order.value, order.funds) == ("filled", 3, 9, 10)
    assert books.coins(USER, "COIN") == ("1", "0")
    assert books.coins(USER, "ONE") == ("12", "0")


def test_what_funds_leave_over_for_the_next_price_stays_available() -> None:
    """2 at 3 are 6 of 8; the 2 that are left do not pay for one at 4."""
    books = floor(each="10")
    books.place(limit("sell", "3", "2", account=OTHER, symbol="ONE_COIN"))
    books.do(ChangeMarket("ONE_COIN", bound_ppm=1_000_000))
    books.place(limit("sell", "4", "5", account=THIRD, symbol="ONE_COIN"))
    order = books.place(market("buy", funds="8", symbol="ONE_COIN"))
    assert (order.status, order.filled, order.value) == ("filled", 2, 6)
    assert books.coins(USER, "COIN") == ("4", "0")


def test_a_market_order_through_a_thin_book_keeps_what_it_filled() -> None:
    books = floor()
    books.place(limit("sell", "100", "0.5", account=OTHER))
    books.place(limit("sell", "105", "0.25", account=THIRD))
    order = books.place(market("buy", "1"))
    assert (order.status, order.filled, order.value) == ("cancelled", 75_000_000, 7_625_000_000)
    assert books.coins(USER, "USDT") == ("923.75", "0")


def test_a_market_buy_goes_to_10_percent_above_the_best_and_not_a_step_further() -> None:
    books = floor()
    for price in ("100", "110", "110.01"):
        books.place(limit("sell", price, "0.25", account=OTHER))
    order = books.place(market("buy", "1"))
    assert (order.status, order.filled, order.value) == ("cancelled", 50_000_000, 5_250_000_000)
    assert books.order(OTHER, 3).filled == 0


def test_a_market_sale_goes_to_10_percent_below_the_best_and_not_a_step_further() -> None:
    books = floor()
    for price in ("100", "90", "89.99"):
        books.place(limit("buy", price, "0.25", account=OTHER))
    order = books.place(market("sell", "1"))
    assert (order.status, order.filled, order.value) == ("cancelled", 50_000_000, 4_750_000_000)


def test_the_bound_is_the_markets_own() -> None:
    books = floor(bound_ppm=0)
    for price in ("100", "100.01"):
        books.place(limit("sell", price, "0.25", account=OTHER))
    assert books.place(market("buy", "1")).filled == 25_000_000


def test_a_market_sale_by_funds_sells_until_they_are_received() -> None:
    """30 at 100 is 0.3; the fee comes off what is received, and is not made good."""
    books = floor(taker_fee_ppm=2_000)
    books.place(limit("buy", "100", "1", account=OTHER))
    order = books.place(market("sell", funds="30"))
    assert (order.status, order.filled, order.value, order.fee) == ("filled", 30_000_000, 3_000_000_000, 6_000_000)
    assert books.coins(USER, "BTC") == ("999.7", "0")
    assert books.coins(USER, "USDT") == ("1029.94", "0")


def test_a_market_sale_by_funds_receives_no_more_than_they_are() -> None:
    books = floor()
    books.place(limit("buy", "3", "10", account=OTHER, symbol="ONE_COIN"))
    order = books.place(market("sell", funds="10", symbol="ONE_COIN"))
    assert (order.status, order.filled, order.value) == ("filled", 3, 9)


def test_a_market_sale_by_funds_passes_no_better_bid_over() -> None:
    """One more at 3 would be too much, and 1 at 1 would fit: but whoever bids 3 is still there, and comes first."""
    books = floor()
    books.place(limit("buy", "3", "10", account=OTHER, symbol="ONE_COIN"))
    books.do(ChangeMarket("ONE_COIN", bound_ppm=1_000_000))
    books.place(limit("buy", "1", "10", account=THIRD, symbol="ONE_COIN"))
    order = books.place(market("sell", funds="10", symbol="ONE_COIN"))
    assert (order.status, order.filled, order.value) == ("filled", 3, 9)
    assert books.order(THIRD, 2).filled == 0


def test_a_market_order_stops_at_a_thousand_fills() -> None:
    books = floor(each="5000")
    for _ in range(1_001):
        books.place(limit("sell", "1", "1", account=OTHER, symbol="ONE_COIN"))
    order = books.place(market("buy", "1001", symbol="ONE_COIN"))
    assert (order.status, order.filled) == ("cancelled", 1_000)
    assert books.order(OTHER, 1_001).status == "open"


def test_a_limit_order_stops_at_a_thousand_fills_and_what_is_left_is_cancelled() -> None:
    books = floor(each="5000")
    for _ in range(1_001):
        books.place(limit("sell", "1", "1", account=OTHER, symbol="ONE_COIN"))
    order = books.place(limit("buy", "2", "1001", symbol="ONE_COIN"))
    assert (order.status, order.filled) == ("cancelled", 1_000)
    assert books.coins(USER, "COIN") == ("4000", "0")
    assert books.holds == 1


def test_a_frozen_accounts_order_that_rests_is_filled_all_the_same() -> None:
    books = floor()
    books.place(limit("sell", "100", "1", account=OTHER))
    books.do(FreezeAccount(OTHER, frozen=True, reason="asked"))
    assert books.place(limit("buy", "100", "1")).status == "filled"


def test_orders_that_rest_are_filled_whatever_became_of_the_markets_ranges() -> None:
    books = floor()
    books.place(limit("sell", "100", "1", account=OTHER))
    books.do(ChangeMarket("BTC_USDT", price_min="200", amount_min="2", value_min="1000"))
    assert books.place(limit("buy", "500", "2")).filled == 100_000_000
