"""A connection: uvicorn's protocol with bounds on what a client may hold open.

uvicorn bounds neither the size of a request's head nor the time that a request may take to arrive, and answers in plain
text what it refuses by itself. Here a head too large, a request too slow and a connection too many are each answered
with an envelope and closed, at no cost to a request that behaves.

What two programs could read as two different things is refused as well, since a proxy before us may read it the other
way: more than one Host, a transfer coding besides chunked, a version that is neither 1.0 nor 1.1.
"""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Literal, NoReturn

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from spotbook.limits import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    IDLE_SECONDS_MAX,
    MESSAGE_BYTES_MAX,
    PIECE_BYTES,
    PIPELINED_MAX,
    QUERY_BYTES_MAX,
    REQUEST_SECONDS_MAX,
)
from spotbook.server.door import Door
from spotbook.server.http.parsed import ParsedProtocol
from spotbook.wire.coinw import envelope

_FRAMING = frozenset((b"host", b"expect", b"content-length", b"transfer-encoding"))


class ParseNoMore(Exception):
    """What the connection still sends is looked at no more: its last request has come. It never leaves this module."""


class Flow(FlowControl):
    """Whether a connection is read from. While data is held back it is not, whoever asks for more."""

    _holds = False

    def hold(self) -> None:
        """Read no more until `release`."""
        self._holds = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self._holds = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, unless data is held back."""
        if not self._holds:
            super().resume_reading()


class BoundedProtocol(ParsedProtocol):
    """One connection.

    `phase` is where in a request its bytes are: before it, in its head, or in its body. `since` is when the request now
    arriving began, None while none is; `arrived` is how much of it came, counted in the pieces in which it came.
    `answered_at` is when the last reply was made. `entered` is its place at the door, None when it got none.
    `held` came behind requests that wait, and is read when they are answered. Of the request now arriving: `hosts`
    counts its Host lines, `fault` says what is wrong with it, `long_body` that it announces a body beyond the bound.
    """

    phase: Literal["idle", "head", "body"] = "idle"
    since: float | None = None
    answered_at = 0.0
    stalled_since: float | None = None
    closing_since: float | None = None
    flow: Flow
    arrived = 0
    ended = False
    entered: str | None = None
    held = b""
    hosts = 0
    fault = ""
    long_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport)
        self.since = self.loop.time()
        door: Door = vars(self.server_state)["door"]
        self.entered = door.enter(self.client[0] if self.client else None)
        if self.entered is None:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "-200", "system busy: too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.entered is not None:
            door: Door = vars(self.server_state)["door"]
            door.leave(self.entered)
            self.entered = None
        self.headers, self.url = [], b""
        super().connection_lost(exc)
        # What refers to itself in a circle waits for the collector, which hardly looks at what is not young.
        for cycle in (self.cycle, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                cycle.on_response = _nothing
        self.pipeline.clear()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what was asked before the client closed its half; TLS has no halves."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.scheme != "http" or self.since is not None or cycle is None or cycle.response_complete:
            return None
        cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        if self.held:
            self.held += data
        elif len(data) <= PIECE_BYTES:
            self._read(data)
        else:
            self._read_by_pieces(data)

    def _read_by_pieces(self, data: bytes) -> None:
        """Read until too many requests wait, each of which costs many times its bytes; hold the rest as it is."""
        for begin in range(0, len(data), PIECE_BYTES):
            if len(self.pipeline) >= PIPELINED_MAX:
                self.held = data[begin:]
                self.flow.hold()
                return
            self._read(data[begin : begin + PIECE_BYTES])

    def _read_on(self) -> None:
        """Read what was held, now that nothing waits."""
        data, self.held = self.held, b""
        self.flow.release()
        self._read_by_pieces(data)

    def _read(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.since is None:
            self.since = self.loop.time()
        self.ended = False
        super().data_received(data)
        if self.ended:
            self.arrived = 0  # in a piece in which a request ended, what belongs to the next one cannot be told
        else:
            self.arrived += len(data)
            self._check_size()
            self.arriving()

    def arriving(self) -> None:
        """A request has come in part."""

    def _check_size(self) -> None:
        if self.phase == "body":
            if self.arrived > MESSAGE_BYTES_MAX:  # chunks, or trailers, without end: the body's own bound is the path's
                self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "10003", "parameter error: body: too large")
        elif self.arrived > HEAD_BYTES_MAX:
            words = "parameter error: headers: too large"
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "10003", words)

    def on_message_begin(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if self.transport.is_closing() or (cycle is not None and not cycle.keep_alive):
            raise ParseNoMore  # behind a request that closes the connection nothing is carried out
        super().on_message_begin()
        self.phase = "head"
        self.hosts, self.fault, self.long_body = 0, "", False
        if self.since is None:
            self.since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase == "body":
            return  # a trailer after a chunked body is no header: nobody may choose an address by it
        if len(self.headers) >= HEADERS_MAX:  # at once: in memory each costs twenty times what its client sent
            self._refuse_head(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers: too many")
        name = name.lower()
        self.headers.append((name, value))
        if name in _FRAMING:
            self._frame(name, value)

    def _frame(self, name: bytes, value: bytes) -> None:
        """Take in a header that says how the request is to be read."""
        if name == b"host":
            self.hosts += 1
        elif name == b"content-length":
            self.long_body = int(value) > BODY_BYTES_MAX  # the parser let nothing but digits pass
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        elif value.strip().lower() != b"chunked" or self.parser.get_http_version() != "1.1":
            self.fault = "transfer-encoding: chunked is spoken here, with HTTP/1.1, and no other"

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            words = "version: HTTP/1.1 is spoken here"
            self._refuse_head(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, words)
        if self.hosts > 1:
            self.fault = "host: given twice"
        upgrade = self.parser.should_upgrade()
        if upgrade and _has_body(self.headers):
            # The parser ends such a request with its head, and would read its body as the next request.
            self.fault = "upgrade: only HTTP/1.1 is spoken here: leave Upgrade out"
        if self.fault:
            self._refuse_head(HTTPStatus.BAD_REQUEST, self.fault)
        self.begin_request(version)
        self.phase = "body"
        if upgrade:
            self.cycle.keep_alive = False  # the parser takes nothing behind it for HTTP

    def _refuse_head(self, status: HTTPStatus, words: str) -> NoReturn:
        self.refuse(status, "10003", f"parameter error: {words}")
        raise ParseNoMore

    def on_message_complete(self) -> None:
        if self.phase != "body":
            return  # refused at its head
        self.phase = "idle"
        self.since = None
        self.ended = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # As uvicorn's own, but for a timer that it sets, and takes back, for each reply: the sweep sees who is idle.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.answered_at = self.loop.time()
        if self.pipeline:
            self._start_pipelined(*self.pipeline.pop())
        if not self.pipeline:  # uvicorn reads on while requests wait: each reply would make room for thousands more
            if self.held:
                self.loop.call_soon(self._read_on)
            self.flow.resume_reading()

    def _start_pipelined(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin a request that came whole, or in part, while the one before it was being answered."""
        self._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        self.stalled_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self.stalled_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's words are plain text)
        if self.phase == "head" and len(self.url) > QUERY_BYTES_MAX:  # the parser knows no URL beyond 64 KiB
            self.refuse(HTTPStatus.REQUEST_URI_TOO_LONG, "10003", "parameter error: query: too large")
        else:
            self.refuse(HTTPStatus.BAD_REQUEST, "10003", "parameter error: request: malformed HTTP")

    def refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answer with an envelope and close; but no answer takes the place of another request's, which goes first."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # the last request whose head was whole, None before the first
        if self.phase == "body":
            answered = bool(self.pipeline) or cycle is None or cycle.response_started
        elif cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False  # it closes the connection behind its own answer
            self.flow.pause_reading()
            return
        else:
            answered = False
        if not answered:
            body = envelope.failure(code, message)
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"cache-control: no-store\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                + body
            )
        self.transport.close()

    def sweep(self, now: float) -> None:
        """Close the connection when a request was arriving, a reply waiting, or nothing asked, for too long."""
        if self.transport.is_closing():
            # It ends when its last bytes are taken: by a client that takes none it would be held for ever.
            self.closing_since = self.closing_since or now
            if now - self.closing_since > REQUEST_SECONDS_MAX:
                self.transport.abort()
        elif self.stalled_since is not None and now - self.stalled_since > REQUEST_SECONDS_MAX:
            self.transport.abort()
        elif self.since is not None:
            if now - self.since > REQUEST_SECONDS_MAX:
                self.refuse(HTTPStatus.REQUEST_TIMEOUT, "-200", "system busy: the request took too long to arrive")
        elif self.cycle.response_complete and now - self.answered_at > IDLE_SECONDS_MAX:
            self.timeout_keep_alive_handler()


def _nothing() -> None:
    """Do nothing when a reply is complete: nobody is there for it."""


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0")) for name, value in headers
    )
