"""returnOrderBook."""

import asyncio
import json

import pytest

from integration.wire.conftest import OpenWire
from integration.wire.public_market import PUBLIC, Trading, story
from spotbook.domain import commands as c


def test_the_best_levels_of_both_sides(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        for price, amount in (("101.5", "2"), ("103", "1"), ("101.5", "0.25")):
            trading.place(trading.maker, "sell", price, amount)
        for price, amount in (("99", "1"), ("100.01", "3.5"), ("98.7", "1.000000")):
            trading.place(trading.taker, "buy", price, amount)
        assert await trading.data("returnOrderBook", {"symbol": "BTC_USDT"}) == (
            b'{"asks":[["101.50","2.250000"],["103.00","1.000000"]],'
            b'"bids":[["100.01","3.500000"],["99.00","1.000000"],["98.70","1.000000"]],"pair":"BTC_USDT"}'
        )

    story(open_wire, tell)


def test_an_empty_book(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        expected = b'{"asks":[],"bids":[],"pair":"ETH_USDT"}'
        assert await trading.data("returnOrderBook", {"symbol": "ETH_USDT"}) == expected
        assert await trading.data("returnOrderBook", {"currencyPair": "ETH_USDT"}) == expected
        assert await trading.data("returnOrderBook", {"symbol": "ETH_USDT", "currencyPair": "BTC_USDT"}) == expected

    story(open_wire, tell)


@pytest.mark.parametrize(
    ("size", "levels"), [("", 5), ("0", 5), ("3", 5), ("5", 5), ("6", 20), ("20", 20), ("500", 20)]
)
def test_the_size_is_five_or_twenty(open_wire: OpenWire, size: str, levels: int) -> None:
    async def tell(trading: Trading) -> None:
        for step in range(25):
            trading.place(trading.maker, "sell", str(200 + step), "1")
            trading.place(trading.taker, "buy", str(100 - step), "1")
        book = json.loads(await trading.data("returnOrderBook", {"symbol": "BTC_USDT", "size": size}))
        assert book["asks"] == [[f"{200 + step}.00", "1.000000"] for step in range(levels)]
        assert book["bids"] == [[f"{100 - step}.00", "1.000000"] for step in range(levels)]

    story(open_wire, tell)


def test_several_books_come_in_the_sequence_of_the_list(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        trading.place(trading.maker, "sell", "0.3", "1.5", "SAND_BTC")
        assert await trading.data("returnOrderBook", {"symbol": "SAND_BTC,BTC_USDT"}) == (
            b'[{"asks":[["0.30000","1.500"]],"bids":[],"pair":"SAND_BTC"},{"asks":[],"bids":[],"pair":"BTC_USDT"}]'
        )
        twenty = (await trading.ask("returnOrderBook", {"symbol": ",".join(["BTC_USDT"] * 20)})).json["data"]
        assert len(twenty) == 20

    story(open_wire, tell)


def test_bad_input(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        async def refused(**params: str) -> tuple[str, str]:
            return await trading.refusal("returnOrderBook", params)

        unknown = ("-3", "symbol does not exist")
        assert await refused() == ("10003", "parameter error: symbol: is missing")
        assert await refused(symbol="") == ("10003", "parameter error: symbol: is missing")
        assert await refused(symbol="XRP_USDT") == unknown
        assert await refused(symbol="btc_usdt") == unknown
        assert await refused(symbol="BTC_USDT,XRP_USDT") == unknown
        commas = ("10003", "parameter error: symbol: write names with one comma between them")
        assert await refused(symbol="BTC_USDT,") == commas
        assert await refused(symbol=",") == commas
        twenty_one = ",".join(["BTC_USDT"] * 21)
        assert await refused(symbol=twenty_one) == ("10003", "parameter error: symbol: list at most 20")
        for size in ("-1", "five", "5.0", "1e1", "05", " 5", "99999999999999999999"):
            words = "parameter error: size: write a whole number from 0 to 9007199254740991"
            assert await refused(symbol="BTC_USDT", size=size) == ("10003", words)
        assert (await refused(symbol="XRP_USDT", size="x"))[0] == "10003"  # parameters come before the domain

    story(open_wire, tell)


def test_while_the_books_are_recovered_nothing_is_shown_rather_than_an_empty_book(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        trading.wire.parts.engine.condition = "recovering"
        for command in ("returnOrderBook", "returnTicker"):
            assert await trading.refusal(command, {"symbol": "BTC_USDT"}) == ("-200", "system busy")
        trading.wire.parts.engine.condition = "running"
        assert (await trading.ask("returnTicker")).code == "200"

    story(open_wire, tell)


def test_orders_that_go_are_seen_to_go(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        first = trading.place(trading.maker, "sell", "100", "2")
        trading.place(trading.taker, "buy", "100", "0.5")
        book = {"symbol": "BTC_USDT"}
        assert (await trading.ask("returnOrderBook", book)).json["data"]["asks"] == [["100.00", "1.500000"]]
        trading.wire.do(c.CancelOrder(trading.maker, first))
        assert await trading.data("returnOrderBook", book) == b'{"asks":[],"bids":[],"pair":"BTC_USDT"}'

    story(open_wire, tell)


def test_after_an_acknowledged_order_the_next_book_shows_it(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        wire = trading.wire
        key, secret = wire.make_key(("trade",), account=trading.maker)
        for number in range(1, 101):
            wire.pace.now += 2_001
            params = {"symbol": "BTC_USDT", "type": "1", "amount": "0.5", "rate": "100"}
            # Others ask all the while: none of their moments may be the one that this client sees.
            others = [asyncio.create_task(_book(trading)) for _ in range(3)]
            assert (await wire.ask("doTrade", params, key=key, secret=secret)).code == "200"
            whole, half = divmod(number, 2)
            assert await _book(trading) == [["100.00", f"{whole}.{half * 5}00000"]]
            await asyncio.gather(*others)

    story(open_wire, tell)


async def _book(trading: Trading) -> object:
    reply = await trading.wire.call("command=returnOrderBook&symbol=BTC_USDT", method="GET", path=PUBLIC)
    return reply.json["data"]["asks"]
