"""What a market admits: texts, and ranges."""

from typing import Any

import pytest

from spotbook.domain.commands import ChangeMarket, MakeAsset, PlaceOrder
from spotbook.domain.errors import AmountMalformed, AmountTooLarge, AmountTooPrecise, Invalid, InvariantBroken
from spotbook.domain.rules import asked, asset_of
from spotbook.limits import UNITS_MAX
from support.books import bench
from support.commands import BTC_USDT, OTHER, USER, deposit, limit, market
from support.floor import Floor, floor


@pytest.fixture
def books() -> Floor:
    made = floor()
    made.place(limit("sell", "30", "1", account=OTHER))
    return made


@pytest.mark.parametrize(
    ("command", "name", "kind", "why"),
    [
        (limit("buy", "", "1"), "price", Invalid, "is missing"),
        (limit("buy", "30", ""), "amount", Invalid, "is missing"),
        (market("buy"), "amount", Invalid, "is missing, and so is funds"),
        (market("buy", "1", funds="1"), "amount", Invalid, "give either amount or funds"),
        (market("sell"), "amount", Invalid, "is missing, and so is funds"),
        (limit("buy", "30", "1")._replace(funds="30"), "funds", Invalid, "is for a market one only"),
        (limit("buy", "30", "1", kind="post_only")._replace(funds="30"), "funds", Invalid, "is for a market one only"),
        (limit("buy", "0", "1"), "price", Invalid, "is more than zero"),
        (limit("buy", "30", "0.000"), "amount", Invalid, "is more than zero"),
        (market("buy", funds="0"), "funds", Invalid, "is more than zero"),
        (market("buy", "0"), "amount", Invalid, "is more than zero"),
        (limit("buy", "-30", "1"), "price", AmountMalformed, "is negative"),
        (limit("buy", "30", "1e-05"), "amount", AmountMalformed, "write it without an exponent"),
        (market("buy", funds="1,5"), "funds", AmountMalformed, "write plain decimal digits"),
        (limit("buy", "30.001", "1"), "price", AmountTooPrecise, "has more than 2 decimals"),
        (limit("buy", "30", "0.0000001"), "amount", AmountTooPrecise, "has more than 6 decimals"),
        (market("buy", funds="0.000000001"), "funds", AmountTooPrecise, "has more than 8 decimals"),
        (market("sell", "0.0000001"), "amount", AmountTooPrecise, "has more than 6 decimals"),
        (limit("buy", "9" * 30, "1"), "price", AmountTooLarge, "is larger than any amount can be"),
    ],
    ids=str,
)
def test_a_text_that_cannot_be_taken_is_refused_by_its_name(
    books: Floor, command: PlaceOrder, name: str, kind: type[Invalid], why: str
) -> None:
    with pytest.raises(Invalid) as refused:
        books.decide(command)
    assert (type(refused.value), refused.value.name) == (kind, name)
    assert refused.value.why.startswith(why)


@pytest.mark.parametrize(
    ("command", "price", "units", "funds"),
    [
        (limit("buy", "30", "0.5", out_trade_no="a"), 3_000, 50_000_000, 0),
        (market("buy", "0.5", out_trade_no="a"), 0, 50_000_000, 0),
        (market("buy", funds="0.5", out_trade_no="a"), 0, 0, 50_000_000),
    ],
    ids=str,
)
def test_an_order_that_is_asked_for_has_nothing_filled(
    books: Floor, command: PlaceOrder, price: int, units: int, funds: int
) -> None:
    rules = books.state.markets.get("BTC_USDT")
    assert rules is not None
    asked_for = (USER, 7, 1, "buy", command.kind, price, units, funds)
    assert asked(books.state, rules, command, 7, books.now) == (*asked_for, 0, 0, 0, "open", "a", books.now, books.now)


def test_precision_is_judged_by_value(books: Floor) -> None:
    assert books.place(limit("buy", "29.00000", "0.1000000000")).amount == 10_000_000


RANGES: list[tuple[dict[str, str], PlaceOrder, PlaceOrder, str, str]] = [
    ({"price_min": "20"}, limit("buy", "20", "1"), limit("buy", "19.99", "1"), "price", "is at least 20"),
    ({"price_max": "29"}, limit("buy", "29", "1"), limit("buy", "29.01", "1"), "price", "is at most 29"),
    ({"amount_min": "0.5"}, limit("buy", "9", "0.5"), limit("buy", "9", "0.499999"), "amount", "is at least 0.5"),
    ({"amount_max": "2"}, limit("buy", "9", "2"), limit("buy", "9", "2.000001"), "amount", "is at most 2"),
    ({"amount_min": "0.5"}, market("buy", "0.5"), market("buy", "0.499999"), "amount", "is at least 0.5"),
    ({"amount_max": "2"}, market("buy", "2"), market("buy", "2.000001"), "amount", "is at most 2"),
    ({"value_min": "5"}, limit("buy", "5", "1"), limit("buy", "4.99", "1"), "amount", "so little is worth less"),
    ({"value_max": "5"}, limit("buy", "5", "1"), limit("buy", "5.01", "1"), "amount", "so much is worth more"),
    ({"value_min": "15"}, market("buy", "0.5"), market("buy", "0.499999"), "amount", "so little is worth less"),
    ({"value_max": "15"}, market("buy", "0.5"), market("buy", "0.500001"), "amount", "so much is worth more"),
    ({"value_min": "15"}, market("buy", funds="15"), market("buy", funds="14.99"), "funds", "is at least 15"),
    ({"value_max": "15"}, market("buy", funds="15"), market("buy", funds="15.01"), "funds", "is at most 15"),
]


@pytest.mark.parametrize(("rules", "admitted", "refused", "name", "why"), RANGES, ids=str)
def test_a_range_includes_its_ends_and_nothing_beyond(  # noqa: PLR0917  (a row of the table)
    books: Floor, rules: dict[str, Any], admitted: PlaceOrder, refused: PlaceOrder, name: str, why: str
) -> None:
    books.do(ChangeMarket("BTC_USDT", **rules))
    with pytest.raises(Invalid) as raised:
        books.decide(refused)
    assert raised.value.name == name
    assert raised.value.why.startswith(why)
    assert books.place(admitted).id == 2


def test_the_words_name_the_bound_in_the_quotes_decimals(books: Floor) -> None:
    books.do(ChangeMarket("BTC_USDT", value_min="5.5", value_max="9.25"))
    with pytest.raises(Invalid, match=r"least value, 5\.5$"):
        books.decide(limit("buy", "1", "1"))
    with pytest.raises(Invalid, match=r"largest value, 9\.25$"):
        books.decide(limit("buy", "10", "1"))


def test_the_least_value_of_a_market_order_by_amount_is_of_what_would_be_filled(books: Floor) -> None:
    """1 stands at 30: of 100 asked only that can be filled."""
    books.do(ChangeMarket("BTC_USDT", value_min="31"))
    with pytest.raises(Invalid, match="so little is worth less than the least value"):
        books.decide(market("buy", "100"))


def test_a_largest_value_of_0_is_none(books: Floor) -> None:
    books.do(ChangeMarket("BTC_USDT", value_max="15"))
    books.do(ChangeMarket("BTC_USDT", value_max="0"))
    assert books.place(limit("buy", "25", "10")).status == "open"


def test_a_sale_that_could_come_to_more_than_the_books_can_hold_is_refused() -> None:
    """No buyer can freeze so much, but many could in turn: what an order received must stay an amount."""
    books = bench()
    books.do(MakeAsset("ONE", 0, "4000000000000000000"))
    books.do(MakeAsset("COIN", 0, "4000000000000000000"))
    books.do(
        BTC_USDT._replace(
            symbol="ONE_COIN",
            price_decimals=0,
            amount_decimals=0,
            value_min="0",
            price_min="1",
            price_max="4000000000000000000",
            amount_min="1",
            amount_max="4000000000000000000",
        )
    )
    books.do(deposit("one", "4000000000000000000", asset="ONE"))
    most = UNITS_MAX // 2
    with pytest.raises(Invalid, match=f"so much is worth more than the largest value, {UNITS_MAX}"):
        books.decide(limit("sell", str(most + 1), "2", symbol="ONE_COIN", account=USER))
    assert books.do(limit("sell", str(most), "2", symbol="ONE_COIN", account=USER)).order.status == "open"


def test_a_markets_asset_is_always_there(books: Floor) -> None:
    with pytest.raises(InvariantBroken, match=r"^asset 99 of a market does not exist$"):
        asset_of(books.state, 99)
