"""The signature: MD5, in upper-case hex, over the sorted parameters and the secret (contract §1).

    amount=0.01&api_key=key&symbol=BTC_USDT&secret_key=secret
    └────────── sorted by name ───────────┘└─ always last ──┘

The text tells requests apart only because `form.parse` has refused what would make two of them share one.
"""

import hmac
from collections.abc import Mapping

try:  # CPython's own MD5: for a text this short, OpenSSL takes longer to be set up than to hash
    from _md5 import md5  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # pragma: no cover  (a Python built without it)
    from hashlib import md5

_SIGN_CHARACTERS = 32


def signed_text(params: Mapping[str, str], secret: str | bytes) -> bytes:
    """Return the bytes that are hashed. `params` holds decoded values, without `command` and `sign`."""
    # By byte is asked for; Python compares by code point. In UTF-8 the two orders are the same one.
    text = "&".join([f"{name}={value}" for name, value in sorted(params.items())])
    if isinstance(secret, str):
        return f"{text}&secret_key={secret}".encode()
    return text.encode() + b"&secret_key=" + secret


def sign_of(params: Mapping[str, str], secret: str | bytes) -> str:
    """Return the signature of `params` (as for `signed_text`): 32 characters of 0-9A-F."""
    digest: str = md5(signed_text(params, secret), usedforsecurity=False).hexdigest()
    return digest.upper()


def verify(params: Mapping[str, str], secret: str | bytes, sign: str | None) -> bool:
    """Whether `sign` is the signature of `params`: missing, malformed, in lower case or wrong is False, never an error.

    The comparison takes the same time wherever the first difference is.
    """
    # Only the length and ASCII need a look: the signature itself is upper-case hex, so nothing else can equal it.
    if sign is None or len(sign) != _SIGN_CHARACTERS or not sign.isascii():
        return False
    # As bytes: comparing str with a non-ASCII character in it raises.
    return hmac.compare_digest(sign.encode(), sign_of(params, secret).encode())
