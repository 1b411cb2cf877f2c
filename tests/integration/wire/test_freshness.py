"""Versions in headers, and reads that wait for one."""

import asyncio
from typing import Any

import pytest

from integration.wire.conftest import HOUSE, OpenWire, Wire
from spotbook.domain import commands as c


def story(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with open_wire(**settings) as wire:
            await tell(wire)

    asyncio.run(told())


def test_every_authenticated_reply_carries_the_version(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        head = wire.parts.reader.head()
        for reply in (await wire.ask(), await wire.ask("nothing")):
            assert reply.headers["x-account-version"] == "5"
            assert reply.headers["x-batch"] == str(head.number)
            assert reply.headers["x-batch-time"] == str(head.time)
            assert reply.headers["x-books"] == wire.parts.reader.books

    story(open_wire, tell)


def test_a_version_that_is_there_answers_at_once(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        for asked in ("5", "0", f"{wire.parts.reader.books}:5"):
            assert (await wire.ask(headers={"X-Min-Version": asked})).code == "200"

    story(open_wire, tell)


def test_a_read_waits_for_a_version_to_come(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        waiting = asyncio.create_task(wire.ask(headers={"X-Min-Version": "6"}))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        command = c.Deposit(wire.account, "CWT", "1", "later", 0, "")
        await asyncio.to_thread(wire.parts.engine.execute, command, HOUSE)
        reply = await waiting
        assert reply.headers["x-account-version"] == "6"
        assert reply.json["data"]["CWT"]["available"] == "401"

    story(open_wire, tell)


def test_a_version_that_does_not_come_is_answered_busy(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.ask(headers={"X-Min-Version": "6"})
        assert (reply.code, reply.msg) == ("-200", "system busy")
        assert reply.headers["x-account-version"] == "5"

    story(open_wire, tell)


@pytest.mark.parametrize("asked", ["", "x", "-1", "1.5", ":5", "9" * 17, "٥", "a:b"])
def test_a_malformed_version_is_refused(open_wire: OpenWire, asked: str) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.ask(headers={"X-Min-Version": asked.encode().decode("latin-1")})
        assert reply.code == "10003"
        assert reply.msg.startswith("parameter error: X-Min-Version: ")

    story(open_wire, tell)


def test_a_version_of_other_books_is_refused(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert (await wire.ask(headers={"X-Min-Version": "0" * 32 + ":1"})).code == "10003"

    story(open_wire, tell)
