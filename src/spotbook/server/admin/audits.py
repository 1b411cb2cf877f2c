"""The audit, asked for."""

import asyncio

from spotbook.app.audit import Report
from spotbook.server.admin.endpoint import Call, Endpoint, Out, Reply
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import failure

RETRY_SECONDS = 60


class FindingShown(Out, frozen=True):
    """One contradiction; what is known of its place: batch, entry (a version of the account), account, asset."""

    check: str
    batch: int | None
    entry: int | None
    account: int | None
    asset: str | None
    message: str


class AuditShown(Out, frozen=True):
    """The outcome of one whole pass: the journal's end that it reached, and how many entries were checked."""

    ok: bool
    batch: int
    hash: str
    entries: int
    findings: list[FindingShown]


def findings_of(report: Report) -> list[FindingShown]:
    """Return the findings as they are sent."""
    return [FindingShown(*finding) for finding in report.findings]


async def _audit(office: Office, call: Call) -> Reply:  # noqa: ARG001
    report = await asyncio.wrap_future(office.audits.soon())
    if report is None:
        words = "the books are large and their first audit is under way: ask again"
        return failure(503, "audit_running", words, headers=(("retry-after", str(RETRY_SECONDS)),))
    shown = AuditShown(report.ok, report.batch, report.hash.hex(), report.entries, findings_of(report))
    return Reply(200, shown)


AUDIT = Endpoint(
    "GET",
    "/audit",
    "view",
    "A fresh pass over the invariants; for books beyond a million entries the last one finished",
    _audit,
    {200: AuditShown},
    refusals={503: None},
)
