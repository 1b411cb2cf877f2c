"""Load on one server: wrk on a core of its own, with every refusal counted as a failure."""

import json
import resource
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.report import RunFailed

SCRIPT = Path(__file__).with_name("load.lua")
NO_WRK = "wrk is missing: install it with `apt-get install wrk` (Debian, Ubuntu), or see https://github.com/wg/wrk"


class Load(NamedTuple):
    """What the load saw: answers a second, latency, failures, and which part of its core each side was busy.

    `others_busy` is the part of the whole machine that was busy with neither.
    """

    rate: float
    p50_us: int
    p99_us: int
    failures: int
    server_busy: float
    load_busy: float
    others_busy: float


def wrk_path() -> str:
    """Return where wrk is; RunFailed, saying how to get it, when it is not there."""
    path = shutil.which("wrk")
    if path is None:
        raise RunFailed(NO_WRK)
    return path


def put_load(url: str, pid: int, bodies: Path, connections: int, seconds: int) -> Load:
    """Load a server by wrk for so many seconds. RunFailed when wrk does not work."""
    command = [wrk_path(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    before, load_before, all_before = machine.busy_seconds(pid), _children_seconds(), machine.all_busy_seconds()
    with machine.on_core(machine.LOAD_CORE):
        wrk = subprocess.Popen(
            [*command, "-s", str(SCRIPT), url, "--", str(bodies)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    out, err = wrk.communicate(timeout=seconds + 60)
    all_seconds = machine.all_busy_seconds() - all_before
    server_seconds, load_seconds = machine.busy_seconds(pid) - before, _children_seconds() - load_before
    line = next((line for line in out.decode().splitlines() if line.startswith("LOAD ")), None)
    if wrk.returncode != 0 or line is None:
        raise RunFailed(f"wrk failed: {(err or out).decode().strip()}")
    seen = json.loads(line.removeprefix("LOAD "))
    failures = seen["refused"] + seen["broken"]
    took = seen["microseconds"] / 1e6
    return Load(
        rate=(seen["requests"] - failures) / took,
        p50_us=seen["p50_us"],
        p99_us=seen["p99_us"],
        failures=failures,
        server_busy=server_seconds / took,
        load_busy=load_seconds / took,
        others_busy=max(all_seconds - server_seconds - load_seconds, 0.0) / took / machine.COUNT,
    )


def _children_seconds() -> float:
    """Return the processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
