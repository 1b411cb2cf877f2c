"""Changing a market's rules."""

from typing import Any

import pytest

from spotbook.domain.commands import ChangeMarket
from spotbook.domain.errors import AmountMalformed, AmountTooPrecise, Invalid, InvariantBroken, UnknownMarket
from spotbook.domain.events import MarketChanged, MarketMade
from support.books import Bench, bench
from support.commands import BTC_USDT, limit
from support.floor import floor


@pytest.fixture
def books() -> Bench:
    made = bench()
    made.do(BTC_USDT)
    return made


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"value_min": "0"}, "value_min", 0),
        ({"value_min": "1.5"}, "value_min", 150_000_000),
        ({"value_max": "9"}, "value_max", 900_000_000),
        ({"price_min": "0.02"}, "price_min", 2),
        ({"price_max": "7"}, "price_max", 700),
        ({"amount_min": "0.5"}, "amount_min", 50_000_000),
        ({"amount_max": "0.5"}, "amount_max", 50_000_000),
        ({"maker_fee_ppm": 0}, "maker_fee_ppm", 0),
        ({"taker_fee_ppm": 1_000_000}, "taker_fee_ppm", 1_000_000),
        ({"self_trade": "cancel_oldest"}, "self_trade", "cancel_oldest"),
        ({"state": "cancel_only"}, "state", "cancel_only"),
        ({"state": "off"}, "state", "off"),
        ({"orders_max": 1}, "orders_max", 1),
        ({"bound_ppm": 0}, "bound_ppm", 0),
    ],
    ids=str,
)
def test_what_is_given_changes_and_nothing_else(books: Bench, given: dict[str, Any], name: str, value: object) -> None:
    before = books.state.markets.get("BTC_USDT")
    after = books.do(ChangeMarket("BTC_USDT", **given))
    assert before is not None
    assert after == before._replace(**{name: value}) != before  # type: ignore[arg-type]
    assert books.events[-1] == MarketChanged(*after)
    assert books.state.markets.get("BTC_USDT") == after == books.state.open_orders.books[1].market


def test_several_rules_change_at_once(books: Bench) -> None:
    after = books.do(ChangeMarket("BTC_USDT", price_min="5", price_max="6", state="off"))
    assert (after.price_min, after.price_max, after.state) == (500, 600, "off")


def test_to_change_a_market_into_what_it_is_changes_nothing(books: Bench) -> None:
    as_it_is = books.state.markets.get("BTC_USDT")
    assert books.decide(ChangeMarket("BTC_USDT", value_min="5.00", state="on")) == ([], as_it_is, False)
    assert books.decide(ChangeMarket("BTC_USDT")).events == []


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"price_min": "0"}, Invalid),
        ({"price_min": "1000001"}, Invalid),
        ({"price_min": "0.001"}, AmountTooPrecise),
        ({"price_max": "0.00"}, Invalid),
        ({"amount_min": "0"}, Invalid),
        ({"amount_min": "0.0000001"}, AmountTooPrecise),
        ({"amount_max": "0.0000000"}, Invalid),
        ({"value_min": "-1"}, AmountMalformed),
        ({"value_max": "4.99"}, Invalid),
        ({"maker_fee_ppm": -1}, Invalid),
        ({"maker_fee_ppm": 1_000_001}, Invalid),
        ({"taker_fee_ppm": -1}, Invalid),
        ({"taker_fee_ppm": 1_000_001}, Invalid),
        ({"self_trade": "allow"}, Invalid),
        ({"state": "open"}, Invalid),
        ({"orders_max": 0}, Invalid),
        ({"orders_max": 10_001}, Invalid),
        ({"bound_ppm": -1}, Invalid),
        ({"bound_ppm": 1_000_001}, Invalid),
    ],
    ids=str,
)
def test_a_rule_out_of_range_is_refused_by_its_name(books: Bench, given: dict[str, Any], kind: type[Invalid]) -> None:
    with pytest.raises(Invalid) as refused:
        books.decide(ChangeMarket("BTC_USDT", **given))
    assert type(refused.value) is kind
    assert refused.value.name in {*given, "price_max"}


def test_an_unknown_market_cannot_be_changed(books: Bench) -> None:
    with pytest.raises(UnknownMarket) as refused:
        books.decide(ChangeMarket("ETH_USDT", state="off"))
    assert refused.value.named == "ETH_USDT"


def test_a_market_of_assets_that_are_not_there_breaks_the_books(books: Bench) -> None:
    books.state.assets.drop(1)
    with pytest.raises(InvariantBroken, match="BTC_USDT is of assets that do not exist"):
        books.decide(ChangeMarket("BTC_USDT", state="off"))


def test_nor_is_such_a_market_ever_made(books: Bench) -> None:
    market = books.state.markets.get("BTC_USDT")
    assert market is not None
    with pytest.raises(InvariantBroken, match="ETH_USDT is of assets that do not exist"):
        books.apply(MarketMade(*market._replace(id=2, symbol="ETH_USDT", base=9)))


def test_orders_that_rest_stay_whatever_the_new_rules() -> None:
    books = floor()
    books.place(limit("buy", "30", "1"))
    books.do(ChangeMarket("BTC_USDT", price_min="100", amount_min="2", value_min="500", orders_max=1, state="off"))
    assert books.order(1_001, 1).status == "open"
    assert books.coins(1_001, "USDT") == ("970", "30")
