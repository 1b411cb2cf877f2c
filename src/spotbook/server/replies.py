"""Replies of the wire API: an envelope, its HTTP status, and the headers that go with every one."""

from spotbook.domain.pacing import Verdict
from spotbook.server.body import Send
from spotbook.wire.coinw import envelope
from spotbook.wire.coinw.errors import RATE_LIMITED, Failure

Headers = list[tuple[bytes, bytes]]

_ALWAYS: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


async def send_reply(send: Send, body: bytes, headers: Headers, status: int = 200) -> None:
    """Send one whole reply."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*_ALWAYS, (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_failure(send: Send, failure: Failure, headers: Headers, status: int = 200) -> None:
    """Send a failing reply. The status is 200 unless HTTP itself went wrong: clients read the code inside."""
    await send_reply(send, envelope.failure(*failure), headers, status)


def pace_headers(verdict: Verdict) -> Headers:
    """Return the headers that say how many calls are left, and when to come again after a refusal.

    Seconds are rounded up: who waits as long as it says is let in.
    """
    headers = [
        (b"ratelimit-limit", b"%d" % verdict.limit),
        (b"ratelimit-remaining", b"%d" % verdict.remaining),
        (b"ratelimit-reset", b"%d" % -(-verdict.reset_ms // 1_000)),
    ]
    if not verdict.allowed:
        headers.append((b"retry-after", b"%d" % -(-verdict.retry_after_ms // 1_000)))
    return headers


async def send_rate_limited(send: Send, verdict: Verdict) -> None:
    """Send the refusal of the limiter."""
    await send_failure(send, RATE_LIMITED, pace_headers(verdict))
