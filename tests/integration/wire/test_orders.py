"""The commands that place, cancel and read orders: every reply of a small story, byte for byte, worked out by hand.

Prices have 2 decimals, amounts 6, both assets a scale of 8; each side pays 0.2 % of what it receives.

1. The seller asks 30,000 for 1 BTC (order 1).
2. The buyer bids 31,000 for 0.25 (order 2): filled at 30,000, so 7,500; fees 0.0005 BTC and 15 USDT.
3. The buyer spends 3,000 at the market (order 3): 0.1 BTC; fees 0.0002 BTC and 6 USDT.
4. The buyer bids 29,000 for 0.5 (order 4), which rests and holds 14,500.
5. The buyer asks 32,000 for 0.1 (order 5), and cancels it.
"""

import asyncio
from typing import Any

from integration.wire.conftest import OpenWire
from integration.wire.trading import NOON, Floor, trading
from spotbook.domain import commands as c

PAIR = {"currencyPair": "BTC_USDT"}
HEAD, TAIL = '{"code":"200","data":', ',"msg":"SUCCESS","success":true,"failed":false}'
NOT_FOUND = '{"code":"-3","msg":"order not found","success":false,"failed":true}'

SELLER = {
    ("returnOpenOrders", "BTC_USDT"): (
        '[{"orderNumber":1,"date":1893470400000,"startingAmount":"30000.00000000","total":"1.000000","type":"sell",'
        '"prize":"30000.00","success_count":"0.350000","success_amount":"10500.00000000","status":2}]'
    ),
    ("returnUTradeHistory", "BTC_USDT"): "[]",
    ("returnOrderTrades", "1"): (
        '{"tradeID":1,"currencyPair":"BTC_USDT","type":"sell","amount":"19500.00000000",'
        '"success_amount":"10500.00000000","total":"0.650000","success_total":"0.350000","fee":"21.00000000",'
        '"date":"2030-01-01 12:00:00","status":2}'
    ),
    ("returnOrderStatus", "1"): (
        '{"status":2,"currencyPair":"BTC_USDT","date":"2030-01-01 12:00:00","total":"1.000000","type":"sell",'
        '"startingAmount":"30000.00000000"}'
    ),
    ("getUserTrades", ""): (
        '{"list":[{"orderType":"LIMIT","orderId":1,"fee":"6.000000000000000000","price":"30000.000000000000000000",'
        '"size":"0.100000000000000000","side":"SELL","time":1893470402000,"tradeId":2},'
        '{"orderType":"LIMIT","orderId":1,"fee":"15.000000000000000000","price":"30000.000000000000000000",'
        '"size":"0.250000000000000000","side":"SELL","time":1893470401000,"tradeId":1}]}'
    ),
    ("spotbook.holds", ""): '{"version":7,"holds":[{"asset":"BTC","amount":"0.65","kind":"order","id":1}]}',
    ("returnCompleteBalances", ""): (
        '{"BTC":{"onOrders":"0.65","available":"9"},"USDT":{"onOrders":"0","available":"10484"}}'
    ),
}

BUYER = {
    ("returnOpenOrders", "BTC_USDT"): (
        '[{"orderNumber":4,"date":1893470403000,"startingAmount":"14500.00000000","total":"0.500000","type":"buy",'
        '"prize":"29000.00","success_count":"0.000000","success_amount":"0.00000000","status":1}]'
    ),
    ("returnUTradeHistory", "BTC_USDT"): (
        '[{"tradeID":5,"date":1893470404000,"amount":"3200.00000000","total":"0.100000","fee":"0.00000000",'
        '"type":"sell","prize":"32000.00","success_count":"0.000000","success_amount":"0.00000000","status":4,'
        '"out_trade_no":"b-5"},'
        '{"tradeID":3,"date":1893470402000,"amount":"3000.00000000","total":"0.100000","fee":"0.00020000",'
        '"type":"buy","prize":"0","success_count":"0.100000","success_amount":"3000.00000000","status":3,'
        '"out_trade_no":"b-3"},'
        '{"tradeID":2,"date":1893470401000,"amount":"7750.00000000","total":"0.250000","fee":"0.00050000",'
        '"type":"buy","prize":"31000.00","success_count":"0.250000","success_amount":"7500.00000000","status":3,'
        '"out_trade_no":""}]'
    ),
    ("returnOrderTrades", "2"): (
        '{"tradeID":2,"currencyPair":"BTC_USDT","type":"buy","amount":"0.00000000","success_amount":"7500.00000000",'
        '"total":"0.000000","success_total":"0.250000","fee":"0.00050000","date":"2030-01-01 12:00:01","status":3}'
    ),
    ("getOrder", "5"): (
        '{"tradeID":5,"currencyPair":"BTC_USDT","type":"sell","amount":"3200.00000000","success_amount":"0.00000000",'
        '"total":"0.100000","success_total":"0.000000","fee":"0.00000000","date":"2030-01-01 12:00:04","status":4}'
    ),
    ("returnOrderStatus", "3"): (
        '{"status":3,"currencyPair":"BTC_USDT","date":"2030-01-01 12:00:02","total":"0.100000","type":"buy",'
        '"startingAmount":"3000.00000000"}'
    ),
    ("getUserTrades", ""): (
        '{"list":[{"orderType":"LIMIT","orderId":3,"fee":"0.000200000000000000","price":"30000.000000000000000000",'
        '"size":"0.100000000000000000","side":"BUY","time":1893470402000,"tradeId":2},'
        '{"orderType":"LIMIT","orderId":2,"fee":"0.000500000000000000","price":"30000.000000000000000000",'
        '"size":"0.250000000000000000","side":"BUY","time":1893470401000,"tradeId":1}]}'
    ),
    ("getBatchHistoryOrders", "3,4,1,77,3,4612181898174494829"): (
        '[{"orderId":3,"date":1893470402000,"side":"BUY","type":"MARKET","status":3,"dealSize":"0.100000",'
        '"dealFunds":"3000.00000000","dealAvgPrice":"30000.00000000","fee":"0.00020000","symbol":"BTC_USDT",'
        '"price":"0","size":"0.100000","out_trade_no":"b-3"}]'
    ),
    ("spotbook.order", "b-3"): (
        '{"state":"accepted","order":{"tradeID":3,"currencyPair":"BTC_USDT","type":"buy","amount":"0.00000000",'
        '"success_amount":"3000.00000000","total":"0.000000","success_total":"0.100000","fee":"0.00020000",'
        '"date":"2030-01-01 12:00:02","status":3,"prize":"0","out_trade_no":"b-3"}}'
    ),
    ("spotbook.order", "s-1"): '{"state":"unknown"}',
    ("spotbook.holds", ""): '{"version":11,"holds":[{"asset":"USDT","amount":"14500","kind":"order","id":4}]}',
    ("returnCompleteBalances", ""): (
        '{"BTC":{"onOrders":"0","available":"0.8493"},"USDT":{"onOrders":"14500","available":"75000"}}'
    ),
}

NAMES = {
    "returnOpenOrders": "currencyPair",
    "returnUTradeHistory": "currencyPair",
    "returnOrderTrades": "orderNumber",
    "returnOrderStatus": "orderNumber",
    "getOrder": "id",
    "getUserTrades": "symbol",
    "getBatchHistoryOrders": "orderIds",
    "spotbook.order": "out_trade_no",
    "spotbook.holds": "unused",
    "returnCompleteBalances": "unused",
}


def on_the_floor(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with trading(open_wire, **settings) as floor:
            await tell(floor)

    asyncio.run(told())


async def trade(floor: Floor) -> list[bytes]:
    """Act the story; return the replies to what was placed and cancelled."""
    steps: list[tuple[Any, str, dict[str, str]]] = [
        (floor.seller, "doTrade", {"type": "1", "amount": "1", "rate": "30000", "out_trade_no": "s-1"}),
        (floor.buyer, "doTrade", {"type": "0", "amount": "0.25", "rate": "31000"}),
        (floor.buyer, "doTrade", {"type": "0", "funds": "3000", "isMarket": "True", "out_trade_no": "b-3"}),
        (floor.buyer, "doTrade", {"type": "0", "amount": "0.5", "rate": "29000.00"}),
        (floor.buyer, "doTrade", {"type": "1", "amount": "0.1", "rate": "32000", "out_trade_no": "b-5"}),
        (floor.buyer, "cancelOrder", {"orderNumber": "5"}),
    ]
    replies = []
    for party, command, params in steps:
        pair = {"symbol": "BTC_USDT"} if command == "doTrade" else {}
        replies.append((await party.ask(command, pair | params)).body)
        floor.tick()
    return replies


def test_every_reply_of_a_small_story_byte_for_byte(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        placed = [f'{HEAD}{{"orderNumber":{number}}}{TAIL}'.encode() for number in range(1, 6)]
        assert await trade(floor) == [*placed, f'{HEAD}{{"clientOrderId":5}}{TAIL}'.encode()]
        for party, expected in ((floor.seller, SELLER), (floor.buyer, BUYER)):
            for (command, value), data in expected.items():
                reply = await party.ask(command, {NAMES[command]: value})
                assert (command, value, reply.body.decode()) == (command, value, HEAD + data + TAIL)
        assert (await floor.buyer.ask("cancelAllOrder", PAIR)).body.decode() == f"{HEAD}{{}}{TAIL}"
        assert (await floor.seller.ask("cancelAll", {"symbol": "BTC_USDT"})).body.decode() == f"{HEAD}{{}}{TAIL}"
        for party in (floor.seller, floor.buyer):
            assert (await party.ask("returnOpenOrders", PAIR)).body.decode() == f"{HEAD}[]{TAIL}"
            assert (await party.data("spotbook.holds"))["holds"] == []

    on_the_floor(open_wire, tell)


def test_another_s_order_and_an_unknown_one_answer_with_the_same_bytes(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await trade(floor)
        theirs = {"open": "1", "closed": "2"}
        unknown = ("77", "0", "9007199254740991", "9007199254740992", "4612181898174494829", "9999999999999999999")
        for command, name in (
            ("cancelOrder", "orderNumber"),
            ("returnOrderTrades", "orderNumber"),
            ("returnOrderStatus", "orderNumber"),
            ("getOrder", "id"),
        ):
            for number in unknown:
                assert (await floor.seller.ask(command, {name: number})).body.decode() == NOT_FOUND
            assert (await floor.buyer.ask(command, {name: theirs["open"]})).body.decode() == NOT_FOUND
            assert (await floor.seller.ask(command, {name: theirs["closed"]})).body.decode() == NOT_FOUND
        for numbers in ("2,3", "77", "4612181898174494829"):
            reply = await floor.seller.ask("getBatchHistoryOrders", {"orderIds": numbers})
            assert reply.body.decode() == f"{HEAD}[]{TAIL}"

    on_the_floor(open_wire, tell)


def test_the_holds_add_up_to_what_is_on_orders(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await trade(floor)
        await floor.buyer.place("buy", "0.008101", "123.45", postOnly="true")
        await floor.buyer.place("buy", "1.234567", "4321.09")
        await floor.buyer.place("sell", "0.3", "999999.99")
        reply = await floor.buyer.ask("spotbook.holds")
        sums: dict[str, int] = {}
        for hold in reply.json["data"]["holds"]:
            whole, _, part = hold["amount"].partition(".")
            sums[hold["asset"]] = sums.get(hold["asset"], 0) + int(whole + part.ljust(8, "0"))
        assert len(reply.json["data"]["holds"]) == 4
        assert reply.headers["x-account-version"] == str(reply.json["data"]["version"])
        shown = await floor.buyer.data("returnCompleteBalances")
        for asset, units in sums.items():
            whole, _, part = shown[asset]["onOrders"].partition(".")
            assert int(whole + part.ljust(8, "0")) == units

    on_the_floor(open_wire, tell)


def test_a_market_order_by_amount_shows_what_was_asked_and_executed(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("sell", "0.1", "20000")
        number = await floor.buyer.place("buy", "0.3", "1", isMarket="1")
        [shown] = await floor.buyer.data("returnUTradeHistory", PAIR)
        assert shown == {
            "tradeID": number,
            "date": NOON,
            "amount": "2000.00000000",
            "total": "0.300000",
            "fee": "0.00020000",
            "type": "buy",
            "prize": "0",
            "success_count": "0.100000",
            "success_amount": "2000.00000000",
            "status": 4,
            "out_trade_no": "",
        }
        detail = await floor.buyer.data("returnOrderTrades", {"orderNumber": str(number)})
        assert (detail["amount"], detail["total"], detail["success_total"]) == ("0.00000000", "0.200000", "0.100000")

    on_the_floor(open_wire, tell)


def test_funds_left_over_are_what_remains(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("sell", "0.1", "20000")
        number = await floor.buyer.place("buy", funds="2500", isMarket="true")
        detail = await floor.buyer.data("returnOrderTrades", {"orderNumber": str(number)})
        assert (detail["amount"], detail["success_amount"], detail["status"]) == ("500.00000000", "2000.00000000", 4)
        assert (detail["total"], detail["success_total"]) == ("0.000000", "0.100000")
        [batch] = await floor.buyer.data("getBatchHistoryOrders", {"orderIds": str(number)})
        assert (batch["dealAvgPrice"], batch["size"]) == ("20000.00000000", "0.100000")

    on_the_floor(open_wire, tell)


def test_the_average_price_is_rounded_down(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("sell", "0.01", "20000")
        await floor.seller.place("sell", "0.02", "20000.01")
        number = await floor.buyer.place("buy", "0.03", "20001")
        [batch] = await floor.buyer.data("getBatchHistoryOrders", {"orderIds": str(number)})
        assert (batch["dealFunds"], batch["dealAvgPrice"]) == ("600.00020000", "20000.00666666")

    on_the_floor(open_wire, tell)


def test_orders_are_listed_by_the_time_of_placing(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        numbers = []
        for _ in range(4):
            numbers.append(await floor.buyer.place("buy", "0.01", "1000"))
            floor.tick()

        async def listed(command: str, **span: int) -> list[int]:
            params = {**PAIR, **{name: str(value) for name, value in span.items()}}
            return [order.get("orderNumber") or order["tradeID"] for order in await floor.buyer.data(command, params)]

        one, two, three, four = numbers
        spans: list[tuple[dict[str, int], list[int]]] = [
            ({}, [four, three, two, one]),
            ({"startAt": NOON + 1_000}, [four, three, two]),
            ({"startAt": NOON + 1_001}, [four, three]),
            ({"endAt": NOON + 1_000}, [two, one]),
            ({"endAT": NOON + 999}, [one]),
            ({"startAt": NOON + 1_000, "endAt": NOON + 1_000}, [two]),
            ({"startAt": NOON + 1_001, "endAt": NOON + 1_999}, []),
            ({"startAt": NOON + 4_000}, []),
            ({"endAt": NOON - 1}, []),
        ]
        for span, expected in spans:
            assert await listed("returnOpenOrders", **span) == expected
        assert await floor.buyer.data("returnOpenOrders", {"currencyPair": "ETH_USDT"}) == []
        assert await floor.buyer.data("returnOpenOrders", {**PAIR, "startAt": "", "endAt": ""}) != []
        # They are cancelled in another sequence than they were placed in, a second later each.
        for number in (three, one, four, two):
            await floor.buyer.data("cancelOrder", {"orderNumber": str(number)})
            floor.tick()
        for span, expected in spans:
            assert await listed("returnUTradeHistory", **span) == expected

    on_the_floor(open_wire, tell)


def test_a_page_of_trades_and_the_pages_beside_it(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("sell", "1", "100")
        for _ in range(7):
            await floor.buyer.place("buy", "0.01", "100")
            floor.tick()

        async def page(**params: object) -> tuple[list[int], Any, Any]:
            data = await floor.buyer.data("getUserTrades", {name: str(value) for name, value in params.items()})
            assert next(iter(data)) == "list"
            return [trade["tradeId"] for trade in data["list"]], data.get("after"), data.get("before")

        assert await page() == ([7, 6, 5, 4, 3, 2, 1], None, None)
        assert await page(limit=3) == ([7, 6, 5], 5, None)
        assert await page(limit=3, after=5) == ([4, 3, 2], 2, 4)
        assert await page(limit=3, after=2) == ([1], None, 1)
        assert await page(limit=3, after=1) == ([], None, None)
        assert await page(limit=3, before=1) == ([4, 3, 2], 2, 4)
        assert await page(limit=3, before=4) == ([7, 6, 5], 5, None)
        assert await page(limit=3, before=7) == ([], None, None)
        assert await page(limit=2, after=7, before=3) == ([6, 5], 5, 6)
        assert await page(startAt=NOON + 1_000, endAt=NOON + 5_000) == ([6, 5, 4, 3, 2], None, None)
        assert await page(startAt=NOON + 1_000, endAt=NOON + 5_000, limit=2) == ([6, 5], 5, None)
        assert await page(startAt=NOON + 1_000, endAt=NOON + 5_000, limit=2, before=3) == ([5, 4], 4, 5)
        assert await page(symbol="BTC_USDT", limit=1) == ([7], 7, None)
        assert await page(symbol="ETH_USDT") == ([], None, None)
        assert (await floor.buyer.ask("getUserTrades", {"after": "1"})).body.decode() == f'{HEAD}{{"list":[]}}{TAIL}'

    on_the_floor(open_wire, tell)


def test_trades_of_several_markets_are_one_list(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        floor.wire.do(c.Deposit(floor.seller.account, "ETH", "5", "tx-eth", 0, ""))
        await floor.seller.place("sell", "1", "100")
        await floor.seller.place("sell", "2.5", "10.5", symbol="ETH_USDT")
        await floor.buyer.place("buy", "0.5", "100")
        await floor.buyer.place("buy", "2.5", "10.5", symbol="ETH_USDT")
        trades = (await floor.seller.data("getUserTrades"))["list"]
        assert [(trade["tradeId"], trade["price"], trade["size"]) for trade in trades] == [
            (2, "10.500000000000000000", "2.500000000000000000"),
            (1, "100.000000000000000000", "0.500000000000000000"),
        ]

    on_the_floor(open_wire, tell)


def test_history_is_of_the_last_three_months(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        number = await floor.buyer.place("buy", "0.01", "1000")
        await floor.buyer.data("cancelOrder", {"orderNumber": str(number)})
        floor.tick(92 * 24 * 60 * 60)
        assert len(await floor.buyer.data("getBatchHistoryOrders", {"orderIds": str(number)})) == 1
        floor.wire.clock.now += 1
        assert await floor.buyer.data("getBatchHistoryOrders", {"orderIds": str(number)}) == []

    on_the_floor(open_wire, tell)


def test_an_asset_of_which_nothing_is_left_is_left_out(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("buy", "0.5", "10")
        await floor.buyer.place("sell", "0.5", "10")
        assert await floor.buyer.data("returnCompleteBalances") == {"USDT": {"onOrders": "0", "available": "100004.99"}}
        assert await floor.buyer.data("returnBalances") == {"USDT": "100004.99000000"}
        # What is all on orders is held still.
        for amount, rate in (("10000", "10"), ("0.499", "10")):
            await floor.buyer.place("buy", amount, rate)
        assert await floor.buyer.balance("USDT") == ("0", "100004.99")
        assert await floor.buyer.data("returnBalances") == {"USDT": "0.00000000"}

    on_the_floor(open_wire, tell)
