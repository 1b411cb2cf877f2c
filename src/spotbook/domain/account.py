"""Accounts: a user's spot account, its wealth sub-account, and the house's own.

World is where deposits come from and withdrawals go to: it holds the negative of everybody else, so that the books
always sum to zero. Fees is where trading fees gather.
"""

from typing import Literal, NamedTuple

from spotbook.domain.errors import Invalid
from spotbook.limits import NAME_CHARACTERS_MAX

AccountKind = Literal["world", "fees", "user", "wealth"]

WORLD = 1
FEES = 2
USER_FIRST = 1_001
"""Users are numbered from here, so that a house account is recognised at a glance."""


class Account(NamedTuple):
    """An account. `parent` is 0, or the user whose wealth account it is; `frozen` by the operator's word."""

    id: int
    kind: AccountKind
    name: str
    parent: int
    frozen: bool
    opened_at: int


def check_words(name: str, text: str, most: int) -> None:
    """Raise Invalid unless `text` is 1 to `most` printable characters, without a space at either end."""
    if not 1 <= len(text) <= most or not text.isprintable() or text != text.strip():
        raise Invalid(name, f"write 1 to {most} printable characters, with no space at either end")


def check_account_name(name: str) -> None:
    """Raise Invalid unless `name` can name an account. Names are labels: two accounts may share one."""
    check_words("name", name, NAME_CHARACTERS_MAX)
