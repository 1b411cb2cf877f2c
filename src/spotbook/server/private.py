"""The private path: signed calls, answered from the books. Bare ASGI, and the program's hot path.

The first check that fails answers, in this order: method and size, the address's limits, form, key, signature, the
key's state, the user's limits, command, permission, parameters. An address pays before anybody is known; a user only
after a valid signature, so that forged calls cost the owner of a key nothing.
"""

import time

from spotbook.app.assets import Assets
from spotbook.app.keys import OpenKey
from spotbook.app.ports import Sheet
from spotbook.limits import MIN_VERSION_WAIT_MS
from spotbook.server.body import ClientGone, Receive, Scope, Send
from spotbook.server.freshness import Commits, min_version
from spotbook.server.gate import Gate, Passed, elapsed
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.replies import Headers, pace_headers, send_failure, send_reply
from spotbook.wire.coinw import envelope, errors
from spotbook.wire.coinw.command import Answer, Call, PrivateRead
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.registry import PRIVATE
from spotbook.wire.coinw.signing import verify


class PrivatePath:
    """Answers ``POST /api/v1/private?command=…``."""

    def __init__(self, parts: Parts, gate: Gate, commits: Commits, moment: Moment) -> None:
        self._parts = parts
        self._moment = moment
        self._gate = gate
        self._commits = commits
        self._assets = Assets(parts.reader)
        self._books = (b"x-books", parts.reader.books.encode())
        overrides = parts.settings.command_limits
        self._commands = {
            name: command._replace(limit=overrides.get(name, command.limit)) for name, command in PRIVATE.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, whatever happens, unless its client is gone."""
        began = time.perf_counter()
        name, code = "unknown", "200"
        try:
            wrong_method = None if scope["method"] == "POST" else errors.WRONG_METHOD
            passed = await self._gate.admit(scope, receive, send, wrong_method)
            if isinstance(passed, Failure):
                failure: Failure | None = passed
            else:
                name, failure = await self._answer(passed, send)
            if failure is not None:
                code = str(failure.code)
        except ClientGone:
            return
        except Exception as fault:  # noqa: BLE001  (a fault in one call must not end its connection without a word)
            self._parts.alarm("a private call failed", fault)
            code = str(errors.BUSY.code)
            await send_failure(send, errors.BUSY, [self._books])
        self._parts.metrics.reply(name, code, elapsed(began))

    async def _answer(self, passed: Passed, send: Send) -> tuple[str, Failure | None]:
        """Carry the call through the checks after the form; return the command's name and the failure sent, if any."""
        parts, form = self._parts, passed.form
        self._moment.enter()
        held = self._authenticate(passed)
        if isinstance(held, Failure):
            await send_failure(send, held, [self._books])
            return "unknown", held
        account = held.key.account
        command = self._commands.get(form.command or "")
        name = command.name if command else "unknown"
        limit = command.limit if command else None
        verdict = parts.pacer.user_call(account, passed.subject, name, limit, parts.pace_clock())
        headers = pace_headers(verdict)
        if not verdict.allowed:
            self._gate.record(verdict)
            failure: Failure = errors.RATE_LIMITED
        elif command is None:
            failure = errors.NO_SUCH_COMMAND
        elif command.permission not in held.key.permissions:
            failure = errors.permission_missing(command.permission)
        else:
            call = Call(account, form.params, parts.reader, self._assets, parts.settings.list_empty_assets)
            answered = await self._fresh(command, call, passed.min_version)
            if isinstance(answered, Answer):
                headers += self._version_headers(answered)
                await send_reply(send, envelope.success(answered.data), headers)
                return name, None
            failure = answered
        await send_failure(send, failure, headers + self._version_headers(parts.reader.sheet(account)))
        return name, failure

    def _authenticate(self, passed: Passed) -> OpenKey | Failure:
        """Return the key that signed, once it is shown to be one that may be used from there."""
        parts, form = self._parts, passed.form
        if parts.engine.condition == "recovering":
            return errors.BUSY
        api_key = form.params.get("api_key")
        held = parts.ring.find(api_key) if api_key else None
        if held is None:
            return errors.INVALID_KEY
        if not verify(form.params, held.secret, form.sign):
            return errors.WRONG_SIGNATURE
        if not held.key.live(parts.clock()) or not held.lets_in(passed.address):
            return errors.INVALID_KEY
        return held

    async def _fresh(self, command: PrivateRead, call: Call, header: bytes | None) -> Answer | Failure:
        """Answer at the version that the client asks for, or a later one; wait for it up to a second."""
        if header is None:
            return command.answer(call)
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

    def _version_headers(self, at: Answer | Sheet) -> Headers:
        return [
            (b"x-account-version", b"%d" % at.version),
            (b"x-batch", b"%d" % at.batch),
            (b"x-batch-time", b"%d" % at.batch_time),
            self._books,
        ]
