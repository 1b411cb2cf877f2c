"""Who signed a private call: by the exchange's MD5, or by the signature v1 when its headers are there.

The checks are key, signature, the key's state and allow-list, and for v1 freshness, which a call may fail in four ways:

    stamped too early or late, a nonce used before   10007   with the reason, now that the signature is right
    stamped too soon after the start of the server   -200    and when to come again
    as many nonces in use as a key may have          29001   and when to come again

A nonce is used up only by a call that passed all other checks. Each 10007 is counted against the address that it came
from, see `Pacer.forgery`, and against nobody else.
"""

from spotbook.app.keys import OpenKey
from spotbook.domain.nonces import Nonces
from spotbook.server.gate import Gate, Passed
from spotbook.server.parts import Parts
from spotbook.server.replies import Reply, failed, wait_line
from spotbook.wire import hmac_v1
from spotbook.wire.coinw import errors
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.signing import verify
from spotbook.wire.hmac_v1 import Signed

_HEADER_NAMES = {
    hmac_v1.TIMESTAMP: "X-Spotbook-Timestamp",
    hmac_v1.NONCE: "X-Spotbook-Nonce",
    hmac_v1.SIGNATURE: "X-Spotbook-Signature",
}


class Authentication:
    """Finds out whose call it is. Make it once the store is open: no other process takes calls of these books then."""

    def __init__(self, parts: Parts, gate: Gate) -> None:
        self._parts = parts
        self._gate = gate
        self._books = b"x-books: %s\r\n" % parts.reader.books.encode()
        self._nonces = Nonces(self._now())

    def holder(self, passed: Passed) -> OpenKey | Reply:
        """Return the key that signed, once it is shown to be one that may be used from there; else what to answer."""
        parts, signed = self._parts, passed.signed
        if parts.engine.condition == "recovering":
            return self._failed(errors.BUSY)
        params = passed.form.params
        api_key = params.get("api_key") if signed is None else signed.api_key
        if signed is not None and params.get("api_key", api_key) != api_key:
            return self._failed(errors.OTHER_KEY)
        held = parts.ring.find(api_key) if api_key else None
        if held is None:
            return self._failed(errors.INVALID_KEY)
        wrong = _wrong_md5(passed, held) if signed is None else _wrong_v1(signed, held)
        if wrong is not None:
            return self._forged(wrong, held, passed)
        if not held.key.live(parts.clock()) or not held.lets_in(passed.address):
            return self._failed(errors.INVALID_KEY)
        return held if signed is None else self._fresh(held, passed, signed)

    def _fresh(self, held: OpenKey, passed: Passed, signed: Signed) -> OpenKey | Reply:
        """Return the key when the call is signed just now and for the first time."""
        why, ms = self._nonces.take(held.key.api_key, signed.nonce, signed.stamp, self._now())
        match why:
            case "taken":
                return held
            case "old" | "new":
                return self._forged(errors.stale(ms if why == "new" else -ms), held, passed)
            case "used":
                return self._forged(errors.NONCE_USED, held, passed)
            case "floor":
                return self._failed(errors.BUSY, wait_line(ms))
        return self._failed(errors.RATE_LIMITED, wait_line(ms))

    def _forged(self, wrong: Failure, held: OpenKey, passed: Passed) -> Reply:
        verdict = self._parts.pacer.forgery(held.key.api_key, passed.subject, passed.paced_at)
        return self._failed(wrong) if verdict.allowed else self._gate.limited(verdict, self._books)

    def _failed(self, failure: Failure, lines: bytes = b"") -> Reply:
        return failed(failure, lines + self._books)

    def _now(self) -> int:
        """Return the time that stamps are held against: it does not run back behind what was written."""
        return max(self._parts.clock(), self._parts.reader.head().time)


def _wrong_md5(passed: Passed, held: OpenKey) -> Failure | None:
    if not verify(passed.form.params, held.secret, passed.form.sign):
        return errors.WRONG_SIGNATURE
    return errors.STRICT_KEY if held.key.strict else None  # told only to who can sign with it


def _wrong_v1(signed: Signed, held: OpenKey) -> Failure | None:
    header = hmac_v1.malformed(signed)
    if header is not None:
        return errors.malformed_mark(_HEADER_NAMES[header])
    return None if hmac_v1.verify(signed, held.secret) else errors.WRONG_SIGNATURE
