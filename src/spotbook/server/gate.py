"""What every call of the wire API passes first, private or public: method, size, the address's limits, the form."""

from typing import NamedTuple

from spotbook.app.bans import subject_text
from spotbook.app.engine import Busy
from spotbook.domain.address import UNKNOWN, Networks, client_address, limit_subject
from spotbook.domain.commands import RecordBan
from spotbook.domain.credentials import House
from spotbook.domain.pacing import Verdict
from spotbook.limits import BODY_BYTES_MAX, QUERY_BYTES_MAX
from spotbook.server.body import Scope
from spotbook.server.parts import Parts
from spotbook.server.replies import Reply, failed, pace_lines
from spotbook.wire import hmac_v1
from spotbook.wire.coinw import errors
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.form import Form, FormError, parse
from spotbook.wire.hmac_v1 import Signed

_LIMITER = House("limiter")
_HEADERS_READ = hmac_v1.HEADERS | {b"content-type", b"x-min-version", b"x-forwarded-for"}


class Passed(NamedTuple):
    """A request that may be looked into: its form, where it comes from, when, and the header that asks for a version.

    `paced_at` is the limiter's time, the same for every window of one request. `signed` is there when a header of the
    signature v1 is.
    """

    form: Form
    address: str
    subject: str
    paced_at: int
    min_version: bytes | None
    signed: Signed | None = None


class Gate:
    """Lets requests in. The paths of a listener share one."""

    def __init__(self, parts: Parts, trusted: Networks) -> None:
        self._parts = parts
        self._trusted = trusted

    def admit(self, scope: Scope, body: bytes) -> Passed | Reply:
        """Return what passed, or the reply that turns the request away."""
        content_type, min_version = b"", None
        forwarded: list[bytes] = []
        marks: dict[bytes, bytes | None] = {}
        for name, value in scope["headers"]:
            if name not in _HEADERS_READ:  # one look at most headers, which are of no concern here
                continue
            if name == b"content-type":
                content_type = value
            elif name == b"x-min-version":
                min_version = value
            elif name == b"x-forwarded-for":
                forwarded.append(value)
            else:
                marks[name] = None if name in marks else value
        query = scope["query_string"]
        if len(query) > QUERY_BYTES_MAX:
            return failed(errors.QUERY_TOO_LARGE, status=414)
        if len(body) > BODY_BYTES_MAX:
            return failed(errors.BODY_TOO_LARGE, status=413)
        client = scope["client"]
        address = client_address(client[0] if client else UNKNOWN, forwarded, self._trusted)
        subject = limit_subject(address)
        now = self._parts.pace_clock()
        verdict = self._parts.pacer.address_call(subject, now)
        if not verdict.allowed:
            return self.limited(verdict)
        try:
            form = parse(query, body, content_type)
        except FormError as refused:
            return failed(Failure("10003", str(refused)))
        if not marks:
            return Passed(form, address, subject, now, min_version)
        signed = Signed(marks, scope["method"].encode(), scope["path"].encode(), query, body)
        return Passed(form, address, subject, now, min_version, signed)

    def limited(self, verdict: Verdict, lines: bytes = b"") -> Reply:
        """Return the limiter's refusal, and have the bans that it began written down: a restart must not lift them."""
        for ban in verdict.begun:
            command = RecordBan(subject_text(ban.subject), ban.kind, ban.began_ms, ban.until_ms)
            try:
                self._parts.engine.submit(command, _LIMITER, lambda _: None)
            except Busy as busy:
                self._parts.alarm(f"a ban could not be stored: {busy}", None)
        return failed(errors.RATE_LIMITED, pace_lines(verdict) + lines)
