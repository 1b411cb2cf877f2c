"""The client: exact balances, orders and market data, against any host that speaks this API.

    from spotbook.client import Client

    with Client.from_env() as client:
        balances = client.complete_balances()
        print(balances["BTC"].available, balances["BTC"].on_orders, balances.version)
        number = client.place_limit("BTC_USDT", "buy", "0.001", 50_000, out_trade_no="mine-1")
        client.cancel(number)

It needs httpx2 and msgspec, and nothing of the server.
"""

from spotbook.client._async import AsyncClient, AsyncPublicClient
from spotbook.client._requests import Signing, Style
from spotbook.client._sync import Client, PublicClient
from spotbook.client.errors import (
    AuthenticationError,
    BadRequest,
    BadSymbol,
    ClockSkew,
    ConfigurationError,
    DuplicateOrderId,
    ExchangeBusy,
    ExchangeError,
    InsufficientBalance,
    InvalidParameter,
    InvalidSignature,
    MalformedReply,
    NetworkError,
    NotFound,
    NotSupported,
    OrderNotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RuleRefused,
    SpotbookError,
    Timeout,
)
from spotbook.client.market import Candle, Currency, Level, OrderBook, Symbol, Ticker, Trade, Volumes
from spotbook.client.models import AvailableBalances, Balance, CompleteBalances, RateLimit, Reply
from spotbook.client.official import SpotRestfulPrivate, SpotRestfulPublic, SpotRestuflPrivate
from spotbook.client.orders import (
    ClosedOrder,
    Hold,
    Holds,
    MyTrade,
    MyTradesPage,
    OpenOrder,
    OrderByNumber,
    OrderByReference,
    OrderState,
    OrderSummary,
    Side,
    Status,
)
from spotbook.client.pacing import LIMITS, Limit, Pacing

__all__ = [
    "LIMITS",
    "AsyncClient",
    "AsyncPublicClient",
    "AuthenticationError",
    "AvailableBalances",
    "BadRequest",
    "BadSymbol",
    "Balance",
    "Candle",
    "Client",
    "ClockSkew",
    "ClosedOrder",
    "CompleteBalances",
    "ConfigurationError",
    "Currency",
    "DuplicateOrderId",
    "ExchangeBusy",
    "ExchangeError",
    "Hold",
    "Holds",
    "InsufficientBalance",
    "InvalidParameter",
    "InvalidSignature",
    "Level",
    "Limit",
    "MalformedReply",
    "MyTrade",
    "MyTradesPage",
    "NetworkError",
    "NotFound",
    "NotSupported",
    "OpenOrder",
    "OrderBook",
    "OrderByNumber",
    "OrderByReference",
    "OrderNotFound",
    "OrderState",
    "OrderSummary",
    "OutcomeUnknown",
    "Pacing",
    "PermissionDenied",
    "PublicClient",
    "RateLimit",
    "RateLimited",
    "Reply",
    "RuleRefused",
    "Side",
    "Signing",
    "SpotRestfulPrivate",
    "SpotRestfulPublic",
    "SpotRestuflPrivate",
    "SpotbookError",
    "Status",
    "Style",
    "Symbol",
    "Ticker",
    "Timeout",
    "Trade",
    "Volumes",
]
