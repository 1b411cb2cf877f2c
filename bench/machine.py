"""The machine that a run is made on, and how a run shares it out."""

import os
import platform
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
COUNT = os.cpu_count() or 1
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on one core; a process that is started inside stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def loop_ns() -> float:
    """Return what one turn of a fixed loop of plain Python takes: the best of five, in nanoseconds.

    The same machine may be half as fast an hour later, when it shares its cores with others; this tells.
    """
    turns, best = 200_000, float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        total = 0
        for turn in range(turns):
            total += turn * turn & 7
        best = min(best, time.perf_counter() - begin)
    return best / turns * 1e9


def description() -> dict[str, Any]:
    """Return what a reader must know of the machine to compare figures."""
    return {
        "cpu": _cpu(),
        "cores": len(CORES),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "uvicorn": version("uvicorn"),
        "loop_ns": round(loop_ns(), 1),
    }


def busy_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def all_busy_seconds() -> float:
    """Return the time that all cores together have been busy so far, or kept from this machine by its host."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    spent = dict(zip(names, map(int, first), strict=True))
    return sum(ticks for name, ticks in spent.items() if name not in {"idle", "iowait"}) / CLOCK_TICKS


def memory_mib(pid: int) -> dict[str, float]:
    """Return a process's resident memory in MiB: all of it, and the part that is not pages of files."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines())
    return {name: round(int(status[name].split()[0]) / 1024, 1) for name in ("VmRSS", "RssAnon")}


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
