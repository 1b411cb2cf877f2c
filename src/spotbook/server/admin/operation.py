"""The state of the whole: status, halt, resume."""

import asyncio
from typing import Literal

from spotbook import __version__
from spotbook.domain.account import check_words
from spotbook.domain.commands import Halt, Resume
from spotbook.domain.events import StandingChanged
from spotbook.domain.state import Standing
from spotbook.limits import REASON_CHARACTERS_MAX
from spotbook.server.admin.audits import FindingShown, findings_of
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Reason, Time
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import failure


class Why(In, frozen=True):
    """The reason for a halt or for going on."""

    reason: Reason


class StandingShown(Out, frozen=True):
    """What the books admit, why and since when.

    ``halted``: no placing, withdrawals and transfers. ``stopped``: no command at all, because an invariant broke.
    """

    standing: Literal["running", "halted", "stopped"]
    reason: str
    since: Time


class HeadShown(Out, frozen=True):
    """The journal's end."""

    number: int
    time: Time
    hash: str


class AuditedShown(Out, frozen=True):
    """The background audit: the last batch that it replayed, how many are left, its rounds, and what it knows of.

    ``off``: by the settings. ``too_large``: more rows change than it may keep, so that it gave up.
    """

    state: Literal["off", "running", "too_large", "ended"]
    batch: int
    lag: int
    rounds: int
    findings: int
    round_seconds: float


class Status(Out, frozen=True):
    """Everything at a glance. `writer` is what the writer's thread does; `queue` how many commands wait for it."""

    standing: StandingShown
    writer: Literal["recovering", "running", "read_only", "draining", "ended"]
    head: HeadShown
    books: str
    queue: int
    audit: AuditedShown
    version: str


class AuditInTheWay(Out, frozen=True):
    """Why not, and what the audit found."""

    code: str
    message: str
    findings: list[FindingShown]


class ResumeConflict(Out, frozen=True):
    """The body of a 409: the books are not clean."""

    error: AuditInTheWay


def _shown(standing: Standing | StandingChanged) -> StandingShown:
    return StandingShown(*standing)


async def _status(office: Office, call: Call) -> Reply:  # noqa: ARG001
    engine, reader = office.parts.engine, office.parts.reader
    head, audited = reader.head(), office.audited()
    lag = max(0, head.number - audited.batch) if audited.state == "running" else 0
    return Reply(
        200,
        Status(
            _shown(office.standing()),
            engine.condition,
            HeadShown(head.number, head.time, head.hash.hex()),
            reader.books,
            engine.queued,
            AuditedShown(audited.state, audited.batch, lag, *audited[2:]),
            __version__,
        ),
    )


async def _halt(office: Office, call: Call) -> Reply:
    done = await office.carry_out(Halt(call.body.reason), call, gives_free=True)
    return Reply(200, _shown(done.result or office.standing()))


async def _resume(office: Office, call: Call) -> Reply:
    check_words("reason", call.body.reason, REASON_CHARACTERS_MAX)
    if office.standing().standing == "running":
        # Nothing is sent to the writer: a halt that is on its way must not be lifted without an audit after it.
        return Reply(200, _shown(office.standing()))
    report = await asyncio.wrap_future(office.audits.whole())
    if not report.ok:
        words = f"the audit has {len(report.findings)} findings: the books stay as they are"
        return failure(409, "audit_findings", words, findings=findings_of(report))
    done = await office.carry_out(Resume(call.body.reason), call, gives_free=True)
    return Reply(200, _shown(done.result or office.standing()))


STATUS = Endpoint("GET", "/status", "view", "How the books stand", _status, {200: Status})
HALT = Endpoint(
    "POST",
    "/halt",
    "operate",
    "Admit no placing, withdrawals and transfers until resumed; cancels, deposits and reads go on",
    _halt,
    {200: StandingShown},
    Why,
)
RESUME = Endpoint(
    "POST",
    "/resume",
    "operate",
    "Go on after a halt or a stop, if a whole audit made now finds nothing",
    _resume,
    {200: StandingShown},
    Why,
    refusals={409: ResumeConflict},
)
