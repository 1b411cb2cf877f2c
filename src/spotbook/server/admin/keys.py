"""API keys of an account: making, listing, revoking."""

import asyncio
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from spotbook.app.books import key_of
from spotbook.app.ports import Row
from spotbook.domain.credentials import PERMISSIONS, Key
from spotbook.domain.errors import Invalid
from spotbook.limits import ID_MAX, KEY_ALLOW_MAX, LABEL_CHARACTERS_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import TextPage, Time
from spotbook.server.admin.office import Office, done
from spotbook.settings import key_needs_allow_list

Permission = Literal["read", "trade", "withdraw"]
Ranges = Annotated[
    tuple[str, ...],
    Meta(
        description="Addresses or CIDR ranges from which the key may be used; none for anywhere.",
        extra_json_schema={"maxItems": KEY_ALLOW_MAX},
    ),
]


class NewKey(In, frozen=True):
    """A key to make. All but the permissions may be left out."""

    permissions: Annotated[list[Permission], Meta(min_length=1, max_length=16)]
    allow: Ranges | None = None
    label: Annotated[str, Meta(extra_json_schema={"maxLength": LABEL_CHARACTERS_MAX})] | None = None
    expires_at: (
        Annotated[int, Meta(description="Milliseconds since 1970; never without it.", ge=1, le=ID_MAX)] | None
    ) = None
    strict: Annotated[bool, Meta(description="Refuse the exchange's MD5 signature; take HMAC-SHA256 only.")] = False


class KeyShown(Out, frozen=True, omit_defaults=True):
    """A key. `expires_at` and `revoked_at` are null for never; the secret is there once, when the key is made."""

    api_key: str
    account: int
    permissions: list[Permission]
    allow: list[str]
    label: str
    made_at: Time
    expires_at: int | None
    revoked_at: int | None
    strict: bool
    secret_key: str | UnsetType = UNSET


class KeysShown(Out, frozen=True):
    """Keys in the order in which they were made, revoked ones too; `next` is the `after` of the next page."""

    keys: list[KeyShown]
    next: str | None


def _shown(key: Key, secret: str | UnsetType = UNSET) -> KeyShown:
    return KeyShown(
        key.api_key,
        key.account,
        list(key.permissions),  # type: ignore[arg-type]  # the decision checked them
        list(key.allow),
        key.label,
        key.made_at,
        key.expires_at or None,
        key.revoked_at or None,
        key.strict,
        secret,
    )


async def _make(office: Office, call: Call) -> Reply:
    account, new = office.account(call), call.body
    permissions = tuple(permission for permission in PERMISSIONS if permission in new.permissions)
    if len(new.allow or ()) > KEY_ALLOW_MAX:
        raise Invalid("allow", f"has at most {KEY_ALLOW_MAX} ranges")
    bearer = permissions != ("read",) and not new.strict  # a captured call of a strict key is of no use
    if bearer and not new.allow and key_needs_allow_list(office.parts.settings):
        raise Invalid("allow", "a key that may trade or withdraw needs one beyond loopback, unless it is strict")
    # The vault's work and the wait for the disk are not the loop's.
    outcome, secret = await asyncio.to_thread(
        office.parts.keys.make,
        call.actor,
        account.id,
        permissions,
        allow=new.allow or (),
        label=new.label or "",
        expires_at=new.expires_at or 0,
        strict=new.strict,
    )
    return Reply(201, _shown(done(outcome).result, secret))


async def _list(office: Office, call: Call) -> Reply:
    account, (after, limit) = office.account(call), (call.query.after, call.query.limit)
    behind: Row = ()
    if after:
        row = office.parts.reader.find("api_key", (after,))
        if row is None or row[1] != account.id:
            raise Invalid("after", "is no key of this account")
        behind = (row[5], row[0])
    rows = await office.read(lambda reader: reader.keys_of(account.id, behind, limit))
    keys = [_shown(key_of(row)) for row in rows]
    return Reply(200, KeysShown(keys, keys[-1].api_key if len(keys) == limit else None))


async def _revoke(office: Office, call: Call) -> Reply:
    account, api_key = office.account(call), call.path["api_key"]
    outcome = await office.read(lambda reader: office.parts.keys.revoke(call.actor, account.id, api_key, reader))
    done(outcome)
    return Reply(204, None)


MAKE = Endpoint(
    "POST",
    "/accounts/{account}/keys",
    "operate",
    "Make an API key; its secret is in this reply and nowhere else",
    _make,
    {201: KeyShown},
    NewKey,
    refusals={409: None},
)
LIST = Endpoint(
    "GET", "/accounts/{account}/keys", "view", "List an account's keys", _list, {200: KeysShown}, query=TextPage
)
REVOKE = Endpoint(
    "DELETE",
    "/accounts/{account}/keys/{api_key}",
    "operate",
    "Revoke a key: from the answer on, nothing of it is carried out any more",
    _revoke,
    {204: None},
)
