"""The public commands that look back: returnTradeHistory, returnChartData, returnTicker, return24hVolume."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.wire.conftest import OpenWire
from integration.wire.public_market import Trading, story
from spotbook.domain import commands as c

PERIODS = (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 86_400)
NUMBERS = "write a whole number from 0 to 9007199254740991"
UNKNOWN = ("-3", "symbol does not exist")


class TestTradeHistory:
    def test_the_newest_trade_comes_first(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            trading.at(0, 0, 1)
            trading.trade("100.5", "0.25")
            at = trading.at(17, 59, 59) + 999
            trading.wire.clock.now = at
            trading.trade("99", "1", side="sell")
            first, second = (
                (datetime.fromtimestamp(trading.midnight / 1_000, UTC) + timedelta(hours=8, seconds=seconds)).strftime(
                    "%Y-%m-%d %H:%M:%S"
                )
                for seconds in (1, 17 * 3_600 + 59 * 60 + 59)
            )
            expected = (
                f'[{{"id":2,"type":"SELL","price":"99.00","amount":"1.000000","total":"99.00000000",'
                f'"time":"{second}","pair":"BTC_USDT"}},'
                f'{{"id":1,"type":"BUY","price":"100.50","amount":"0.250000","total":"25.12500000",'
                f'"time":"{first}","pair":"BTC_USDT"}}]'
            )
            assert await trading.data("returnTradeHistory", {"symbol": "BTC_USDT"}) == expected.encode()
            assert await trading.data("returnTradeHistory", {"currencyPair": "BTC_USDT"}) == expected.encode()
            assert await trading.data("returnTradeHistory", {"symbol": "ETH_USDT"}) == b"[]"

        story(open_wire, tell)

    def test_start_and_end_are_inclusive(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            times = []
            for minute in range(5):
                times.append(trading.at(0, minute))
                trading.trade("100", "1")
                trading.trade("2000", "1", symbol="ETH_USDT")

            async def ids(**span: int) -> list[int]:
                texts = {name: str(value) for name, value in span.items()}
                data = await trading.data("returnTradeHistory", {"symbol": "BTC_USDT", **texts})
                return [row["id"] for row in json.loads(data)]

            assert await ids() == [9, 7, 5, 3, 1]
            assert await ids(start=times[1], end=times[3]) == [7, 5, 3]
            assert await ids(start=times[1] + 1, end=times[3] - 1) == [5]
            assert await ids(start=times[4]) == [9]
            assert await ids(end=times[0]) == [1]
            assert await ids(start=times[4] + 1) == []
            assert await ids(end=times[0] - 1) == []
            assert await ids(start=times[2], end=times[2]) == [5]

        story(open_wire, tell)

    def test_at_most_fifty(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            for _ in range(51):
                trading.trade("100", "0.1")
            rows = json.loads(await trading.data("returnTradeHistory", {"symbol": "BTC_USDT"}))
            assert [row["id"] for row in rows] == list(range(51, 1, -1))

        story(open_wire, tell)

    def test_bad_input(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            async def refused(**params: str) -> tuple[str, str]:
                return await trading.refusal("returnTradeHistory", params)

            assert await refused() == ("10003", "parameter error: symbol: is missing")
            assert await refused(symbol="XRP_USDT") == UNKNOWN
            assert await refused(symbol="BTC_USDT,ETH_USDT") == UNKNOWN
            after = ("10003", "parameter error: start: is after end")
            assert await refused(symbol="BTC_USDT", start="2", end="1") == after
            for bad in ("-1", "today", "1.5", "1e12", "2026-11-22 10:00:00"):
                assert await refused(symbol="BTC_USDT", start=bad) == ("10003", f"parameter error: start: {NUMBERS}")
                assert await refused(symbol="BTC_USDT", end=bad) == ("10003", f"parameter error: end: {NUMBERS}")

        story(open_wire, tell)


class TestChartData:
    def test_a_candle_is_what_was_traded(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            trading.at(1, 0, 0)
            for price, amount in (("100", "1"), ("102.5", "0.5"), ("98", "0.25")):
                trading.trade(price, amount)
            trading.at(1, 2, 59)
            trading.trade("99.01", "0.1", side="sell")
            hour = trading.midnight + 3_600_000
            first = '"open":"100.00","high":"102.50","low":"98.00","close":"98.00","volume":"1.750000"'
            second = '"open":"99.01","high":"99.01","low":"99.01","close":"99.01","volume":"0.100000"'
            both = '"open":"100.00","high":"102.50","low":"98.00","close":"99.01","volume":"1.850000"'
            pair = '"pair":"BTC_USDT"'
            minutes = f'[{{{second},"date":{hour + 120_000},{pair}}},{{{first},"date":{hour},{pair}}}]'
            asked = {"currencyPair": "BTC_USDT", "period": "60"}
            assert await trading.data("returnChartData", asked) == minutes.encode()
            for period, opens_at in ((180, hour), (1_800, hour), (7_200, hour - 3_600_000), (86_400, trading.midnight)):
                expected = f'[{{{both},"date":{opens_at},{pair}}}]'.encode()
                asked = {"currencyPair": "BTC_USDT", "period": str(period)}
                assert await trading.data("returnChartData", asked) == expected

        story(open_wire, tell)

    @pytest.mark.parametrize("period", PERIODS)
    def test_no_trade_no_candle(self, open_wire: OpenWire, period: int) -> None:
        async def tell(trading: Trading) -> None:
            asked = {"currencyPair": "BTC_USDT", "period": str(period)}
            assert await trading.data("returnChartData", asked) == b"[]"

        story(open_wire, tell)

    def test_at_most_a_hundred_newest_first(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            for minute in range(101):
                trading.at(0, minute)
                trading.trade("100", "0.1")
            rows = json.loads(await trading.data("returnChartData", {"currencyPair": "BTC_USDT", "period": "60"}))
            assert [row["date"] for row in rows] == [trading.midnight + 60_000 * minute for minute in range(100, 0, -1)]

        story(open_wire, tell)

    def test_start_and_end_in_milliseconds_or_seconds(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            opens = []
            for hour in range(4):
                opens.append(trading.at(hour))
                trading.trade("100", "0.1")

            async def dates(start: int | str, end: int | str) -> list[int]:
                asked = {"currencyPair": "BTC_USDT", "period": "3600", "start": str(start), "end": str(end)}
                return [row["date"] for row in json.loads(await trading.data("returnChartData", asked))]

            inner = [opens[2], opens[1]]
            assert await dates(opens[1], opens[2]) == inner
            assert await dates(opens[1] // 1_000, opens[2] // 1_000) == inner
            assert await dates(opens[1] // 1_000, opens[2]) == inner
            assert await dates(opens[0] + 1, opens[3] - 1) == inner
            assert await dates(0, 9_999_999_999) == opens[::-1]
            assert await dates("", "") == opens[::-1]
            assert await dates(opens[3] + 1, "") == []

        story(open_wire, tell)

    def test_bad_input(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            async def refused(**params: str) -> tuple[str, str]:
                return await trading.refusal("returnChartData", params)

            periods = "is one of 60, 180, 300, 900, 1800, 3600, 7200, 14400, 86400"
            assert await refused(period="60") == ("10003", "parameter error: currencyPair: is missing")
            assert await refused(currencyPair="BTC_USDT") == ("10003", "parameter error: period: is missing")
            assert await refused(currencyPair="XRP_USDT", period="60") == UNKNOWN
            for bad in ("61", "0", "604800"):
                words = f"parameter error: period: {periods}"
                assert await refused(currencyPair="BTC_USDT", period=bad) == ("10003", words)
            words = f"parameter error: period: {NUMBERS}"
            assert await refused(currencyPair="BTC_USDT", period="1m") == ("10003", words)
            good = {"currencyPair": "BTC_USDT", "period": "60"}
            after = ("10003", "parameter error: start: is after end")
            assert await refused(**good, start="1790000000", end="1789999999999") == after
            assert await refused(**good, start="x") == ("10003", f"parameter error: start: {NUMBERS}")

        story(open_wire, tell)


class TestTicker:
    def test_a_market_that_traded(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            trading.at(0)
            trading.trade("100", "1")
            trading.at(5)
            trading.trade("110.25", "0.5")
            trading.trade("90", "0.1", side="sell")
            trading.trade("101.35", "0.1")
            trading.place(trading.maker, "sell", "105", "1")
            trading.place(trading.taker, "buy", "95.5", "1")
            nothing = (
                '{"percentChange":"0","high24hr":"0","low24hr":"0","last":"0","highestBid":"0","lowestAsk":"0",'
                '"baseVolume":"0","id":%d,"isFrozen":%d}'
            )
            trading.wire.do(c.ChangeMarket("SAND_BTC", state="cancel_only"))
            assert (await trading.data("returnTicker")).decode() == (
                '{"BTC_USDT":{"percentChange":"0.0135","high24hr":"110.25","low24hr":"90.00","last":"101.35",'
                '"highestBid":"95.50","lowestAsk":"105.00","baseVolume":"174.26000000","id":1,"isFrozen":0},'
                f'"ETH_USDT":{nothing % (2, 0)},"SAND_BTC":{nothing % (3, 1)}}}'
            )

        story(open_wire, tell)

    def test_what_is_older_than_a_day_goes_and_the_last_price_stays(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            async def ticker() -> dict[str, Any]:
                row: dict[str, Any] = (await trading.ask("returnTicker")).json["data"]["BTC_USDT"]
                return row

            trading.at(0, 30)
            trading.trade("100", "1")
            trading.at(10)
            trading.trade("80", "1")
            assert (await ticker())["percentChange"] == "-0.2000"
            trading.at(24, 30, 59)
            assert (await ticker())["high24hr"] == "100.00"
            trading.at(24, 31)
            row = await ticker()
            figures = ("high24hr", "low24hr", "last", "percentChange", "baseVolume")
            assert [row[name] for name in figures] == ["80.00", "80.00", "80.00", "0.0000", "80.00000000"]
            trading.at(34, 1)
            row = await ticker()
            assert [row[name] for name in figures] == ["0", "0", "80.00", "0", "0"]

        story(open_wire, tell)

    def test_the_next_ticker_shows_what_was_traded(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            for step in range(1, 20):
                trading.trade(str(100 + step), "0.1")
                row = (await trading.ask("returnTicker")).json["data"]["BTC_USDT"]
                assert (row["last"], row["high24hr"]) == (f"{100 + step}.00", f"{100 + step}.00")

        story(open_wire, tell)


class TestVolume:
    def test_totals_by_quote_and_volumes_by_pair(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            trading.trade("100", "1.5")
            trading.trade("2000", "0.25", symbol="ETH_USDT")
            trading.trade("0.01", "5", symbol="SAND_BTC")
            assert await trading.data("return24hVolume") == (
                b'{"totalETH":"0","totalUSDT":"650.00000000","totalBTC":"0.05000000",'
                b'"BTC_USDT":{"BTC":"1.500000","USDT":"150.00000000"},'
                b'"ETH_USDT":{"ETH":"0.2500","USDT":"500.00000000"},'
                b'"SAND_BTC":{"SAND":"5.000","BTC":"0.05000000"}}'
            )

        story(open_wire, tell)

    def test_nothing_was_traded(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            assert await trading.data("return24hVolume") == (
                b'{"totalETH":"0","totalUSDT":"0","totalBTC":"0","BTC_USDT":{"BTC":"0","USDT":"0"},'
                b'"ETH_USDT":{"ETH":"0","USDT":"0"},"SAND_BTC":{"SAND":"0","BTC":"0"}}'
            )

        story(open_wire, tell)

    def test_without_markets(self, open_wire: OpenWire) -> None:
        async def tell(trading: Trading) -> None:
            assert await trading.data("return24hVolume") == b'{"totalETH":"0","totalUSDT":"0","totalBTC":"0"}'

        story(open_wire, tell, markets=False)
