"""How placing and cancelling pass the writer: keys, queue, versions, halts, and every way of sending them."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from integration.wire.conftest import HOUSE, OpenWire, Reply
from integration.wire.trading import Floor, Party, trading
from spotbook.app.engine import Engine
from spotbook.app.writer import Done, Submission, Unknown
from spotbook.domain import commands as c
from spotbook.settings import Settings
from spotbook.wire.coinw.commands import spotbook_order
from spotbook.wire.coinw.signing import sign_of

BID = {"symbol": "BTC_USDT", "type": "0", "amount": "0.1", "rate": "100"}


def on_the_floor(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with trading(open_wire, **settings) as floor:
            await tell(floor)

    asyncio.run(told())


async def send(party: Party, style: str, command: str, params: dict[str, str]) -> Reply:
    """Make one call in one of the ways in which clients make them."""
    signed = {**params, "api_key": party.key.api_key}
    sign = sign_of(signed, party.secret)
    json_type = {"content-type": "application/json"}
    match style:
        case "helper":
            query = f"command={command}&sign={sign}&{urlencode({**params, 'api_key': party.key.api_key})}"
            return await party.wire.call(query, headers=json_type)
        case "sorted":
            raw = "&".join(f"{name}={value}" for name, value in sorted(signed.items()))
            return await party.wire.call(f"command={command}&{raw}&sign={sign}")
        case "percent":
            encoded = "&".join(f"{name}={quote(value)}" for name, value in signed.items())
            json_type["content-type"] += "; charset=utf-8"
            return await party.wire.call(f"command={command}&sign={sign}&{encoded}", headers=json_type)
        case "form":
            return await party.wire.call(f"command={command}", urlencode({**signed, "sign": sign}))
    return await party.wire.call(f"command={command}", json.dumps({**signed, "sign": sign}), headers=json_type)


@pytest.mark.parametrize("style", ["helper", "sorted", "percent", "form", "json"])
def test_orders_are_placed_and_cancelled_in_every_way_of_sending(open_wire: OpenWire, style: str) -> None:
    async def tell(floor: Floor) -> None:
        placed = await send(floor.buyer, style, "doTrade", {**BID, "out_trade_no": "by-hand", "funds": ""})
        assert placed.body == (b'{"code":"200","data":{"orderNumber":1},"msg":"SUCCESS","success":true,"failed":false}')
        shown = await send(
            floor.buyer, style, "returnOpenOrders", {"currencyPair": "BTC_USDT", "startAt": "", "endAT": ""}
        )
        assert [order["orderNumber"] for order in shown.json["data"]] == [1]
        assert (await send(floor.buyer, style, "cancelOrder", {"orderNumber": "1"})).code == "200"
        assert await floor.buyer.balance("USDT") == ("100000", "0")

    on_the_floor(open_wire, tell)


@pytest.mark.parametrize("name", ["endAt", "endAT"])
def test_a_call_is_signed_under_the_name_that_arrived(open_wire: OpenWire, name: str) -> None:
    async def tell(floor: Floor) -> None:
        other = "endAT" if name == "endAt" else "endAt"
        params = {"currencyPair": "BTC_USDT", name: "1"}
        assert (await floor.buyer.ask("returnOpenOrders", params)).json["data"] == []
        signed = {"currencyPair": "BTC_USDT", other: "1", "api_key": floor.buyer.key.api_key}
        sent = {**params, "api_key": floor.buyer.key.api_key, "sign": sign_of(signed, floor.buyer.secret)}
        assert (await floor.wire.call("command=returnOpenOrders", urlencode(sent))).code == "10007"

    on_the_floor(open_wire, tell)


def test_the_version_of_a_write_lets_a_read_see_it(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        placed = await floor.buyer.ask("doTrade", BID)
        books, version = placed.headers["x-books"], placed.headers["x-account-version"]
        assert version == "3"
        assert int(placed.headers["x-batch"]) == floor.wire.parts.reader.head().number
        for asked in (version, f"{books}:{version}"):
            read = await floor.buyer.ask("spotbook.holds", headers={"X-Min-Version": asked})
            assert read.json["data"] == {
                "version": 3,
                "holds": [{"asset": "USDT", "amount": "10", "kind": "order", "id": 1}],
            }
            assert read.headers["x-account-version"] == version
        cancelled = await floor.buyer.ask("cancelAllOrder")
        assert cancelled.headers["x-account-version"] == "4"
        read = await floor.buyer.ask("returnOpenOrders", {"currencyPair": "BTC_USDT"}, headers={"X-Min-Version": "4"})
        assert read.json["data"] == []

    on_the_floor(open_wire, tell)


def test_a_read_waits_for_the_version_of_a_write_that_is_under_way(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        pair = {"currencyPair": "BTC_USDT"}
        waiting = asyncio.create_task(floor.buyer.ask("returnOpenOrders", pair, headers={"X-Min-Version": "3"}))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert (await floor.buyer.ask("doTrade", BID)).code == "200"
        assert [order["orderNumber"] for order in (await waiting).json["data"]] == [1]

    on_the_floor(open_wire, tell)


@pytest.mark.parametrize("command", ["doTrade", "cancelOrder", "cancelAllOrder", "spotbook.order"])
def test_a_key_revoked_after_the_gate_is_refused_by_the_writer(
    open_wire: OpenWire, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell(floor: Floor) -> None:
        buyer, engine = floor.buyer, floor.wire.parts.engine
        await buyer.place("buy", "0.1", "100")
        key, secret = floor.wire.make_key(("read", "trade"), account=buyer.account)
        await asyncio.sleep(0)
        before = await buyer.everything()
        submit_all = engine.submit_all

        def revoking(*args: Any, **options: Any) -> None:
            monkeypatch.setattr(engine, "submit_all", submit_all)
            outcome = floor.wire.parts.keys.revoke(HOUSE, buyer.account, key.api_key, floor.wire.store.reader())
            assert isinstance(outcome, Done)
            submit_all(*args, **options)

        monkeypatch.setattr(engine, "submit_all", revoking)
        params = {**BID, "orderNumber": "1", "out_trade_no": "late", "fence": "true"}
        reply = await buyer.ask(command, params, key=key, secret=secret)
        assert (reply.code, reply.msg) == ("10006", "api_key error: invalid api key")
        assert await buyer.everything() == before
        assert (await buyer.ask("doTrade", {**BID, "out_trade_no": "late"})).code == "200"

    on_the_floor(open_wire, tell)


class Stalled:
    """A writer that waits in the middle of a commit, so that the queue before it fills up."""

    def __init__(self, floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
        self._go, self._reached = threading.Event(), threading.Event()
        commit = floor.wire.store.commit

        def waiting(*args: Any) -> None:
            self._reached.set()
            assert self._go.wait(60)
            commit(*args)

        monkeypatch.setattr(floor.wire.store, "commit", waiting)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, 60)

    def go_on(self) -> None:
        self._go.set()


def bounded(engine: Engine, queue_max: int, reserved: int) -> None:
    engine._queue_max, engine._open_max = queue_max, queue_max - reserved


def test_a_full_queue_does_nothing_and_keeps_room_for_cancels(
    open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell(floor: Floor) -> None:
        buyer, engine = floor.buyer, floor.wire.parts.engine
        first = await buyer.place("buy", "0.1", "100")
        bounded(engine, 5, 2)
        stalled = Stalled(floor, monkeypatch)
        placing = [asyncio.create_task(buyer.ask("doTrade", BID))]
        await asyncio.sleep(0)
        await stalled.reached()
        placing += [asyncio.create_task(buyer.ask("doTrade", BID)) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert engine.queued == 3
        late = {**BID, "out_trade_no": "late"}
        refused = [await buyer.ask("doTrade", late), await buyer.ask("spotbook.order", {"out_trade_no": "late"})]
        cancelling = [
            asyncio.create_task(buyer.ask("cancelOrder", {"orderNumber": str(first)})),
            asyncio.create_task(buyer.ask("cancelAllOrder", {"currencyPair": "ETH_USDT"})),
        ]
        await asyncio.sleep(0.05)
        refused.append(await buyer.ask("cancelAll"))
        stalled.go_on()
        assert [(reply.status, reply.code, reply.msg) for reply in refused] == [(200, "-200", "system busy")] * 3
        assert [(await task).code for task in (*placing, *cancelling)] == ["200"] * 6
        assert await buyer.data("spotbook.order", {"out_trade_no": "late"}) == {"state": "unknown"}
        listed = await buyer.data("returnOpenOrders", {"currencyPair": "BTC_USDT"})
        assert sorted(order["orderNumber"] for order in listed) == [2, 3, 4, 5]

    on_the_floor(open_wire, tell)


def test_while_halted_nothing_is_placed_and_cancels_and_reads_go_on(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        number = await floor.buyer.place("buy", "0.1", "100", out_trade_no="b-1")
        floor.wire.do(c.Halt("a finding"))
        before = await floor.buyer.everything()
        reply = await floor.buyer.ask("doTrade", BID)
        assert (reply.code, reply.msg) == ("10009", "refused: trading is halted")
        assert await floor.buyer.everything() == before
        assert (await floor.buyer.data("spotbook.order", {"out_trade_no": "b-1"}))["state"] == "accepted"
        assert await floor.buyer.data("cancelOrder", {"orderNumber": str(number)}) == {"clientOrderId": number}
        floor.wire.do(c.Resume("looked into"))
        assert (await floor.buyer.ask("doTrade", BID)).code == "200"

    on_the_floor(open_wire, tell)


def test_a_frozen_account_places_nothing_and_cancels_and_reads_on(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.buyer.place("buy", "0.1", "100")
        floor.wire.do(c.FreezeAccount(floor.buyer.account, frozen=True, reason="asked for"))
        before = await floor.buyer.everything()
        reply = await floor.buyer.ask("doTrade", BID)
        assert (reply.code, reply.msg) == ("10009", "refused: the account is frozen")
        assert await floor.buyer.everything() == before
        # Its order stands: others may still fill it.
        await floor.seller.place("sell", "0.04", "100")
        assert await floor.buyer.balance("USDT") == ("99990", "6")
        assert await floor.buyer.data("cancelAllOrder") == {}
        assert await floor.buyer.balance("USDT") == ("99996", "0")
        assert (await floor.seller.ask("doTrade", BID)).code == "200005"

    on_the_floor(open_wire, tell)


def test_a_stopped_writer_does_nothing_while_reads_go_on(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        number = await floor.buyer.place("buy", "0.1", "100", out_trade_no="b-1")
        floor.wire.do(c.StopWriter("an invariant broke"))
        before = await floor.buyer.everything()
        for command in ("doTrade", "cancelOrder", "cancelAllOrder", "spotbook.order"):
            reply = await floor.buyer.ask(command, {**BID, "orderNumber": str(number), "out_trade_no": "b-1"})
            assert (reply.code, reply.msg) == ("-200", "system busy")
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_a_fate_that_nobody_knows_is_said_to_be_unknown(open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(floor: Floor) -> None:
        def submit_all(submissions: list[tuple[Submission, bool]], refused: object) -> None:
            for submission, _ in submissions:
                submission.answer(Unknown("the journal's head cannot be read"))

        monkeypatch.setattr(floor.wire.parts.engine, "submit_all", submit_all)
        reply = await floor.buyer.ask("doTrade", BID)
        assert (reply.status, reply.code, reply.msg) == (200, "-201", "system error, outcome unknown")

    on_the_floor(open_wire, tell)


def test_an_answer_that_cannot_be_written_is_an_unknown_outcome(
    open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell(floor: Floor) -> None:
        await floor.buyer.place("buy", "0.1", "100", out_trade_no="b-1")
        monkeypatch.setattr(spotbook_order, "details", lambda call, order: 1 / 0)
        reply = await floor.buyer.ask("spotbook.order", {"out_trade_no": "b-1"})
        assert (reply.code, reply.msg) == ("-201", "system error, outcome unknown")
        assert any("the answer of spotbook.order could not be written" in alarm for alarm in floor.wire.alarms)

    on_the_floor(open_wire, tell)


def test_the_limits_of_the_trading_commands(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        calls = {
            "doTrade": 30,
            "cancelOrder": 30,
            "cancelAllOrder": 30,
            "returnOpenOrders": 30,
            "returnOrderTrades": 30,
        }
        calls |= {"returnOrderStatus": 30, "returnUTradeHistory": 5, "getUserTrades": 10, "getBatchHistoryOrders": 5}
        for command, most in calls.items():
            codes = [(await floor.buyer.ask(command)).code for _ in range(most + 1)]
            assert 29001 not in codes[:most]
            assert codes[most] == 29001
            floor.wire.pace.now += 2_001

    plain = Settings(data=Path())
    on_the_floor(open_wire, tell, limits=plain.limits, command_limits={})
