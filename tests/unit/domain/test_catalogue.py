"""Making assets and markets, once."""

import pytest

from spotbook.domain.asset import Asset, Market
from spotbook.domain.commands import MakeAsset, MakeMarket
from spotbook.domain.errors import (
    AmountMalformed,
    AmountTooLarge,
    AmountTooPrecise,
    AssetDiffers,
    Invalid,
    MarketDiffers,
    TooMany,
    UnknownAsset,
)
from spotbook.limits import ASSETS_MAX, MARKETS_MAX, UNITS_MAX
from support.books import Bench, bench
from support.commands import BTC, BTC_USDT


@pytest.fixture
def books() -> Bench:
    return bench()


def test_assets_are_numbered_in_the_order_in_which_they_are_made(books: Bench) -> None:
    assert books.do(MakeAsset("ETH", 18, "4")) == Asset(3, "ETH", 18, 4 * 10**18)


def test_the_same_asset_again_changes_nothing_and_answers_the_same(books: Bench) -> None:
    decision = books.decide(BTC)
    assert decision == ([], Asset(1, "BTC", 8, 2_100_000_000_000_000), False)


def test_the_same_supply_written_otherwise_is_the_same_asset(books: Bench) -> None:
    assert books.decide(BTC._replace(supply_max="21000000.00")).events == []


@pytest.mark.parametrize("change", [{"scale": 7}, {"supply_max": "21000001"}], ids=str)
def test_an_asset_of_that_name_that_differs_is_refused_with_the_first(books: Bench, change: dict[str, object]) -> None:
    with pytest.raises(AssetDiffers) as refused:
        books.decide(BTC._replace(**change))  # type: ignore[arg-type]
    assert (refused.value.named, refused.value.first) == ("BTC", Asset(1, "BTC", 8, 2_100_000_000_000_000))


@pytest.mark.parametrize(
    ("command", "name"),
    [(MakeAsset("btc", 8, "1"), "asset"), (MakeAsset("X", 19, "1"), "scale"), (MakeAsset("X", 8, "0"), "supply_max")],
)
def test_an_asset_with_a_bad_value_is_refused_by_its_name(books: Bench, command: MakeAsset, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        books.decide(command)
    assert refused.value.name == name


def test_there_are_at_most_1024_assets(books: Bench) -> None:
    books.state.counters.put("asset", ASSETS_MAX - 1)
    books.do(MakeAsset("LAST", 0, "1"))
    with pytest.raises(TooMany) as refused:
        books.decide(MakeAsset("MORE", 0, "1"))
    assert (refused.value.what, refused.value.most) == ("assets", 1_024)


def test_a_market_counts_prices_in_steps_and_amounts_in_units(books: Bench) -> None:
    made = BTC_USDT._replace(value_max="7.5", orders_max=9, bound_ppm=11)
    assert books.do(made) == Market(
        id=1,
        symbol="BTC_USDT",
        base=1,
        quote=2,
        price_decimals=2,
        amount_decimals=6,
        value_min=500_000_000,
        price_min=1,
        price_max=100_000_000,
        amount_min=100,
        amount_max=900_000_000_000,
        maker_fee_ppm=1_000,
        taker_fee_ppm=2_000,
        self_trade="cancel_newest",
        state="on",
        value_max=750_000_000,
        orders_max=9,
        bound_ppm=11,
    )


def test_a_new_market_has_a_book_that_the_public_has_yet_to_see(books: Bench) -> None:
    books.do(BTC_USDT)
    assert books.state.open_orders.touched == set(books.state.open_orders.books) == {1}


def test_a_market_without_a_largest_value_has_0(books: Bench) -> None:
    assert books.do(BTC_USDT).value_max == 0
    with pytest.raises(AmountMalformed, match=r"^value_max: "):
        books.decide(BTC_USDT._replace(symbol="USDT_BTC", value_max="x"))


def test_the_same_market_again_changes_nothing_and_answers_the_same(books: Bench) -> None:
    first = books.do(BTC_USDT)
    assert books.decide(BTC_USDT) == ([], first, False)


def test_a_market_of_that_symbol_that_differs_is_refused_with_the_first(books: Bench) -> None:
    first = books.do(BTC_USDT)
    with pytest.raises(MarketDiffers) as refused:
        books.decide(BTC_USDT._replace(taker_fee_ppm=0))
    assert (refused.value.named, refused.value.first) == ("BTC_USDT", first)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC_USDT_X", ""])
def test_a_symbol_is_two_names(books: Bench, symbol: str) -> None:
    with pytest.raises(Invalid, match=r"^symbol: write it as BASE_QUOTE$"):
        books.decide(BTC_USDT._replace(symbol=symbol))


def test_a_symbols_halves_name_assets(books: Bench) -> None:
    with pytest.raises(Invalid, match=r"^asset: "):
        books.decide(BTC_USDT._replace(symbol="btc_USDT"))


@pytest.mark.parametrize("symbol", ["ETH_USDT", "BTC_ETH"])
def test_both_assets_must_exist(books: Bench, symbol: str) -> None:
    with pytest.raises(UnknownAsset) as refused:
        books.decide(BTC_USDT._replace(symbol=symbol))
    assert refused.value.named == "ETH"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price_decimals": 9}, "is 0 to 8, the scale of USDT"),
        ({"amount_decimals": 9}, "is 0 to 8, the scale of BTC"),
        ({"price_decimals": -1}, "is 0 to 8, the scale of USDT"),
        ({"amount_decimals": -1}, "is 0 to 8, the scale of BTC"),
    ],
    ids=str,
)
def test_decimals_lie_within_their_assets_scale(books: Bench, change: dict[str, int], why: str) -> None:
    with pytest.raises(Invalid) as refused:
        books.decide(BTC_USDT._replace(**change))  # type: ignore[arg-type]
    assert ([refused.value.name], refused.value.why) == ([*change], why)


@pytest.mark.parametrize(("price", "amount"), [(0, 8), (8, 0), (0, 0)])
def test_decimals_may_be_all_or_none_of_the_scale(books: Bench, price: int, amount: int) -> None:
    whole = BTC_USDT._replace(price_min="1", amount_min="1", price_decimals=price, amount_decimals=amount)
    market = books.do(whole)
    assert (market.price_decimals, market.amount_decimals) == (price, amount)


def test_the_exactness_rule_is_asked(books: Bench) -> None:
    with pytest.raises(Invalid, match="so that nothing is rounded"):
        books.decide(BTC_USDT._replace(price_decimals=3))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"price_min": "0.001"}, AmountTooPrecise),
        ({"price_max": "1e6"}, AmountMalformed),
        ({"amount_min": "0.0000001"}, AmountTooPrecise),
        ({"amount_max": ""}, AmountMalformed),
        ({"value_min": "-1"}, AmountMalformed),
    ],
    ids=str,
)
def test_a_market_is_written_within_its_own_decimals(books: Bench, change: dict[str, str], kind: type[Invalid]) -> None:
    with pytest.raises(kind) as refused:
        books.decide(BTC_USDT._replace(**change))  # type: ignore[arg-type]
    assert [refused.value.name] == [*change]


def test_no_bound_of_a_market_is_beyond_what_the_books_can_hold(books: Bench) -> None:
    """1,000 whole coins of 18 decimals are more than 2^62 units, though not more than 2^62 steps of the market."""
    books.do(MakeAsset("ETH", 18, "4"))
    market = MakeMarket("ETH_USDT", 2, 0, "5", "1", "2", "1", "1000", 0, 0, "cancel_newest", "on")
    with pytest.raises(AmountTooLarge) as refused:
        books.decide(market)
    assert refused.value.name == "amount_max"
    assert books.do(market._replace(amount_max="4")).amount_max == 4 * 10**18 <= UNITS_MAX


def test_there_are_at_most_4096_markets(books: Bench) -> None:
    books.state.counters.put("market", MARKETS_MAX - 1)
    books.do(BTC_USDT)
    with pytest.raises(TooMany) as refused:
        books.decide(BTC_USDT._replace(symbol="USDT_BTC"))
    assert (refused.value.what, refused.value.most) == ("markets", 4_096)
