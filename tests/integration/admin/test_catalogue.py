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
    assert first.json() == again.json() == {"id": 1, **MARKET}
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
    ],
)
def test_a_market_that_cannot_be_is_refused(
    admin: Any, error: Error, change: dict[str, Any], *, status: int, code: str, name: str | None
) -> None:
    reply = admin.post("/markets", {**MARKET, **change})
    assert error(reply) == (status, code)
    assert reply.json()["error"].get("name") == name


def test_the_limits_in_force_are_shown(admin: Any) -> None:
    limits = admin.get("/limits").json()
    assert (limits["address_per_s"], limits["user_per_s"]) == (100, 300)
    assert limits["commands"]["returnCompleteBalances"] == {"calls": 5, "window_ms": 2000}
    assert limits["ladder"]["bans_max"] == 10
