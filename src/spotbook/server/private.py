"""The private path: signed calls, answered from the books. Bare ASGI, and the program's hot path.

The first check that fails answers, in this order: method and size, the address's limits, form, key, signature, the
key's state, freshness (of the signature v1), the user's limits, command, permission, parameters. An address pays before
anybody is known; a user only after a valid signature, so that forged calls cost the owner of a key nothing.
"""

import time
from typing import ClassVar

from spotbook.app.assets import Assets
from spotbook.app.markets import Markets
from spotbook.app.ports import Sheet
from spotbook.app.writer import Done
from spotbook.domain.credentials import KeyHolder
from spotbook.domain.errors import Refusal
from spotbook.limits import MIN_VERSION_WAIT_MS
from spotbook.server.asynchronous import AsyncEngine
from spotbook.server.authentication import Authentication
from spotbook.server.freshness import Commits, min_version
from spotbook.server.gate import Gate, Passed
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.path import Path
from spotbook.server.replies import ALLOW_POST, Reply, failed, pace_lines, success
from spotbook.wire.coinw import errors
from spotbook.wire.coinw.command import Answer, Call, PrivateRead, PrivateWrite
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.registry import PRIVATE

TOO_BUSY = failed(errors.BUSY)
"""Said before anything is looked up: under a flood, a refusal that costs as much as the work it saves saves nothing."""


class PrivatePath(Path):
    """Answers ``POST /api/v1/private?command=…``."""

    methods: ClassVar = frozenset({"POST"})
    wrong_method: ClassVar = failed(errors.WRONG_METHOD, ALLOW_POST, 405)

    def __init__(self, parts: Parts, gate: Gate, commits: Commits, moment: Moment) -> None:
        super().__init__(parts, gate)
        self._commits = commits
        self._moment = moment
        self._engine = AsyncEngine(parts.engine)
        self._assets = Assets(parts.reader)
        self._markets = Markets(parts.reader)
        self._books = parts.reader.books.encode()
        self._authentication = Authentication(parts, gate)
        overrides = parts.settings.command_limits
        self._commands = {
            name: command._replace(limit=overrides.get(command.name, command.limit))
            for name, command in PRIVATE.items()
        }

    async def answer(self, passed: Passed) -> tuple[str, Reply]:
        """Carry a call that passed the gate through the other checks, and answer it."""
        parts, form = self._parts, passed.form
        command = self._commands.get(form.command or "")
        if isinstance(command, PrivateWrite) and not command.gives_free and self._engine.behind:
            return command.name, TOO_BUSY
        self._moment.enter()
        held = self._authentication.holder(passed)
        if isinstance(held, Reply):
            return "unknown", held
        account = held.key.account
        name, limit = (command.name, command.limit) if command else ("unknown", None)
        verdict = parts.pacer.user_call(account, passed.subject, name, limit, passed.paced_at)
        if not verdict.allowed:
            return name, self._gate.limited(verdict, self._version_lines(parts.reader.sheet(account)))
        if command is None:
            answered: Answer | Failure = errors.NO_SUCH_COMMAND
        elif command.permission not in held.key.permissions:
            answered = errors.permission_missing(command.permission)
        else:
            call = Call(
                account,
                form.params,
                parts.clock(),
                parts.reader,
                self._assets,
                self._markets,
                parts.settings.list_empty_assets,
            )
            try:
                if isinstance(command, PrivateWrite):
                    answered = await self._written(command, call, held.key.api_key)
                elif passed.min_version is None:
                    answered = command.answer(call)
                else:
                    answered = await self._fresh(command, call, passed.min_version)
            except Refusal as refusal:
                answered = errors.of_refusal(refusal)
        if isinstance(answered, Answer):
            return name, success(answered.data, pace_lines(verdict) + self._version_lines(answered))
        return name, failed(answered, pace_lines(verdict) + self._version_lines(parts.reader.sheet(account)))

    async def _written(self, command: PrivateWrite, call: Call, api_key: str) -> Answer | Failure:
        """Hand the call to the writer and answer once its fate is settled. The writer checks the key again."""
        asked = command.command(call)
        outcome = await self._engine.carry_out(
            asked, KeyHolder(api_key, command.permission), gives_free=command.gives_free
        )
        if not isinstance(outcome, Done):
            self._moment.enter()  # an account's version goes with what was not done, and is read
            return errors.of_outcome(outcome, command.names)
        try:
            data = command.data(outcome.result, call)
        except Exception as fault:  # noqa: BLE001  (it is done, so "not done" would be a lie)
            self._parts.alarm(f"the answer of {command.name} could not be written", fault)
            self._moment.enter()
            return errors.OUTCOME_UNKNOWN
        return Answer(data, outcome.result.version, outcome.batch, outcome.batch_time)

    async def _fresh(self, command: PrivateRead, call: Call, header: bytes) -> Answer | Failure:
        """Answer at the version that the client asks for, or a later one; wait for it up to a second."""
        asked = min_version(header)
        if asked is None:
            return errors.parameter("X-Min-Version", "write a version, or the id of the books, a colon and a version")
        if asked.books not in {"", self._parts.reader.books}:
            return errors.parameter("X-Min-Version", "these are other books than those of that version")
        deadline = time.monotonic() + MIN_VERSION_WAIT_MS / 1_000
        while (answered := command.answer(call)).version < asked.version:
            left = deadline - time.monotonic()
            if left <= 0:
                return errors.BUSY
            await self._commits.wait(left)
            self._moment.enter()
        return answered

    def _version_lines(self, at: Answer | Sheet) -> bytes:
        return b"x-account-version: %d\r\nx-batch: %d\r\nx-batch-time: %d\r\nx-books: %s\r\n" % (
            at.version,
            at.batch,
            at.batch_time,
            self._books,
        )
