"""A listener: uvicorn's server on a socket that is bound already."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from spotbook.domain.address import Networks
from spotbook.limits import CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX
from spotbook.server.door import Door
from spotbook.server.http.acceptor import Acceptor
from spotbook.server.http.connection import BoundedProtocol

SWEEP_SECONDS = 1.0


class Listener(uvicorn.Server):
    """One listener over a socket that is bound already. Signals are the program's, not the listener's."""

    def __init__(
        self,
        app: Any,
        bound: socket.socket,
        protocol: type[BoundedProtocol] = BoundedProtocol,
        door: Door | None = None,
        **options: Any,
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
                timeout_graceful_shutdown=10,
                **options,
            )
        )
        self._bound = bound
        self._door = door or Door(CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, Networks(()))
        self._acceptors: list[Acceptor] = []
        vars(self.server_state)["door"] = self._door

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit` is set."""
        sweeper = asyncio.create_task(self._sweep())
        try:
            await super().serve(sockets or [self._bound])
        finally:
            sweeper.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections at these sockets; all else is uvicorn's."""
        await super().startup(sockets=[])
        self._acceptors = [Acceptor(bound, self._connection, self.config.ssl, self._door) for bound in sockets or ()]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let those who are in have their answers."""
        for acceptor in self._acceptors:
            acceptor.close()
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )
        return protocol

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
                    try:
                        connection.sweep(loop.time())
                    except Exception:  # noqa: BLE001  (one connection must not end the guard over all others)
                        connection.transport.abort()
