"""What an endpoint is: a method and a path, who may, what comes in, what goes out, and the function that does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from spotbook.domain.credentials import Operator, Role, Token

if TYPE_CHECKING:
    from spotbook.server.admin.office import Office

PREFIX = "/admin/v1"


class In(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends. A field that is not known is an error, so that a misspelt one is not silently left out."""


class Out(msgspec.Struct, frozen=True):
    """What a client is sent."""


class NoQuery(In, frozen=True):
    """No parameters."""


class Reply(NamedTuple):
    """A status, and a body: a struct as JSON, bytes as they are, None for none."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Call:
    """One call that has passed every check before its own: path, query, body, and the token that it came with."""

    path: dict[str, str]
    query: Any
    body: Any
    token: Token
    role: Role

    @property
    def actor(self) -> Operator:
        """Who acts, for the writer to check again and the journal to name."""
        return Operator(self.token.name, self.role)


Handler = Callable[["Office", Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the Admin API. `path` stands behind PREFIX, with its parameters in braces.

    `replies` are its successes by status, each with what it sends; `refusals` the statuses of its own, beyond those
    that every endpoint has, where None stands for a plain error. `wide` names the last path parameter if it may hold
    slashes.
    """

    method: str
    path: str
    role: Role
    summary: str
    handler: Handler
    replies: dict[int, Any]
    body: type[In] | None = None
    query: type[In] = NoQuery
    refusals: dict[int, Any] = field(default_factory=dict)
    wide: str = ""
