"""A listener over a real socket, and clients that send it bytes as they like."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from spotbook.server.body import ClientGone, read_body
from spotbook.server.door import Door
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.listener import Listener
from spotbook.server.http.wire import WireProtocol
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
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            got = await asyncio.wait_for(reader.read(), WAIT_SECONDS)
        except ConnectionError:  # it was cut off while it still sent
            got = bytes(reader._buffer)  # type: ignore[attr-defined]
        writer.close()
        return got


def serve(
    protocol: type[BoundedProtocol],
    tell: Callable[[Served], Awaitable[None]],
    kind: type[Served] = Served,
    door: Door | None = None,
    *,
    loops: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    **options: Any,
) -> None:
    """Tell a story of a listener that serves with this protocol, on a loop of this kind. `options` are uvicorn's."""

    async def story() -> None:
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        served = kind(bound.getsockname()[1])
        listener = Listener(served.app, bound, protocol, door, **options)
        serving = asyncio.create_task(listener.serve())
        while not listener.started:  # noqa: ASYNC110  (a plain attribute)
            await asyncio.sleep(0.01)
        try:
            await tell(served)
        finally:
            listener.should_exit = True
            await serving

    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(story())


def told(raw: bytes) -> tuple[int, Any]:
    """Return the status and the envelope of a reply."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return int(head.split()[1]), json.loads(body)
