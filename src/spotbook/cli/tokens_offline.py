"""Admin tokens made without a server: the first one, or one for an operator who has lost them all."""

import hashlib
import secrets

from spotbook.bootstrap import Offline
from spotbook.domain.commands import MakeToken
from spotbook.domain.credentials import ROLES, House


def make_token(offline: Offline, name: str, roles: tuple[str, ...]) -> str:
    """Make a token and return its text, which is kept nowhere. Raises the Refusal of a name or role."""
    text = secrets.token_urlsafe(32)
    ordered = tuple(role for role in ROLES if role in roles)  # one set, one spelling
    digest = hashlib.sha256(text.encode()).hexdigest()
    offline.execute(MakeToken(name, digest, ordered), House("command line"))
    return text
