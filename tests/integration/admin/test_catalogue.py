"""Assets, markets and limits over the Admin API."""

from collections.abc import Callable
from typing import Any

import pytest

Error = Callable[[Any], tuple[int, str]]

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)  # nothing here depends on the store

MARKET = {
    "symbol": "BTC_USDT",
    "price_decimals": 2,
    "amount_decimals": 6,
    "value_min": "5",
    "price_min": "0.01",
    "price_max": "1000000",
    "amount_min": "0.000001",
    "amount_max": "9000",
    "maker_fee_ppm": 1000,
    "taker_fee_ppm": 2000,
    "self_trade": "cancel_newest",
    "state": "on",
}
DEFAULTS = {"value_max": "0", "orders_max": 10_000, "bound_ppm": 100_000}


def test_an_asset_is_made_once(admin: Any, error: Error) -> None:
    body = {"asset": "SAND", "scale": 8, "supply_max": "40000000000"}
    first = admin.post("/assets", body)
    again = admin.post("/assets", {**body, "supply_max": "40000000000.00"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"id": 3, **body}
    differs = admin.post("/assets", {**body, "scale": 7})
    assert error(differs) == (409, "asset_differs")
    assert differs.json()["error"]["first"] == first.json()


def test_assets_are_listed_in_the_order_they_were_made(admin: Any) -> None:
    admin.post("/assets", {"asset": "AAA", "scale": 0, "supply_max": "1"})
    assert [asset["asset"] for asset in admin.get("/assets").json()["assets"]] == ["BTC", "USDT", "AAA"]


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"asset": "btc"}, "invalid", "asset"),
        ({"asset": "X" * 17}, "invalid", "asset"),
        ({"scale": 19}, "invalid", "scale"),
        ({"scale": -1}, "invalid", "scale"),
        ({"scale": 10**30}, "invalid", "scale"),
        ({"scale": "8"}, "invalid", "scale"),
        ({"supply_max": 21}, "invalid", "supply_max"),
        ({"supply_max": "0"}, "invalid", "supply_max"),
        ({"supply_max": "99999999999999999999"}, "amount_too_large", "supply_max"),
    ],
)
def test_an_asset_that_cannot_be_is_422(admin: Any, error: Error, change: dict[str, Any], code: str, name: str) -> None:
    reply = admin.post("/assets", {"asset": "SAND", "scale": 8, "supply_max": "1", **change})
    assert error(reply) == (422, code)
    assert reply.json()["error"]["name"] == name


def test_a_market_is_made_once(admin: Any, error: Error) -> None:
    first = admin.post("/markets", MARKET)
    again = admin.post("/markets", {**MARKET, "value_min": "5.0"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"id": 1, **MARKET, **DEFAULTS}
    differs = admin.post("/markets", {**MARKET, "maker_fee_ppm": 0})
    assert error(differs) == (409, "market_differs")
    assert differs.json()["error"]["first"] == first.json()
    assert admin.get("/markets").json() == {"markets": [first.json()]}


@pytest.mark.parametrize(
    ("change", "status", "code", "name"),
    [
        ({"symbol": "BTCUSDT"}, 422, "invalid", "symbol"),
        ({"symbol": "BTC_BTC"}, 422, "invalid", "symbol"),
        ({"symbol": "BTC_DOGE"}, 404, "unknown_asset", None),
        ({"price_decimals": 3}, 422, "invalid", "price_decimals"),
        ({"amount_decimals": 9}, 422, "invalid", "amount_decimals"),
        ({"price_min": "0.001"}, 422, "amount_too_precise", "price_min"),
        ({"price_min": 1}, 422, "invalid", "price_min"),
        ({"amount_max": "0.0000001"}, 422, "amount_too_precise", "amount_max"),
        ({"taker_fee_ppm": 1_000_001}, 422, "invalid", "taker_fee_ppm"),
        ({"self_trade": "maybe"}, 422, "invalid", "self_trade"),
        ({"state": "open"}, 422, "invalid", "state"),
        ({"value_max": ""}, 422, "amount_malformed", "value_max"),
        ({"value_max": "4"}, 422, "invalid", "value_max"),
        ({"orders_max": 10_001}, 422, "invalid", "orders_max"),
        ({"bound_ppm": -1}, 422, "invalid", "bound_ppm"),
    ],
)
def test_a_market_that_cannot_be_is_refused(
    admin: Any, error: Error, change: dict[str, Any], *, status: int, code: str, name: str | None
) -> None:
    reply = admin.post("/markets", {**MARKET, **change})
    assert error(reply) == (status, code)
    assert reply.json()["error"].get("name") == name


def test_a_market_is_made_with_every_rule(admin: Any) -> None:
    body = {**MARKET, "value_max": "250000.5", "orders_max": 200, "bound_ppm": 5_000}
    assert admin.post("/markets", body).json() == {"id": 1, **body}


CHANGES = {
    "value_min": "1.5",
    "value_max": "1000",
    "price_min": "0.02",
    "price_max": "500000",
    "amount_min": "0.00001",
    "amount_max": "10",
    "maker_fee_ppm": 0,
    "taker_fee_ppm": 1_500,
    "self_trade": "cancel_oldest",
    "state": "cancel_only",
    "orders_max": 5,
    "bound_ppm": 0,
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_rule_of_a_market_is_changed(admin: Any, error: Error, name: str) -> None:
    made = admin.post("/markets", MARKET).json()
    reply = admin.patch("/markets/BTC_USDT", {name: CHANGES[name]})
    assert (reply.status_code, reply.json()) == (200, {**made, name: CHANGES[name]})
    assert admin.get("/markets").json() == {"markets": [reply.json()]}
    original = admin.post("/markets", MARKET)
    assert error(original) == (409, "market_differs")
    assert original.json()["error"]["first"] == reply.json()


def test_all_rules_of_a_market_are_changed_at_once_and_back(admin: Any) -> None:
    made = admin.post("/markets", MARKET).json()
    assert admin.patch("/markets/BTC_USDT", CHANGES).json() == {**made, **CHANGES}
    back = {name: made[name] for name in CHANGES}
    assert admin.patch("/markets/BTC_USDT", back).json() == made
    assert admin.post("/markets", MARKET).status_code == 200


def test_a_change_of_nothing_changes_nothing(admin: Any) -> None:
    made = admin.post("/markets", MARKET).json()
    batch = admin.parts.reader.head().number
    for body in ({}, {"state": "on"}, {"value_min": "5.00", "state": None}):
        reply = admin.patch("/markets/BTC_USDT", body)
        assert (reply.status_code, reply.json()) == (200, made)
    assert admin.parts.reader.head().number == batch


@pytest.mark.parametrize(
    ("body", "code", "name"),
    [
        ({"price_decimals": 2}, "invalid", "price_decimals"),
        ({"amount_decimals": 6}, "invalid", "amount_decimals"),
        ({"symbol": "BTC_USDT"}, "invalid", "symbol"),
        ({"state": "open"}, "invalid", "state"),
        ({"self_trade": ""}, "invalid", "self_trade"),
        ({"value_min": 1}, "invalid", "value_min"),
        ({"value_min": ""}, "amount_malformed", "value_min"),
        ({"value_max": ""}, "amount_malformed", "value_max"),
        ({"value_max": "4.99"}, "invalid", "value_max"),
        ({"price_min": "0"}, "invalid", "price_min"),
        ({"price_min": "0.001"}, "amount_too_precise", "price_min"),
        ({"price_max": "0.001"}, "amount_too_precise", "price_max"),
        ({"amount_min": "0.0000001"}, "amount_too_precise", "amount_min"),
        ({"amount_max": "1e3"}, "amount_malformed", "amount_max"),
        ({"maker_fee_ppm": -1}, "invalid", "maker_fee_ppm"),
        ({"taker_fee_ppm": 1_000_001}, "invalid", "taker_fee_ppm"),
        ({"orders_max": 0}, "invalid", "orders_max"),
        ({"orders_max": 10_001}, "invalid", "orders_max"),
        ({"bound_ppm": 1_000_001}, "invalid", "bound_ppm"),
    ],
)
def test_a_change_that_cannot_be_is_422(
    admin: Any, error: Error, body: dict[str, Any], *, code: str, name: str
) -> None:
    made = admin.post("/markets", MARKET).json()
    reply = admin.patch("/markets/BTC_USDT", body)
    assert error(reply) == (422, code)
    assert reply.json()["error"]["name"] == name
    assert admin.get("/markets").json() == {"markets": [made]}


@pytest.mark.parametrize("symbol", ["BTC_DOGE", "btc_usdt", "x"])
def test_changing_an_unknown_market_is_404(admin: Any, error: Error, symbol: str) -> None:
    assert error(admin.patch(f"/markets/{symbol}", {"state": "off"})) == (404, "unknown_market")


def test_the_limits_in_force_are_shown(admin: Any) -> None:
    limits = admin.get("/limits").json()
    assert (limits["address_per_s"], limits["user_per_s"]) == (100, 300)
    assert limits["commands"]["returnCompleteBalances"] == {"calls": 5, "window_ms": 2000}
    assert limits["ladder"]["bans_max"] == 10
