"""The audit: the journal replayed against every table, and every invariant checked on the way.

It reads beside a running writer and holds no snapshot for long:

1. replay the batches up to the head, each checked against the chain and against what went before (`replay`);
2. compare the tables whose rows change with what the replay makes of them, page by page. A row that differs may have
   been changed by a later batch, so it is only suspected: suspects are read again, some at a time, each time in one
   short snapshot with the head; the replay goes on to that head, and what differs then is a finding (`tables`);
3. compare the tables that grow, and the candles that ended, by digests over parts of them, and only parts that differ
   row by row (`history`).

Whatever is in the file, the audit ends with a report. Memory: the rows that change, once, and bounded buffers.

That is a whole pass (`audit`, and `AuditDesk` for who asks). `BackgroundAudit` keeps one replay and goes round all
tables for as long as a server runs, in small slices (`rounds`).
"""

from spotbook.app.audit.background import OFF, BackgroundAudit
from spotbook.app.audit.background import Progress as BackgroundProgress
from spotbook.app.audit.desk import AuditClosed, AuditDesk
from spotbook.app.audit.report import Finding, Report
from spotbook.app.audit.run import Progress, audit

__all__ = [
    "OFF",
    "AuditClosed",
    "AuditDesk",
    "BackgroundAudit",
    "BackgroundProgress",
    "Finding",
    "Progress",
    "Report",
    "audit",
]
