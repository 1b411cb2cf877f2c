"""Deposits over the Admin API: once, and once only."""

from collections.abc import Callable
from typing import Any

import pytest

Error = Callable[[Any], tuple[int, str]]

DIGITS = "ab12" * 16


def test_a_deposit_is_credited(admin: Any) -> None:
    reply = admin.deposit()
    assert reply.status_code == 201
    assert reply.json() == {
        "id": 1,
        "account": 1001,
        "asset": "BTC",
        "amount": "1.5",
        "txid": "tx-1",
        "index": 0,
        "chain": "",
        "version": 1,
    }
    balances = admin.get("/accounts/1001/balances").json()
    assert balances == {"version": 1, "balances": {"BTC": {"available": "1.5", "frozen": "0"}}}


def test_the_same_again_is_200_with_the_very_same_body(admin: Any) -> None:
    first = admin.deposit()
    admin.deposit(txid="another")
    again = admin.deposit(amount="1.5", index=0, chain="")
    assert (again.status_code, again.content) == (200, first.content)
    assert admin.get("/accounts/1001/balances").json()["version"] == 2


@pytest.mark.parametrize("spelling", [DIGITS.upper(), f"0x{DIGITS}", f"0X{DIGITS.upper()}"])
def test_a_hash_is_one_however_it_is_written(admin: Any, spelling: str) -> None:
    first = admin.deposit(txid=DIGITS)
    again = admin.deposit(txid=spelling)
    assert (again.status_code, again.content) == (200, first.content)


def test_what_is_no_hash_is_compared_as_it_stands(admin: Any) -> None:
    assert admin.deposit(txid="ABC").status_code == 201
    assert admin.deposit(txid="abc").status_code == 201


@pytest.mark.parametrize("change", [{"index": 1}, {"chain": "BSC"}, {"asset": "USDT"}])
def test_another_identity_is_another_deposit(admin: Any, change: dict[str, Any]) -> None:
    admin.deposit()
    assert admin.deposit(**change).status_code == 201


def test_a_difference_is_409_and_names_the_first(admin: Any, error: Error) -> None:
    first = admin.deposit().json()
    differs = admin.deposit(amount="1.51")
    assert error(differs) == (409, "deposit_differs")
    assert differs.json()["error"]["first"] == first


def test_another_account_is_a_difference(admin: Any, error: Error) -> None:
    first = admin.deposit().json()
    other = admin.post("/accounts", {"name": "other"}).json()["id"]
    differs = admin.deposit(other)
    assert error(differs) == (409, "deposit_differs")
    assert differs.json()["error"]["first"] == first


@pytest.mark.parametrize(
    ("change", "status", "code", "name"),
    [
        ({"amount": "1e5"}, 422, "amount_malformed", "amount"),
        ({"amount": "NaN"}, 422, "amount_malformed", "amount"),
        ({"amount": "١"}, 422, "amount_malformed", "amount"),
        ({"amount": " 1"}, 422, "amount_malformed", "amount"),
        ({"amount": "-1"}, 422, "amount_malformed", "amount"),
        ({"amount": ""}, 422, "amount_malformed", "amount"),
        ({"amount": "0"}, 422, "invalid", "amount"),
        ({"amount": "0.000000001"}, 422, "amount_too_precise", "amount"),
        ({"amount": "99999999999999999999"}, 422, "amount_too_large", "amount"),
        ({"amount": 1.5}, 422, "invalid", "amount"),
        ({"amount": 1}, 422, "invalid", "amount"),
        ({"amount": None}, 422, "invalid", "amount"),
        ({"txid": ""}, 422, "invalid", "txid"),
        ({"txid": "a b"}, 422, "invalid", "txid"),
        ({"txid": "é"}, 422, "invalid", "txid"),
        ({"txid": "x" * 129}, 422, "invalid", "txid"),
        ({"chain": "a b"}, 422, "invalid", "chain"),
        ({"index": -1}, 422, "invalid", "index"),
        ({"index": 2**31}, 422, "invalid", "index"),
        ({"index": 2**70}, 422, "invalid", "index"),
        ({"index": "0"}, 422, "invalid", "index"),
        ({"indx": 1}, 422, "invalid", "indx"),
        ({"asset": "DOGE"}, 404, "unknown_asset", None),
        ({"amount": "21000000.00000001"}, 409, "supply_exceeded", None),
    ],
)
def test_bad_input_is_refused(
    admin: Any, error: Error, change: dict[str, Any], *, status: int, code: str, name: str | None
) -> None:
    reply = admin.deposit(**change)
    assert error(reply) == (status, code)
    assert reply.json()["error"].get("name") == name
    assert admin.get("/accounts/1001/balances").json() == {"version": 0, "balances": {}}


@pytest.mark.parametrize("account", [1, 2])
def test_the_house_gets_no_deposits(admin: Any, error: Error, account: int) -> None:
    assert error(admin.deposit(account)) == (409, "not_a_user")


@pytest.mark.parametrize("account", ["999", "abc", "-1", "1e3", "0", "9223372036854775808", "9" * 40, "%D9%A1"])
def test_an_unknown_account_is_404(admin: Any, error: Error, account: str) -> None:
    assert error(admin.deposit(account)) == (404, "unknown_account")


def test_deposits_are_listed(admin: Any) -> None:
    made = [admin.deposit(txid=f"tx-{number}").json() for number in range(3)]
    page = admin.get("/accounts/1001/deposits?limit=2").json()
    assert [{**deposit, "made_at": 0, "batch": 0} for deposit in page["deposits"]] == [
        {**deposit, "made_at": 0, "batch": 0} for deposit in made[:2]
    ]
    assert page["next"] == 2
    rest = admin.get("/accounts/1001/deposits?after=2").json()
    assert [deposit["txid"] for deposit in rest["deposits"]] == ["tx-2"]
    assert rest["next"] is None


def test_a_member_given_twice_is_refused(admin: Any) -> None:
    body = b'{"asset":"BTC","amount":"1","txid":"t","amount":"1000"}'
    reply = admin.client.post("/admin/v1/accounts/1001/deposits", content=body)
    assert reply.status_code == 422
    assert admin.get("/accounts/1001/balances").json() == {"version": 0, "balances": {}}


def test_null_is_as_good_as_left_out(admin: Any) -> None:
    first = admin.deposit()
    assert (admin.deposit(index=None, chain=None).status_code, first.status_code) == (200, 201)
