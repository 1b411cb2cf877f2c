"""Trading against a real process: clients that race for the last balance, and reads that follow every write."""

import asyncio
import hashlib
import json
from decimal import Decimal
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

import pytest

from e2e.conftest import Demo, StartDemo

pytestmark = pytest.mark.e2e

PAIR = {"currencyPair": "BTC_USDT"}
BID = {"symbol": "BTC_USDT", "type": "0"}
WORKERS = 16
ROUNDS = 313
"""Each round of each worker places and cancels: 10,016 writes in all, each followed by a read."""

RACES = 50
USDT = "257.51830114"
"""What the demo's account holds."""


class Reply(NamedTuple):
    version: int
    body: Any

    @property
    def data(self) -> Any:
        assert self.body["code"] == "200", self.body
        return self.body["data"]


class Connection:
    """One connection to the wire API: it sends one call at a time."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    async def __aenter__(self) -> Self:
        at = urlsplit(self._demo.url)
        self._reader, self._writer = await asyncio.open_connection(at.hostname, at.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, command: str, params: dict[str, str]) -> Reply:
        signed = {**params, "api_key": self._demo.api_key}
        text = "".join(f"{name}={value}&" for name, value in sorted(signed.items()))
        sign = hashlib.md5(f"{text}secret_key={self._demo.secret_key}".encode()).hexdigest().upper()
        query = urlencode({"command": command, **signed, "sign": sign})
        self._writer.write(f"POST /api/v1/private?{query} HTTP/1.1\r\nhost: spotbook\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Reply(int(headers["x-account-version"]), json.loads(body))


def test_two_clients_race_for_the_last_balance_and_one_wins(start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")

    async def races() -> None:
        async with Connection(demo) as one, Connection(demo) as other:
            for race in range(RACES):
                # Each wants more than half of what there is.
                wanted = {**BID, "rate": "10000", "amount": f"0.0{200 - race}"}
                replies = await asyncio.gather(one.ask("doTrade", wanted), other.ask("doTrade", wanted))
                bodies = sorted((reply.body for reply in replies), key=lambda body: body["code"])
                assert [body["code"] for body in bodies] == ["200", "200005"]
                assert bodies[1]["msg"] == "insufficient balance"
                for connection in (one, other):
                    usdt = (await connection.ask("returnCompleteBalances", {})).data["USDT"]
                    assert usdt["onOrders"] == str(200 - race)
                    assert Decimal(usdt["available"]) == Decimal(USDT) - (200 - race)
                    holds = (await connection.ask("spotbook.holds", {})).data["holds"]
                    assert [hold["amount"] for hold in holds] == [usdt["onOrders"]]
                number = bodies[0]["data"]["orderNumber"]
                assert (await other.ask("cancelOrder", {"orderNumber": str(number)})).data == {"clientOrderId": number}
            assert (await one.ask("returnCompleteBalances", {})).data["USDT"] == {"onOrders": "0", "available": USDT}

    asyncio.run(races())
    assert demo.stop() == 0


def test_every_read_that_follows_an_acknowledged_write_sees_it(start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")
    seen = 0

    async def worker(price: int) -> None:
        nonlocal seen
        wanted = {**BID, "rate": str(price), "amount": "0.0002"}
        async with Connection(demo) as writing, Connection(demo) as reading:
            for _ in range(ROUNDS):
                placed = await writing.ask("doTrade", wanted)
                number = placed.data["orderNumber"]
                listed = await reading.ask("returnOpenOrders", PAIR)
                assert listed.version >= placed.version
                assert [order["status"] for order in listed.data if order["orderNumber"] == number] == [1]
                cancelled = await writing.ask("cancelOrder", {"orderNumber": str(number)})
                assert cancelled.data == {"clientOrderId": number}
                stands = await reading.ask("returnOrderStatus", {"orderNumber": str(number)})
                assert stands.version >= cancelled.version
                assert stands.data["status"] == 4
                seen += 2

    async def workers() -> None:
        await asyncio.gather(*(worker(10_000 + price) for price in range(WORKERS)))
        async with Connection(demo) as last:
            assert (await last.ask("returnOpenOrders", PAIR)).data == []
            assert (await last.ask("returnCompleteBalances", {})).data["USDT"] == {"onOrders": "0", "available": USDT}

    asyncio.run(workers())
    assert seen == WORKERS * ROUNDS * 2 >= 10_000
    assert demo.stop() == 0
