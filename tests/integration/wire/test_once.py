"""Exactly once: an out_trade_no is bound by an accepted order, and by nothing else, for ever."""

import asyncio
from typing import Any

import pytest

from integration.wire.conftest import OpenWire, Reply
from integration.wire.trading import Floor, Party, trading
from spotbook.domain import commands as c

BID = {"symbol": "BTC_USDT", "type": "0", "amount": "0.1", "rate": "100", "out_trade_no": "mine-1"}


def on_the_floor(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with trading(open_wire, **settings) as floor:
            await tell(floor)

    asyncio.run(told())


async def bid(party: Party, **changed: Any) -> Reply:
    return await party.ask("doTrade", {**BID, **changed})


def test_the_same_request_gives_the_first_answer_again(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        first = await bid(floor.buyer)
        before = await floor.buyer.everything()
        key, secret = floor.wire.make_key(("trade",), account=floor.buyer.account)
        await asyncio.sleep(0)  # a new turn of the loop sees the new key
        spellings: list[dict[str, str]] = [
            {},
            {"amount": "0.10000000"},
            {"rate": "100.00"},
            {"isMarket": "false", "postOnly": "0", "funds": ""},
            {"unknown": "parameter"},
        ]
        for spelling in spellings:
            assert (await bid(floor.buyer, **spelling)).body == first.body
        again = await floor.buyer.ask("doTrade", BID, key=key, secret=secret, peer="192.0.2.7")
        assert again.body == first.body
        assert again.headers["x-account-version"] == first.headers["x-account-version"]
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


@pytest.mark.parametrize("how", ["filled", "cancelled", "halted", "frozen", "market off"])
def test_the_first_answer_comes_again_whatever_became_of_the_order(open_wire: OpenWire, how: str) -> None:
    async def tell(floor: Floor) -> None:
        first = await bid(floor.buyer)
        number = first.json["data"]["orderNumber"]
        if how == "filled":
            await floor.seller.place("sell", "0.1", "100")
        elif how == "cancelled":
            await floor.buyer.data("cancelOrder", {"orderNumber": str(number)})
        else:
            what: dict[str, c.Command] = {
                "halted": c.Halt("a test"),
                "frozen": c.FreezeAccount(floor.buyer.account, frozen=True, reason="a test"),
                "market off": c.ChangeMarket("BTC_USDT", state="off"),
            }
            floor.wire.do(what[how])
        before = await floor.buyer.everything()
        assert (await bid(floor.buyer)).body == first.body
        assert (await bid(floor.buyer, amount="0.2")).code == "10008"
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_another_request_under_the_same_reference_is_a_conflict(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await bid(floor.buyer)
        before = await floor.buyer.everything()
        others: list[dict[str, str]] = [
            {"amount": "0.100001"},
            {"rate": "100.01"},
            {"type": "1"},
            {"postOnly": "true"},
            {"isMarket": "true"},
            {"symbol": "ETH_USDT"},
        ]
        for other in others:
            reply = await bid(floor.buyer, **other)
            assert (reply.code, reply.msg) == ("10008", "out_trade_no is taken")
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_references_are_each_account_s_own_and_case_counts(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        replies = [await bid(floor.buyer), await bid(floor.seller, type="1", rate="200")]
        replies.append(await bid(floor.buyer, out_trade_no="MINE-1"))
        assert [reply.json["data"]["orderNumber"] for reply in replies] == [1, 2, 3]

    on_the_floor(open_wire, tell)


def test_a_refusal_binds_nothing_and_a_repeat_is_decided_afresh(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        assert (await bid(floor.buyer, amount="5000")).code == "200005"
        assert (await bid(floor.buyer, rate="0")).code == "10003"
        assert (await bid(floor.buyer, isMarket="true")).code == "10009"
        assert await floor.buyer.data("spotbook.order", {"out_trade_no": "mine-1"}) == {"state": "unknown"}
        floor.wire.do(c.Deposit(floor.buyer.account, "USDT", "400000", "tx-more", 0, ""))
        assert (await bid(floor.buyer, amount="5000")).json["data"] == {"orderNumber": 1}

    on_the_floor(open_wire, tell)


def test_without_a_reference_every_request_is_another_order(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        assert [await floor.buyer.place("buy", "0.1", "100") for _ in range(2)] == [1, 2]
        assert [await floor.buyer.place("buy", "0.1", "100", out_trade_no="") for _ in range(2)] == [3, 4]

    on_the_floor(open_wire, tell)


def test_repeats_that_arrive_together_are_one_order(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        replies = await asyncio.gather(*(bid(floor.buyer) for _ in range(50)))
        assert {reply.body for reply in replies} == {replies[0].body}
        assert replies[0].json["data"] == {"orderNumber": 1}
        assert await floor.buyer.balance("USDT") == ("99990", "10")

    on_the_floor(open_wire, tell)


def test_a_fence_refuses_what_arrives_late(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        asked = {"out_trade_no": "mine-1"}
        assert await floor.buyer.data("spotbook.order", asked) == {"state": "unknown"}
        assert await floor.buyer.data("spotbook.order", {**asked, "fence": "false"}) == {"state": "unknown"}
        for _ in range(2):
            assert await floor.buyer.data("spotbook.order", {**asked, "fence": "true"}) == {"state": "unknown"}
        before = await floor.buyer.everything()
        reply = await bid(floor.buyer)
        assert (reply.code, reply.msg) == ("10008", "out_trade_no is taken")
        assert await floor.buyer.everything() == before
        assert await floor.buyer.data("spotbook.order", asked) == {"state": "unknown"}
        assert (await bid(floor.seller, type="1")).code == "200"

    on_the_floor(open_wire, tell)


def test_a_fence_leaves_an_accepted_order_alone(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        number = (await bid(floor.buyer)).json["data"]["orderNumber"]
        asked = {"out_trade_no": "mine-1", "fence": "true"}
        found = await floor.buyer.data("spotbook.order", asked)
        assert found["state"] == "accepted"
        assert (found["order"]["tradeID"], found["order"]["status"]) == (number, 1)
        assert (found["order"]["prize"], found["order"]["out_trade_no"]) == ("100.00", "mine-1")
        await floor.buyer.data("cancelOrder", {"orderNumber": str(number)})
        assert (await floor.buyer.data("spotbook.order", asked))["order"]["status"] == 4

    on_the_floor(open_wire, tell)


def test_everything_is_bound_still_after_a_restart(open_wire: OpenWire) -> None:
    async def tell() -> None:
        async with trading(open_wire) as floor:
            first = await bid(floor.buyer)
            await floor.buyer.data("spotbook.order", {"out_trade_no": "closed", "fence": "1"})
            key, secret, account = floor.buyer.key, floor.buyer.secret, floor.buyer.account
            await asyncio.sleep(0)  # the turn that read ends before the books are closed
        async with open_wire() as wire:
            buyer = Party(wire, account, key, secret)
            wire.clock.now = floor.wire.clock.now
            assert (await bid(buyer)).body == first.body
            assert (await bid(buyer, rate="101")).code == "10008"
            assert (await bid(buyer, out_trade_no="closed")).code == "10008"

    asyncio.run(tell())
