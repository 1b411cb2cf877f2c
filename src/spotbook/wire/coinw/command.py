"""What a command of the wire is: a name, who may call it how often, and how a call becomes an answer.

A command that reads is answered from one reader at one moment. One that writes becomes a command for the writer, and
the writer's result becomes the answer. Neither knows a socket: bytes of JSON come out, and the version of the books
that they are of. A parameter that will not do is refused with `domain.errors.Invalid`, by the name that the wire has
for it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from spotbook.app.assets import Assets
from spotbook.app.board import Board
from spotbook.app.market_data import Days
from spotbook.app.markets import Markets
from spotbook.app.ports import Reader
from spotbook.domain.asset import Market
from spotbook.domain.commands import Command
from spotbook.domain.credentials import Permission
from spotbook.domain.errors import UnknownMarket
from spotbook.domain.window import Limit
from spotbook.wire.coinw.errors import NO_NAMES


class Call(NamedTuple):
    """A call that has passed every check before its parameters: what it asks, of whose account, and where to look.

    `params` are as they arrived; one with an empty value counts as absent. `now` is in milliseconds since 1970.
    """

    account: int
    params: Mapping[str, str]
    now: int
    reader: Reader
    assets: Assets
    markets: Markets
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


class PrivateWrite(NamedTuple):
    """A signed command for the writer. `limit` is per user.

    `command` makes the writer's command of the account and the parameters, `data` the reply's JSON of the writer's
    result, which has a `version`: the account's. `names` translates the domain's names of parameters into the wire's.
    One that `gives_free` funds may use the reserved part of the queue.
    """

    name: str
    permission: Permission
    limit: Limit
    command: Callable[[Call], Command]
    data: Callable[[Any, Call], bytes]
    gives_free: bool = False
    names: Mapping[str, str] = NO_NAMES


class PublicCall(NamedTuple):
    """A public call: its parameters, the time in milliseconds since 1970, and where to look."""

    params: Mapping[str, str]
    now: int
    reader: Reader
    assets: Assets
    markets: Markets
    board: Board
    days: Days

    def market(self, symbol: str) -> Market:
        """Return the market of this symbol; UnknownMarket when there is none."""
        market = self.markets.named(symbol)
        if market is None:
            raise UnknownMarket(symbol)
        return market


class PublicRead(NamedTuple):
    """A command for everybody. `limit` is per address."""

    name: str
    limit: Limit
    answer: Callable[[PublicCall], bytes]
