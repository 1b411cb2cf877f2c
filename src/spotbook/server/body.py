"""A request's body, read up to a bound."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from spotbook.limits import BODY_BYTES_MAX

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]


class BodyTooLarge(Exception):
    """The body is over the bound."""


class ClientGone(Exception):
    """The client closed the connection, or was cut off for being slow, before its request was whole."""


async def read_body(announced: bytes | None, receive: Receive) -> bytes:
    """Return the body. `announced` is the Content-Length header; it is refused at once when it is over the bound."""
    if announced is not None and (not announced.isdigit() or int(announced) > BODY_BYTES_MAX):
        raise BodyTooLarge
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge
        return body
    return await _read_rest(body, receive)


async def _read_rest(first: bytes, receive: Receive) -> bytes:
    parts, size = [first], len(first)
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise BodyTooLarge
        more = message.get("more_body", False)
    return b"".join(parts)
