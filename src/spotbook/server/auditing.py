"""The audits of a running server, and what their findings do to it."""

import time
from collections.abc import Callable, Sequence

from spotbook.app.audit import AuditDesk, BackgroundAudit, Finding, Report
from spotbook.app.engine import Engine
from spotbook.app.ports import Reader
from spotbook.app.readers import Readers
from spotbook.app.writer import Done, NotDone, Refused
from spotbook.domain.commands import Halt
from spotbook.domain.credentials import House
from spotbook.domain.errors import WriterStopped
from spotbook.limits import AUDIT_PRESSED_COMMANDS, REASON_CHARACTERS_MAX
from spotbook.server.parts import Parts

HALT_TRIES = 20
HALT_PAUSE_SECONDS = 0.1
"""A queue that is full now takes a halt in a moment."""

PRESSURE_SECONDS = 1.0
"""Over which it is counted what the writer carries out: many batches, be they large."""


def halting(parts: Parts) -> Callable[[Sequence[Finding]], None]:
    """Return what halts the books because of findings: what is wrong must not go on, whoever found it."""

    def halt(findings: Sequence[Finding]) -> None:
        words = f"audit: {findings[0].message}"
        words = "".join(character if character.isprintable() else " " for character in words)
        command = Halt(words[:REASON_CHARACTERS_MAX].strip())
        for _ in range(HALT_TRIES):
            outcome = parts.engine.execute(command, House("audit"), gives_free=True)
            if not isinstance(outcome, NotDone) or parts.engine.condition in {"draining", "ended"}:
                break
            time.sleep(HALT_PAUSE_SECONDS)
        stopped = isinstance(outcome, Refused) and isinstance(outcome.refusal, WriterStopped)
        if not isinstance(outcome, Done) and not stopped:
            parts.alarm("the books could not be halted after the audit's findings", None)

    return halt


def audit_desk(parts: Parts, readers: Readers | None = None) -> AuditDesk:
    """Return a desk whose findings halt the books. It reads with `readers`, or with the server's."""
    halt = halting(parts)

    def finished(report: Report) -> None:
        if not report.ok:
            first = report.findings[0].message
            parts.alarm(f"the audit has {len(report.findings)} findings, the first: {first}", None)
            halt(report.findings)

    return AuditDesk(
        readers or parts.readers,
        finished=finished,
        failed=lambda fault: parts.alarm("an audit did not come to its end", fault),
    )


def pressure(engine: Engine, clock: Callable[[], float] = time.monotonic) -> Callable[[], bool]:
    """Return what tells whether the writer is pressed: commands wait for it, or many a second are asked of it.

    The queue alone does not tell: a writer that is just as quick as its callers has it empty most of the time, and so
    has one before which most are turned away. The function is for one thread, which asks again and again; it counts
    from question to question.
    """

    def asked() -> int:
        return engine.commands + engine.turned_away

    since, before, many = clock(), asked(), False

    def pressed() -> bool:
        nonlocal since, before, many
        now, commands = clock(), asked()
        if now - since >= PRESSURE_SECONDS:
            many = commands - before >= AUDIT_PRESSED_COMMANDS * (now - since)
            since, before = now, commands
        return many or engine.queued > 0

    return pressed


def background_audit(
    parts: Parts, make_reader: Callable[[], Reader], passing: Callable[[Exception], bool]
) -> BackgroundAudit:
    """Return the audit that goes on while the server runs, with its metrics. Its findings halt the books."""
    settings, metrics = parts.settings.audit, parts.metrics
    audit = BackgroundAudit(
        make_reader,
        found=halting(parts),
        alarm=parts.alarm,
        passing=passing,
        share=settings.share,
        pressed=pressure(parts.engine),
        rows_max=settings.rows_max,
    )

    def lag() -> int:
        progress = audit.progress
        return max(0, parts.reader.head().number - progress.batch) if progress.state == "running" else 0

    for name, words, read in (
        ("running", "1 while the background audit goes on.", lambda: audit.progress.state == "running"),
        ("batch", "The last batch that the background audit has replayed.", lambda: audit.progress.batch),
        ("lag_batches", "Batches that the background audit has still to replay.", lag),
        ("rounds", "Rounds that the background audit has finished.", lambda: audit.progress.rounds),
        ("findings", "Contradictions in the books that it knows of.", lambda: audit.progress.findings),
        ("round_seconds", "How long its last round took.", lambda: audit.progress.round_seconds),
    ):
        metrics.gauge(f"spotbook_audit_{name}", words, read)
    return audit
