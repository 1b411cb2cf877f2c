"""``spotbook audit``: the whole journal against every table and every invariant."""

from pathlib import Path

import click

from spotbook.app.audit import Finding, Report
from spotbook.app.audit import audit as run_audit
from spotbook.app.journal import START
from spotbook.app.ports import Reader
from spotbook.cli.options import data_option, json_option
from spotbook.cli.output import print_json
from spotbook.cli.progress import audit_progress
from spotbook.store.sqlite_reader import SqliteReader


class Head(click.ParamType[tuple[int, str]]):
    """``N:HASH``, the head of a journal as it was logged or kept with a backup."""

    name = "N:HASH"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """Return the number and the hash in lower-case hex."""
        number, _, digest = value.partition(":")
        if not (number.isascii() and number.isdigit() and len(digest) == 64):
            self.fail("write the batch's number, a colon, and its hash in 64 hex digits", param, ctx)
        return int(number), digest.lower()


@click.command()
@data_option
@click.option("--expect", type=Head(), multiple=True, help="A head seen earlier; repeatable.")
@json_option
def audit(data: Path, expect: tuple[tuple[int, str], ...], as_json: bool) -> None:
    """Check books from the first batch to the last; beside a running server too.

    Exit code 0 when nothing was found, 1 otherwise. A cut tail or a journal that was written anew as a whole is found
    only with --expect, which the journal must still hold.
    """
    reader = SqliteReader(data, mapped=False)
    try:
        with audit_progress() as progress:
            report = run_audit(reader, progress=progress)
        missed = tuple(_missed(reader, *head) for head in expect)
    finally:
        reader.close()
    findings = (*report.findings, *(finding for finding in missed if finding))
    report = report._replace(ok=not findings, findings=findings)
    _tell(report, as_json=as_json)
    raise SystemExit(0 if report.ok else 1)


def _missed(reader: Reader, number: int, digest: str) -> Finding | None:
    """Return what is wrong with the batch that was once the head."""
    if (number, digest) == (START.number, START.hash.hex()):
        return None  # it was seen before the first batch
    batches = reader.batches(number - 1, 1)
    if not batches or batches[0].number != number:
        message = f"batch {number} was there once: the journal's tail is cut off"
    elif batches[0].hash.hex() != digest:
        message = f"batch {number} had the hash {digest}: the journal was written anew"
    else:
        return None
    return Finding("expect", number, None, None, None, message)


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        findings = [finding._asdict() for finding in report.findings]
        print_json({**report._asdict(), "hash": report.hash.hex(), "findings": findings})
        return
    for finding in report.findings:
        click.echo(f"{finding.check}: {finding.message}")
    found = "nothing was found" if report.ok else f"{len(report.findings)} findings"
    click.echo(f"{report.entries} entries up to batch {report.batch}:{report.hash.hex()}: {found}")
