"""A constant reply: what the HTTP server alone can do.

A bare ASGI application that answers every request with the demo account's complete balances and as many headers as
Spotbook sends, without looking at the request.
"""

from collections.abc import Awaitable, Callable
from typing import Any

BODY = (
    b'{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"},'
    b'"SAND":{"onOrders":"0","available":"108.467"},"ETH":{"onOrders":"0","available":"0.033"},'
    b'"USDT":{"onOrders":"0","available":"257.51830114"}},"msg":"SUCCESS","success":true,"failed":false}'
)
HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"content-length", str(len(BODY)).encode()),
    (b"x-account-version", b"5"),
    (b"x-batch", b"17"),
    (b"x-batch-time", b"1700000000000"),
    (b"x-books", b"0123456789abcdef0123456789abcdef"),
    (b"ratelimit-limit", b"1000000000"),
    (b"ratelimit-remaining", b"999999999"),
    (b"ratelimit-reset", b"2"),
]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
REST = {"type": "http.response.body", "body": BODY}


async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:  # noqa: ARG001
    """Answer."""
    await send(START)
    await send(REST)
