"""Who comes in at a bound socket: each gets a protocol of its own, and nobody can make the event loop spin."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from spotbook.limits import ACCEPTED_A_TURN_MAX, BACKLOG_MAX, REQUEST_SECONDS_MAX
from spotbook.server.door import Door

FULL_SECONDS = 0.1
"""While no file can be opened nobody is accepted for so long: the socket would wake the loop again at once."""


class Acceptor:
    """Accepts the connections of one bound socket, until `close`. Belongs to the event loop that runs.

    The loops' own servers are no good while the process may open no file more: libuv's gives a spare one up to close
    who waits, but where that makes no room, since another thread was quicker, the loop is woken by the same connection
    for ever. Here who waits is closed in the spare file's place as well, and without one the socket is left alone for
    a while.

    A TLS handshake holds a connection that the protocol does not know of yet. Those are counted at a door of their own,
    with the bounds of `door`, and have as long as a request may take to arrive.
    """

    def __init__(
        self, bound: socket.socket, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None, door: Door
    ) -> None:
        self._bound = bound
        self._protocol = protocol
        self._tls = tls
        self._door = door
        self._handshakes = door.another()
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        self._spare: int | None = None
        bound.settimeout(0)
        bound.listen(BACKLOG_MAX)
        self._watch()

    def close(self) -> None:
        """Accept nobody any more, and cut off whose handshake is not over. The socket stays open."""
        if self._later is not None:
            self._later.cancel()
        self._loop.remove_reader(self._bound)
        for arriving in self._arriving:
            arriving.cancel()
        self._give_up_spare()

    def _watch(self) -> None:
        self._later = None
        self._keep_spare()
        self._loop.add_reader(self._bound, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_A_TURN_MAX):
            try:
                connection, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return  # nobody waits, or who waited has gone
            except OSError:
                if not self._turn_away():
                    self._loop.remove_reader(self._bound)
                    self._later = self._loop.call_later(FULL_SECONDS, self._watch)
                    return
            else:
                arriving = self._loop.create_task(self._let_in(connection, address[0]))
                self._arriving.add(arriving)
                arriving.add_done_callback(self._arriving.discard)

    def _turn_away(self) -> bool:
        """Close who waits longest, in the spare file's place; return whether somebody was."""
        if self._spare is None:
            return False
        self._give_up_spare()
        try:
            self._bound.accept()[0].close()
        except OSError:
            return False  # nobody waits, or a thread has taken the place
        finally:
            self._keep_spare()
        self._door.refused += 1
        return True

    async def _let_in(self, connection: socket.socket, address: str) -> None:
        connection.settimeout(0)
        if self._tls is None:
            await self._loop.connect_accepted_socket(self._protocol, connection)
            return
        place = self._handshakes.enter(address)
        if place is None:
            self._door.refused += 1
            connection.close()  # no words can be said before the handshake, and a handshake is what costs
            return
        try:
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=REQUEST_SECONDS_MAX
            )
        except OSError:
            pass  # it went away, took too long, or speaks no TLS: the loop has closed it
        finally:
            self._handshakes.leave(place)

    def _keep_spare(self) -> None:
        if self._spare is None:
            try:
                self._spare = os.dup(self._bound.fileno())
            except OSError:
                self._spare = None

    def _give_up_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
