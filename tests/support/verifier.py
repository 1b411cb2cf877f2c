"""The separate verifier, as an auditor runs it: a file of its own, and nothing but Python's standard library."""

import json
import runpy
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from spotbook.app.ports import StoredBatch

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_books.py"


def run_verifier(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it on a file, without what is installed beside Python."""
    command = [sys.executable, "-I", "-S", str(VERIFIER), str(file), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def verified(file: Path, *heads: str) -> tuple[int, dict[str, Any]]:
    """Return its exit code and its report; `heads` are those seen earlier, each ``N:HASH``."""
    done = run_verifier(file, "--json", *(option for head in heads for option in ("--expect", head)))
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@cache
def verifier() -> dict[str, Any]:
    """Return all that it defines."""
    return runpy.run_path(str(VERIFIER))


def broken_rules(batches: Iterable[StoredBatch]) -> list[dict[str, Any]]:
    """Return what it finds wrong with what these batches say, without any table."""
    tool = verifier()
    findings = tool["Findings"]()
    books = tool["Books"](findings)
    for batch in batches:
        try:
            books.take(batch.number, batch.time, tool["events_of"](batch.body, batch.time))
        except ValueError as wrong:
            findings.add("bytes", str(wrong))
    books.check_totals()
    books.grown.close()
    found: list[dict[str, Any]] = findings.all()
    return found
