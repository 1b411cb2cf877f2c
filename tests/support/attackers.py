"""Clients that mean harm: each opens connections as it likes, sends what no client should, and reads what it wants."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

TICKER = b"GET /api/v1/public?command=returnTicker HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /api/v1/private HTTP/1.1\r\nHost: x\r\n"
LINES = 200
"""Connections of one attack: within what one address may hold."""


class Line:
    """One connection of an attacker, without a buffer of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket = socket.socket()
        self.socket.setblocking(False)

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self.socket, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def send(self, raw: bytes, seconds: float = 1) -> None:
        """Send as much as the other side takes."""
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.socket, raw), seconds)


Attack = Callable[[Line], Awaitable[None]]


def sending(raw: bytes) -> Attack:
    """Return the attack that sends this, and reads nothing."""
    return lambda line: line.send(raw)


async def trickling(line: Line) -> None:
    """Send a request byte by byte."""
    for byte in TICKER[:40]:
        await line.send(bytes((byte,)))
        await asyncio.sleep(0.01)


ATTACKS: dict[str, Attack] = {
    "heads that do not end": sending(POST + b"X: " + b"x" * 64_000),
    "heads of many lines": sending(POST + b"a: b\r\n" * 10_000),
    "enormous targets": sending(b"GET /?" + b"x" * 1_000_000),
    "bodies that do not end": sending(POST + b"Content-Length: 65536\r\n\r\n" + b"x" * 65_000),
    "bodies without bound": sending(POST + b"Content-Length: 999999999999\r\n\r\n" + b"x" * 1_000_000),
    "chunks without end": sending(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000),
    "words of chunks": sending(POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1_000_000),
    "trailers without end": sending(POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 100_000),
    "the shortest requests, thousands in a piece": sending(b"GET / HTTP/1.1\r\n\r\n" * 30_000),
    "requests whose replies are not read": sending(TICKER * 5_000),
    "no HTTP": sending(bytes(range(256)) * 1_000),
    "nothing at all": sending(b""),
    "one byte after the other": trickling,
}


async def attack(port: int, on: Attack, hold_seconds: float) -> None:
    """Attack on many connections at once, hold them for a while, and go without a word."""
    async with contextlib.AsyncExitStack() as held:
        lines = []
        for _ in range(LINES):
            with contextlib.suppress(OSError):
                lines.append(await held.enter_async_context(Line(port)))
        await asyncio.gather(*(on(line) for line in lines))
        await asyncio.sleep(hold_seconds)


def resident_bytes(pid: int, *, peak: bool = False) -> int:
    """Return how much memory a process has in use, or had at most."""
    name = "VmHWM:" if peak else "VmRSS:"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1_024
    raise AssertionError(name)


def descriptors(pid: int) -> int:
    """Return how many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def let_open(pid: int, count: int) -> None:
    """Say how many files a running process may have open."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, hard))


def processor_seconds(pid: int) -> float:
    """Return how much of the processor a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
