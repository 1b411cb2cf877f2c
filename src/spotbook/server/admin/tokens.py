"""Admin tokens: making, listing, revoking."""

import secrets
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from spotbook.app.books import token_of
from spotbook.app.pages import every
from spotbook.domain.commands import MakeToken, RevokeToken
from spotbook.domain.credentials import ROLES, Token
from spotbook.domain.errors import PermissionMissing
from spotbook.limits import NAME_CHARACTERS_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Time
from spotbook.server.admin.office import Office
from spotbook.server.admin.tokens_known import digest_of

Role = Literal["view", "operate", "money"]


class NewToken(In, frozen=True):
    """A token to make. Its name stands in the journal beside all that it does, and is used once."""

    name: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX})]
    roles: Annotated[list[Role], Meta(min_length=1, max_length=16)]


class TokenShown(Out, frozen=True, omit_defaults=True):
    """A token. `revoked_at` is null for never; its text is there once, when it is made."""

    name: str
    roles: list[Role]
    made_at: Time
    revoked_at: int | None
    token: str | UnsetType = UNSET


class Tokens(Out, frozen=True):
    """All tokens by name."""

    tokens: list[TokenShown]


def _shown(token: Token, text: str | UnsetType = UNSET) -> TokenShown:
    roles = list(token.roles)
    return TokenShown(token.name, roles, token.made_at, token.revoked_at or None, text)  # type: ignore[arg-type]


async def _make(office: Office, call: Call) -> Reply:
    roles = tuple(role for role in ROLES if role in call.body.roles)
    for role in roles:
        if role not in call.token.roles:  # nobody can give what they do not have; roles of a token never change
            raise PermissionMissing(role)
    text = secrets.token_urlsafe(32)
    done = await office.carry_out(MakeToken(call.body.name, digest_of(text.encode()), roles), call)
    return Reply(201, _shown(done.result, text))


async def _list(office: Office, call: Call) -> Reply:  # noqa: ARG001
    rows = await office.read(lambda reader: list(every(reader, "token")))
    return Reply(200, Tokens([_shown(token_of(row)) for row in rows]))


async def _revoke(office: Office, call: Call) -> Reply:
    await office.carry_out(RevokeToken(call.path["name"]), call, gives_free=True)
    return Reply(204, None)


MAKE = Endpoint(
    "POST",
    "/tokens",
    "operate",
    "Make a token, with roles that the caller's token has itself; its text is in this reply and nowhere else",
    _make,
    {201: TokenShown},
    NewToken,
    refusals={409: None},
)
LIST = Endpoint("GET", "/tokens", "view", "List all tokens", _list, {200: Tokens})
REVOKE = Endpoint(
    "DELETE",
    "/tokens/{name}",
    "operate",
    "Revoke a token: from the answer on, nothing of it is carried out any more",
    _revoke,
    {204: None},
    wide="name",
)
