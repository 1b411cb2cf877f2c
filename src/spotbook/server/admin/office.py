"""What every endpoint works with."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from spotbook.app.assets import Assets
from spotbook.app.audit import OFF, AuditDesk, BackgroundAudit, BackgroundProgress
from spotbook.app.books import account_of
from spotbook.app.markets import Markets
from spotbook.app.ports import Reader
from spotbook.app.writer import Done, Outcome, Refused, Unknown
from spotbook.domain.account import Account
from spotbook.domain.commands import Command
from spotbook.domain.errors import UnknownAccount
from spotbook.domain.state import RUNNING, Standing
from spotbook.limits import ID_MAX
from spotbook.server.admin.endpoint import Call
from spotbook.server.admin.refusals import Failed, not_done, outcome_unknown
from spotbook.server.admin.tokens_known import KnownTokens
from spotbook.server.asynchronous import AsyncEngine
from spotbook.server.parts import Parts

T = TypeVar("T")


class Office:
    """The parts of the running program as the Admin API uses them. Belongs to the loop's thread."""

    def __init__(self, parts: Parts, audits: AuditDesk, background: BackgroundAudit | None = None) -> None:
        self.parts = parts
        self.audits = audits
        self._background = background
        self.engine = AsyncEngine(parts.engine)
        self.tokens = KnownTokens(parts.reader)
        self.assets = Assets(parts.reader)
        self.markets = Markets(parts.reader)

    async def carry_out(self, command: Command, call: Call, *, gives_free: bool = False) -> Done:
        """Have the writer carry a command out for who calls; its Refusal, or Failed, when it was not."""
        return done(await self.engine.carry_out(command, call.actor, gives_free=gives_free))

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Do a long read in a thread, with a reader of its own."""

        def borrowed() -> T:
            with self.parts.readers.reader() as reader:
                return work(reader)

        return await asyncio.to_thread(borrowed)

    def audited(self) -> BackgroundProgress:
        """Return how far the background audit is."""
        return OFF if self._background is None else self._background.progress

    def account_id(self, call: Call) -> int:
        """Return the id in the path; UnknownAccount for what no account can have."""
        text = call.path["account"]
        if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > ID_MAX:
            raise UnknownAccount(text)
        return int(text)

    def account(self, call: Call) -> Account:
        """Return the account in the path; UnknownAccount when there is none."""
        number = self.account_id(call)
        row = self.parts.reader.find("account", (number,))
        if row is None:
            raise UnknownAccount(number)
        return account_of(row)

    def standing(self) -> Standing:
        """Return what the books admit now."""
        row = self.parts.reader.find("standing", (1,))
        return RUNNING if row is None else Standing(*row[1:])  # type: ignore[arg-type]  # the table's own columns


def done(outcome: Outcome) -> Done:
    """Return the outcome of a command that was carried out; raise its Refusal, or Failed, otherwise."""
    if isinstance(outcome, Done):
        return outcome
    if isinstance(outcome, Refused):
        raise outcome.refusal
    if isinstance(outcome, Unknown):
        raise Failed(outcome_unknown())
    raise Failed(not_done(outcome.why))
