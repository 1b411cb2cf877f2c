"""The public commands that say what there is: returnSymbol, returnCurrencies."""

from integration.wire.conftest import OpenWire
from integration.wire.public_market import Trading, story
from spotbook.domain import commands as c

SYMBOL = (
    '{"currencyBase":"%s","currencyQuote":"%s","currencyPair":"%s_%s","maxBuyCount":"%s","minBuyCount":"%s",'
    '"minBuyAmount":"%s","maxBuyAmount":"%s","minBuyPrice":"%s","maxBuyPrice":"%s","pricePrecision":%d,'
    '"countPrecision":%d,"state":%d}'
)


def symbol(pair: str, figures: tuple[str, ...], decimals: tuple[int, int], state: int) -> str:
    base, quote = pair.split("_")
    whole = [
        f"{figure}.{'0' * 20}" if "." not in figure else figure.ljust(figure.index(".") + 21, "0") for figure in figures
    ]
    return SYMBOL % (base, quote, base, quote, *whole, *decimals, state)


def test_the_markets_and_their_rules(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        trading.wire.do(c.ChangeMarket("ETH_USDT", state="cancel_only"))
        expected = ",".join(
            (
                symbol("BTC_USDT", ("10000", "0.000001", "1", "10000000000", "0.01", "1000000"), (2, 6), 1),
                symbol("ETH_USDT", ("100000", "0.0001", "1", "100000000000", "0.01", "1000000"), (2, 4), 2),
                symbol("SAND_BTC", ("9", "0.001", "0.0001", "0.5", "0.00001", "1"), (5, 3), 1),
            )
        )
        assert await trading.data("returnSymbol") == f"[{expected}]".encode()
        trading.wire.do(c.ChangeMarket("ETH_USDT", state="off"))
        assert [row["state"] for row in (await trading.ask("returnSymbol")).json["data"]] == [1, 2, 1]

    story(open_wire, tell)


def test_figures_have_twenty_decimals(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        row = (await trading.ask("returnSymbol")).json["data"][2]
        assert row["maxBuyCount"] == "9.00000000000000000000"
        assert row["minBuyPrice"] == "0.00001000000000000000"

    story(open_wire, tell)


def test_without_markets_there_are_none(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        assert await trading.data("returnSymbol") == b"[]"
        assert await trading.data("returnTicker") == b"{}"

    story(open_wire, tell, markets=False)


def test_the_currencies(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        members = [
            f'"{name}":{{"symbolId":"{number}","symbol":"{name}","withDraw":"0","recharge":"0","maxQty":"0",'
            f'"minQty":"0","txFee":"0","chain":""}}'
            for number, name in enumerate(("BTC", "CWT", "SAND", "ETH", "USDT"), 1)
        ]
        assert await trading.data("returnCurrencies") == f"{{{','.join(members)}}}".encode()

    story(open_wire, tell)


def test_a_market_made_later_is_there_at_once(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        assert len((await trading.ask("returnSymbol")).json["data"]) == 3
        trading.wire.do(c.MakeMarket("CWT_USDT", 2, 2, "1", "0.01", "100", "0.01", "100", 0, 0, "cancel_newest", "on"))
        assert len((await trading.ask("returnSymbol")).json["data"]) == 4
        assert (await trading.ask("returnTicker")).json["data"]["CWT_USDT"]["id"] == 4

    story(open_wire, tell)


def test_by_post_the_answer_is_the_same(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        params = {"symbol": "BTC_USDT", "currencyPair": "BTC_USDT", "period": "60"}
        for command in (
            "returnSymbol",
            "returnTicker",
            "returnCurrencies",
            "returnOrderBook",
            "returnTradeHistory",
            "returnChartData",
            "return24hVolume",
        ):
            by_get = await trading.ask(command, params)
            assert by_get.code == "200"
            assert (await trading.ask(command, params, method="POST")).body == by_get.body

    story(open_wire, tell)


def test_each_command_has_its_limit_per_address(open_wire: OpenWire) -> None:
    async def tell(trading: Trading) -> None:
        limits = {
            "returnSymbol": "80",
            "returnTicker": "80",
            "returnCurrencies": "80",
            "returnOrderBook": "10",
            "returnTradeHistory": "10",
            "returnChartData": "10",
            "return24hVolume": "80",
        }
        for command, limit in limits.items():
            assert (await trading.ask(command)).headers["ratelimit-limit"] == limit

    story(open_wire, tell)
