"""returnCompleteBalances and returnBalances, byte for byte."""

import asyncio

from integration.wire.conftest import OpenWire
from spotbook.domain import commands as c

COMPLETE = (
    b'{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"},'
    b'"SAND":{"onOrders":"0","available":"108.467"},"ETH":{"onOrders":"0","available":"0.033"},'
    b'"USDT":{"onOrders":"0","available":"257.51830114"}},"msg":"SUCCESS","success":true,"failed":false}'
)


def test_complete_balances_are_the_documented_bytes(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire() as wire:
            reply = await wire.ask()
            assert reply.body == COMPLETE
            assert reply.status == 200

    asyncio.run(story())


def test_balances_show_available_at_full_scale(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire() as wire:
            assert (await wire.ask("returnBalances")).json["data"] == {
                "BTC": "0.00120000",
                "CWT": "400.00000000",
                "SAND": "108.46700000",
                "ETH": "0.03300000",
                "USDT": "257.51830114",
            }

    asyncio.run(story())


def test_an_account_without_anything_has_an_empty_object(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire() as wire:
            other = wire.do(c.OpenAccount("other")).id
            key, secret = wire.make_key(account=other)
            reply = await wire.ask(key=key, secret=secret)
            assert reply.body == b'{"code":"200","data":{},"msg":"SUCCESS","success":true,"failed":false}'
            assert reply.headers["x-account-version"] == "0"

    asyncio.run(story())


def test_a_setting_lists_assets_that_are_not_held(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire(list_empty_assets=True) as wire:
            key, secret = wire.make_key(account=wire.do(c.OpenAccount("other")).id)
            reply = await wire.ask(key=key, secret=secret)
            nothing = {"onOrders": "0", "available": "0"}
            assert reply.json["data"] == dict.fromkeys(("BTC", "CWT", "SAND", "ETH", "USDT"), nothing)
            wire.do(c.MakeAsset("NEW", 0, "1"))
            await asyncio.sleep(0)
            wire.pace.now += 2_001
            assert list((await wire.ask(key=key, secret=secret)).json["data"])[-1] == "NEW"
            assert (await wire.ask("returnBalances", key=key, secret=secret)).json["data"]["NEW"] == "0"

    asyncio.run(story())


def test_parameters_are_no_filter(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire() as wire:
            assert (await wire.ask(params={"symbol": "BTC", "nonsense": ""})).body == COMPLETE

    asyncio.run(story())


def test_a_read_after_an_acknowledged_deposit_sees_it(open_wire: OpenWire) -> None:
    async def story() -> None:
        async with open_wire() as wire:
            for number in range(200):
                wire.do(c.Deposit(wire.account, "CWT", "1", f"more-{number}", 0, ""))
                await asyncio.sleep(0)
                wire.pace.now += 2_001
                reply = await wire.ask()
                assert reply.json["data"]["CWT"]["available"] == str(401 + number)
                assert reply.headers["x-account-version"] == str(6 + number)

    asyncio.run(story())
