"""Assets and markets, and the rule that makes trading exact."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbook.domain import amount
from spotbook.domain.asset import Asset, Market, check_asset_name, check_market, check_scale, supply_units
from spotbook.domain.errors import AmountMalformed, AmountTooLarge, AmountTooPrecise, Invalid
from spotbook.limits import UNITS_MAX

BTC = Asset(1, "BTC", 8, 21_000_000 * 10**8)
USDT = Asset(2, "USDT", 6, 10**16)
MARKET = Market(
    id=1,
    symbol="BTC_USDT",
    base=1,
    quote=2,
    price_decimals=2,
    amount_decimals=4,
    value_min=5_000_000,
    price_min=1,
    price_max=10**8,
    amount_min=10**4,
    amount_max=10**12,
    maker_fee_ppm=1_000,
    taker_fee_ppm=2_000,
    self_trade="cancel_newest",
    state="on",
)


@pytest.mark.parametrize("name", ["A", "BTC", "1INCH", "A" * 16])
def test_capital_letters_and_digits_name_an_asset(name: str) -> None:
    check_asset_name(name)


@pytest.mark.parametrize("name", ["", "btc", "A" * 17, "BTC_USDT", "BTC ", "BTC\n", "Ä", "１"])
def test_anything_else_names_none(name: str) -> None:
    with pytest.raises(Invalid, match=r"^asset: write 1 to 16 capital letters and digits$"):
        check_asset_name(name)


@pytest.mark.parametrize("scale", [0, 8, 18])
def test_an_asset_has_0_to_18_decimals(scale: int) -> None:
    check_scale(scale)


@pytest.mark.parametrize("scale", [-1, 19])
def test_no_fewer_and_no_more(scale: int) -> None:
    with pytest.raises(Invalid, match=r"^scale: is 0 to 18$"):
        check_scale(scale)


def test_the_supply_is_read_in_smallest_units() -> None:
    assert supply_units("21000000", 8) == 2_100_000_000_000_000


@pytest.mark.parametrize(("text", "scale"), [(str(2**62 - 1), 0), ("4.611686018427387903", 18)])
def test_a_supply_of_exactly_2_to_the_62_minus_1_units_is_admitted(text: str, scale: int) -> None:
    assert supply_units(text, scale) == UNITS_MAX


@pytest.mark.parametrize(("text", "scale"), [(str(2**62), 0), ("4.611686018427387904", 18), ("5", 18)])
def test_a_unit_more_is_refused_with_the_bound(text: str, scale: int) -> None:
    with pytest.raises(
        AmountTooLarge, match=r"^supply_max: in smallest units is at most 4611686018427387903, 2\^62 - 1$"
    ):
        supply_units(text, scale)


@pytest.mark.parametrize("text", ["0", "0.00"])
def test_a_supply_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"^supply_max: is more than zero$"):
        supply_units(text, 8)


@pytest.mark.parametrize(("text", "kind"), [("1e9", AmountMalformed), ("0.123456789", AmountTooPrecise)])
def test_a_supply_is_an_amount_like_any_other(text: str, kind: type[Invalid]) -> None:
    with pytest.raises(kind, match=r"^supply_max: "):
        supply_units(text, 8)


def test_a_consistent_market_is_admitted() -> None:
    check_market(MARKET, BTC, USDT)


def test_price_and_amount_decimals_may_fill_the_quotes_scale() -> None:
    check_market(MARKET._replace(price_decimals=6, amount_decimals=0), BTC, USDT)


def test_the_amounts_decimals_may_fill_the_bases_scale() -> None:
    check_market(MARKET._replace(price_decimals=0, amount_decimals=8), BTC, USDT._replace(scale=8))


def test_a_decimal_more_would_have_to_round_and_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        check_market(MARKET._replace(price_decimals=3), BTC, USDT)
    assert refused.value.name == "price_decimals"
    assert refused.value.why == "with amount_decimals is at most 6, the scale of USDT, so that nothing is rounded"


def test_base_and_quote_differ() -> None:
    with pytest.raises(Invalid, match=r"^symbol: base and quote are the same asset$"):
        check_market(MARKET, BTC, BTC)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"price_decimals": -1}, "is 0 or more"),
    ({"amount_decimals": -1}, "is 0 to 8, the scale of BTC"),
    ({"amount_decimals": 9}, "is 0 to 8, the scale of BTC"),
    ({"price_min": 0}, "is at least one step"),
    ({"price_max": 0}, "is at least price_min"),
    ({"amount_min": 0}, "is at least one step"),
    ({"amount_max": 9_999}, "is at least amount_min"),
    ({"maker_fee_ppm": -1}, "is 0 to 1000000"),
    ({"maker_fee_ppm": 1_000_001}, "is 0 to 1000000"),
    ({"taker_fee_ppm": -1}, "is 0 to 1000000"),
    ({"taker_fee_ppm": 1_000_001}, "is 0 to 1000000"),
    ({"value_max": 4_999_999}, "is at least value_min, or 0 for none"),
    ({"orders_max": 0}, "is 1 to 10000"),
    ({"orders_max": 10_001}, "is 1 to 10000"),
    ({"bound_ppm": -1}, "is 0 to 1000000"),
    ({"bound_ppm": 1_000_001}, "is 0 to 1000000"),
    ({"self_trade": "allow"}, "is one of cancel_newest, cancel_oldest"),
    ({"state": "open"}, "is one of on, cancel_only, off"),
]


@pytest.mark.parametrize(("change", "why"), BROKEN, ids=str)
def test_a_value_out_of_range_is_refused_by_its_name(change: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_market(MARKET._replace(**change), BTC, USDT)
    assert ([refused.value.name], refused.value.why) == ([*change], why)


@pytest.mark.parametrize(
    "change",
    [
        {"price_min": 1, "price_max": 1},
        {"amount_min": 1},
        {"amount_decimals": 0},
        {"price_decimals": 0},
        {"value_max": 0},
        {"value_max": 5_000_000},
        {"value_min": 0, "value_max": 1},
        {"orders_max": 1},
        {"orders_max": 10_000},
        {"bound_ppm": 0},
        {"bound_ppm": 1_000_000},
        {"price_min": 7, "price_max": 7},
        {"amount_min": 7, "amount_max": 7},
        {"maker_fee_ppm": 0, "taker_fee_ppm": 1_000_000},
        {"maker_fee_ppm": 1_000_000, "taker_fee_ppm": 0},
        {"self_trade": "cancel_oldest"},
        {"state": "cancel_only"},
        {"state": "off"},
    ],
    ids=str,
)
def test_a_value_at_the_end_of_its_range_is_admitted(change: dict[str, Any]) -> None:
    check_market(MARKET._replace(**change), BTC, USDT)


@given(st.data())
def test_in_every_market_that_is_admitted_price_times_amount_is_a_whole_number_of_units(data: st.DataObject) -> None:
    base = Asset(1, "BASE", data.draw(st.integers(0, 18), "base scale"), 1)
    quote = Asset(2, "QUOTE", data.draw(st.integers(0, 18), "quote scale"), 1)
    market = MARKET._replace(
        price_decimals=data.draw(st.integers(-1, 18), "price decimals"),
        amount_decimals=data.draw(st.integers(-1, 18), "amount decimals"),
    )
    try:
        check_market(market, base, quote)
    except Invalid:
        return
    price = data.draw(st.integers(1, 10**6), "price in steps")
    steps = data.draw(st.integers(1, 10**6), "amount in steps")
    price_text = amount.show(price, market.price_decimals)
    amount_text = amount.show(steps, market.amount_decimals)
    numerator = int(price_text.replace(".", "")) * int(amount_text.replace(".", "")) * 10**quote.scale
    assert numerator % 10 ** (market.price_decimals + market.amount_decimals) == 0
