"""Run the benchmarks: ``python -m bench [benchmark …] [--against COMMIT] [--quick] [--strict] [--folder FOLDER]``."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import (
    book_depth,
    deposits,
    machine,
    open_orders_start,
    orders,
    orders_http,
    overload,
    reads,
    report,
    store_reads,
    versus,
)
from bench.report import Figure, RunFailed
from bench.sizes import QUICK, WHOLE, Size

BENCHMARKS: dict[str, Callable[[Size, Path], list[Figure]]] = {
    "reads": reads.run,
    "deposits": deposits.run,
    "orders": orders.run,
    "orders_http": orders_http.run,
    "book_depth": book_depth.run,
    "open_orders_start": open_orders_start.run,
    "store_reads": store_reads.run,
    "overload": overload.run,
}


def main() -> int:
    """Run what is asked for, print tables, write JSON; return 1 when a run failed (--strict: or a floor was missed)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast Spotbook is, and beside what.")
    parser.add_argument("benchmarks", nargs="*", metavar="benchmark", help=f"of {', '.join(BENCHMARKS)}; all without")
    parser.add_argument("--quick", action="store_true", help="one short round of everything, on smaller books")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a floor or ceiling was missed, too")
    parser.add_argument("--against", metavar="COMMIT", help=f"this tree beside a commit: {', '.join(versus.MEASURES)}")
    parser.add_argument("--folder", type=Path, default=report.RESULTS, help="where books are made: a real disk")
    asked = parser.parse_args()
    if unknown := set(asked.benchmarks) - set(versus.MEASURES if asked.against else BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if len(machine.CORES) < 2:
        parser.error("the load needs a core of its own: two cores are needed")
    size = QUICK if asked.quick else WHOLE
    console = Console()
    asked.folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Figure]] = {}
    try:
        for name in asked.benchmarks or (versus.MEASURES if asked.against else BENCHMARKS):
            console.print(f"{name} …", style="dim")
            with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=asked.folder) as folder:
                if asked.against:
                    found[name] = versus.run(size, Path(folder), asked.against, name)
                else:
                    found[name] = BENCHMARKS[name](size, Path(folder))
            report.show(f"{name}, new / {asked.against}" if asked.against else name, found[name], console)
    except RunFailed as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    console.print(f"written: {report.save(found, {'quick': asked.quick, 'against': asked.against, **size._asdict()})}")
    missed = [figure.name for figures in found.values() for figure in figures if figure.verdict == "missed"]
    return 1 if missed and asked.strict else 0


if __name__ == "__main__":
    raise SystemExit(main())
