"""Every typed method of the client: how it is called, what it sends, what a host answers, what comes of it."""

from decimal import Decimal
from typing import Any, NamedTuple

from spotbook.client import (
    Candle,
    ClosedOrder,
    Currency,
    Hold,
    Holds,
    Level,
    MyTrade,
    MyTradesPage,
    OpenOrder,
    OrderBook,
    OrderByNumber,
    OrderByReference,
    OrderState,
    OrderSummary,
    Symbol,
    Ticker,
    Trade,
    Volumes,
)

D = Decimal

OPEN = {
    "orderNumber": 17,
    "date": 1790000000123,
    "startingAmount": "164.0000",
    "total": "0.002000",
    "type": "buy",
    "prize": "82000.00",
    "success_count": "0.001000",
    "success_amount": "82.0000",
    "status": 2,
}
OPENED = OpenOrder(
    number=17,
    side="buy",
    status="partly_filled",
    price=D("82000.00"),
    amount=D("0.002000"),
    value=D("164.0000"),
    filled_amount=D("0.001000"),
    filled_value=D("82.0000"),
    placed_at=1790000000123,
)
STATE = {
    "tradeID": 17,
    "currencyPair": "BTC_USDT",
    "type": "sell",
    "amount": "82.0000",
    "success_amount": "81.0000",
    "total": "0.001000",
    "success_total": "0.001100",
    "fee": "0.16400000",
    "date": "2026-09-21 22:13:20",
    "status": 4,
}
BOOK = {"asks": [["82001.00", "0.5"], ["82002", "1"]], "bids": [["81999.99", "0.25"]], "pair": "BTC_USDT"}
BOOKED = OrderBook(
    "BTC_USDT",
    asks=(Level(D("82001.00"), D("0.5")), Level(D(82002), D(1))),
    bids=(Level(price=D("81999.99"), amount=D("0.25")),),
)
SYMBOL = {
    "currencyBase": "BTC",
    "currencyQuote": "USDT",
    "currencyPair": "BTC_USDT",
    "maxBuyCount": "10000.00000000000000000000",
    "minBuyCount": "0.00000100000000000000",
    "minBuyAmount": "1.00000000000000000000",
    "maxBuyAmount": "0.00000000000000000000",
    "minBuyPrice": "0.01000000000000000000",
    "maxBuyPrice": "1000000.00000000000000000000",
    "pricePrecision": 2,
    "countPrecision": 6,
    "state": 1,
}


class Case(NamedTuple):
    """`method(*args, **options)` sends `command` with `params`; `data` is answered; `result` comes of it."""

    method: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    command: str
    params: dict[str, str]
    data: Any
    result: Any

    def __str__(self) -> str:
        return self.method


PRIVATE: list[Case] = [
    Case(
        "place_limit",
        ("BTC_USDT", "buy", D("1E-6"), 82000),
        {"out_trade_no": "mine-1"},
        "doTrade",
        {"symbol": "BTC_USDT", "type": "0", "amount": "0.000001", "rate": "82000", "out_trade_no": "mine-1"},
        {"orderNumber": 17},
        17,
    ),
    Case(
        "place_limit",
        ("BTC_USDT", "sell", "0.5", D("82000.10")),
        {"post_only": True},
        "doTrade",
        {"symbol": "BTC_USDT", "type": "1", "amount": "0.5", "rate": "82000.10", "postOnly": "true"},
        {"orderNumber": "4611686018427387904"},
        4611686018427387904,
    ),
    Case(
        "place_market",
        ("BTC_USDT", "buy"),
        {"funds": "10"},
        "doTrade",
        {"symbol": "BTC_USDT", "type": "0", "funds": "10", "isMarket": "true"},
        {"orderNumber": 18},
        18,
    ),
    Case(
        "place_market",
        ("BTC_USDT", "sell"),
        {"amount": 1, "out_trade_no": "mine_2"},
        "doTrade",
        {"symbol": "BTC_USDT", "type": "1", "amount": "1", "isMarket": "true", "out_trade_no": "mine_2"},
        {"orderNumber": 19},
        19,
    ),
    Case("cancel", (17,), {}, "cancelOrder", {"orderNumber": "17"}, {"clientOrderId": 17}, None),
    Case("cancel_all", (), {}, "cancelAllOrder", {}, {}, None),
    Case("cancel_all", ("BTC_USDT",), {}, "cancelAllOrder", {"currencyPair": "BTC_USDT"}, None, None),
    Case("open_orders", ("BTC_USDT",), {}, "returnOpenOrders", {"currencyPair": "BTC_USDT"}, [OPEN], [OPENED]),
    Case(
        "open_orders",
        ("BTC_USDT",),
        {"start": 1, "end": 2},
        "returnOpenOrders",
        {"currencyPair": "BTC_USDT", "startAt": "1", "endAt": "2"},
        [],
        [],
    ),
    Case(
        "order",
        (17,),
        {},
        "returnOrderTrades",
        {"orderNumber": "17"},
        STATE,
        OrderState(
            number=17,
            symbol="BTC_USDT",
            side="sell",
            status="cancelled",
            filled_amount=D("0.001100"),
            filled_value=D("81.0000"),
            remaining_amount=D("0.001000"),
            remaining_value=D("82.0000"),
            fee=D("0.164"),
            placed_at=1790000000000,
        ),
    ),
    Case(
        "order_status",
        (17,),
        {},
        "returnOrderStatus",
        {"orderNumber": "17"},
        {
            "status": 3,
            "currencyPair": "BTC_USDT",
            "date": "2026-09-21 22:13:20",
            "total": "0.002",
            "type": "buy",
            "startingAmount": "164",
        },
        OrderSummary(
            number=17,
            symbol="BTC_USDT",
            side="buy",
            status="filled",
            amount=D("0.002"),
            value=D(164),
            placed_at=1790000000000,
        ),
    ),
    Case(
        "order_by_reference",
        ("mine-1",),
        {},
        "spotbook.order",
        {"out_trade_no": "mine-1"},
        {"state": "accepted", "order": {**STATE, "prize": "82000.00", "out_trade_no": "mine-1"}},
        OrderByReference(
            number=17,
            symbol="BTC_USDT",
            side="sell",
            status="cancelled",
            filled_amount=D("0.001100"),
            filled_value=D(81),
            remaining_amount=D("0.001000"),
            remaining_value=D(82),
            fee=D("0.164"),
            placed_at=1790000000000,
            price=D(82000),
            out_trade_no="mine-1",
        ),
    ),
    Case(
        "order_by_reference",
        ("mine-1",),
        {"fence": True},
        "spotbook.order",
        {"out_trade_no": "mine-1", "fence": "true"},
        {"state": "unknown"},
        None,
    ),
    Case(
        "closed_orders",
        ("BTC_USDT",),
        {"start": 5, "end": 6},
        "returnUTradeHistory",
        {"currencyPair": "BTC_USDT", "startAt": "5", "endAt": "6"},
        [
            {
                "tradeID": 17,
                "date": 1790000000123,
                "amount": "164",
                "total": "0.002",
                "fee": "0.000004",
                "type": "buy",
                "prize": "82000",
                "success_count": "0.002",
                "success_amount": "164",
                "status": 3,
                "out_trade_no": "mine-1",
            }
        ],
        [
            ClosedOrder(
                number=17,
                side="buy",
                status="filled",
                price=D(82000),
                amount=D("0.002"),
                value=D(164),
                filled_amount=D("0.002"),
                filled_value=D(164),
                fee=D("0.000004"),
                out_trade_no="mine-1",
                placed_at=1790000000123,
            )
        ],
    ),
    Case(
        "orders_by_number",
        ([17, 18],),
        {},
        "getBatchHistoryOrders",
        {"orderIds": "17,18"},
        [
            {
                "orderId": 17,
                "date": 1790000000123,
                "side": "SELL",
                "type": "LIMIT",
                "status": 3,
                "dealSize": "1",
                "dealFunds": "82000",
                "dealAvgPrice": "82000.00",
                "fee": "164",
            },
            {
                "orderId": 18,
                "date": 1790000000123,
                "side": "BUY",
                "type": "MARKET",
                "status": 4,
                "dealSize": "0",
                "dealFunds": "0",
                "dealAvgPrice": "0",
                "fee": "0",
                "symbol": "BTC_USDT",
            },
        ],
        [
            OrderByNumber(
                number=17,
                symbol="",
                side="sell",
                status="filled",
                filled_amount=D(1),
                filled_value=D(82000),
                average_price=D(82000),
                fee=D(164),
                placed_at=1790000000123,
            ),
            OrderByNumber(
                number=18,
                symbol="BTC_USDT",
                side="buy",
                status="cancelled",
                filled_amount=D(0),
                filled_value=D(0),
                average_price=D(0),
                fee=D(0),
                placed_at=1790000000123,
            ),
        ],
    ),
    Case(
        "my_trades_page",
        ("BTC_USDT",),
        {"start": 1, "end": 2, "limit": 1, "after": 31},
        "getUserTrades",
        {"symbol": "BTC_USDT", "startAt": "1", "endAt": "2", "limit": "1", "after": "31"},
        {
            "list": [
                {
                    "orderType": "LIMIT",
                    "orderId": 17,
                    "fee": "0.000000000000000001",
                    "price": "82000.00",
                    "size": "0.001",
                    "side": "BUY",
                    "time": 1790000000123,
                    "tradeId": 30,
                }
            ],
            "after": 30,
            "before": 30,
        },
        MyTradesPage(
            trades=(
                MyTrade(
                    id=30,
                    order_number=17,
                    side="buy",
                    price=D(82000),
                    amount=D("0.001"),
                    fee=D("1E-18"),
                    traded_at=1790000000123,
                ),
            ),
            after=30,
            before=30,
        ),
    ),
    Case(
        "my_trades_page",
        (),
        {"before": 3},
        "getUserTrades",
        {"before": "3"},
        {"list": []},
        MyTradesPage(trades=(), after=None, before=None),
    ),
    Case(
        "holds",
        (),
        {},
        "spotbook.holds",
        {},
        {"version": 9, "holds": [{"asset": "USDT", "amount": "82.5", "kind": "order", "id": 17}]},
        Holds(version=9, holds=(Hold(asset="USDT", amount=D("82.5"), kind="order", id=17),)),
    ),
]

PUBLIC: list[Case] = [
    Case(
        "symbols",
        (),
        {},
        "returnSymbol",
        {},
        [SYMBOL, {**SYMBOL, "currencyPair": "ETH_USDT", "state": 2}],
        {
            name: Symbol(
                name=name,
                base="BTC",
                quote="USDT",
                price_decimals=2,
                amount_decimals=6,
                price_min=D("0.01"),
                price_max=D(1000000),
                amount_min=D("0.000001"),
                amount_max=D(10000),
                value_min=D(1),
                value_max=D(0),
                is_on=is_on,
            )
            for name, is_on in (("BTC_USDT", True), ("ETH_USDT", False))
        },
    ),
    Case(
        "ticker",
        (),
        {},
        "returnTicker",
        {},
        {
            "BTC_USDT": {
                "percentChange": "-0.0135",
                "high24hr": "83000",
                "low24hr": "81000",
                "last": "82000",
                "highestBid": "81999",
                "lowestAsk": "0",
                "baseVolume": "164000.5",
                "id": 1,
                "isFrozen": 0,
            }
        },
        {
            "BTC_USDT": Ticker(
                id=1,
                last=D(82000),
                high=D(83000),
                low=D(81000),
                change=D("-0.0135"),
                highest_bid=D(81999),
                lowest_ask=D(0),
                value=D("164000.5"),
                is_frozen=False,
            )
        },
    ),
    Case(
        "currencies",
        (),
        {},
        "returnCurrencies",
        {},
        {
            "USDT": {
                "symbolId": "5",
                "symbol": "USDT",
                "withDraw": "0",
                "recharge": "1",
                "maxQty": "1000",
                "minQty": "10",
                "txFee": "1.5",
                "chain": "ETH@BSC",
            },
            "CWT": {
                "symbolId": 2,
                "symbol": "CWT",
                "withDraw": "1",
                "recharge": "0",
                "maxQty": "0",
                "minQty": "0",
                "txFee": "0",
                "chain": "",
            },
        },
        {
            "USDT": Currency(
                name="USDT",
                id="5",
                can_deposit=True,
                can_withdraw=False,
                withdrawal_min=D(10),
                withdrawal_max=D(1000),
                withdrawal_fee=D("1.5"),
                chains=("ETH", "BSC"),
            ),
            "CWT": Currency(
                name="CWT",
                id="2",
                can_deposit=False,
                can_withdraw=True,
                withdrawal_min=D(0),
                withdrawal_max=D(0),
                withdrawal_fee=D(0),
                chains=(),
            ),
        },
    ),
    Case("order_book", ("BTC_USDT",), {}, "returnOrderBook", {"symbol": "BTC_USDT"}, BOOK, BOOKED),
    Case(
        "order_book",
        ("BTC_USDT",),
        {"size": 20},
        "returnOrderBook",
        {"symbol": "BTC_USDT", "size": "20"},
        {"asks": [], "bids": [], "pair": "BTC_USDT"},
        OrderBook("BTC_USDT", (), ()),
    ),
    Case(
        "order_books",
        (["BTC_USDT", "ETH_USDT"],),
        {"size": 5},
        "returnOrderBook",
        {"symbol": "BTC_USDT,ETH_USDT", "size": "5"},
        [BOOK, {"asks": [], "bids": [], "pair": "ETH_USDT"}],
        {"BTC_USDT": BOOKED, "ETH_USDT": OrderBook("ETH_USDT", (), ())},
    ),
    Case("order_books", (["BTC_USDT"],), {}, "returnOrderBook", {"symbol": "BTC_USDT"}, BOOK, {"BTC_USDT": BOOKED}),
    Case(
        "trades",
        ("BTC_USDT",),
        {"start": 1, "end": 2},
        "returnTradeHistory",
        {"symbol": "BTC_USDT", "start": "1", "end": "2"},
        [
            {
                "id": 30,
                "type": "SELL",
                "price": "82000",
                "amount": "0.001",
                "total": "82",
                "time": "1970-01-01 08:00:01",
                "pair": "BTC_USDT",
            }
        ],
        [
            Trade(
                id=30,
                symbol="BTC_USDT",
                side="sell",
                price=D(82000),
                amount=D("0.001"),
                value=D(82),
                traded_at=1_000,
            )
        ],
    ),
    Case(
        "candles",
        ("BTC_USDT", 60),
        {"end": 9},
        "returnChartData",
        {"currencyPair": "BTC_USDT", "period": "60", "end": "9"},
        [
            {
                "open": "1",
                "high": "4",
                "low": "0.5",
                "close": "2",
                "volume": "7.5",
                "date": 1790000040000,
                "pair": "BTC_USDT",
            }
        ],
        [
            Candle(
                symbol="BTC_USDT",
                opened_at=1790000040000,
                open=D(1),
                high=D(4),
                low=D("0.5"),
                close=D(2),
                volume=D("7.5"),
            )
        ],
    ),
    Case(
        "volumes_24h",
        (),
        {},
        "return24hVolume",
        {},
        {"totalETH": "0", "totalUSDT": "164.5", "totalBTC": "0.002", "BTC_USDT": {"BTC": "0.002", "USDT": "164.5"}},
        Volumes(
            totals={"ETH": D(0), "USDT": D("164.5"), "BTC": D("0.002")},
            symbols={"BTC_USDT": {"BTC": D("0.002"), "USDT": D("164.5")}},
        ),
    ),
    Case("server_time", (), {}, "timestamp", {}, 1790000000123, 1790000000123),
]
