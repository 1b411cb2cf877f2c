"""HTTP itself: what a client may hold open, and what it is told when it goes too far. Over real sockets."""

import asyncio
from typing import Any, cast

import pytest

from spotbook.limits import BODY_BYTES_MAX, HEAD_BYTES_MAX, MESSAGE_BYTES_MAX
from spotbook.server.http import connection, listener
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.turn import Outbox
from spotbook.server.http.wire import WireProtocol
from support.listening import PROTOCOLS, Served, serve, told


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
    monkeypatch.setattr(connection, "REQUEST_SECONDS_MAX", 0.2)
    monkeypatch.setattr(listener, "SWEEP_SECONDS", 0.05)

    async def tell(served: Served) -> None:
        status, reply = told(await served.talk(begun))
        assert (status, reply["code"]) == (408, "-200")
        # The wire's calls begin when they are whole.
        assert served.gone == (1 if b"abc" in begun and protocol is not WireProtocol else 0)

    serve(protocol, tell)


def test_a_connection_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS_MAX", 1)

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

    async def tell(served: Served) -> None:
        await served.talk(b"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.9\r\nConnection: close\r\n\r\n")

    serve(BoundedProtocol, tell, Peers)
    assert seen == ["127.0.0.1"]


CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_body_just_within_the_bound_in_one_piece_is_taken(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        body = b"x" * BODY_BYTES_MAX
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
        got = await served.talk(head + CLOSE + body)
        assert got.startswith(b"HTTP/1.1 200 OK")

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_pipelined_requests_in_one_piece_are_all_answered(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        one = b"POST / HTTP/1.1\r\nHost: x\r\nX-Pad: " + b"p" * 150 + b"\r\nContent-Length: 2\r\n\r\nhi"
        got = await served.talk(one * 399 + one.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        assert got.count(b"HTTP/1.1 200 OK") == 400

    serve(protocol, tell)


class Tasks(Served):
    """Notes in which task each request is answered."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.seen: list[asyncio.Task[Any] | None] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(asyncio.current_task())
        await super().app(scope, receive, send)


def test_whole_requests_that_waited_on_a_connection_are_answered_without_a_task_each() -> None:
    async def tell(served: Served) -> None:
        assert isinstance(served, Tasks)
        head = b"POST / HTTP/1.1\r\nHost: x\r\n"
        whole = head + b"Content-Length: 2\r\n\r\nhi"
        got = await served.talk(whole * 3 + head + b"Connection: close\r\nContent-Length: 2\r\n\r\nh", b"o")
        assert (got.count(b'"hi"'), got.count(b'"ho"')) == (3, 1)
        assert served.seen[:3] == [None] * 3
        assert served.seen[3] is not None  # its body was still to come when its turn came

    serve(WireProtocol, tell, Tasks)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_answer_that_is_due_goes_before_a_refusal(protocol: type[BoundedProtocol]) -> None:
    """What was carried out must not be answered as if it were not."""

    async def tell(served: Served) -> None:
        got = await served.talk(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi\x00garbage\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200 OK")
        assert b'"hi"' in got
        assert b"400" not in got

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_to_head_has_no_body_and_the_next_request_is_answered(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + CLOSE + b"hi"
        got = await served.talk(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", post)
        first, _, rest = got.partition(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 200 OK")
        assert rest.startswith(b"HTTP/1.1 200 OK")

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_trailers_are_no_headers(protocol: type[BoundedProtocol]) -> None:
    seen: list[Any] = []

    class Headers(Served):
        async def app(self, scope: Any, receive: Any, send: Any) -> None:
            await super().app(scope, receive, send)
            seen.append([name for name, _ in scope["headers"]])

    async def tell(served: Served) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        await served.talk(head, b"2\r\nhi\r\n0\r\n", b"X-Forwarded-For: 192.0.2.9\r\n\r\n")

    serve(protocol, tell, Headers)
    assert seen == [[b"host", b"connection", b"transfer-encoding"]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_trailers_without_end_are_cut_off(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        trailer = b"X-More: " + b"a" * 32_000 + b"\r\n"
        status, _ = told(await served.talk(head, *[trailer] * (MESSAGE_BYTES_MAX // len(trailer) + 2)))
        assert status == 413

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_upgrade_with_a_body_is_refused_once(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 40\r\n\r\n"
        got = await served.talk(head, b"POST / HTTP/1.1\r\nHost: x\r\n" + CLOSE)
        assert got.count(b"content-length") == 1
        assert told(got)[0] == 400

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_url_beyond_what_the_parser_knows_is_told_so(protocol: type[BoundedProtocol]) -> None:
    async def tell(served: Served) -> None:
        status, _ = told(await served.talk(b"POST /?x=" + b"y" * 65_600 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert status in {414, 431}  # whichever bound the pieces reach first

    serve(protocol, tell)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_request_that_does_not_arrive_is_cut_off(
    protocol: type[BoundedProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS_MAX", 0.2)
    monkeypatch.setattr(listener, "SWEEP_SECONDS", 0.05)

    async def tell(served: Served) -> None:
        got = await served.talk(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiPOST / HT")
        assert got.count(b"HTTP/1.1 200 OK") == 1
        assert got.count(b"HTTP/1.1 408") == 1

    serve(protocol, tell)


def test_a_client_that_has_gone_does_not_keep_the_replies_of_others() -> None:
    class Line:
        def __init__(self, *, gone: bool = False) -> None:
            self.gone = gone
            self.sent: list[bytes] = []

        def is_closing(self) -> bool:
            return self.gone

        def write(self, reply: bytes) -> None:
            if self.gone:
                raise RuntimeError("the handler is closed")
            self.sent.append(reply)

    async def story() -> None:
        outbox, lines = Outbox(asyncio.get_running_loop()), [Line(), Line(gone=True), Line()]
        for line in (*lines, lines[0]):
            outbox.put(cast("asyncio.Transport", line), b"reply")
        assert [line.sent for line in lines] == [[], [], []]
        await asyncio.sleep(0)
        assert [line.sent for line in lines] == [[b"reply", b"reply"], [], [b"reply"]]

    asyncio.run(story())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_on_which_nothing_is_asked_is_closed(
    protocol: type[BoundedProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS_MAX", 0.2)
    monkeypatch.setattr(listener, "SWEEP_SECONDS", 0.05)

    async def tell(served: Served) -> None:
        got = await served.talk(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        )  # talks until it is closed
        assert got.startswith(b"HTTP/1.1 200 OK")
        assert got.endswith(b'"hi"')

    serve(protocol, tell)


def test_a_call_that_waits_goes_on_in_a_task_and_hears_what_is_thrown() -> None:
    """What waits for something else than its request is carried on with, whatever comes of what it waits for."""
    heard: list[str] = []

    class Waits(Served):
        async def app(self, scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.01)
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(failed.set_exception, ValueError("late"))
            try:
                await failed
            except ValueError as late:
                heard.append(str(late))
            await super().app(scope, receive, send)

    async def tell(served: Served) -> None:
        got = await served.talk(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + CLOSE + b"hi")
        assert got.startswith(b"HTTP/1.1 200 OK")

    serve(WireProtocol, tell, Waits)
    assert heard == ["late"]
