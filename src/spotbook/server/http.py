"""HTTP on the wire: uvicorn's protocol with bounds on what a client may hold open.

uvicorn bounds neither the size of a request's head nor the time that a request may take to arrive, and answers in plain
text what it refuses by itself. Here a head too large, a request too slow and a connection too many are each answered
with an envelope and closed, at no cost to a request that behaves.
"""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from spotbook.limits import CONNECTIONS_MAX, HEAD_BYTES_MAX, REQUEST_SECONDS_MAX
from spotbook.server.replies import HeaderLines
from spotbook.wire.coinw import envelope

SWEEP_SECONDS = 1.0


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    `since` is when the request now arriving began, None while none is; `head_bytes` is what came since its head began,
    counted in the pieces in which it came.
    """

    since: float | None = None
    head_open = True
    head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        if len(self.connections) > CONNECTIONS_MAX:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "-200", "system busy")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.since is None:
            self.since = self.loop.time()
        super().data_received(data)
        if self.head_open:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES_MAX:
                words = "parameter error: headers: too large"
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "10003", words)

    def on_headers_complete(self) -> None:
        self.head_open = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.since = None
        self.head_open = True
        self.head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's words are plain text)
        self.refuse(HTTPStatus.BAD_REQUEST, "10003", "parameter error: request: malformed HTTP")

    def refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answer with an envelope, unless an answer is under way, and close."""
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request's head is whole
        if cycle is None or cycle.response_complete or not cycle.response_started:
            body = envelope.failure(code, message)
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"cache-control: no-store\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                + body
            )
        self.transport.close()

    def sweep(self, now: float) -> None:
        """Close the connection when its request has been arriving for too long."""
        if self.since is not None and now - self.since > REQUEST_SECONDS_MAX:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "-200", "system busy: the request took too long to arrive")


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%s: %s\r\n" % header for header in headers])


class WholeReplies(RequestResponseCycle):
    """Sends a reply whose head and body come one right after the other in one piece, as our own paths make them.

    uvicorn checks each header with two regular expressions and writes head and body apart; for the wire API's replies,
    whose ten headers are digits that we made ourselves, that would be a third of what a reply costs.
    """

    start: Any = None

    async def send(self, message: Any) -> None:
        if self.response_started or self.flow.write_paused:
            await self._send_by_parts(message)
        elif message["type"] == "http.response.start" and self.start is None:
            self.start = message
        elif self.start is None or message.get("more_body", False) or not self.keep_alive:
            await self._send_by_parts(message)
        elif not self.disconnected:
            headers = self.start["headers"]
            lines = headers.lines if type(headers) is HeaderLines else _lines(headers)
            own = _lines(self.default_headers)
            self.transport.write(STATUS_LINE[self.start["status"]] + own + lines + b"\r\n" + message["body"])
            self.response_started = self.response_complete = True
            self.message_event.set()
            self.on_response()

    async def receive(self) -> Any:
        if self.more_body or self.response_complete or self.disconnected or self.waiting_for_100_continue:
            return await super().receive()
        # The body is whole, as it mostly is: there is nothing to wait for, and nothing more to come.
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send_by_parts(self, message: Any) -> None:
        start, self.start = self.start, None
        if start is not None:
            await super().send(start)
        await super().send(message)


class WireProtocol(BoundedProtocol):
    """A connection of the wire API: bounded, and with replies in one piece."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = WholeReplies
        super()._start_asgi_task(cycle, app)


class Listener(uvicorn.Server):
    """One listener over a socket that is bound already. Signals are the program's, not the listener's."""

    def __init__(
        self, app: Any, bound: socket.socket, protocol: type[BoundedProtocol] = BoundedProtocol, **options: Any
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                interface="asgi3",
                ws="none",
                lifespan="off",
                access_log=False,
                proxy_headers=False,  # who is believed about a client's address is decided in `address.py` alone
                server_header=False,
                log_config=None,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=10,
                backlog=4096,
                **options,
            )
        )
        self._bound = bound

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit` is set."""
        sweeper = asyncio.create_task(self._sweep())
        try:
            await super().serve(sockets or [self._bound])
        finally:
            sweeper.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.sweep(loop.time())
