"""The client: a signed call in, exact balances out, against any host that speaks this API.

    from spotbook.client import Client

    with Client.from_env() as client:
        balances = client.complete_balances()
        print(balances["BTC"].available, balances["BTC"].on_orders, balances.version)

It needs httpx2 and msgspec, and nothing of the server.
"""

from spotbook.client._async import AsyncClient
from spotbook.client._requests import Style
from spotbook.client._sync import Client
from spotbook.client.errors import (
    AuthenticationError,
    BadRequest,
    BadSymbol,
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
from spotbook.client.models import AvailableBalances, Balance, CompleteBalances, RateLimit, Reply
from spotbook.client.official import SpotRestfulPrivate, SpotRestfulPublic, SpotRestuflPrivate
from spotbook.client.pacing import LIMITS, Limit, Pacing

__all__ = [
    "LIMITS",
    "AsyncClient",
    "AuthenticationError",
    "AvailableBalances",
    "BadRequest",
    "BadSymbol",
    "Balance",
    "Client",
    "CompleteBalances",
    "ConfigurationError",
    "DuplicateOrderId",
    "ExchangeBusy",
    "ExchangeError",
    "InsufficientBalance",
    "InvalidParameter",
    "InvalidSignature",
    "Limit",
    "MalformedReply",
    "NetworkError",
    "NotFound",
    "NotSupported",
    "OrderNotFound",
    "OutcomeUnknown",
    "Pacing",
    "PermissionDenied",
    "RateLimit",
    "RateLimited",
    "Reply",
    "RuleRefused",
    "SpotRestfulPrivate",
    "SpotRestfulPublic",
    "SpotRestuflPrivate",
    "SpotbookError",
    "Style",
    "Timeout",
]
