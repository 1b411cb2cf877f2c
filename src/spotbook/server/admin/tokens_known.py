"""Who calls: the token in the Authorization header, looked up by its SHA-256.

A look-up by digest tells nothing by its time: who guesses a token does not choose its digest. The writer checks the
token again when it decides.
"""

import hashlib

from spotbook.app.books import token_of
from spotbook.app.pages import every
from spotbook.app.ports import Reader
from spotbook.domain.credentials import Token

_SCHEME = b"bearer "
_TEXT_BYTES_MAX = 256


def digest_of(text: bytes) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(text).hexdigest()


class KnownTokens:
    """The tokens by digest, read anew after every commit that may have changed them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read_at = -1
        self._tokens: dict[str, Token] = {}

    def find(self, authorization: bytes) -> Token | None:
        """Return the live token of an Authorization header."""
        scheme, text = authorization[: len(_SCHEME)], authorization[len(_SCHEME) :].strip()
        if scheme.lower() != _SCHEME or not text or len(text) > _TEXT_BYTES_MAX:
            return None
        changed = self._reader.changed()
        if changed != self._read_at:
            self._tokens = {token.digest: token for token in map(token_of, every(self._reader, "token"))}
            self._read_at = changed
        token = self._tokens.get(digest_of(text))
        return None if token is None or token.revoked_at else token
