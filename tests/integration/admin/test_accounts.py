"""Accounts over the Admin API, and what they have."""

from collections.abc import Callable
from typing import Any

import pytest

from spotbook.domain.commands import PlaceOrder
from support.commands import BTC_USDT

Error = Callable[[Any], tuple[int, str]]


def test_an_account_is_opened(admin: Any) -> None:
    reply = admin.post("/accounts", {"name": "Zoë"})
    assert reply.status_code == 201
    assert reply.json() == {"id": 1002, "name": "Zoë"}
    one = admin.get("/accounts/1002").json()
    assert one.pop("opened_at") == admin.clock.now
    assert one == {"id": 1002, "kind": "user", "name": "Zoë", "parent": 0, "frozen": False}


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65, "a\u0000b"])
def test_a_name_is_printable(admin: Any, error: Error, name: str) -> None:
    reply = admin.post("/accounts", {"name": name})
    assert error(reply) == (422, "invalid")
    assert reply.json()["error"]["name"] == "name"


def test_accounts_are_listed_in_pages(admin: Any) -> None:
    for name in ("b", "c"):
        admin.post("/accounts", {"name": name})
    first = admin.get("/accounts", params={"limit": 3}).json()
    assert [account["id"] for account in first["accounts"]] == [1, 2, 1001]
    assert first["next"] == 1001
    rest = admin.get("/accounts", params={"limit": 3, "after": first["next"]}).json()
    assert [account["id"] for account in rest["accounts"]] == [1002, 1003]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "after=-1", "after=9223372036854775808", "aftr=1", "limit=1&limit=2"]
)
def test_a_page_that_is_none_is_422(admin: Any, error: Error, query: str) -> None:
    assert error(admin.get(f"/accounts?{query}")) == (422, "invalid")


@pytest.mark.parametrize("path", ["", "/balances", "/entries", "/holds", "/deposits", "/keys"])
def test_reading_an_unknown_account_is_404(admin: Any, error: Error, path: str) -> None:
    assert error(admin.get(f"/accounts/77{path}")) == (404, "unknown_account")


def test_an_account_is_frozen_and_thawed(admin: Any) -> None:
    for frozen in (True, True, False):
        reply = admin.post("/accounts/1001/freeze", {"frozen": frozen, "reason": "court order 7"})
        assert (reply.status_code, reply.json()["frozen"]) == (200, frozen)
        assert admin.get("/accounts/1001").json()["frozen"] is frozen


def test_freezing_needs_a_reason_and_a_user(admin: Any, error: Error) -> None:
    assert error(admin.post("/accounts/1001/freeze", {"frozen": True})) == (422, "invalid")
    assert error(admin.post("/accounts/1001/freeze", {"frozen": True, "reason": ""})) == (422, "invalid")
    assert error(admin.post("/accounts/1/freeze", {"frozen": True, "reason": "x"})) == (409, "not_a_user")
    assert error(admin.post("/accounts/77/freeze", {"frozen": True, "reason": "x"})) == (404, "unknown_account")


def test_the_wealth_account_is_opened_once(admin: Any, error: Error) -> None:
    first = admin.post("/accounts/1001/wealth")
    again = admin.post("/accounts/1001/wealth")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["kind"], first.json()["parent"]) == ("wealth", 1001)
    assert error(admin.post(f"/accounts/{first.json()['id']}/wealth")) == (409, "not_a_user")


def test_entries_are_the_statement_by_version(admin: Any) -> None:
    for number in range(3):
        admin.deposit(txid=f"tx-{number}")
    page = admin.get("/accounts/1001/entries", params={"after": 1, "limit": 1}).json()
    batch = page["entries"][0].pop("batch")
    assert page == {
        "entries": [
            {
                "version": 2,
                "asset": "BTC",
                "available": {"before": "1.5", "after": "3"},
                "frozen": {"before": "0", "after": "0"},
                "why": "deposit",
                "ref": 2,
            }
        ],
        "next": 2,
    }
    assert batch == admin.parts.reader.head().number - 1
    assert admin.get("/accounts/1001/entries?after=3").json() == {"entries": [], "next": None}


def test_world_has_the_negative(admin: Any) -> None:
    admin.deposit()
    assert admin.get("/accounts/1/balances").json()["balances"]["BTC"] == {"available": "-1.5", "frozen": "0"}


def test_holds_explain_what_is_frozen(admin: Any) -> None:
    admin.deposit()
    assert admin.get("/accounts/1001/holds").json() == {"version": 1, "holds": []}
    admin.do(BTC_USDT)
    admin.do(PlaceOrder(1001, "BTC_USDT", "sell", "limit", "100", "0.25", "", ""))
    holds = {"version": 2, "holds": [{"asset": "BTC", "amount": "0.25", "kind": "order", "id": 1}]}
    assert admin.get("/accounts/1001/holds").json() == holds
    assert admin.get("/accounts/1001/balances").json()["balances"]["BTC"] == {"available": "1.25", "frozen": "0.25"}
    assert admin.get("/audit").json()["ok"]
