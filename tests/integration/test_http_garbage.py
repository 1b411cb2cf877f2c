"""What a connection leaves behind, however it ends: nothing for the collector, which hardly looks at old things."""

import asyncio
import gc
import socket

import pytest
import uvloop

from spotbook.limits import HEAD_BYTES_MAX
from spotbook.server.http.connection import BoundedProtocol
from spotbook.server.http.wire import WireProtocol
from support.listening import PROTOCOLS, Served, serve

ONE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (ONE, ONE),
        (ONE + ONE + ONE,),
        (ONE.replace(b"Host: x", b"Host: x\r\nConnection: close"),),
        (ONE[:20],),
        (ONE[:-1],),
        (ONE, ONE[:-1]),
        (ONE[:-1], b"i" + ONE[:-1]),
        (CHUNKED,),
        (CHUNKED + b"nonsense",),
        (b"\x16\x03\x01 nonsense\r\n\r\n",),
        (ONE.replace(b"Host: x", b"Host: x\r\nHost: y"),),
        (b"POST / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES_MAX,),
        (b"POST /by-parts HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",),
    ],
    ids=lambda pieces: repr(b"|".join(pieces)[:40] + b".%d" % sum(map(len, pieces))),
)
def test_a_connection_that_ends_leaves_nothing_to_collect(
    protocol: type[BoundedProtocol], pieces: tuple[bytes, ...]
) -> None:
    async def connect(served: Served) -> None:
        loop = asyncio.get_running_loop()
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.setblocking(False)
            for piece in pieces:
                try:
                    await loop.sock_sendall(client, piece)
                except ConnectionError:
                    break
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)

    async def tell(served: Served) -> None:
        await connect(served)  # what is made once is made by now
        gc.collect()
        gc.disable()
        try:
            await connect(served)
            left = [thing for thing in gc.get_objects() if isinstance(thing, WireProtocol | BoundedProtocol)]
            assert not left
            assert gc.collect() == 0
        finally:
            gc.enable()

    serve(protocol, tell, loops=uvloop.new_event_loop)  # as it is served; asyncio's own transports leave some
