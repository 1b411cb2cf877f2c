"""More orders at once than the writer's queue takes: the rest are told so at once, and who cancels still passes."""

import asyncio
import threading
from typing import Any

import pytest

from integration.wire.conftest import HOUSE, OpenWire
from integration.wire.trading import trading
from spotbook.app import engine
from spotbook.domain import commands as c
from spotbook.limits import COMMANDS_WAITING_MIN

QUEUE, RESERVED, FLOOD = 60, 20, 100


def test_a_flood_beyond_the_queue_is_told_so_at_once(open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.Engine.__init__, "__kwdefaults__", _kept(queue_max=QUEUE, reserved=RESERVED))

    async def story() -> None:
        async with trading(open_wire) as floor:
            first = await floor.buyer.place("buy", "0.01", "100")
            asked, told = asyncio.Event(), threading.Event()
            loop = asyncio.get_running_loop()

            def hold(_: object) -> None:  # the writer's thread waits here, with nothing taken from the queue
                loop.call_soon_threadsafe(asked.set)
                told.wait(30)

            floor.wire.parts.engine.submit(c.OpenAccount("another"), HOUSE, hold)
            await asked.wait()
            order = {"symbol": "BTC_USDT", "type": "0", "amount": "0.01", "rate": "100"}
            sent = [asyncio.create_task(floor.buyer.ask("doTrade", order)) for _ in range(FLOOD)]
            cancelled = asyncio.create_task(floor.buyer.ask("cancelOrder", {"orderNumber": str(first)}))
            at_once, waiting = await asyncio.wait(sent, timeout=1)
            assert len(waiting) == QUEUE - RESERVED
            assert {task.result().code for task in at_once} == {"-200"}
            assert not cancelled.done()
            told.set()
            replies = await asyncio.gather(*waiting)
            assert {reply.code for reply in replies} == {"200"}
            assert (await cancelled).code == "200"
            listed = await floor.buyer.data("returnOpenOrders", {"currencyPair": "BTC_USDT"})
            numbers = {str(reply.json["data"]["orderNumber"]) for reply in replies}
            assert {str(row["orderNumber"]) for row in listed} == numbers  # what was accepted, and nothing else

    asyncio.run(story())


def test_who_would_wait_for_long_is_told_so_before_the_queue_is_full(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with trading(open_wire) as floor:
            first = await floor.buyer.place("buy", "0.01", "100")
            asked, told = asyncio.Event(), threading.Event()
            loop = asyncio.get_running_loop()

            def hold(_: object) -> None:
                loop.call_soon_threadsafe(asked.set)
                told.wait(30)

            floor.wire.parts.engine.submit(c.OpenAccount("another"), HOUSE, hold)
            await asked.wait()
            order = {"symbol": "BTC_USDT", "type": "0", "amount": "0.01", "rate": "100"}
            sent = [asyncio.create_task(floor.buyer.ask("doTrade", order)) for _ in range(2 * COMMANDS_WAITING_MIN)]
            at_once, waiting = await asyncio.wait(sent, timeout=1)
            assert len(waiting) == COMMANDS_WAITING_MIN
            assert {task.result().code for task in at_once} == {"-200"}
            cancelled = asyncio.create_task(floor.buyer.ask("cancelOrder", {"orderNumber": str(first)}))
            listed = await floor.buyer.data("returnOpenOrders", {"currencyPair": "BTC_USDT"})
            assert [row["orderNumber"] for row in listed] == [first]  # reads go on
            assert not cancelled.done()
            told.set()
            assert {reply.code for reply in await asyncio.gather(*waiting)} == {"200"}
            assert (await cancelled).code == "200"
            assert (await floor.buyer.ask("doTrade", order)).code == "200"

    asyncio.run(story())


def _kept(**changed: int) -> dict[str, Any]:
    return {**(engine.Engine.__init__.__kwdefaults__ or {}), **changed}
