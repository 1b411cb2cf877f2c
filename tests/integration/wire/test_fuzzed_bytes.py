"""Raw bytes to the socket of the wire API, fuzzed: every reply is an envelope, and no connection hangs."""

import asyncio
import json
import logging
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from integration.wire.conftest import OpenWire, Wire
from spotbook.cli.demo import _own_limits
from spotbook.server import body, door, gate, http, path, private, public, wire_app
from spotbook.server.http.listener import Listener
from spotbook.server.http.wire import WireProtocol
from spotbook.settings import Settings, unlimited
from spotbook.wire.coinw import form, params
from support.fuzzing import Inputs, fuzz

HANGS_SECONDS = 20
WATCHED = [http, door, body, path, gate, private, public, wire_app, form, params]
WORDS = [
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\t", b"\xff", b"%", b"?", b"&", b"="),
    *(b"GET ", b"POST ", b"HEAD ", b"PUT ", b"CONNECT ", b"OPTIONS * ", b"PRI * HTTP/2.0", b" HTTP/1.1", b" HTTP/1.0"),
    *(b"Host: x\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: Upgrade\r\n"),
    *(b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"Transfer-Encoding: chunked\r\n", b"X-Min-Version: 1\r\n"),
    *(b"Content-Length: 0\r\n", b"Content-Length: 2\r\n", b"Content-Length: 70000\r\n", b"Content-Length: -1\r\n"),
    *(b"0\r\n\r\n", b"2\r\nhi\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"1;a=b\r\n", b"x: y\r\n" * 130, b"a" * 5_000),
    *(b"/api/v1/private", b"/v1/public", b"http://x/", b"command=", b"returnTicker", b"api_key=", b"sign="),
    *(b"Content-Type: application/json\r\n", b"X-Forwarded-For: 192.0.2.1\r\n", b"\x16\x03\x01\x02\x00\x01"),
]


def valid(wire: Wire) -> list[bytes]:
    """Return valid calls of every kind, one of them signed so that it reaches the books."""
    signed = wire.form().encode()
    private_head = b"POST /api/v1/private?command=returnCompleteBalances HTTP/1.1\r\nHost: x\r\n"
    typed = private_head + b"Content-Type: application/x-www-form-urlencoded\r\n"
    by_length = typed + b"Content-Length: %d\r\n\r\n" % len(signed) + signed
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (signed[:9], signed[9:])) + b"0\r\nx: y\r\n\r\n"
    in_url = b"POST /v1/private?command=returnBalances&" + signed + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    ticker = b"GET /api/v1/public?command=returnTicker HTTP/1.1\r\nHost: x\r\n\r\n"
    as_json = b'{"api_key":"a","sign":"b"}'
    return [
        by_length,
        by_length.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1),
        typed + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        in_url,
        ticker,
        ticker * 20,
        ticker + by_length + in_url,
        ticker.replace(b"1.1", b"1.0"),
        ticker.replace(b"GET", b"HEAD"),
        ticker.replace(b"Host: x", b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c"),
        private_head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(as_json) + as_json,
    ]


def check_replies(raw: bytes, sent: bytes) -> int:
    """Check that a stream is whole replies, each with one envelope; return how many. Raise AssertionError."""
    count = 0
    while raw:
        head, end, raw = raw.partition(b"\r\n\r\n")
        assert end, head
        line, *headers = head.split(b"\r\n")
        assert line.startswith(b"HTTP/1.1 "), line
        status = int(line[9:12])
        if status == 100:
            assert not headers
            continue
        named = dict(header.lower().split(b": ", 1) for header in headers)
        assert named[b"content-type"] == b"application/json"
        length = int(named[b"content-length"])
        count += 1
        if b"HEAD " in sent and (not raw or raw.startswith(b"HTTP/1.1 ")):
            continue  # a reply to HEAD has no body
        envelope = json.loads(raw[:length])
        assert len(raw) >= length
        assert envelope["success"] is not envelope["failed"]
        assert (envelope["code"] == "200") is envelope["success"]
        assert "data" in envelope if envelope["success"] else isinstance(envelope["msg"], str)
        raw = raw[length:]
    return count


@asynccontextmanager
async def listening(wire: Wire) -> AsyncIterator[int]:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    listener = Listener(wire.app, bound, WireProtocol)
    serving = asyncio.create_task(listener.serve())
    while not listener.started:  # noqa: ASYNC110  (a plain attribute)
        await asyncio.sleep(0.01)
    try:
        yield bound.getsockname()[1]
    finally:
        listener.should_exit = True
        await serving


async def spoken(port: int, raw: bytes, dice: random.Random) -> bytes:
    """Send bytes in pieces that end anywhere, then nothing more; return all that comes until the server closes."""
    async with asyncio.timeout(HANGS_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            cuts = sorted(dice.randint(0, len(raw)) for _ in range(dice.choice((0, 0, 1, 3))))
            for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
                writer.write(raw[begin:end])
                await asyncio.sleep(0)
            with suppress(OSError):  # it was answered, and closed, before it had sent all
                writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""  # it was refused while it still sent
        finally:
            writer.close()


def test_whatever_bytes_come_each_reply_is_an_envelope(
    open_wire: OpenWire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "uvicorn")  # as `logs.configure` has it
    lifted = unlimited(Settings(data=tmp_path), _own_limits())

    async def story() -> None:
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with open_wire(limits=lifted.limits, command_limits=lifted.command_limits) as wire:
            calls = valid(wire)
            inputs = Inputs("bytes", calls, WORDS)
            async with listening(wire) as port:

                async def attempt(raw: bytes) -> None:
                    got = await spoken(port, raw, inputs.dice)
                    count = check_replies(got, raw)
                    assert count or raw not in calls
                    assert not wire.alarms
                    assert not faults

                await fuzz("bytes to the socket", inputs, WATCHED, attempt, 15)
                assert check_replies(await spoken(port, calls[4], inputs.dice), b"") == 1

    asyncio.run(story())
