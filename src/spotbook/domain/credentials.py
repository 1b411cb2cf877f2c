"""API keys of accounts, admin tokens of the operator's people, and who acts in a command.

Secrets are not here: a key's secret is sealed by the vault outside the domain, and of a token only its SHA-256 exists.
"""

from typing import Literal, NamedTuple

Permission = Literal["read", "trade", "withdraw"]
Role = Literal["view", "operate", "money"]

PERMISSIONS: tuple[Permission, ...] = ("read", "trade", "withdraw")
ROLES: tuple[Role, ...] = ("view", "operate", "money")


class Key(NamedTuple):
    """An API key without its secret. Times are milliseconds since 1970, 0 for never; `allow` holds CIDR ranges.

    A `strict` key refuses the exchange's MD5 signature, which never ages, and takes only the signature that does.
    """

    api_key: str
    account: int
    permissions: tuple[str, ...]
    allow: tuple[str, ...]
    label: str
    made_at: int
    expires_at: int
    revoked_at: int
    strict: bool = False

    def live(self, now: int) -> bool:
        """Whether the key may be used at `now`."""
        return not self.revoked_at and (not self.expires_at or now < self.expires_at)


class Token(NamedTuple):
    """An admin token: name, number, the SHA-256 of its text in hex, roles, and when it was made and revoked."""

    name: str
    id: int
    digest: str
    roles: tuple[str, ...]
    made_at: int
    revoked_at: int


class KeyHolder(NamedTuple):
    """A client acts, with an API key that must carry `permission`."""

    api_key: str
    permission: Permission


class Operator(NamedTuple):
    """One of the operator's people acts, with a named token that must carry `role`."""

    token: str
    role: Role


class House(NamedTuple):
    """The program itself acts; `part` says which of its parts."""

    part: str


Actor = KeyHolder | Operator | House


def written(actor: Actor) -> str:
    """Return the actor as the journal names it: ``key:…``, ``token:…`` or ``house:…``."""
    if isinstance(actor, KeyHolder):
        return f"key:{actor.api_key}"
    if isinstance(actor, Operator):
        return f"token:{actor.token}"
    return f"house:{actor.part}"
