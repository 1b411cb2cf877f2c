"""API keys with their secrets: making, revoking, looking up, and sealing anew.

The secret is shown once, when the key is made, and kept sealed. Everything that gives the key its power is bound to
the sealed secret, so that a row changed in the file opens nothing: such a key is as good as unknown.
"""

import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from spotbook.app.books import key_of
from spotbook.app.engine import Engine
from spotbook.app.ports import Clock, Head, Reader, SealedKey, SealedSecret, Store, Vault
from spotbook.app.projection import TABLES
from spotbook.app.writer import Outcome
from spotbook.domain.address import Networks
from spotbook.domain.commands import MakeKey, RevokeKey
from spotbook.domain.credentials import Actor, Key
from spotbook.domain.errors import Invalid
from spotbook.limits import KEY_CACHE_MAX, PAGE_ROWS_MAX

CHECK_KEY = ""
"""The sealed secrets hold one that is no key's: it tells whether a master key fits these books."""

CHECK_TEXT = "these books"

LOOK_AGAIN_MS = 1_000
"""A key that the writer has not changed is compared with its row again after so long, in the journal's time."""


KEY_COMMANDS = frozenset({MakeKey.__name__, RevokeKey.__name__})
"""The commands that change a key, as the journal names them."""


class OpenKey(NamedTuple):
    """A key with its secret in the clear, in memory only, and its allow-list ready for use."""

    key: Key
    secret: bytes
    allow: Networks | None

    def lets_in(self, address: str) -> bool:
        """Whether the key may be used from this address: from any, unless it has an allow-list."""
        return self.allow is None or self.allow.holds(address)


class MasterKeyWrong(Exception):
    """The master key is not the one that these books' secrets are sealed with."""


def bound(key: Key) -> bytes:
    """Return what is bound to a key's sealed secret: all that gives it power.

    That it is strict is written only of a strict key: the secrets of others were sealed before there were any.
    """
    power = [key.api_key, key.account, key.permissions, key.allow, key.expires_at, key.revoked_at]
    return msgspec.json.encode([*power, "strict"] if key.strict else power)


def ranges_of(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return an allow-list with every range in its canonical text; Invalid for one that is no address or range."""
    try:
        return Networks(texts).texts
    except ValueError:
        raise Invalid("allow", "write addresses or CIDR ranges, such as 10.0.0.0/8 or 192.0.2.7") from None


class Keys:
    """Makes and revokes keys."""

    def __init__(self, engine: Engine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    def make(
        self,
        actor: Actor,
        account: int,
        permissions: tuple[str, ...],
        *,
        allow: tuple[str, ...] = (),
        label: str = "",
        expires_at: int = 0,
        strict: bool = False,
        secret: str | None = None,
        api_key: str | None = None,
    ) -> tuple[Outcome, str]:
        """Make a key and wait for the disk; return the outcome (its result is a Key) and the secret.

        A `strict` key refuses MD5. `secret` and `api_key` are chosen at random unless given. Raises Invalid for a
        malformed allow-list.
        """
        ranges = ranges_of(allow)
        key = Key(
            api_key or str(uuid.uuid4()), account, permissions, ranges, label, self._clock(), expires_at, 0, strict
        )
        command = MakeKey(account, key.api_key, permissions, ranges, label, key.made_at, expires_at, strict)
        secret = secret or secrets.token_hex(20).upper()
        sealed = SealedSecret(key.api_key, self._vault.seal(secret, bound(key)))
        return self._engine.execute(command, actor, secrets=(sealed,)), secret

    def revoke(self, actor: Actor, account: int, api_key: str, reader: Reader) -> Outcome:
        """Revoke a key and wait for the disk. From then on no command of that key is carried out."""
        now, sealed = self._clock(), tuple[SealedSecret, ...]()
        row = reader.find("api_key", (api_key,))
        if row is not None:  # else it is the writer that says so, after it has asked whether the actor may know
            key, found = key_of(row), reader.sealed_key(api_key)
            revoked = key._replace(revoked_at=key.revoked_at or now)
            now = revoked.revoked_at
            secret = None if found is None else self._vault.unseal(found.sealed, bound(key))
            # A key whose row was changed in the file, or that came with a journal and so without its secret, opens
            # nothing; it is revoked all the same, and stays shut.
            if secret is not None:
                sealed = (SealedSecret(api_key, self._vault.seal(secret, bound(revoked))),)
        return self._engine.execute(RevokeKey(account, api_key, now), actor, secrets=sealed, gives_free=True)


class _KeptKey(NamedTuple):
    """A key as it was found: at which commit and head, its row with its sealed secret, and the key if it opens."""

    changed: int
    head: Head
    found: SealedKey
    opened: OpenKey | None


class KeyRing:
    """Finds keys by their text, unsealed, and keeps them as long as they are known not to have changed.

    Not shared between threads. Any commit makes a kept key be compared with its row again before it is used, unless
    the writer has said by `note` that no batch since has changed a key: then once a second is enough, and only because
    somebody might write to the file behind the writer's back. While the writer says by `vouch` that nobody did, there
    is no need of that either. So a revocation is seen by the very next request.
    """

    def __init__(
        self, reader: Reader, vault: Vault, tampered: Callable[[Key], None], keys_max: int = KEY_CACHE_MAX
    ) -> None:
        """`tampered` is told the key whose row and sealed secret do not belong together."""
        self._reader = reader
        self._vault = vault
        self._tampered = tampered
        self._keys_max = keys_max
        self._kept: dict[str, _KeptKey] = {}
        self._noted: int | None = None
        self._vouched = 0

    def note(self, batch: int) -> None:
        """Tell that no batch after this one has changed a key. From any thread, before a change is acknowledged."""
        self._noted = batch

    def vouch(self, time: int) -> None:
        """Tell that who else wrote to the books up to this time of the journal did so before what `note` said last."""
        self._vouched = time

    def find(self, api_key: str) -> OpenKey | None:
        """Return the key, revoked and expired ones too; None when it is unknown or its row was changed."""
        changed, head = self._reader.changed(), self._reader.head()
        kept = self._kept.get(api_key)
        if kept is not None and (kept.changed == changed or self._is_as_it_was(kept.head, head)):
            return kept.opened
        found = self._reader.sealed_key(api_key)
        if found is None:
            self._kept.pop(api_key, None)
            return None
        opened = kept.opened if kept is not None and kept.found == found else self._open(found)
        if kept is None and len(self._kept) >= self._keys_max:
            del self._kept[next(iter(self._kept))]
        self._kept[api_key] = _KeptKey(changed, head, found, opened)
        return opened

    def _is_as_it_was(self, then: Head, now: Head) -> bool:
        """Whether what was read at one head needs no second look at another: batches came, none that changed a key."""
        noted = self._noted
        if noted is None or not noted <= then.number < now.number:
            return False
        return now.time - max(then.time, self._vouched) < LOOK_AGAIN_MS

    def _open(self, found: SealedKey) -> OpenKey | None:
        key = key_of(found.row)
        secret = self._vault.unseal(found.sealed, bound(key))
        if secret is None:
            self._tampered(key)
            return None
        return OpenKey(key, secret.encode(), Networks(key.allow) if key.allow else None)


def first_seal(vault: Vault) -> SealedSecret:
    """Return the secret by which new books will know their master key."""
    return SealedSecret(CHECK_KEY, vault.seal(CHECK_TEXT, b""))


def check_master_key(sealed: bytes | None, vault: Vault) -> None:
    """Raise MasterKeyWrong unless the vault opens what `first_seal` sealed."""
    if sealed is None or vault.unseal(sealed, b"") != CHECK_TEXT:
        raise MasterKeyWrong("the master key does not fit these books: use the one that `spotbook init` gave")


def reseal(store: Store, old: Vault, new: Vault) -> int:
    """Seal every key's secret with the new master key, in one transaction; return how many keys.

    A key that the old one does not open (its row was changed) is left as it is and stays shut.
    """
    reader = store.reader()
    try:
        sealed = list(_resealed(reader, old, new))
    finally:
        reader.close()
    store.reseal([first_seal(new), *sealed])
    return len(sealed)


def _resealed(reader: Reader, old: Vault, new: Vault) -> Iterator[SealedSecret]:
    after: tuple[int | str | bytes, ...] = ()
    while rows := reader.page("api_key", (), after, PAGE_ROWS_MAX):
        for row in rows:
            key = key_of(row)
            found = reader.sealed_key(key.api_key)
            secret = found and old.unseal(found.sealed, bound(key))
            if secret:
                yield SealedSecret(key.api_key, new.seal(secret, bound(key)))
        after = rows[-1][: TABLES["api_key"].keys]
