"""Replies of the wire API: an envelope, its HTTP status, and the headers that go with every one.

Headers are made and kept as the lines that go onto the wire, since that is all that is ever done with them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from spotbook.domain.pacing import Verdict
from spotbook.server.body import Send
from spotbook.wire.coinw import envelope
from spotbook.wire.coinw.errors import Failure

ALLOW_POST = b"allow: POST\r\n"


class Reply(NamedTuple):
    """A whole reply. `lines` are header lines besides those that every reply has; `code` is the one in `body`."""

    body: bytes
    lines: bytes = b""
    status: int = 200
    code: str = "200"


class HeaderLines:
    """Headers as ASGI wants them, names and values, over the lines that a server may write as they are."""

    __slots__ = ("lines",)

    def __init__(self, lines: bytes) -> None:
        self.lines = lines

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for line in self.lines.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            yield name, value


def success(data: bytes, lines: bytes) -> Reply:
    """Return a successful reply."""
    return Reply(envelope.success(data), lines)


def failed(failure: Failure, lines: bytes = b"", status: int = 200) -> Reply:
    """Return a failing reply. The status is 200 unless HTTP itself went wrong: clients read the code inside."""
    code, message = failure
    return Reply(envelope.failure(code, message), lines, status, str(code))


def pace_lines(verdict: Verdict) -> bytes:
    """Return the headers that say how many calls are left, and when to come again after a refusal.

    Seconds are rounded up: who waits as long as it says is let in.
    """
    allowed, limit, remaining, reset_ms, retry_after_ms, _ = verdict
    lines = b"ratelimit-limit: %d\r\nratelimit-remaining: %d\r\nratelimit-reset: %d\r\n" % (
        limit,
        remaining,
        -(-reset_ms // 1_000),
    )
    return lines if allowed else lines + wait_line(retry_after_ms)


def wait_line(ms: int) -> bytes:
    """Return the header that says when to come again: seconds, rounded up."""
    return b"retry-after: %d\r\n" % -(-ms // 1_000)


class Whole:
    """Who can send a reply in one piece, most of the time. The `send` of one is one of its methods."""

    def send_whole(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send a reply; False when it has to be sent by messages, and nothing was sent."""
        raise NotImplementedError


async def send_reply(send: Send, reply: Reply) -> None:
    """Send one whole reply."""
    body, lines, status, _ = reply
    lines = b"content-type: application/json\r\ncache-control: no-store\r\ncontent-length: %d\r\n%s" % (
        len(body),
        lines,
    )
    sender = getattr(send, "__self__", None)
    if isinstance(sender, Whole) and sender.send_whole(status, lines, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": HeaderLines(lines)})
    await send({"type": "http.response.body", "body": body})
