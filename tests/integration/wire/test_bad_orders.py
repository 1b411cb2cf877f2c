"""Every bad input of the trading commands: its code, words that say which parameter and why, and nothing frozen."""

import asyncio
from typing import Any

import pytest

from integration.wire.conftest import OpenWire
from integration.wire.trading import Floor, trading
from spotbook.domain import commands as c

GOOD = {"symbol": "BTC_USDT", "type": "0", "amount": "0.1", "rate": "100"}
MARKET = {"symbol": "BTC_USDT", "type": "0", "isMarket": "true"}
PAIR = {"currencyPair": "BTC_USDT"}
LONG = "a" * 51

PLACINGS: list[tuple[dict[str, str], str, str]] = [
    ({**GOOD, "symbol": "BTC_EUR"}, "-3", "symbol does not exist"),
    ({**GOOD, "symbol": "btc_usdt"}, "-3", "symbol does not exist"),
    ({**GOOD, "symbol": ""}, "10003", "parameter error: symbol: is missing"),
    ({**GOOD, "type": ""}, "10003", "parameter error: type: is missing"),
    ({**GOOD, "type": "buy"}, "10003", "parameter error: type: write 0 to buy or 1 to sell"),
    ({**GOOD, "type": "2"}, "10003", "parameter error: type: write 0 to buy or 1 to sell"),
    ({**GOOD, "rate": "100.001"}, "10003", "parameter precision: rate"),
    ({**GOOD, "amount": "0.0000001"}, "10003", "parameter precision: amount"),
    ({**MARKET, "funds": "5.000000001"}, "10003", "parameter precision: funds"),
    (
        {**GOOD, "amount": "0.009999"},
        "10003",
        "parameter error: amount: so little is worth less than the least value, 1",
    ),
    ({**MARKET, "funds": "0.99999999"}, "10003", "parameter error: funds: is at least 1"),
    ({**GOOD, "amount": "10000.000001"}, "10003", "parameter error: amount: is at most 10000"),
    ({**GOOD, "rate": "1000000.01"}, "10003", "parameter error: rate: is at most 1000000"),
    (
        {**GOOD, "amount": "9000", "rate": "100.01"},
        "10003",
        "parameter error: amount: so much is worth more than the largest value, 900000",
    ),
    ({**MARKET, "funds": "900000.00000001"}, "10003", "parameter error: funds: is at most 900000"),
    ({**GOOD, "amount": "0"}, "10003", "parameter error: amount: is more than zero"),
    ({**GOOD, "rate": "0.00"}, "10003", "parameter error: rate: is more than zero"),
    ({**MARKET, "funds": "0"}, "10003", "parameter error: funds: is more than zero"),
    ({**GOOD, "amount": "-1"}, "10003", "parameter error: amount: is negative"),
    ({**GOOD, "rate": "-0.01"}, "10003", "parameter error: rate: is negative"),
    (
        {**GOOD, "amount": "1e-05"},
        "10003",
        "parameter error: amount: write it without an exponent, as plain decimal digits",
    ),
    ({**GOOD, "amount": ".5"}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": "5."}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": "+1"}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": "00.1"}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": " 1"}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": "١"}, "10003", "parameter error: amount: write plain decimal digits, such as 0.25"),
    ({**GOOD, "amount": "1" * 65}, "10003", "parameter error: amount: is longer than 64 characters"),
    ({**GOOD, "amount": "1" * 64}, "10003", "parameter error: amount: is larger than any amount can be"),
    ({**GOOD, "amount": ""}, "10003", "parameter error: amount: is missing"),
    ({**GOOD, "rate": ""}, "10003", "parameter error: rate: is missing"),
    ({**GOOD, "funds": "10"}, "10003", "parameter error: funds: is for a market one only"),
    ({**MARKET, "amount": "1", "funds": "10"}, "10003", "parameter error: amount: give either amount or funds"),
    (MARKET, "10003", "parameter error: amount: is missing, and so is funds"),
    ({**GOOD, "isMarket": "yes"}, "10003", "parameter error: isMarket: write true or false"),
    ({**GOOD, "isMarket": "TRUE"}, "10003", "parameter error: isMarket: write true or false"),
    ({**GOOD, "postOnly": "2"}, "10003", "parameter error: postOnly: write true or false"),
    ({**MARKET, "funds": "5", "postOnly": "true"}, "10003", "parameter error: postOnly: is for a limit one only"),
    (
        {**GOOD, "out_trade_no": LONG},
        "10003",
        "parameter error: out_trade_no: write 1 to 50 letters, digits, - and _",
    ),
    (
        {**GOOD, "out_trade_no": "a b"},
        "10003",
        "parameter error: out_trade_no: write 1 to 50 letters, digits, - and _",
    ),
    ({**MARKET, "funds": "10"}, "10009", "refused: no liquidity"),
    ({**GOOD, "amount": "1000.01"}, "200005", "insufficient balance"),
    ({**GOOD, "type": "1", "amount": "0.500001"}, "200005", "insufficient balance"),
]

ASKINGS: list[tuple[str, dict[str, str], str, str]] = [
    ("cancelOrder", {}, "10003", "parameter error: orderNumber: is missing"),
    (
        "cancelOrder",
        {"orderNumber": "x"},
        "10003",
        "parameter error: orderNumber: write a whole number of at most 19 digits",
    ),
    (
        "cancelOrder",
        {"orderNumber": "-1"},
        "10003",
        "parameter error: orderNumber: write a whole number of at most 19 digits",
    ),
    (
        "cancelOrder",
        {"orderNumber": "01"},
        "10003",
        "parameter error: orderNumber: write a whole number of at most 19 digits",
    ),
    (
        "cancelOrder",
        {"orderNumber": "1" * 20},
        "10003",
        "parameter error: orderNumber: write a whole number of at most 19 digits",
    ),
    ("cancelAllOrder", {"currencyPair": "BTC_EUR"}, "-3", "symbol does not exist"),
    ("cancelAll", {"symbol": "BTC_EUR"}, "-3", "symbol does not exist"),
    ("returnOpenOrders", {}, "10003", "parameter error: currencyPair: is missing"),
    ("returnOpenOrders", {"currencyPair": "BTC_EUR"}, "-3", "symbol does not exist"),
    ("returnUTradeHistory", {"currencyPair": ""}, "10003", "parameter error: currencyPair: is missing"),
    ("returnUTradeHistory", {"currencyPair": "X"}, "-3", "symbol does not exist"),
    ("returnOpenOrders", {**PAIR, "startAt": "2", "endAt": "1"}, "10003", "parameter error: startAt: is after endAt"),
    (
        "returnUTradeHistory",
        {**PAIR, "startAt": "2", "endAT": "1"},
        "10003",
        "parameter error: startAt: is after endAt",
    ),
    ("returnUTradeHistory", {**PAIR, "endAt": "1", "endAT": "1"}, "10003", "parameter error: endAt: given twice"),
    (
        "returnUTradeHistory",
        {**PAIR, "startAt": "today"},
        "10003",
        "parameter error: startAt: write a whole number from 0 to 9007199254740991",
    ),
    (
        "getUserTrades",
        {"endAt": "1.5"},
        "10003",
        "parameter error: endAt: write a whole number from 0 to 9007199254740991",
    ),
    ("getUserTrades", {"startAt": "9", "endAt": "8"}, "10003", "parameter error: startAt: is after endAt"),
    ("getUserTrades", {"symbol": "BTC_EUR"}, "-3", "symbol does not exist"),
    ("getUserTrades", {"limit": "0"}, "10003", "parameter error: limit: write a whole number from 1 to 100"),
    ("getUserTrades", {"limit": "101"}, "10003", "parameter error: limit: write a whole number from 1 to 100"),
    (
        "getUserTrades",
        {"limit": "ten"},
        "10003",
        "parameter error: limit: write a whole number from 0 to 9007199254740991",
    ),
    (
        "getUserTrades",
        {"after": "-1"},
        "10003",
        "parameter error: after: write a whole number from 0 to 9007199254740991",
    ),
    ("returnOrderTrades", {}, "10003", "parameter error: orderNumber: is missing"),
    ("getOrder", {"orderNumber": "1"}, "10003", "parameter error: id: is missing"),
    (
        "returnOrderStatus",
        {"orderNumber": "1.0"},
        "10003",
        "parameter error: orderNumber: write a whole number of at most 19 digits",
    ),
    ("getBatchHistoryOrders", {}, "10003", "parameter error: orderIds: is missing"),
    (
        "getBatchHistoryOrders",
        {"orderIds": "1,,2"},
        "10003",
        "parameter error: orderIds: write a whole number of at most 19 digits",
    ),
    (
        "getBatchHistoryOrders",
        {"orderIds": ",".join("1" * 101)},
        "10003",
        "parameter error: orderIds: write at most 100, with commas between",
    ),
    ("spotbook.order", {}, "10003", "parameter error: out_trade_no: is missing"),
    (
        "spotbook.order",
        {"out_trade_no": LONG},
        "10003",
        "parameter error: out_trade_no: write 1 to 50 letters, digits, - and _",
    ),
    ("spotbook.order", {"out_trade_no": "a", "fence": "yes"}, "10003", "parameter error: fence: write true or false"),
]


def on_the_floor(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with trading(open_wire, **settings) as floor:
            await tell(floor)

    asyncio.run(told())


def test_every_bad_placing_is_refused_and_freezes_nothing(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        before = await floor.buyer.everything()
        answered = []
        for params, _, _ in PLACINGS:
            reply = await floor.buyer.ask("doTrade", params)
            assert (reply.status, reply.json["success"], reply.json["failed"]) == (200, False, True)
            answered.append((params, reply.code, reply.msg))
            assert await floor.buyer.everything() == before
        assert answered == PLACINGS

    on_the_floor(open_wire, tell)


def test_every_bad_question_is_refused(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.buyer.place("buy", "0.1", "100")
        before = await floor.buyer.everything()
        answered = []
        for command, params, _, _ in ASKINGS:
            reply = await floor.buyer.ask(command, params)
            answered.append((command, params, reply.code, reply.msg))
        assert answered == ASKINGS
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_an_order_that_is_closed_or_another_s_is_cancelled_by_nobody(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        filled = await floor.seller.place("sell", "0.1", "100")
        await floor.buyer.place("buy", "0.1", "100")
        cancelled = await floor.seller.place("sell", "0.1", "100")
        await floor.seller.data("cancelOrder", {"orderNumber": str(cancelled)})
        theirs = await floor.buyer.place("buy", "0.1", "100")
        before = await floor.seller.everything(), await floor.buyer.everything()
        for number, code, words in (
            (filled, "10009", "refused: order already closed"),
            (cancelled, "10009", "refused: order already closed"),
            (theirs, "-3", "order not found"),
            (theirs + 1, "-3", "order not found"),
        ):
            reply = await floor.seller.ask("cancelOrder", {"orderNumber": str(number)})
            assert (reply.code, reply.msg) == (code, words)
        assert (await floor.seller.everything(), await floor.buyer.everything()) == before

    on_the_floor(open_wire, tell)


def test_a_post_only_order_that_would_cross_freezes_nothing(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.seller.place("sell", "0.1", "100")
        await floor.buyer.place("buy", "0.1", "99.99", postOnly="true")
        for party, crossing in (
            (floor.buyer, {"type": "0", "rate": "100"}),
            (floor.seller, {"type": "1", "rate": "99.99"}),
        ):
            before = await party.everything()
            reply = await party.ask("doTrade", {**GOOD, **crossing, "postOnly": "true"})
            assert (reply.code, reply.msg) == ("10009", "refused: post-only would cross")
            assert await party.everything() == before

    on_the_floor(open_wire, tell)


@pytest.mark.parametrize(
    ("state", "words"), [("off", "refused: the market is off"), ("cancel_only", "refused: the market is cancel-only")]
)
def test_a_market_that_is_off_takes_cancels_only(open_wire: OpenWire, state: str, words: str) -> None:
    async def tell(floor: Floor) -> None:
        number = await floor.buyer.place("buy", "0.1", "100")
        floor.wire.do(c.ChangeMarket("BTC_USDT", state=state))
        await asyncio.sleep(0)
        before = await floor.buyer.everything()
        reply = await floor.buyer.ask("doTrade", GOOD)
        assert (reply.code, reply.msg) == ("10009", words)
        assert await floor.buyer.everything() == before
        assert await floor.buyer.data("cancelOrder", {"orderNumber": str(number)}) == {"clientOrderId": number}
        assert await floor.buyer.balance("USDT") == ("100000", "0")

    on_the_floor(open_wire, tell)


def test_too_many_open_orders(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        floor.wire.do(c.ChangeMarket("BTC_USDT", orders_max=2))
        await asyncio.sleep(0)
        for _ in range(2):
            await floor.buyer.place("buy", "0.1", "100")
        before = await floor.buyer.everything()
        reply = await floor.buyer.ask("doTrade", GOOD)
        assert (reply.code, reply.msg) == ("10009", "refused: too many open orders, 2 is the most")
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_a_market_order_that_cannot_be_paid_is_refused_whole(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        await floor.buyer.place("buy", "2", "100")
        await floor.seller.place("sell", "9", "12000")
        before = await floor.seller.everything(), await floor.buyer.everything()
        for party, params in (
            (floor.buyer, {"type": "0", "funds": "99800.00000001"}),
            (floor.buyer, {"type": "0", "amount": "9"}),
            (floor.seller, {"type": "1", "amount": "1.000001"}),
        ):
            reply = await party.ask("doTrade", {**MARKET, **params})
            assert (reply.code, reply.msg) == ("200005", "insufficient balance")
        assert (await floor.seller.everything(), await floor.buyer.everything()) == before

    on_the_floor(open_wire, tell)


@pytest.mark.parametrize("command", ["doTrade", "cancelOrder", "cancelAllOrder", "cancelAll"])
def test_a_key_without_trade_may_not(open_wire: OpenWire, command: str) -> None:
    async def tell(floor: Floor) -> None:
        number = await floor.buyer.place("buy", "0.1", "100")
        key, secret = floor.wire.make_key(("read",), account=floor.buyer.account)
        await asyncio.sleep(0)  # a new turn of the loop sees the new key
        before = await floor.buyer.everything()
        reply = await floor.buyer.ask(command, {**GOOD, "orderNumber": str(number)}, key=key, secret=secret)
        assert (reply.code, reply.msg) == ("10004", "no permission: trade")
        assert await floor.buyer.everything() == before

    on_the_floor(open_wire, tell)


def test_a_key_without_read_may_trade_and_ask_nothing(open_wire: OpenWire) -> None:
    async def tell(floor: Floor) -> None:
        key, secret = floor.wire.make_key(("trade",), account=floor.buyer.account)
        await asyncio.sleep(0)
        assert (await floor.buyer.ask("doTrade", GOOD, key=key, secret=secret)).code == "200"
        asked = ["returnOpenOrders", "returnOrderTrades", "getOrder", "returnOrderStatus", "returnUTradeHistory"]
        for command in (*asked, "getUserTrades", "getBatchHistoryOrders", "spotbook.holds", "spotbook.order"):
            reply = await floor.buyer.ask(command, PAIR, key=key, secret=secret)
            assert (reply.code, reply.msg) == ("10004", "no permission: read")

    on_the_floor(open_wire, tell)
