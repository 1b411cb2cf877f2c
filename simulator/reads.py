"""What the model says every command that reads must answer, and how it shows an order."""

from collections.abc import Mapping
from typing import Any

from simulator.books import Books, Fill, Market, No, Order
from simulator.figures import brief, clock, full, whole

Params = Mapping[str, str]
NUMBERS = {"open": 1, "partly_filled": 2, "filled": 3, "cancelled": 4}
PERIODS = (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 86_400)
FOREVER = 2**53 - 1
DAY_MS = 86_400_000


def order_number(params: Params, name: str) -> int:
    """Read the number of an order."""
    text = params.get(name, "")
    if not text or any(digit not in "0123456789" for digit in text) or (text[0] == "0" and text != "0"):
        raise No("Invalid", name)
    if len(text) > 19:
        raise No("Invalid", name)
    if not 0 < int(text) <= FOREVER:
        raise No("UnknownOrder")
    return int(text)


def _market(books: Books, params: Params, *names: str) -> Market:
    symbol = next((params[name] for name in names if params.get(name)), "")
    if not symbol:
        raise No("Invalid", names[0])
    if symbol not in books.markets:
        raise No("UnknownMarket")
    return books.markets[symbol]


def _span(params: Params, first: str, last: str) -> tuple[int, int]:
    begin = whole(params[first], first) if params.get(first) else 0
    end = whole(params[last], last) if params.get(last) else FOREVER
    if begin > end:
        raise No("Invalid", first)
    return begin, end


# --- how an order's figures are written -----------------------------------------------------------------------------


def price_of(order: Order) -> str:
    """Return an order's price, ``0`` of one at any price."""
    return full(order.price, order.market.price_decimals) if order.price else "0"


def _lots(market: Market, lots: int) -> str:
    return full(lots, market.amount_decimals)


def _value(books: Books, market: Market, units: int) -> str:
    return full(units, books.scales[market.quote])


def _size(order: Order) -> int:
    if order.price:
        return order.price * order.lots * order.market.tick
    return order.funds or order.value


def details(books: Books, order: Order) -> dict[str, Any]:
    """Return an order as returnOrderTrades shows it."""
    market = order.market
    if order.price:
        left = order.price * order.rest * market.tick
    else:
        left = order.funds - order.value if order.funds else 0
    return {
        "tradeID": order.number,
        "currencyPair": market.symbol,
        "type": order.side,
        "amount": _value(books, market, left),
        "success_amount": _value(books, market, order.value),
        "total": _lots(market, (order.lots or order.filled) - order.filled),
        "success_total": _lots(market, order.filled),
        "fee": full(order.fee, books.scales[order.gets]),
        "date": clock(order.placed_at),
        "status": NUMBERS[order.status],
    }


# --- private --------------------------------------------------------------------------------------------------------


def _owned(books: Books, account: int) -> list[str]:
    return [
        asset for asset in books.scales if books.free.get((account, asset), 0) or books.held.get((account, asset), 0)
    ]


def complete_balances(books: Books, account: int, params: Params, now: int) -> Any:
    """Both sides of every balance."""
    return {
        asset: {
            "onOrders": brief(books.held[account, asset], books.scales[asset]),
            "available": brief(books.free[account, asset], books.scales[asset]),
        }
        for asset in _owned(books, account)
    }


def balances(books: Books, account: int, params: Params, now: int) -> Any:
    """What is available."""
    return {asset: full(books.free[account, asset], books.scales[asset]) for asset in _owned(books, account)}


def holds(books: Books, account: int, params: Params, now: int) -> Any:
    """What stands behind what is frozen."""
    names = list(books.scales)
    mine = [order for orders in books.standing.values() for order in orders if order.account == account]
    mine.sort(key=lambda order: (names.index(order.pays), order.number))
    shown = [
        {
            "asset": order.pays,
            "amount": brief(order.holds, books.scales[order.pays]),
            "kind": "order",
            "id": order.number,
        }
        for order in mine
    ]
    return {"version": books.versions.get(account, 0), "holds": shown}


def open_orders(books: Books, account: int, params: Params, now: int) -> Any:
    """Open orders of a market, newest first."""
    market = _market(books, params, "currencyPair")
    begin, end = _span(params, "startAt", "endAt")
    mine = [order for order in books.standing[market.symbol] if order.account == account]
    mine.sort(key=lambda order: -order.number)
    return [
        {
            "orderNumber": order.number,
            "date": order.placed_at,
            "startingAmount": _value(books, market, _size(order)),
            "total": _lots(market, order.lots),
            "type": order.side,
            "prize": price_of(order),
            "success_count": _lots(market, order.filled),
            "success_amount": _value(books, market, order.value),
            "status": NUMBERS[order.status],
        }
        for order in mine
        if begin <= order.placed_at <= end
    ]


def _mine(books: Books, account: int, number: int) -> Order:
    order = books.orders.get(number)
    if order is None or order.account != account:
        raise No("UnknownOrder")
    return order


def order_trades(books: Books, account: int, params: Params, now: int) -> Any:
    """One order."""
    return details(books, _mine(books, account, order_number(params, "orderNumber")))


def get_order(books: Books, account: int, params: Params, now: int) -> Any:
    """The same, by its old name."""
    return details(books, _mine(books, account, order_number(params, "id")))


def order_status(books: Books, account: int, params: Params, now: int) -> Any:
    """Where one order stands."""
    order = _mine(books, account, order_number(params, "orderNumber"))
    return {
        "status": NUMBERS[order.status],
        "currencyPair": order.market.symbol,
        "date": clock(order.placed_at),
        "total": _lots(order.market, order.lots or order.filled),
        "type": order.side,
        "startingAmount": _value(books, order.market, _size(order)),
    }


def finished_orders(books: Books, account: int, params: Params, now: int) -> Any:
    """Closed orders of a market, newest first."""
    market = _market(books, params, "currencyPair")
    begin, end = _span(params, "startAt", "endAt")
    found = [
        order
        for order in reversed(books.orders.values())
        if order.account == account
        and order.market.symbol == market.symbol
        and order.status in {"filled", "cancelled"}
        and begin <= order.placed_at <= end
    ]
    return [
        {
            "tradeID": order.number,
            "date": order.placed_at,
            "amount": _value(books, market, _size(order)),
            "total": _lots(market, order.lots or order.filled),
            "fee": full(order.fee, books.scales[order.gets]),
            "type": order.side,
            "prize": price_of(order),
            "success_count": _lots(market, order.filled),
            "success_amount": _value(books, market, order.value),
            "status": NUMBERS[order.status],
            "out_trade_no": order.reference,
        }
        for order in found[:1_000]
    ]


def user_trades(books: Books, account: int, params: Params, now: int) -> Any:
    """A page of fills."""
    market = _market(books, params, "symbol") if params.get("symbol") else None
    begin, end = _span(params, "startAt", "endAt")
    most = whole(params["limit"], "limit") if params.get("limit") else 20
    if not 1 <= most <= 100:
        raise No("Invalid", "limit")
    older = whole(params["after"], "after") if params.get("after") else FOREVER + 1
    newer = whole(params["before"], "before") if params.get("before") else 0
    mine = [
        fill
        for fill in reversed(books.fills)
        if account in {fill.maker.account, fill.taker.account}
        and (market is None or fill.market.symbol == market.symbol)
        and begin <= fill.made_at <= end
    ]
    page = [fill for fill in mine if newer < fill.number < older]
    page = page[-most:] if params.get("before") and not params.get("after") else page[:most]
    data: dict[str, Any] = {"list": [_fill(books, fill, account) for fill in page]}
    if page:
        if mine[-1].number < page[-1].number:
            data["after"] = page[-1].number
        if mine[0].number > page[0].number:
            data["before"] = page[0].number
    return data


def _fill(books: Books, fill: Fill, account: int) -> dict[str, Any]:
    order, fee = (fill.maker, fill.maker_fee) if fill.maker.account == account else (fill.taker, fill.taker_fee)
    market = fill.market
    return {
        "orderType": "LIMIT",
        "orderId": order.number,
        "fee": full(fee * 10 ** (18 - books.scales[order.gets]), 18),
        "price": full(fill.price * 10 ** (18 - market.price_decimals), 18),
        "size": full(fill.lots * 10 ** (18 - market.amount_decimals), 18),
        "side": order.side.upper(),
        "time": fill.made_at,
        "tradeId": fill.number,
    }


def history_orders(books: Books, account: int, params: Params, now: int) -> Any:
    """Finished orders by their numbers."""
    if not params.get("orderIds"):
        raise No("Invalid", "orderIds")
    numbers: list[int] = []
    for text in params["orderIds"].split(","):
        try:
            number = order_number({"orderIds": text}, "orderIds")
        except No as no:
            if no.kind != "UnknownOrder":
                raise
            continue
        if number not in numbers:
            numbers.append(number)
    found = [books.orders[number] for number in numbers if number in books.orders]
    return [
        _history(books, order)
        for order in found
        if order.account == account and order.status in {"filled", "cancelled"} and now - order.placed_at <= 92 * DAY_MS
    ]


def _history(books: Books, order: Order) -> dict[str, Any]:
    market = order.market
    average = order.value * 10 ** books.scales[market.base] // (order.filled * market.lot) if order.filled else 0
    return {
        "orderId": order.number,
        "date": order.placed_at,
        "side": order.side.upper(),
        "type": "MARKET" if order.kind == "market" else "LIMIT",
        "status": NUMBERS[order.status],
        "dealSize": _lots(market, order.filled),
        "dealFunds": _value(books, market, order.value),
        "dealAvgPrice": _value(books, market, average),
        "fee": full(order.fee, books.scales[order.gets]),
        "symbol": market.symbol,
        "price": price_of(order),
        "size": _lots(market, order.lots or order.filled),
        "out_trade_no": order.reference,
    }


PRIVATE = {
    "returnCompleteBalances": complete_balances,
    "returnBalances": balances,
    "spotbook.holds": holds,
    "returnOpenOrders": open_orders,
    "returnOrderTrades": order_trades,
    "getOrder": get_order,
    "returnOrderStatus": order_status,
    "returnUTradeHistory": finished_orders,
    "getUserTrades": user_trades,
    "getBatchHistoryOrders": history_orders,
}


# --- public ---------------------------------------------------------------------------------------------------------


def symbols(books: Books, params: Params, now: int) -> Any:
    """Every market and its rules."""
    shown = []
    for market in books.markets.values():
        quote = books.scales[market.quote]
        most = market.price_max * market.amount_max * market.tick
        shown.append(
            {
                "currencyBase": market.base,
                "currencyQuote": market.quote,
                "currencyPair": market.symbol,
                "maxBuyCount": _twenty(market.amount_max, market.amount_decimals),
                "minBuyCount": _twenty(market.amount_min, market.amount_decimals),
                "minBuyAmount": _twenty(market.value_min, quote),
                "maxBuyAmount": _twenty(market.value_max or most, quote),
                "minBuyPrice": _twenty(market.price_min, market.price_decimals),
                "maxBuyPrice": _twenty(market.price_max, market.price_decimals),
                "pricePrecision": market.price_decimals,
                "countPrecision": market.amount_decimals,
                "state": 1 if market.state == "on" else 2,
            }
        )
    return shown


def _twenty(units: int, scale: int) -> str:
    return full(units * 10 ** (20 - scale), 20)


def levels(books: Books, market: Market, side: str) -> list[tuple[int, int]]:
    """Return price and lots of one side of a book, best first."""
    found: dict[int, int] = {}
    for order in books.standing[market.symbol]:
        if order.side == side:
            found[order.price] = found.get(order.price, 0) + order.rest
    return sorted(found.items(), reverse=side == "buy")


def order_book(books: Books, params: Params, now: int) -> Any:
    """The best levels of one market or several."""
    text = params.get("symbol") or params.get("currencyPair") or ""
    if not text or "" in text.split(","):
        raise No("Invalid", "symbol")
    size = whole(params["size"], "size") if params.get("size") else 5
    shown = []
    for symbol in text.split(","):
        if symbol not in books.markets:
            raise No("UnknownMarket")
        market = books.markets[symbol]
        sides = {
            name: [
                [full(price, market.price_decimals), _lots(market, lots)]
                for price, lots in levels(books, market, side)[: 5 if size <= 5 else 20]
            ]
            for name, side in (("asks", "sell"), ("bids", "buy"))
        }
        shown.append({**sides, "pair": symbol})
    return shown if len(shown) > 1 else shown[0]


def trades(books: Books, params: Params, now: int) -> Any:
    """Trades of a market, newest first."""
    symbol = params.get("symbol") or params.get("currencyPair")
    if not symbol:
        raise No("Invalid", "symbol")
    begin, end = _span(params, "start", "end")
    market = _market(books, params, "symbol", "currencyPair")
    found = [fill for fill in reversed(books.fills) if fill.market.symbol == symbol and begin <= fill.made_at <= end]
    return [
        {
            "id": fill.number,
            "type": fill.side.upper(),
            "price": full(fill.price, market.price_decimals),
            "amount": _lots(market, fill.lots),
            "total": _value(books, market, fill.value),
            "time": clock(fill.made_at),
            "pair": symbol,
        }
        for fill in found[:50]
    ]


def candles(books: Books, params: Params, now: int) -> Any:
    """Candles of a market, newest first."""
    if not (params.get("currencyPair") or params.get("symbol")):
        raise No("Invalid", "currencyPair")
    period = whole(params.get("period", ""), "period")
    if period not in PERIODS:
        raise No("Invalid", "period")
    market = _market(books, params, "currencyPair", "symbol")
    grouped: dict[int, list[Fill]] = {}
    for fill in books.fills:
        if fill.market.symbol == market.symbol:
            grouped.setdefault(fill.made_at - fill.made_at % (period * 1_000), []).append(fill)
    return [
        {
            "open": full(group[0].price, market.price_decimals),
            "high": full(max(fill.price for fill in group), market.price_decimals),
            "low": full(min(fill.price for fill in group), market.price_decimals),
            "close": full(group[-1].price, market.price_decimals),
            "volume": _lots(market, sum(fill.lots for fill in group)),
            "date": opens_at,
            "pair": market.symbol,
        }
        for opens_at, group in sorted(grouped.items(), reverse=True)[:100]
    ]


def ticker(books: Books, params: Params, now: int) -> Any:
    """What every market did in the last day, and its best prices."""
    begins = (now - DAY_MS) // 60_000 * 60_000
    shown = {}
    for market in books.markets.values():
        traded = [fill for fill in books.fills if fill.market.symbol == market.symbol]
        day = [fill for fill in traded if fill.made_at >= begins]
        prices = [fill.price for fill in day]
        asks, bids = levels(books, market, "sell"), levels(books, market, "buy")
        shown[market.symbol] = {
            "percentChange": _change(prices[0], prices[-1]) if day else "0",
            "high24hr": _price(market, max(prices, default=0)),
            "low24hr": _price(market, min(prices, default=0)),
            "last": _price(market, traded[-1].price if traded else 0),
            "highestBid": _price(market, bids[0][0] if bids else 0),
            "lowestAsk": _price(market, asks[0][0] if asks else 0),
            "baseVolume": _value(books, market, sum(fill.value for fill in day)) if day else "0",
            "id": market.number,
            "isFrozen": 0 if market.state == "on" else 1,
        }
    return shown


def _price(market: Market, price: int) -> str:
    return full(price, market.price_decimals) if price else "0"


def _change(first: int, last: int) -> str:
    """Write the change as a share of the first price, to four decimals, a half away from zero."""
    size, rest = divmod(abs(last - first) * 10_000, first)
    size += 2 * rest >= first
    return ("-" if size and last < first else "") + full(size, 4)


def timestamp(books: Books, params: Params, now: int) -> Any:
    """The time."""
    return now


PUBLIC = {
    "returnSymbol": symbols,
    "returnOrderBook": order_book,
    "returnTradeHistory": trades,
    "returnChartData": candles,
    "returnTicker": ticker,
    "timestamp": timestamp,
}
