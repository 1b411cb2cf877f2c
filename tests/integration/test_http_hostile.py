"""What a hostile client sends, and what it is answered: one envelope at most, nothing carried out by halves."""

import asyncio
import json
import re
import socket
from typing import Any

import pytest

from spotbook.domain.address import Networks
from spotbook.limits import BODY_BYTES_MAX, HEADERS_MAX, PIECE_BYTES, PIPELINED_MAX
from spotbook.server.body import read_body
from spotbook.server.door import Door
from spotbook.server.http import connection, listener
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.turn import Outbox
from spotbook.server.http.wire import WireProtocol
from spotbook.server.replies import Reply, send_reply
from support.listening import PROTOCOLS, WAIT_SECONDS, Served, serve, told

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
HI = POST + b"Content-Length: 2\r\n\r\nhi"
LAST = POST + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

REFUSED = {
    "a length twice": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", 400),
    "a list of lengths": (POST + b"Content-Length: 2, 2\r\n\r\nhi", 400),
    "a length below nothing": (POST + b"Content-Length: -2\r\n\r\nhi", 400),
    "a length with a plus": (POST + b"Content-Length: +2\r\n\r\nhi", 400),
    "a length in hexadecimal": (POST + b"Content-Length: 0x2\r\n\r\nhi", 400),
    "no length where one is announced": (POST + b"Content-Length:\r\n\r\nhi", 400),
    "a length that no machine holds": (POST + b"Content-Length: 99999999999999999999999\r\n\r\nhi", 400),
    "a length that is too much": (POST + b"Content-Length: 999999999999\r\nConnection: close\r\n\r\nhi", 413),
    "a length, and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks, and a length": (CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding before chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding after chunked": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "a coding of its own": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\nhi", 400),
    "a coding behind a vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "a name with a space behind it": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk whose size is none": (CHUNKED + b"\r\nzz\r\nhi\r\n0\r\n\r\n", 400),
    "a chunk below nothing": (CHUNKED + b"\r\n-2\r\nhi\r\n0\r\n\r\n", 400),
    "a chunk that no machine holds": (CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\nhi\r\n0\r\n\r\n", 400),
    "a chunk longer than it says": (CHUNKED + b"\r\n1\r\nhi\r\n0\r\n\r\n", 400),
    "a chunk without its carriage return": (CHUNKED + b"\r\n2\nhi\n0\n\n", 400),
    "a chunk's words without end": (CHUNKED + b"\r\n2;" + b"a" * 400_000, 413),
    "chunks without end": (CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 60_000, 413),
    "two hosts": (POST + b"Host: y\r\n\r\n", 400),
    "a header on two lines": (POST + b"X: y\r\n z\r\n\r\n", 400),
    "a header without a name": (POST + b": y\r\n\r\n", 400),
    "a name with a space in it": (POST + b"X Y: z\r\n\r\n", 400),
    "a carriage return alone": (POST + b"X: y\rZ: z\r\n\r\n", 400),
    "lines without carriage returns": (HI.replace(b"\r\n", b"\n"), 400),
    "NUL in the target": (b"POST /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "NUL in a header": (POST + b"X: \0\r\n\r\n", 400),
    "NUL in a name": (POST + b"X\0: y\r\n\r\n", 400),
    "nothing but NUL": (b"\0" * 1_000, 400),
    "a space in the target": (b"POST /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "bytes beyond ASCII in the target": (b"POST /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target of another machine without a path": (b"GET http://elsewhere HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a tunnel": (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a method that is none": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a method without end": (b"A" * 70_000, 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "HTTP/2 by knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a line too many": (POST + b"a: b\r\n" * HEADERS_MAX + b"\r\n", 431),
    "a large head in one piece": (POST + b"X: " + b"x" * 100_000 + b"\r\n\r\n", 431),
}

TAKEN = {
    "HTTP/1.0": b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi",
    "a target with a host": LAST.replace(b" /", b" http://elsewhere/", 1),
    "empty lines before the request": b"\r\n\r\n" + LAST,
    "a chunk with words": CHUNKED + b"Connection: close\r\n\r\n2;a=b\r\nhi\r\n0\r\n\r\n",
    "Expect": POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    "as many lines as there may be": POST + b"a: b\r\n" * (HEADERS_MAX - 3) + LAST[len(POST) :],
}


def statuses(raw: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", raw)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_refused_is_told_once_and_closed(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        for case, (raw, expected) in REFUSED.items():
            # Behind it a request that must be taken for part of what was refused, or never be looked at.
            got = await served.talk(raw + (b"" if expected == 413 else HI))
            if not got and len(raw) > 200_000:
                continue  # it was cut off while it still sent, and so may not have heard why
            assert statuses(got) == [expected], case
            status, reply = told(got)
            assert (status, reply["code"], reply["success"]) == (expected, "10003", False), case

    serve(protocol, tell, Refusing)


class Refusing(Served):
    """As the wire API: a body that is too large is refused by its length."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if int(dict(scope["headers"]).get(b"content-length", b"0")) > BODY_BYTES_MAX:
            body = b'{"code":"10003","msg":"parameter error: body: too large","success":false,"failed":true}'
            await send_reply(send, Reply(body, status=413))
        else:
            await super().app(scope, receive, send)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_odd_and_clear_is_answered(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        for case, raw in TAKEN.items():
            got = await served.talk(raw)
            assert statuses(got.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")) == [200], case
            assert got.endswith(b'"hi"'), case

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_upgrade_is_answered_as_what_it_is_and_closed(protocol: type[BoundedProtocol]) -> None:
    """The parser takes nothing behind it for HTTP: on a connection left open, requests would go unheard."""

    async def tell(served: Served) -> None:
        got = await served.talk(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + HI)
        assert statuses(got) == [200]
        assert b"connection: close" in got

    serve(protocol, tell)


class Numbered(Served):
    """Answers each request with its body, and remembers what it carried out; "/wait" waits to be let go."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.done: list[str] = []
        self.waiting = asyncio.Event()
        self.let_go = asyncio.Event()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await read_body(scope, receive)).decode()
        self.done.append(body)
        if scope["path"] == "/wait":
            self.waiting.set()
            await self.let_go.wait()
        await send_reply(send, Reply(json.dumps(body).encode()))


def numbered(number: int, *, path: str = "/", more: str = "") -> bytes:
    body = f"{number:06}"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def answered(raw: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb'"(\d{6})"', raw)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_behind_a_request_that_closes_nothing_is_carried_out(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        assert isinstance(served, Numbered)
        got = await served.talk(numbered(1) + numbered(2, more="Connection: close\r\n") + numbered(3))
        assert answered(got) == [1, 2]
        assert served.done == ["000001", "000002"]

    serve(protocol, tell, Numbered)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pipelined_replies_come_in_the_order_of_their_requests(protocol: type[BoundedProtocol]) -> None:
    """Some wait, some are answered at once, and the pieces end anywhere."""

    async def tell(served: Served) -> None:
        assert isinstance(served, Numbered)
        served.let_go.set()
        raw = b"".join(numbered(number, path="/wait" if number % 3 == 0 else "/") for number in range(200))
        raw += numbered(200, more="Connection: close\r\n")
        got = await served.talk(*(raw[at : at + 777] for at in range(0, len(raw), 777)))
        assert answered(got) == list(range(201))

    serve(protocol, tell, Numbered)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_that_waited_does_not_wait_for_the_head_behind_it(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        assert isinstance(served, Numbered)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(numbered(1, path="/wait") + numbered(2))
        await served.waiting.wait()
        served.waiting.clear()
        writer.write(numbered(3)[:20])  # it is never sent whole
        await asyncio.sleep(0.1)
        served.let_go.set()
        for number in (1, 2):
            got = await asyncio.wait_for(reader.readuntil(b'"%06d"' % number), WAIT_SECONDS)
            assert statuses(got) == [200]
        writer.close()

    serve(protocol, tell, Numbered)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_few_requests_wait_at_a_time_and_all_are_answered(protocol: type[BoundedProtocol]) -> None:
    """What comes behind them is held as the bytes that it is, and not read on and on."""
    waited: list[int] = []
    held: list[int] = []
    many = 20_000

    class Watched(protocol):  # type: ignore[misc, valid-type]
        def on_message_begin(self) -> None:
            waited.append(len(self.pipeline))
            held.append(len(self.held))
            super().on_message_begin()

    async def tell(served: Served) -> None:
        assert isinstance(served, Numbered)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        raw = numbered(0, path="/wait") + b"".join(numbered(number) for number in range(1, many))
        writer.write(raw + numbered(many, more="Connection: close\r\n"))
        await served.waiting.wait()
        await asyncio.sleep(0.1)
        served.let_go.set()
        got = await asyncio.wait_for(reader.read(), WAIT_SECONDS)
        assert answered(got) == list(range(many + 1))
        writer.close()

    serve(Watched, tell, Numbered)
    shortest = len(numbered(1))
    assert PIPELINED_MAX - 1 <= max(waited) <= PIPELINED_MAX + PIECE_BYTES // shortest
    assert max(held) < 300_000


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_that_closes_its_half_is_answered(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        assert isinstance(served, Numbered)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(numbered(1, path="/wait") + numbered(2))
        writer.write_eof()
        await served.waiting.wait()
        await asyncio.sleep(0.1)
        served.let_go.set()
        assert answered(await asyncio.wait_for(reader.read(), WAIT_SECONDS)) == [1, 2]
        writer.close()

    serve(protocol, tell, Numbered)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("begun", [b"", b"POST / HT", HI[:-1], HI])
def test_a_client_that_goes_leaves_nothing_open(protocol: type[BoundedProtocol], begun: bytes) -> None:
    door = Door(10, 10, Networks(()))

    async def tell(served: Served) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(begun)
        await asyncio.sleep(0.1)
        assert door.open == 1
        writer.close()
        await gone(door)

    serve(protocol, tell, door=door)


async def gone(door: Door) -> None:
    """Wait until nobody holds a connection."""
    async with asyncio.timeout(WAIT_SECONDS):
        while door.open:  # noqa: ASYNC110  (a plain attribute)
            await asyncio.sleep(0.01)


class Large(Served):
    """Answers with much more than was asked."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await send_reply(send, Reply(b'"' + b"x" * 8_000_000 + b'"'))


def roomy(protocol: type[BoundedProtocol]) -> type[BoundedProtocol]:
    """Return the protocol with a buffer that never says it is full, as a small rest of a reply never does."""

    class Roomy(protocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: asyncio.Transport) -> None:
            transport.set_write_buffer_limits(100_000_000)
            super().connection_made(transport)

    return Roomy


@pytest.mark.parametrize("protocol", [*PROTOCOLS, *map(roomy, PROTOCOLS)])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_a_client_that_does_not_read_is_cut_off(
    protocol: type[BoundedProtocol], more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS_MAX", 0.5)
    monkeypatch.setattr(connection, "IDLE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(listener, "SWEEP_SECONDS", 0.05)
    door = Door(10, 10, Networks(()))

    async def tell(served: Served) -> None:
        loop = asyncio.get_running_loop()
        with small_receiver() as client:
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", served.port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
            await asyncio.sleep(0.1)
            assert door.open == 1
            await gone(door)

    serve(protocol, tell, Large, door)


def small_receiver() -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    return client


def test_replies_of_one_piece_leave_before_they_are_too_many() -> None:
    """A piece of data holds thousands of requests: their replies must not all be made before the first one leaves."""
    sent: list[bytes] = []

    class Line:
        def is_closing(self) -> bool:
            return False

        def write(self, reply: bytes) -> None:
            sent.append(reply)

    async def story() -> None:
        outbox, line, reply = Outbox(asyncio.get_running_loop()), Line(), b"x" * 300_000
        for _ in range(4):
            outbox.put(line, reply)  # type: ignore[arg-type]
        assert len(sent) == 4
        outbox.put(line, reply)  # type: ignore[arg-type]
        assert len(sent) == 4
        await asyncio.sleep(0)
        assert len(sent) == 5

    asyncio.run(story())


def test_so_many_connections_from_one_address_and_no_more() -> None:
    door = Door(100, 3, Networks(()))

    async def tell(served: Served) -> None:
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        status, reply = told(await served.talk())
        assert (status, reply["code"], reply["msg"]) == (503, "-200", "system busy: too many connections")
        assert (door.open, door.refused) == (3, 1)
        for reader, writer in held:  # who is in, is served
            writer.write(HI)
            assert statuses(await asyncio.wait_for(reader.readuntil(b'"hi"'), WAIT_SECONDS)) == [200]
        held[0][1].close()
        while door.open == 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert statuses(await served.talk(LAST)) == [200]
        for _, writer in held:
            writer.close()

    serve(WireProtocol, tell, door=door)


def test_a_trusted_proxy_has_no_bound_of_its_own_but_the_listeners() -> None:
    door = Door(5, 3, Networks(["127.0.0.0/8"]))

    async def tell(served: Served) -> None:
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert (door.open, door.refused) == (5, 0)
        assert told(await served.talk())[0] == 503
        for _, writer in held:
            writer.close()
        await gone(door)

    serve(WireProtocol, tell, door=door)
