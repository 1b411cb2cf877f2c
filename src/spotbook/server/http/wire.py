"""A connection of the wire API: bounded, answered at the end of a turn, with replies in one piece."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from spotbook.limits import BODY_BYTES_MAX
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.turn import Inbox, Outbox, lines_of
from spotbook.server.replies import HeaderLines


class WholeReplies(RequestResponseCycle):
    """Sends a reply whose head and body come one right after the other in one piece, as our own paths make them.

    uvicorn checks each header with two regular expressions and writes head and body apart; for the wire API's replies,
    whose ten headers are digits that we made ourselves, that would be a third of what a reply costs.
    """

    start: Any = None
    outbox: Outbox

    async def send(self, message: Any) -> None:
        if self.response_started or self.flow.write_paused:
            await self._send_by_parts(message)
        elif message["type"] == "http.response.start" and self.start is None:
            self.start = message
        elif (
            self.start is None
            or message.get("more_body", False)
            or not self.keep_alive
            or self.scope["method"] == "HEAD"  # its reply has no body
        ):
            await self._send_by_parts(message)
        elif not self.disconnected:
            headers = self.start["headers"]
            lines = headers.lines if type(headers) is HeaderLines else lines_of(headers)
            own = self.outbox.lines(self.default_headers)
            reply = STATUS_LINE[self.start["status"]] + own + lines + b"\r\n" + message["body"]
            self.outbox.put(self.transport, reply)
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
        self.outbox.send()  # an earlier reply of this connection goes first
        start, self.start = self.start, None
        if start is not None:
            await super().send(start)
        await super().send(message)


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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = WholeReplies
        cast("WholeReplies", cycle).outbox = self.outbox
        if self.phase == "head" and not cycle.waiting_for_100_continue and not self.long_body:
            self.whole = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _start_pipelined(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Another request's head may be arriving, which this one must not wait for.
        cycle.__class__ = WholeReplies
        cast("WholeReplies", cycle).outbox = self.outbox
        super()._start_asgi_task(cycle, app)

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
