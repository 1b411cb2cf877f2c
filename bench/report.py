"""What a run found: figures, floors and ceilings with their verdicts, as a table and as JSON."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench import machine

RESULTS = Path(__file__).parent / "results"


class Figure(NamedTuple):
    """One figure. `floor` is the least, `ceiling` the most that it should be; 0 for none."""

    name: str
    value: float
    unit: str
    floor: float = 0
    ceiling: float = 0

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing where nothing is asked."""
        if not self.floor and not self.ceiling:
            return ""
        met = self.value >= self.floor and (not self.ceiling or self.value <= self.ceiling)
        return "met" if met else "missed"

    @property
    def asked(self) -> str:
        """The floor or ceiling in words."""
        if self.floor:
            return f"at least {plain(self.floor)}"
        return f"at most {plain(self.ceiling)}" if self.ceiling else ""


class RunFailed(Exception):
    """A benchmark could not be carried out, or its server refused what it should have answered."""


def plain(value: float) -> str:
    """Return a number with three significant digits or all whole ones."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def show(benchmark: str, figures: list[Figure], console: Console) -> None:
    """Print the table of one benchmark."""
    table = Table(title=benchmark, title_justify="left")
    for column in ("", "figure", "unit", "asked", "verdict"):
        table.add_column(column, justify="right" if column == "figure" else "left")
    for figure in figures:
        style = {"met": "green", "missed": "red"}.get(figure.verdict)
        table.add_row(figure.name, plain(figure.value), figure.unit, figure.asked, figure.verdict, style=style)
    console.print(table)


def save(found: dict[str, list[Figure]], about: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write a run as JSON and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    file = folder / f"{stamp}.json"
    figures = {
        benchmark: [{**figure._asdict(), "verdict": figure.verdict} for figure in figures]
        for benchmark, figures in found.items()
    }
    whole = {"at": stamp, "machine": machine.description(), "settings": about, "figures": figures}
    file.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return file
