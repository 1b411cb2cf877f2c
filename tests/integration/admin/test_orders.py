"""Open orders over the Admin API: seen, and cancelled by the operator."""

from collections.abc import Callable
from typing import Any

import pytest

from spotbook.domain.commands import MakeMarket, PlaceOrder
from support.commands import BTC_USDT, USER, deposit

Error = Callable[[Any], tuple[int, str]]

OTHER_MARKET = MakeMarket("USDT_BTC", 2, 2, "0", "0.01", "100", "0.01", "1000", 0, 0, "cancel_newest", "on")
ORDERS = f"/accounts/{USER}/orders"
FREE = {"available": "10", "frozen": "0"}


@pytest.fixture
def trading(admin: Any) -> Any:
    """The user has 10 BTC and 1,000 USDT, and two markets to spend them in; another has the same."""
    for command in (BTC_USDT, OTHER_MARKET, deposit("a", "10"), deposit("b", "1000", asset="USDT")):
        admin.do(command)
    admin.post("/accounts", {"name": "other"})
    for command in (deposit("c", "10", account=USER + 1), deposit("d", "1000", asset="USDT", account=USER + 1)):
        admin.do(command)
    return admin


def place(admin: Any, side: Any = "sell", *, account: int = USER, price: str = "100", amount: str = "1") -> int:
    made: int = admin.do(PlaceOrder(account, "BTC_USDT", side, "limit", price, amount, "", "")).id
    return made


def test_open_orders_are_listed_by_id(trading: Any) -> None:
    sell, _ = place(trading), place(trading, account=USER + 1)
    bought = trading.do(PlaceOrder(USER, "USDT_BTC", "sell", "post_only", "0.02", "50", "", "mine-1")).id
    taken = place(trading, "buy", account=USER + 1, price="10", amount="5")
    place(trading, price="10", amount="2")
    page = trading.get(ORDERS, params={"limit": 2}).json()
    first = {"side": "sell", "filled": "0", "value": "0", "fee": "0", "status": "open"}
    times = {"placed_at": trading.clock.now, "changed_at": trading.clock.now}
    assert page == {
        "orders": [
            {
                "id": sell,
                "symbol": "BTC_USDT",
                "kind": "limit",
                "price": "100",
                "amount": "1",
                "out_trade_no": "",
                **first,
                **times,
            },
            {
                "id": bought,
                "symbol": "USDT_BTC",
                "kind": "post_only",
                "price": "0.02",
                "amount": "50",
                "out_trade_no": "mine-1",
                **first,
                **times,
            },
        ],
        "next": bought,
    }
    assert trading.get(ORDERS, params={"after": bought}).json() == {"orders": [], "next": None}
    (other, half) = trading.get(f"/accounts/{USER + 1}/orders").json()["orders"]
    assert (other["status"], half["id"]) == ("open", taken)
    # 2 of 5 were sold to it at 10: it received them less 0.1 %, which is its fee, in BTC.
    assert [half[name] for name in ("filled", "value", "fee", "status")] == ["2", "20", "0.002", "partly_filled"]


def test_open_orders_of_one_market(trading: Any, error: Error) -> None:
    numbers = [place(trading), place(trading)]
    trading.do(PlaceOrder(USER, "USDT_BTC", "sell", "limit", "0.02", "50", "", ""))
    numbers.append(place(trading))
    first = trading.get(ORDERS, params={"symbol": "BTC_USDT", "limit": 2}).json()
    rest = trading.get(ORDERS, params={"symbol": "BTC_USDT", "limit": 2, "after": first["next"]}).json()
    assert [order["id"] for order in (*first["orders"], *rest["orders"])] == numbers
    assert rest["next"] is None
    assert error(trading.get(ORDERS, params={"symbol": "BTC_DOGE"})) == (404, "unknown_market")
    assert error(trading.get(ORDERS, params={"symbol": ""})) == (422, "invalid")


def test_orders_beyond_a_page_of_the_store_are_listed(trading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotbook.server.admin.orders.PAGE_ROWS_MAX", 2)
    numbers = [place(trading) for _ in range(5)]
    assert [order["id"] for order in trading.get(ORDERS).json()["orders"]] == numbers


def test_an_order_is_cancelled_once(trading: Any, error: Error) -> None:
    number = place(trading, amount="2.5")
    assert trading.get(f"/accounts/{USER}/balances").json()["balances"]["BTC"] == {"available": "7.5", "frozen": "2.5"}
    (hold,) = trading.get(f"/accounts/{USER}/holds").json()["holds"]
    assert hold == {"asset": "BTC", "amount": "2.5", "kind": "order", "id": number}
    trading.clock.now += 5
    reply = trading.delete(f"{ORDERS}/{number}")
    assert reply.status_code == 200
    shown = reply.json()
    assert (shown["id"], shown["status"], shown["changed_at"]) == (number, "cancelled", trading.clock.now)
    assert trading.get(f"/accounts/{USER}/balances").json()["balances"]["BTC"] == FREE
    assert trading.get(f"/accounts/{USER}/holds").json()["holds"] == []
    assert error(trading.delete(f"{ORDERS}/{number}")) == (409, "order_closed")
    assert trading.get("/audit").json()["ok"]


@pytest.mark.parametrize("number", ["0", "77", "-1", "x", "٣", "9007199254740992", "9" * 17])
def test_cancelling_an_unknown_order_is_404(trading: Any, error: Error, number: str) -> None:
    assert error(trading.delete(f"{ORDERS}/{number}")) == (404, "unknown_order")


def test_anothers_order_is_as_unknown(trading: Any, error: Error) -> None:
    number = place(trading, account=USER + 1)
    reply = trading.delete(f"{ORDERS}/{number}")
    assert error(reply) == (404, "unknown_order")
    assert trading.get(f"/accounts/{USER + 1}/orders").json()["orders"][0]["status"] == "open"


def test_all_orders_of_an_account_are_cancelled(trading: Any) -> None:
    for _ in range(3):
        place(trading)
    kept = place(trading, account=USER + 1)
    for _ in range(2):  # the second time there is nothing left to do
        assert trading.delete(ORDERS).status_code == 204
        assert trading.get(ORDERS).json()["orders"] == []
    assert trading.get(f"/accounts/{USER}/balances").json()["balances"]["BTC"] == FREE
    assert [order["id"] for order in trading.get(f"/accounts/{USER + 1}/orders").json()["orders"]] == [kept]


def test_all_orders_of_one_market_are_cancelled(trading: Any, error: Error) -> None:
    place(trading)
    kept = trading.do(PlaceOrder(USER, "USDT_BTC", "sell", "limit", "0.02", "50", "", "")).id
    assert error(trading.delete(ORDERS, params={"symbol": "BTC_DOGE"})) == (404, "unknown_market")
    assert trading.delete(ORDERS, params={"symbol": "BTC_USDT"}).status_code == 204
    assert [order["id"] for order in trading.get(ORDERS).json()["orders"]] == [kept]


def test_orders_are_cancelled_while_everything_is_shut(trading: Any) -> None:
    numbers = [place(trading), place(trading)]
    trading.patch("/markets/BTC_USDT", {"state": "off"})
    trading.post(f"/accounts/{USER}/freeze", {"frozen": True, "reason": "court order 7"})
    trading.post("/halt", {"reason": "incident"})
    assert trading.delete(f"{ORDERS}/{numbers[0]}").status_code == 200
    assert trading.delete(ORDERS).status_code == 204
    assert trading.get(ORDERS).json()["orders"] == []


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("DELETE", "/1")])
def test_orders_of_an_unknown_account_are_404(admin: Any, error: Error, method: str, path: str) -> None:
    reply = admin.client.request(method, f"/admin/v1/accounts/77/orders{path}")
    assert error(reply) == (404, "unknown_account")


def test_what_the_operator_cancelled_says_so_in_the_journal(trading: Any) -> None:
    number = place(trading)
    trading.delete(f"{ORDERS}/{number}")
    body = trading.parts.reader.batches(trading.parts.reader.head().number - 1, 1)[0].body
    assert b'"by":"token:ops","command":"CancelOrder"' in body
