"""One turn of the event loop: what arrived in it is answered together, and the replies leave together."""

import asyncio
from collections.abc import Iterable

from spotbook.limits import OUTBOX_BYTES_MAX
from spotbook.server.waiting import Call, Calls


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as the lines of a reply's head."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])


class Outbox:
    """Replies on their way out, which leave together at the end of the loop's turn.

    To hand a reply to the system wakes whoever waits for it, and between two replies made one after the other that
    client falls asleep again. Handed over one right after the other they cost a fraction of that.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self._bytes = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._lines = b""

    def lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return uvicorn's own headers as lines. It makes a new list when they change, once a second."""
        if headers is not self._headers:
            self._headers, self._lines = headers, lines_of(headers)
        return self._lines

    def put(self, transport: asyncio.Transport, reply: bytes) -> None:
        """Send a reply at the end of this turn, or at once when many bytes wait already.

        A piece of data may hold thousands of requests, each with a large reply. What is handed to the system makes a
        connection whose client does not read wait, and so bounds them.
        """
        if not self._waiting:
            self._loop.call_soon(self.send)
        self._waiting.append((transport, reply))
        self._bytes += len(reply)
        if self._bytes > OUTBOX_BYTES_MAX:
            self.send()

    def send(self) -> None:
        """Send what waits."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for transport, reply in waiting:
            if not transport.is_closing():  # a client that has gone must not keep the others' replies
                transport.write(reply)


class Inbox:
    """Calls that have arrived whole, which are answered together once all that came in this turn has been read.

    They are answered without a task each: most wait for the writer or for nothing, see `waiting`. `tasks` keeps track
    of those that wait. To read all and then to answer all is quicker than in turn, for the processor's caches.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[None]]) -> None:
        self._loop = loop
        self._calls = Calls(loop, tasks)
        self._waiting: list[Call] = []

    def put(self, call: Call) -> None:
        """Answer a call at the end of this turn."""
        if not self._waiting:
            self._loop.call_soon(self._answer)
        self._waiting.append(call)

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self._calls.carry_on(call)
