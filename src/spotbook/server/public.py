"""The public path: calls by anybody, by GET or POST. An api_key or sign that comes along is ignored."""

from typing import ClassVar

from spotbook.app.assets import Assets
from spotbook.app.market_data import Days
from spotbook.app.markets import Markets
from spotbook.domain.errors import Refusal
from spotbook.server.gate import Gate, Passed
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.path import Path
from spotbook.server.replies import Reply, failed, pace_lines, success
from spotbook.wire.coinw import errors
from spotbook.wire.coinw.command import PublicCall
from spotbook.wire.coinw.registry import PUBLIC


class PublicPath(Path):
    """Answers ``/api/v1/public?command=…``."""

    methods: ClassVar = frozenset({"GET", "POST"})
    wrong_method: ClassVar = failed(errors.WRONG_PUBLIC_METHOD, b"allow: GET, POST\r\n", 405)

    def __init__(self, parts: Parts, gate: Gate, moment: Moment) -> None:
        super().__init__(parts, gate)
        self._moment = moment
        self._assets = Assets(parts.reader)
        self._markets = Markets(parts.reader)
        self._days = Days(parts.reader)
        overrides = parts.settings.command_limits
        self._commands = {
            name: command._replace(limit=overrides.get(name, command.limit)) for name, command in PUBLIC.items()
        }

    async def answer(self, passed: Passed) -> tuple[str, Reply]:
        """Answer a call that passed the gate."""
        parts, form = self._parts, passed.form
        command = self._commands.get(form.command or "")
        if command is None:
            return "unknown", failed(errors.NO_SUCH_COMMAND)
        verdict = parts.pacer.public_call(passed.subject, command.name, command.limit, passed.paced_at)
        if not verdict.allowed:
            return command.name, self._gate.limited(verdict)
        if parts.engine.condition == "recovering":  # the books are not open yet: an empty one would be a lie
            return command.name, failed(errors.BUSY, pace_lines(verdict))
        self._moment.enter()
        call = PublicCall(
            form.params, parts.clock(), parts.reader, self._assets, self._markets, parts.board, self._days
        )
        try:
            data = command.answer(call)
        except Refusal as refusal:
            return command.name, failed(errors.of_refusal(refusal), pace_lines(verdict))
        return command.name, success(data, pace_lines(verdict))
