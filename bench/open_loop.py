"""A load that does not wait: each request leaves at its time, whether or not those before it were answered.

``python -m bench.open_loop URL REQUESTS ANSWERS RATE SECONDS CONNECTIONS ADDRESSES``. Requests are lines as `load.line`
writes them, sent in turn and none twice; times are drawn as a crowd's are (exponential gaps, a fixed seed). Latency
counts from the time at which a request should have left, so that what the load itself is late by is in it. A request
goes to a connection that waits for nothing, and is pipelined when there is none.

A rate of 0 is a load that waits: each connection asks again as soon as it was answered.

For each request that left, ANSWERS gets a line: microseconds, code, and the number in the reply's data, if any. On
standard output comes one line of JSON, a `Sent`.
"""

import asyncio
import json
import random
import re
import resource
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import uvloop

from bench import machine
from bench.report import RunFailed

TICK_SECONDS = 0.001
PATIENCE_SECONDS = 30.0
"""How long after the last request its answer may take; what comes later counts as not answered."""
CONNECTION_REQUESTS_MAX = 32
"""Requests that wait on one connection; a server that leaves more unanswered gets no more on it, and they are late."""
UNANSWERED = ""
_REPLY = re.compile(rb'\{"code":"?(-?\d+)(?:[^:]*:\{"(?:orderNumber|clientOrderId)":(\d+)\})?')


class Answered(NamedTuple):
    """What became of one request: microseconds since it should have left, the reply's code, the order that it names.

    The code is ``UNANSWERED`` when no reply came; the order 0 when none is named.
    """

    microseconds: int
    code: str
    order: int


class Sent(NamedTuple):
    """What the load did: requests that left, seconds from the first to the last, how late the latest hundredth left."""

    requests: int
    seconds: float
    late_p99_us: int


class Load(NamedTuple):
    """A load that has ended: what it did, and an answer for each request, in the sequence in which they left."""

    sent: Sent
    answers: list[Answered]


def put_open_load(
    url: str, requests: Path, rate: float, seconds: float, *, connections: int = 64, addresses: int = 1
) -> Load:
    """Load a server by a process on the load's core; the requests are taken out of the file that they leave.

    `addresses` is from how many of the machine's own addresses the connections come: a server bounds them by address.
    RunFailed when the load could not be put.
    """
    answers = requests.with_suffix(".answers")
    arguments = [url, str(requests), str(answers), str(rate), str(seconds), str(connections), str(addresses)]
    with machine.on_core(machine.LOAD_CORE):
        process = subprocess.Popen([sys.executable, "-m", "bench.open_loop", *arguments], stdout=subprocess.PIPE)
    try:
        out, _ = process.communicate(timeout=seconds + PATIENCE_SECONDS + 60)
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise RunFailed("the load could not be put")
    found = []
    for text in answers.read_text("ascii").splitlines():
        microseconds, code, order = text.split(",")
        found.append(Answered(int(microseconds), code, int(order)))
    answers.unlink()
    return Load(Sent(**json.loads(out)), found)


class _Connection(asyncio.Protocol):
    """One connection: what waits on it, and what has come in part."""

    def __init__(self, crowd: "_Crowd") -> None:
        self._crowd = crowd
        self._came = b""
        self.waiting: deque[int] = deque()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        came = self._came + data if self._came else data
        begin = 0
        while (head_end := came.find(b"\r\n\r\n", begin)) >= 0:
            at = came.find(b"content-length: ", begin, head_end)
            body = head_end + 4
            end = body + int(came[at + 16 : came.index(b"\r\n", at)])
            if end > len(came):
                break
            if not self.waiting:  # nothing was asked for so long that the server says so, and closes
                self.transport.abort()
                return
            self._crowd.answered(self, self.waiting.popleft(), _REPLY.match(came, body, end))
            begin = end
        self._came = came[begin:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._crowd.lost(self)


class _Crowd:
    """Sends prepared requests over its connections and notes what comes of each."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._due: list[float] = []
        self._left: list[float] = []
        self.answers: list[Answered | None] = []
        self.open: list[_Connection] = []
        self._idle: list[_Connection] = []
        self._turn = 0
        self._unanswered = 0
        self._again_until = 0.0

    async def connect(self, host: str, port: int, connections: int, addresses: int) -> None:
        """Open the connections, from so many addresses in turn."""
        loop = asyncio.get_running_loop()
        for number in range(connections):
            own = socket.socket()
            own.bind((f"127.0.0.{1 + number % addresses}", 0))
            own.setblocking(False)  # noqa: FBT003  (it has no name)
            await loop.sock_connect(own, (host, port))
            _, connection = await loop.create_connection(lambda: _Connection(self), sock=own)
            self.open.append(connection)
        self._idle = list(self.open)

    async def at_their_times(self, rate: float, seconds: float) -> None:
        """Send each request at its time."""
        gaps = random.Random(5)
        begin = time.perf_counter()
        due = begin + gaps.expovariate(rate)
        while due < begin + seconds and len(self._due) < len(self._requests):
            now = time.perf_counter()
            while due <= now and due < begin + seconds and len(self._due) < len(self._requests):
                connection = self._next()
                if connection is None:
                    break
                self._send(connection, due, now)
                due += gaps.expovariate(rate)
            await asyncio.sleep(TICK_SECONDS)
            if not self.open:
                return

    async def again_and_again(self, seconds: float) -> None:
        """Send the next request on each connection as soon as the one before was answered."""
        self._again_until = time.perf_counter() + seconds
        for connection in self._idle:
            self._send_next(connection)
        await asyncio.sleep(seconds)

    async def end(self) -> None:
        """Wait for the answers that are still to come, then close."""
        until = time.perf_counter() + PATIENCE_SECONDS
        while self._unanswered and self.open and time.perf_counter() < until:  # noqa: ASYNC110  (nobody waits for it)
            await asyncio.sleep(0.01)
        for connection in self.open:
            connection.transport.abort()

    def sent(self) -> Sent:
        """Return what was done."""
        late = sorted(left - due for left, due in zip(self._left, self._due, strict=True)) or [0.0]
        seconds = self._left[-1] - self._left[0] if self._left else 0.0
        return Sent(len(self._left), seconds, int(late[len(late) * 99 // 100] * 1e6))

    def answered(self, connection: _Connection, number: int, reply: re.Match[bytes] | None) -> None:
        """Note the answer to a request."""
        now = time.perf_counter()
        code, order = (reply[1].decode(), int(reply[2] or 0)) if reply else ("?", 0)
        self.answers[number] = Answered(int((now - self._due[number]) * 1e6), code, order)
        self._unanswered -= 1
        if self._again_until:
            self._send_next(connection)
        elif not connection.waiting:
            self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        """Note that a connection broke off; what waited on it stays without an answer."""
        self._unanswered -= len(connection.waiting)
        connection.waiting.clear()
        if connection in self.open:
            self.open.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _next(self) -> _Connection | None:
        if self._idle:
            return self._idle.pop()
        for _ in range(len(self.open)):
            self._turn = (self._turn + 1) % len(self.open)
            if len(self.open[self._turn].waiting) < CONNECTION_REQUESTS_MAX:
                return self.open[self._turn]
        return None

    def _send_next(self, connection: _Connection) -> None:
        now = time.perf_counter()
        if now < self._again_until and len(self._due) < len(self._requests):
            self._send(connection, now, now)

    def _send(self, connection: _Connection, due: float, now: float) -> None:
        number = len(self._due)
        self._due.append(due)
        self._left.append(now)
        self.answers.append(None)
        self._unanswered += 1
        connection.waiting.append(number)
        connection.transport.write(self._requests[number])


def _request(prepared: str) -> bytes:
    """Return a line of the file as it goes over the wire."""
    path, _, body = prepared.partition(" ")
    return (
        f"POST {path} HTTP/1.1\r\nhost: spotbook\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


async def _load(url: str, requests: list[bytes], rate: float, seconds: float, lines: tuple[int, int]) -> _Crowd:
    at, crowd = urlsplit(url), _Crowd(requests)
    await crowd.connect(at.hostname or "", at.port or 0, *lines)
    if rate:
        await crowd.at_their_times(rate, seconds)
    else:
        await crowd.again_and_again(seconds)
    await crowd.end()
    return crowd


def main() -> None:
    """Put the load that the arguments ask for."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    url, requests, answers, rate, seconds, connections, addresses = sys.argv[1:]
    prepared = [_request(text) for text in Path(requests).read_text("ascii").splitlines()]
    crowd = uvloop.run(_load(url, prepared, float(rate), float(seconds), (int(connections), int(addresses))))
    with Path(answers).open("w", encoding="ascii") as file:
        for answer in crowd.answers:
            microseconds, code, order = answer or Answered(0, UNANSWERED, 0)
            file.write(f"{microseconds},{code},{order}\n")
    print(json.dumps(crowd.sent()._asdict()))


if __name__ == "__main__":
    main()
