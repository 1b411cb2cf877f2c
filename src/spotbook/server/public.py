"""The public path: calls by anybody, by GET or POST. An api_key or sign that comes along is ignored."""

import time

from spotbook.server.body import ClientGone, Receive, Scope, Send
from spotbook.server.gate import Gate, Passed, elapsed
from spotbook.server.parts import Parts
from spotbook.server.replies import pace_headers, send_failure, send_reply
from spotbook.wire.coinw import envelope, errors
from spotbook.wire.coinw.errors import Failure
from spotbook.wire.coinw.registry import PUBLIC


class PublicPath:
    """Answers ``/api/v1/public?command=…``."""

    def __init__(self, parts: Parts, gate: Gate) -> None:
        self._parts = parts
        self._gate = gate
        overrides = parts.settings.command_limits
        self._commands = {
            name: command._replace(limit=overrides.get(name, command.limit)) for name, command in PUBLIC.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, whatever happens, unless its client is gone."""
        began = time.perf_counter()
        name, failure = "unknown", None
        try:
            wrong_method = None if scope["method"] in {"GET", "POST"} else errors.WRONG_PUBLIC_METHOD
            passed = await self._gate.admit(scope, receive, send, wrong_method)
            if isinstance(passed, Failure):
                failure = passed
            else:
                name, failure = await self._answer(passed, send)
        except ClientGone:
            return
        except Exception as fault:  # noqa: BLE001  (a fault in one call must not end its connection without a word)
            self._parts.alarm("a public call failed", fault)
            failure = errors.BUSY
            await send_failure(send, failure, [])
        self._parts.metrics.reply(name, "200" if failure is None else str(failure.code), elapsed(began))

    async def _answer(self, passed: Passed, send: Send) -> tuple[str, Failure | None]:
        parts = self._parts
        command = self._commands.get(passed.form.command or "")
        if command is None:
            await send_failure(send, errors.NO_SUCH_COMMAND, [])
            return "unknown", errors.NO_SUCH_COMMAND
        verdict = parts.pacer.public_call(passed.subject, command.name, command.limit, parts.pace_clock())
        if not verdict.allowed:
            self._gate.record(verdict)
            await send_failure(send, errors.RATE_LIMITED, pace_headers(verdict))
            return command.name, errors.RATE_LIMITED
        data = command.answer(passed.form.params, parts.clock())
        await send_reply(send, envelope.success(data), pace_headers(verdict))
        return command.name, None
