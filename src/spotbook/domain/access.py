"""Keys and tokens: making and revoking them, and whether who acts may.

The writer asks `authorise` when it decides, not when the request came in: after an acknowledged revocation nothing of
that key or token is carried out any more.
"""

from spotbook.domain.account import check_words
from spotbook.domain.accounts import user_account
from spotbook.domain.commands import MakeKey, MakeToken, RevokeKey, RevokeToken
from spotbook.domain.credentials import PERMISSIONS, ROLES, Actor, Key, KeyHolder, Operator, Token
from spotbook.domain.decision import Decision
from spotbook.domain.errors import (
    Invalid,
    KeyExists,
    KeyNotLive,
    PermissionMissing,
    TokenExists,
    TokenNotLive,
    TooMany,
    UnknownKey,
    UnknownToken,
)
from spotbook.domain.events import KeyMade, KeyRevoked, TokenMade, TokenRevoked
from spotbook.domain.state import State
from spotbook.limits import (
    ID_MAX,
    KEY_ALLOW_MAX,
    KEYS_LIVE_MAX,
    LABEL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    TOKENS_MAX,
)


def authorise(state: State, actor: Actor, now: int) -> None:
    """Raise KeyNotLive, TokenNotLive or PermissionMissing unless the actor may act at `now`."""
    if isinstance(actor, KeyHolder):
        key = state.keys.get(actor.api_key)
        if key is None or not key.live(now):
            raise KeyNotLive
        if actor.permission not in key.permissions:
            raise PermissionMissing(actor.permission)
    elif isinstance(actor, Operator):
        token = state.tokens.get(actor.token)
        if token is None or token.revoked_at:
            raise TokenNotLive
        if actor.role not in token.roles:
            raise PermissionMissing(actor.role)


def make_key(state: State, command: MakeKey, now: int) -> Decision:
    """Decide `MakeKey`; the result is the Key."""
    account = user_account(state, command.account)
    _check_set("permissions", command.permissions, PERMISSIONS)
    if command.label:
        check_words("label", command.label, LABEL_CHARACTERS_MAX)
    if len(command.allow) > KEY_ALLOW_MAX:
        raise TooMany("address ranges in allow", KEY_ALLOW_MAX)
    if command.expires_at and command.expires_at <= now:
        raise Invalid("expires_at", "is in the past")
    if command.expires_at > ID_MAX:
        raise Invalid("expires_at", f"is at most {ID_MAX}")
    first = state.keys.get(command.api_key)
    if first is not None:
        raise KeyExists(command.api_key, first)
    held = (state.keys.get(api_key) for api_key in state.keys_of.get(account.id) or ())
    if sum(1 for key in held if key is not None and key.live(now)) >= KEYS_LIVE_MAX:
        raise TooMany("live API keys of one account", KEYS_LIVE_MAX)
    key = Key(
        command.api_key,
        account.id,
        command.permissions,
        command.allow,
        command.label,
        command.made_at,
        command.expires_at,
        0,
        command.strict,
    )
    return Decision([KeyMade(*key)], key)


def revoke_key(state: State, command: RevokeKey, now: int) -> Decision:  # noqa: ARG001  (one shape for all)
    """Decide `RevokeKey`; the result is the Key as it is then."""
    key = state.keys.get(command.api_key)
    if key is None or key.account != command.account:
        raise UnknownKey(command.api_key)
    if key.revoked_at:
        return Decision([], key, fresh=False)
    revoked = key._replace(revoked_at=command.revoked_at)
    return Decision([KeyRevoked(*revoked)], revoked)


def make_token(state: State, command: MakeToken, now: int) -> Decision:
    """Decide `MakeToken`; the result is the Token."""
    check_words("name", command.name, NAME_CHARACTERS_MAX)
    _check_set("roles", command.roles, ROLES)
    first = state.tokens.get(command.name)
    if first is not None:
        raise TokenExists(command.name, first)
    number = state.next_id("token")
    if number > TOKENS_MAX:
        raise TooMany("tokens", TOKENS_MAX)
    token = Token(command.name, number, command.digest, command.roles, now, 0)
    return Decision([TokenMade(*token)], token)


def revoke_token(state: State, command: RevokeToken, now: int) -> Decision:
    """Decide `RevokeToken`; the result is the Token as it is then."""
    token = state.tokens.get(command.name)
    if token is None:
        raise UnknownToken(command.name)
    if token.revoked_at:
        return Decision([], token, fresh=False)
    revoked = token._replace(revoked_at=now)
    return Decision([TokenRevoked(*revoked)], revoked)


def _check_set(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise Invalid unless `values` are some of `known`, each once, in that sequence: one set, one spelling."""
    if not values or values != tuple(value for value in known if value in values):
        raise Invalid(name, f"are one or more of {', '.join(known)}, each once and in this sequence")
