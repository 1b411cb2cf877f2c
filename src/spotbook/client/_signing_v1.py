"""The signature ``v1``: HMAC-SHA256 over the whole call, its time and a nonce. Pure, but for time and chance."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping

__all__ = ["SignerV1", "Stamp", "signed_headers", "stamp_now"]

Stamp = Callable[[], tuple[int, str]]
"""Gives the time in milliseconds since 1970 and a nonce, another one at each call."""


def stamp_now() -> tuple[int, str]:
    """The time of this machine, and 128 bits of chance."""
    return time.time_ns() // 1_000_000, secrets.token_urlsafe(16)


def signed_headers(
    credentials: tuple[str, str], method: str, path: str, query: bytes, body: bytes, *, stamp: tuple[int, str]
) -> Mapping[str, str]:
    """The four headers. `credentials` are key and secret; `query` and `body` are the bytes that are sent."""
    (api_key, secret_key), (timestamp, nonce) = credentials, stamp
    head, digest = f"v1\n{method}\n{path}\n".encode(), hashlib.sha256(body).hexdigest()
    text = head + query + f"\n{digest}\n{timestamp}\n{nonce}\n{api_key}".encode()
    return {
        "X-Spotbook-Key": api_key,
        "X-Spotbook-Timestamp": str(timestamp),
        "X-Spotbook-Nonce": nonce,
        "X-Spotbook-Signature": hmac.new(secret_key.encode(), text, hashlib.sha256).hexdigest(),
    }


class SignerV1:
    """Signs a call at the moment when it is sent, so that each attempt has a time and a nonce of its own."""

    def __init__(self, api_key: str, secret_key: str, stamp: Stamp = stamp_now) -> None:
        self._credentials, self._stamp = (api_key, secret_key), stamp

    def headers(self, method: str, path: str, query: bytes, body: bytes) -> Mapping[str, str]:
        """The headers to send with a call to `path` (as the server sees it, without what a proxy takes off)."""
        return signed_headers(self._credentials, method, path, query, body, stamp=self._stamp())
