"""One pass of the audit, from the first batch to the head."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from spotbook.app.audit import chain, tables, totals
from spotbook.app.audit.history import History
from spotbook.app.audit.replay import Replay
from spotbook.app.audit.report import Findings, Report
from spotbook.app.journal import START
from spotbook.app.ports import Head, Reader, StoredBatch


class Progress(NamedTuple):
    """How far a pass has come: the batch replayed last, the head that it makes for, and the entries checked."""

    batch: int
    head: int
    entries: int


Watch = Callable[[Progress], None]


def audit(reader: Reader, *, progress: Watch | None = None) -> Report:
    """Check the whole of the books; see the package's docstring.

    `progress` is called after each batch of the replay; it may wait, and what it raises ends the pass. Nothing that
    stands in the books does.
    """
    findings = Findings()
    secret = secrets.token_bytes(16)
    replay = Replay(findings, secret)
    head = START
    try:
        head = chain.end(reader)
        _check_start(reader, findings)
        _replay(reader, replay, head.number, findings, progress)
        head = _compare_tables(reader, replay, findings, progress)
    except chain.EndUnreadable as odd:
        findings.add("head", str(odd))
    else:
        totals.check(replay.tables, findings)
        marks = replay.marks()._replace(batch=head.number)
        History(reader, replay.tallies, marks, secret).compare(findings)
    for words in reader.damage():
        findings.add("file", words)
    found = findings.all()
    return Report(not found, head.number, head.hash, replay.checks.entries, found)


def _moment(reader: Reader, keys: list[tables.Key], findings: Findings) -> tuple[Head, list[StoredBatch], tables.Rows]:
    """Return, of one moment, the head, the batch beyond it (there should be none) and the rows of these keys."""
    try:
        with reader.snapshot():
            return chain.end(reader), reader.batches(reader.head().number, 1), tables.reread(reader, keys, findings)
    except chain.EndUnreadable:
        raise
    except Exception as odd:
        raise chain.EndUnreadable(f"the end of the journal cannot be read: {odd}") from odd


def _check_start(reader: Reader, findings: Findings) -> None:
    try:
        first = reader.batches(-(2**63), 1)
        if first and first[0].number < 1:
            findings.add("numbers", "the journal begins with batch 1", batch=first[0].number)
    except Exception as odd:  # noqa: BLE001  (whatever stands in the file is a finding, not the end)
        findings.add("numbers", f"the journal's begin cannot be read: {odd}")


def _replay(reader: Reader, replay: Replay, last: int, findings: Findings, progress: Watch | None) -> None:
    try:
        for batch in chain.stored(reader, replay.head.number, last):
            replay.take(batch)
            if progress:
                progress(Progress(batch.number, last, replay.checks.entries))
    except chain.Unreadable as odd:
        findings.add("numbers", str(odd), batch=replay.head.number + 1)
    if replay.head.number < last:
        missing = f"{replay.head.number + 1} to {last}"
        findings.add("numbers", f"batches {missing} are missing from the journal", batch=replay.head.number + 1)
        replay.head = replay.head._replace(number=last)  # so that it is said once


def _compare_tables(reader: Reader, replay: Replay, findings: Findings, progress: Watch | None) -> Head:
    """Compare the tables that change; return the head at which the last of them was read."""
    head = replay.head
    beyond: list[StoredBatch] = []
    for keys in tables.suspects(reader, replay, findings):
        head, beyond, rows = _moment(reader, keys, findings)
        _replay(reader, replay, head.number, findings, progress)
        tables.compare(reader, rows, replay, findings)
        if findings.full:
            break
    if beyond:
        number = beyond[0].number
        findings.add("head", f"batch {number} lies beyond the head, which is {head.number}", batch=number)
    elif head != replay.head:
        words = f"the head of the journal is not its last batch, {replay.head.number}"
        findings.add("head", words, batch=head.number)
    return head
