"""How far an audit has come, shown to those who wait for it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spotbook.app.audit import Progress as Reached
from spotbook.app.audit.run import Watch


@contextmanager
def audit_progress() -> Iterator[Watch]:
    """Show a bar on standard error while the block runs, where somebody sees it."""
    columns = (TextColumn("audit"), BarColumn(), MofNCompleteColumn(), TextColumn("batches"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("audit", total=None)

        def show(reached: Reached) -> None:
            bar.update(task, completed=reached.batch, total=reached.head)

        yield show
