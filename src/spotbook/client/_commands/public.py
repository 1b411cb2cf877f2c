"""What everybody may ask: markets, assets, books, trades, candles. No key is needed, and none is sent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from spotbook.client._ask import Ask
from spotbook.client._fields import Misshapen, Record, amount, listed, mapping, record, whole
from spotbook.client._signing import Parameter
from spotbook.client.market import Candle, Currency, Level, OrderBook, Symbol, Ticker, Trade, Volumes
from spotbook.client.models import Reply

__all__ = [
    "candles",
    "currencies",
    "order_book",
    "order_books",
    "server_time",
    "symbols",
    "ticker",
    "trades",
    "volumes_24h",
]

Result = TypeVar("Result")


def symbols() -> Ask[dict[str, Symbol]]:
    """returnSymbol: every market and its rules, by name."""
    return _public("returnSymbol", {}, lambda reply: {market.name: market for market in listed(reply.data, _symbol)})


def ticker() -> Ask[dict[str, Ticker]]:
    """returnTicker: the last 24 hours of every market, by its name."""
    return _public("returnTicker", {}, lambda reply: _each(reply.data, _ticker))


def currencies() -> Ask[dict[str, Currency]]:
    """returnCurrencies: every asset, by name."""
    return _public("returnCurrencies", {}, lambda reply: _each(reply.data, _currency))


def order_book(symbol: str, *, size: int | None = None) -> Ask[OrderBook]:
    """returnOrderBook: the best of both sides of a market: 5 levels, or 20 with a `size` above 5."""
    return _public("returnOrderBook", {"symbol": symbol, "size": size}, lambda reply: _book(record(reply.data)))


def order_books(symbols: Iterable[str], *, size: int | None = None) -> Ask[dict[str, OrderBook]]:
    """returnOrderBook: the same of up to 20 markets, by name."""
    if isinstance(symbols, str):
        raise TypeError("symbols is several names; for one there is order_book")
    return _public("returnOrderBook", {"symbol": ",".join(symbols), "size": size}, _books)


def trades(symbol: str, *, start: int | None = None, end: int | None = None) -> Ask[list[Trade]]:
    """returnTradeHistory: the last trades of a market, the newest first, 50 at most, from `start` to `end`."""
    params = {"symbol": symbol, "start": start, "end": end}
    return _public("returnTradeHistory", params, lambda reply: listed(reply.data, _trade))


def candles(symbol: str, period: int, *, start: int | None = None, end: int | None = None) -> Ask[list[Candle]]:
    """returnChartData: candles of `period` seconds, the newest first and perhaps unfinished, 100 at most.

    `period` is 60, 180, 300, 900, 1800, 3600, 7200, 14400 or 86400. A period without a trade may have no candle.
    """
    params: dict[str, Parameter] = {"currencyPair": symbol, "period": period, "start": start, "end": end}
    return _public("returnChartData", params, lambda reply: listed(reply.data, _candle))


def volumes_24h() -> Ask[Volumes]:
    """return24hVolume: what was traded in the last 24 hours, by asset and by market."""
    return _public("return24hVolume", {}, _volumes)


def server_time() -> Ask[int]:
    """timestamp: the host's clock, in milliseconds since 1970 UTC."""
    return _public("timestamp", {}, lambda reply: whole(reply.data, "data"))


def _public(command: str, params: Mapping[str, Parameter], read: Callable[[Reply], Result]) -> Ask[Result]:
    return Ask(command, params, read, is_public=True)


def _each(data: object, read: Callable[[str, Record], Result]) -> dict[str, Result]:
    return {name: read(name, record(item, name)) for name, item in mapping(data).items()}


def _symbol(data: Record) -> Symbol:
    return Symbol(
        name=data.text("currencyPair"),
        base=data.text("currencyBase"),
        quote=data.text("currencyQuote"),
        price_decimals=data.whole("pricePrecision"),
        amount_decimals=data.whole("countPrecision"),
        price_min=data.amount("minBuyPrice"),
        price_max=data.amount("maxBuyPrice"),
        amount_min=data.amount("minBuyCount"),
        amount_max=data.amount("maxBuyCount"),
        value_min=data.amount("minBuyAmount"),
        value_max=data.amount("maxBuyAmount"),
        is_on=data.whole("state") == 1,
    )


def _ticker(_: str, data: Record) -> Ticker:
    return Ticker(
        id=data.whole("id"),
        last=data.amount("last"),
        high=data.amount("high24hr"),
        low=data.amount("low24hr"),
        change=data.amount("percentChange"),
        highest_bid=data.amount("highestBid"),
        lowest_ask=data.amount("lowestAsk"),
        value=data.amount("baseVolume"),  # in the quote asset, despite the name
        is_frozen=data.flag("isFrozen"),
    )


def _currency(name: str, data: Record) -> Currency:
    chain = data.text_or_empty("chain")
    return Currency(
        name=name,
        id=str(data.get("symbolId")),
        can_deposit=data.flag("recharge"),
        can_withdraw=data.flag("withDraw"),
        withdrawal_min=data.amount("minQty"),
        withdrawal_max=data.amount("maxQty"),
        withdrawal_fee=data.amount("txFee"),
        chains=tuple(chain.split("@")) if chain else (),
    )


def _books(reply: Reply) -> dict[str, OrderBook]:
    # Of one market the exchange sends its book, of several a list of them.
    books = listed(reply.data if isinstance(reply.data, list) else [reply.data], _book)
    return {book.symbol: book for book in books}


def _book(data: Record) -> OrderBook:
    return OrderBook(data.text("pair"), _levels(data.get("asks"), "asks"), _levels(data.get("bids"), "bids"))


def _levels(data: object, name: str) -> tuple[Level, ...]:
    if not isinstance(data, list):
        raise Misshapen(name)
    return tuple(_level(item, name) for item in data)


def _level(data: Any, name: str) -> Level:
    if not isinstance(data, list) or len(data) < 2:
        raise Misshapen(name)
    return Level(amount(data[0], name), amount(data[1], name))


def _trade(data: Record) -> Trade:
    return Trade(
        id=data.whole("id"),
        symbol=data.text("pair"),
        side=data.side("type"),
        price=data.amount("price"),
        amount=data.amount("amount"),
        value=data.amount("total"),
        traded_at=data.time("time"),
    )


def _candle(data: Record) -> Candle:
    return Candle(
        symbol=data.text("pair"),
        opened_at=data.time("date"),
        open=data.amount("open"),
        high=data.amount("high"),
        low=data.amount("low"),
        close=data.amount("close"),
        volume=data.amount("volume"),
    )


def _volumes(reply: Reply) -> Volumes:
    data = mapping(reply.data)
    totals = {name: value for name, value in data.items() if not isinstance(value, dict)}
    pairs = {name: value for name, value in data.items() if isinstance(value, dict)}
    return Volumes(
        {name.removeprefix("total"): amount(value, name) for name, value in totals.items()},
        {name: {asset: amount(value, name) for asset, value in assets.items()} for name, assets in pairs.items()},
    )
