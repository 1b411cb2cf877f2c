"""What every call of the wire API passes first, private or public: method, size, the address's limits, the form."""

import time
from typing import NamedTuple

from spotbook.app.bans import subject_text
from spotbook.app.engine import Busy
from spotbook.domain.address import UNKNOWN, Networks, client_address, limit_subject
from spotbook.domain.commands import RecordBan
from spotbook.domain.credentials import House
from spotbook.domain.pacing import Verdict
from spotbook.limits import QUERY_BYTES_MAX
from spotbook.server.body import BodyTooLarge, Receive, Scope, Send, read_body
from spotbook.server.parts import Parts
from spotbook.server.replies import send_failure, send_rate_limited
from spotbook.wire.coinw import errors
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.form import Form, FormError, parse

_LIMITER = House("limiter")


class Passed(NamedTuple):
    """A request that may be looked into: its form, where it comes from, and the header that asks for a version."""

    form: Form
    address: str
    subject: str
    min_version: bytes | None


class Gate:
    """Lets requests in. Its listener's paths share one."""

    def __init__(self, parts: Parts, trusted: Networks) -> None:
        self._parts = parts
        self._trusted = trusted

    async def admit(self, scope: Scope, receive: Receive, send: Send, wrong_method: Failure | None) -> Passed | Failure:
        """Return what passed; otherwise the failure that was sent. `wrong_method` is the failure to send, if it is one.

        Raises ClientGone when there is nobody left to answer.
        """
        if wrong_method is not None:
            return await self._turn_away(send, wrong_method, 405)
        announced = content_type = min_version = None
        forwarded: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"content-length":
                announced = value
            elif name == b"content-type":
                content_type = value
            elif name == b"x-min-version":
                min_version = value
            elif name == b"x-forwarded-for":
                forwarded.append(value)
        query = scope["query_string"]
        if len(query) > QUERY_BYTES_MAX:
            return await self._turn_away(send, errors.QUERY_TOO_LARGE, 414)
        try:
            body = await read_body(announced, receive)
        except BodyTooLarge:
            return await self._turn_away(send, errors.BODY_TOO_LARGE, 413)
        client = scope["client"]
        address = client_address(client[0] if client else UNKNOWN, forwarded, self._trusted)
        subject = limit_subject(address)
        verdict = self._parts.pacer.address_call(subject, self._parts.pace_clock())
        if not verdict.allowed:
            self.record(verdict)
            await send_rate_limited(send, verdict)
            return errors.RATE_LIMITED
        try:
            form = parse(query, body, content_type or b"")
        except FormError as refused:
            return await self._turn_away(send, Failure("10003", str(refused)), 200)
        return Passed(form, address, subject, min_version)

    def record(self, verdict: Verdict) -> None:
        """Have the bans that a refusal began written down, so that a restart does not lift them."""
        for ban in verdict.begun:
            command = RecordBan(subject_text(ban.subject), ban.kind, ban.began_ms, ban.until_ms)
            try:
                self._parts.engine.submit(command, _LIMITER, lambda _: None)
            except Busy as busy:
                self._parts.alarm(f"a ban could not be stored: {busy}", None)

    @staticmethod
    async def _turn_away(send: Send, failure: Failure, status: int) -> Failure:
        headers = [(b"allow", b"POST")] if failure is errors.WRONG_METHOD else []
        await send_failure(send, failure, headers, status)
        return failure


def elapsed(began: float) -> float:
    """Return the seconds since `began`, a value of `time.perf_counter`."""
    return time.perf_counter() - began
