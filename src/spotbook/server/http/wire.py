"""A connection of the wire API: bounded, answered at the end of a turn, with replies in one piece."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from spotbook.limits import BODY_BYTES_MAX
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.turn import Inbox, Outbox
from spotbook.server.replies import Whole


class Unwatched:
    """Stands for the event by which a call learns that more of its request came: most calls never wait for it."""

    def set(self) -> None:
        """Do nothing."""

    def clear(self) -> None:
        """Do nothing."""


UNWATCHED = Unwatched()


class WholeReplies(RequestResponseCycle, Whole):
    """Sends a reply in one piece, as our own paths make them.

    uvicorn takes head and body by one message each, checks each header with two regular expressions and writes the two
    apart; for the wire API's replies, whose ten headers are digits that we made ourselves, that would be a third of
    what a reply costs.
    """

    message_event: Any = UNWATCHED
    logger = logging.getLogger("uvicorn.error")
    access_log = disconnected = response_started = response_complete = False
    more_body = True
    chunked_encoding: bool | None = None
    expected_content_length = 0

    def __init__(self, connection: "WireProtocol", *, keep_alive: bool) -> None:
        # All that uvicorn's own sets, most of it above: what a request does not change costs it nothing.
        self.scope = connection.scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.outbox = connection.outbox
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = connection.expect_100_continue
        self.body = bytearray()

    def send_whole(self, status: int, lines: bytes, body: bytes) -> bool:
        if self.response_started or self.flow.write_paused or not self.keep_alive or self.scope["method"] == "HEAD":
            return False
        if not self.disconnected:
            own = self.outbox.lines(self.default_headers)
            self.outbox.put(self.transport, STATUS_LINE[status] + own + lines + b"\r\n" + body)
            self.response_started = self.response_complete = True
            self.message_event.set()
            self.on_response()
        return True

    async def send(self, message: Any) -> None:
        self.outbox.send()  # an earlier reply of this connection goes first
        await super().send(message)

    async def receive(self) -> Any:
        if self.more_body or self.response_complete or self.disconnected or self.waiting_for_100_continue:
            if self.message_event is UNWATCHED:
                self.message_event = asyncio.Event()
                if self.body or not self.more_body or self.response_complete or self.disconnected:
                    self.message_event.set()
            return await super().receive()
        # The body is whole, as it mostly is: there is nothing to wait for, and nothing more to come.
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}


class WireProtocol(BoundedProtocol):
    """A connection of the wire API: bounded, and with replies in one piece that leave together.

    `whole` is the call that begins when its request is whole.
    """

    inbox: Inbox
    outbox: Outbox
    whole: tuple[RequestResponseCycle, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        shared = vars(self.server_state)
        if "outbox" not in shared:
            shared.update(inbox=Inbox(self.loop, self.tasks), outbox=Outbox(self.loop))
        self.inbox, self.outbox = shared["inbox"], shared["outbox"]
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.whole = None
        super().connection_lost(exc)

    def make_cycle(self, *, keep_alive: bool) -> RequestResponseCycle:
        return WholeReplies(self, keep_alive=keep_alive)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.phase == "head" and not cycle.waiting_for_100_continue and not self.long_body:
            self.whole = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _start_pipelined(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.more_body:  # another request's head may be arriving, which this one must not wait for
            super()._start_asgi_task(cycle, app)
        else:
            # Requests wait on a connection when there is too much to do: a task for each would make it more.
            self.inbox.put(cycle.run_asgi(app))

    def arriving(self) -> None:
        if self.whole is not None and len(self.whole[0].body) >= BODY_BYTES_MAX:
            # Its reader is to say so, or to take it: beyond this uvicorn reads no more until somebody does.
            (cycle, app), self.whole = self.whole, None
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.whole is not None:
            (cycle, app), self.whole = self.whole, None
            self.inbox.put(cycle.run_asgi(app))

    def eof_received(self) -> bool | None:  # type: ignore[override]
        self.outbox.send()  # a reply made in this turn is not to be lost with the connection
        return super().eof_received()

    def refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        self.outbox.send()  # what was answered leaves before the connection is closed
        super().refuse(status, code, message)

    def shutdown(self) -> None:
        self.outbox.send()
        super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        self.outbox.send()
        super().timeout_keep_alive_handler()
