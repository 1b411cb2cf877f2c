"""What commands print: JSON for programs with ``--json``, or words and tables for people."""

from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDE = 100_000


def print_json(value: Any) -> None:
    """Print one value as a line of JSON, at once."""
    click.echo(msgspec.json.encode(value))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print rows under their columns; those named in `right` line up at the right, as amounts should."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    # Nothing is ever cut off or wrapped, however narrow the terminal: half an amount is a wrong amount.
    Console(highlight=False, markup=False, width=WIDE).print(table)
