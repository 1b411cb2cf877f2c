"""A strict key against a real server: made on the command line, used by both clients, of no use to who reads a call."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from e2e.conftest import Demo, Spotbook, StartDemo
from spotbook.client import AsyncClient, Client, InvalidSignature
from spotbook.client._signing_v1 import signed_headers, stamp_now

PATH = "/api/v1/private"
QUERY = "command=returnCompleteBalances"
TAKEN_WITHIN_SECONDS = 30
"""How long a server may take until it takes calls signed by HMAC: five seconds from its start, and some to spare."""


def strict_key(spotbook: Spotbook, demo: Demo) -> tuple[str, str]:
    environment = {"SPOTBOOK_ADMIN_URL": demo.admin_url, "SPOTBOOK_ADMIN_TOKEN": demo.admin_token}
    permissions = ("--permission", "read", "--permission", "trade")
    account = str(demo.account_id)
    made = spotbook("admin", "keys", "add", account, *permissions, "--strict", "--json", environment=environment)
    assert made.returncode == 0, made.stderr
    listed = spotbook("admin", "keys", "list", account, "--json", environment=environment)
    key = json.loads(made.stdout)
    assert [shown["strict"] for shown in json.loads(listed.stdout)["keys"]] == [False, True]
    return key["api_key"], key["secret_key"]


def send(http: httpx2.Client, url: str, headers: Any) -> Any:
    return http.post(f"{url}{PATH}?{QUERY}", headers=headers).json()


def signed(api_key: str, secret_key: str) -> Any:
    return signed_headers((api_key, secret_key), "POST", PATH, QUERY.encode(), b"", stamp=stamp_now())


def taken(http: httpx2.Client, url: str, key: tuple[str, str]) -> Any:
    """Send calls, each signed anew, until one is taken; return its headers."""
    end = time.monotonic() + TAKEN_WITHIN_SECONDS
    while True:
        headers = signed(*key)
        reply = send(http, url, headers)
        if reply["code"] == "200":
            return headers
        assert (reply["code"], reply["msg"]) == ("-200", "system busy")
        assert time.monotonic() < end
        time.sleep(0.2)


def test_both_clients_trade_with_a_strict_key_and_md5_is_refused(spotbook: Spotbook, start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")
    api_key, secret_key = strict_key(spotbook, demo)
    with Client(api_key, secret_key, demo.url, signing="hmac", retries=5) as client:
        assert str(client.complete_balances()["CWT"].available) == "400"
        number = client.place_limit("BTC_USDT", "sell", "0.001", 90_000, out_trade_no="mine-1")
        assert [order.number for order in client.open_orders("BTC_USDT")] == [number]
        client.cancel(number)

    async def asynchronous() -> None:
        async with AsyncClient(api_key, secret_key, demo.url, signing="hmac") as other:
            balances = [other.complete_balances() for _ in range(20)]
            assert {str(found["BTC"].available) for found in await asyncio.gather(*balances)} == {"0.0012"}

    asyncio.run(asynchronous())
    with Client(api_key, secret_key, demo.url) as md5, pytest.raises(InvalidSignature, match="strict"):
        md5.complete_balances()
    with Client(api_key, "wrong", demo.url, signing="hmac") as wrong, pytest.raises(InvalidSignature):
        wrong.complete_balances()
    assert demo.stop() == 0
    logged = demo.stderr.read_text()
    assert api_key not in logged
    assert secret_key not in logged


@pytest.mark.parametrize("killed", [False, True])
def test_a_call_is_taken_once_also_across_a_restart(
    spotbook: Spotbook, start_demo: StartDemo, tmp_path: Path, *, killed: bool
) -> None:
    books = ("--data", tmp_path / "books", "--unlimited")
    first = start_demo(*books)
    key = strict_key(spotbook, first)
    with httpx2.Client() as http:
        headers = taken(http, first.url, key)
        replies = [send(http, first.url, headers) for _ in range(3)]
        assert {reply["msg"] for reply in replies} == {"signature error: the nonce was used before"}
        if killed:
            first.process.kill()
            first.process.wait(30)
        else:
            assert first.stop() == 0
        second = start_demo(*books)
        assert send(http, second.url, headers)["code"] in {"-200", "10007"}
        taken(http, second.url, key)
        reply = send(http, second.url, headers)
        assert reply["code"] == "10007"
        assert "behind the server's time" in reply["msg"]
