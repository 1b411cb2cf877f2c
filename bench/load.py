"""Load on one server: wrk on a core of its own, with every refusal counted as a failure."""

import json
import resource
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import NamedTuple, Protocol

from bench import machine
from bench.process import Server
from bench.report import Figure, RunFailed

SCRIPT = Path(__file__).with_name("load.lua")
NO_WRK = "wrk is missing: install it with `apt-get install wrk` (Debian, Ubuntu), or see https://github.com/wg/wrk"


class Load(NamedTuple):
    """What the load saw: answers and how many a second, latency, failures, which part of its core each side was busy.

    `others_busy` is the part of the whole machine that was busy with neither.
    """

    answers: int
    rate: float
    p50_us: int
    p99_us: int
    failures: int
    server_busy: float
    load_busy: float
    others_busy: float


class Loader(Protocol):
    """Loads a server with the prepared requests of a file; see `put_load`."""

    def __call__(
        self, url: str, pid: int, prepared: Path, connections: int, seconds: int, *, once: bool = False
    ) -> Load:
        """Load."""


def wrk_path() -> str:
    """Return where wrk is; RunFailed, saying how to get it, when it is not there."""
    path = shutil.which("wrk")
    if path is None:
        raise RunFailed(NO_WRK)
    return path


def line(path: str, body: str) -> str:
    """Return a prepared request as a line of the file that `put_load` reads."""
    return f"{path} {body}\n"


def put_load(url: str, pid: int, prepared: Path, connections: int, seconds: int, *, once: bool = False) -> Load:
    """Load a server by wrk for so many seconds with prepared requests, in turn; with `once`, none of them twice.

    RunFailed when wrk does not work, or when the requests did not last.
    """
    command = [wrk_path(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    before, load_before, all_before = machine.busy_seconds(pid), _children_seconds(), machine.all_busy_seconds()
    with machine.on_core(machine.LOAD_CORE):
        wrk = subprocess.Popen(
            [*command, "-s", str(SCRIPT), url, "--", str(prepared), *(["once"] if once else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    out, err = wrk.communicate(timeout=seconds + 60)
    all_seconds = machine.all_busy_seconds() - all_before
    server_seconds, load_seconds = machine.busy_seconds(pid) - before, _children_seconds() - load_before
    said = next((said for said in out.decode().splitlines() if said.startswith("LOAD ")), None)
    if wrk.returncode != 0 or said is None:
        raise RunFailed(f"wrk failed: {(err or out).decode().strip()}")
    seen = json.loads(said.removeprefix("LOAD "))
    if seen["beyond"]:
        raise RunFailed(f"{seen['requests']} requests were answered, more than were prepared")
    failures = seen["refused"] + seen["broken"]
    took = seen["microseconds"] / 1e6
    return Load(
        answers=seen["requests"] - failures,
        rate=(seen["requests"] - failures) / took,
        p50_us=seen["p50_us"],
        p99_us=seen["p99_us"],
        failures=failures,
        server_busy=server_seconds / took,
        load_busy=load_seconds / took,
        others_busy=max(all_seconds - server_seconds - load_seconds, 0.0) / took / machine.COUNT,
    )


def warm(load: Loader, server: Server, prepared: Path, *, requests: int, connections: int, seconds: int) -> None:
    """Load until one run has gone through all requests: the first call of a key costs more than the later ones."""
    for longer in (seconds, 2 * seconds, 4 * seconds):
        if load(server.url, server.pid, prepared, connections, longer).answers >= requests:
            return


def rate(loads: list[Load]) -> float:
    """Return the answers a second, median of several loads."""
    return statistics.median(load.rate for load in loads)


def rate_of_processor(loads: list[Load]) -> float:
    """Return the answers in a second of the server's processor time, median of several loads."""
    return statistics.median(load.rate / load.server_busy for load in loads)


def figures(name: str, loads: list[Load], *, floor: float = 0, p99_us_ceiling: float = 0) -> list[Figure]:
    """Return what several loads of one server saw."""
    p99_us = statistics.median(load.p99_us for load in loads)
    return [
        Figure(f"{name}: replies", rate(loads), "1/s", floor=floor),
        Figure(f"{name}: replies in a second of its processor's time", rate_of_processor(loads), "1/s"),
        Figure(f"{name}: latency p50", statistics.median(load.p50_us for load in loads), "µs"),
        Figure(f"{name}: latency p99", p99_us, "µs", ceiling=p99_us_ceiling),
        Figure(f"{name}: its core was busy", statistics.median(load.server_busy for load in loads), ""),
        Figure(f"{name}: the load's core was busy", statistics.median(load.load_busy for load in loads), ""),
    ]


def _children_seconds() -> float:
    """Return the processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
