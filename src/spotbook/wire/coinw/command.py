"""What a command of the wire is: a name, who may call it how often, and a function from a call to an answer.

A command that reads is answered from one reader at one moment. It knows no socket: bytes of JSON come out, and the
version of the books that they are of.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from spotbook.app.assets import Assets
from spotbook.app.ports import Reader
from spotbook.domain.credentials import Permission
from spotbook.domain.window import Limit


class Call(NamedTuple):
    """A call that has passed every check before its parameters: what it asks, of whose account, and where to look."""

    account: int
    params: Mapping[str, str]
    reader: Reader
    assets: Assets
    list_empty_assets: bool


class Answer(NamedTuple):
    """The `data` of a reply as JSON, and the account's version and the batch that it is of."""

    data: bytes
    version: int
    batch: int
    batch_time: int


class PrivateRead(NamedTuple):
    """A signed command that reads. `limit` is per user."""

    name: str
    permission: Permission
    limit: Limit
    answer: Callable[[Call], Answer]


class PublicRead(NamedTuple):
    """A command for everybody. `limit` is per address; `answer` gets the parameters and the time in milliseconds."""

    name: str
    limit: Limit
    answer: Callable[[Mapping[str, str], int], bytes]
