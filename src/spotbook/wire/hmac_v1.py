"""The signature ``v1``: HMAC-SHA256 over the whole call, its time and a nonce. Ours: the exchange has none like it.

What is signed is eight lines, joined by newlines, none after the last::

    v1
    POST
    /api/v1/private
    command=returnCompleteBalances
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    1790000000000
    Zm9ydHktdHdvIGJ1dHRlcnM
    11111111-2222-4333-8444-555555555555

The version, the method, the path and the raw query as they are in the request's first line, the SHA-256 of the raw body
in lower-case hex, the time in milliseconds, the nonce, the key's id. None can hold a newline, so no two calls share a
text. The HMAC's key is the secret's bytes. It comes in four headers, and nothing of it in the parameters.
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

VERSION = b"v1"

KEY = b"x-spotbook-key"
TIMESTAMP = b"x-spotbook-timestamp"
NONCE = b"x-spotbook-nonce"
SIGNATURE = b"x-spotbook-signature"

HEADERS = frozenset({KEY, TIMESTAMP, NONCE, SIGNATURE})
"""A call that carries any of them is verified by them, whatever its parameters hold."""

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
_NONCE = re.compile(rb"[A-Za-z0-9._~-]{16,64}")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")


class Signed(NamedTuple):
    """What a call was signed with, and what its signature must cover. `query` and `body` are as they arrived.

    `marks` are the headers by name, in lower case; None stands for one that came twice.
    """

    marks: Mapping[bytes, bytes | None]
    method: bytes
    path: bytes
    query: bytes
    body: bytes

    @property
    def api_key(self) -> str:
        """The key's id, empty when there is none."""
        return (self.marks.get(KEY) or b"").decode("latin-1")

    @property
    def nonce(self) -> bytes:
        """The nonce, empty when there is none."""
        return self.marks.get(NONCE) or b""

    @property
    def stamp(self) -> int:
        """The time in milliseconds. Ask only when nothing is `malformed`."""
        return int(self.marks[TIMESTAMP] or b"")


def malformed(signed: Signed) -> bytes | None:
    """Return the header that is missing, doubled or not of its form; None when all are well."""
    for name, form in ((TIMESTAMP, _TIMESTAMP), (NONCE, _NONCE), (SIGNATURE, _SIGNATURE)):
        value = signed.marks.get(name)
        if value is None or not form.fullmatch(value):
            return name
    return None


def signed_text(signed: Signed) -> bytes:
    """Return the bytes that the HMAC is made over."""
    marks = signed.marks
    return b"\n".join(
        (
            VERSION,
            signed.method,
            signed.path,
            signed.query,
            sha256(signed.body).hexdigest().encode(),
            marks[TIMESTAMP] or b"",
            marks[NONCE] or b"",
            marks[KEY] or b"",
        )
    )


def verify(signed: Signed, secret: bytes) -> bool:
    """Whether the signature is right. Ask only when nothing is `malformed`.

    The comparison takes the same time wherever the first difference is.
    """
    expected = hmac.digest(secret, signed_text(signed), "sha256").hex().encode()
    return hmac.compare_digest(expected, signed.marks[SIGNATURE] or b"")
