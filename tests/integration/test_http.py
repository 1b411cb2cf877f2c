"""HTTP itself: what a client may hold open, and what it is told when it goes too far. Over real sockets."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from spotbook.limits import HEAD_BYTES_MAX
from spotbook.server import http
from spotbook.server.body import ClientGone, read_body
from spotbook.server.http import BoundedProtocol, Listener, WireProtocol
from spotbook.server.replies import Reply, send_reply

WAIT_SECONDS = 30
PROTOCOLS = [BoundedProtocol, WireProtocol]


class Served:
    """A listener whose application answers with the request's body."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.gone = 0

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await read_body(scope, receive)
        except ClientGone:
            self.gone += 1
            return
        if scope["path"] == "/by-parts":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one,", b"two"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
            return
        await send_reply(send, Reply(json.dumps(body.decode()).encode()))

    async def talk(self, *pieces: bytes) -> bytes:
        """Send pieces one after the other; return all that comes until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        got = await asyncio.wait_for(reader.read(), WAIT_SECONDS)
        writer.close()
        return got


def serve(protocol: type[BoundedProtocol], tell: Callable[[Served], Awaitable[None]]) -> None:
    async def story() -> None:
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        served = Served(bound.getsockname()[1])
        listener = Listener(served.app, bound, protocol)
        serving = asyncio.create_task(listener.serve())
        while not listener.started:  # noqa: ASYNC110  (a plain attribute)
            await asyncio.sleep(0.01)
        try:
            await tell(served)
        finally:
            listener.should_exit = True
            await serving

    asyncio.run(story())


def told(raw: bytes) -> tuple[int, Any]:
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_requests_on_one_connection_and_pipelined(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
        got = await served.talk(one + one, one, last)
        assert got.count(b'"hi"') == 4
        assert got.count(b"HTTP/1.1 200 OK") == 4

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("path", [b"/", b"/by-parts"])
def test_bodies_in_pieces_both_ways(protocol: type[BoundedProtocol], path: bytes) -> None:
    async def tell(served: Served) -> None:
        head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        got = await served.talk(head, b"2\r\nhi\r\n", b"0\r\n\r\n")
        assert (b'"hi"' if path == b"/" else b"one,") in got

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_http_is_told_so(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        status, reply = told(await served.talk(b"\x16\x03\x01 nonsense\r\n\r\n"))
        assert (status, reply["code"]) == (400, "10003")

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_head_that_never_ends_is_refused(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        pieces = [b"POST / HTTP/1.1\r\n", *[b"X-More: " + b"a" * 8_000 + b"\r\n"] * (HEAD_BYTES_MAX // 8_000 + 2)]
        status, reply = told(await served.talk(*pieces))
        assert (status, reply["code"]) == (431, "10003")

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "begun",
    [b"", b"\r\n", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"],
)
def test_a_request_that_does_not_arrive_is_cut_off(
    protocol: type[BoundedProtocol], begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS_MAX", 0.2)
    monkeypatch.setattr(http, "SWEEP_SECONDS", 0.05)

    async def tell(served: Served) -> None:
        status, reply = told(await served.talk(begun))
        assert (status, reply["code"]) == (408, "-200")
        assert served.gone == (1 if b"abc" in begun else 0)

    serve(protocol, tell)


def test_a_connection_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 1)

    async def tell(served: Served) -> None:
        _, kept = await asyncio.open_connection("127.0.0.1", served.port)
        await asyncio.sleep(0.05)
        status, reply = told(await served.talk())
        assert (status, reply["code"]) == (503, "-200")
        kept.close()

    serve(WireProtocol, tell)


def test_a_forwarded_header_does_not_change_the_peer() -> None:
    """uvicorn would believe X-Forwarded-For from loopback by default; its own handling must be off."""
    seen: list[str] = []

    class Peers(Served):
        async def app(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["client"][0])
            await super().app(scope, receive, send)

    async def story() -> None:
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        served = Peers(bound.getsockname()[1])
        listener = Listener(served.app, bound)
        serving = asyncio.create_task(listener.serve())
        while not listener.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await served.talk(b"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.9\r\nConnection: close\r\n\r\n")
        listener.should_exit = True
        await serving

    asyncio.run(story())
    assert seen == ["127.0.0.1"]
