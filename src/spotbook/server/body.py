"""A request's body, read up to a bound."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from spotbook.limits import BODY_BYTES_MAX

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]


class ClientGone(Exception):
    """The client closed the connection, or was cut off for being slow, before its request was whole."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the body, or as much of it as shows that it is over the bound."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > BODY_BYTES_MAX):
            return bytes(BODY_BYTES_MAX + 1)  # refused by its length, whatever it would have been
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False) and size <= BODY_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
    return b"".join(parts)
