"""Secrets at rest: AES-256-GCM under a master key that is kept outside the books.

A sealed secret is one byte of format, four bytes that name the master key, a nonce of twelve, and the ciphertext with
its tag. What must not be changed beside it is given as `bound`: with another `bound` it does not open.
"""

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"
MASTER_KEY_CHARACTERS = 64


class MasterKeyMalformed(ValueError):
    """The text is no master key."""

    def __init__(self) -> None:
        super().__init__("a master key is 64 hex digits (32 bytes)")


def new_master_key() -> str:
    """Return a new master key as 64 hex digits."""
    return secrets.token_hex(32)


class AesVault:
    """The Vault port. See `spotbook.app.ports.Vault`."""

    def __init__(self, master_key: str) -> None:
        """Take the master key as 64 hex digits; MasterKeyMalformed otherwise."""
        try:
            key = bytes.fromhex(master_key) if len(master_key) == MASTER_KEY_CHARACTERS else b""
        except ValueError:
            key = b""
        if len(key) != 32:
            raise MasterKeyMalformed
        self._cipher = AESGCM(key)
        self._name = hashlib.sha256(b"spotbook master key" + key).digest()[:4]

    def seal(self, secret: str, bound: bytes) -> bytes:
        """Encrypt `secret` so that it opens only together with `bound`."""
        nonce = secrets.token_bytes(12)
        return FORMAT + self._name + nonce + self._cipher.encrypt(nonce, secret.encode(), bound)

    def unseal(self, sealed: bytes, bound: bytes) -> str | None:
        """Return the secret, or None when it was sealed with another key or `bound`, or was changed."""
        if sealed[:5] != FORMAT + self._name:
            return None
        try:
            return self._cipher.decrypt(sealed[5:17], sealed[17:], bound).decode()
        except (InvalidTag, ValueError):
            return None
