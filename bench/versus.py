"""Two commits in one run: the working tree as it is, and an older commit, measured in turn.

The older one is cloned into a temporary folder. Both are driven by this ``bench``, from the same environment; each
makes its books by itself, since their tables may differ. A ratio is of two measurements one right after the other,
and the median of the ratios counts: what else the machine does changes from minute to minute, for both.
"""

import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import machine
from bench.load import Load, Loader, put_load, warm, wrk_path
from bench.process import Server, running
from bench.report import Figure, RunFailed
from bench.side import ANSWER, Books, Orders, Reads
from bench.sizes import Size

ROOT = Path(__file__).parents[1]
FLOOR = 0.90
"""The least that the new commit's rate is of the old one's."""
WORDS_MAX = 400


class Side(NamedTuple):
    """One of the two: its name, where its ``spotbook`` is, and a folder of its own."""

    name: str
    source: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes a Python process use this side's ``spotbook``, and this ``bench``."""
        return {"PYTHONPATH": os.pathsep.join([str(self.source), str(ROOT)])}


class Rate(NamedTuple):
    """Replies, or commands, a second: on the wall, and of the server's processor time."""

    wall: float
    busy: float


def run(
    size: Size, folder: Path, commit: str, what: str, *, load: Loader = put_load, root: Path = ROOT
) -> list[Figure]:
    """Measure the old commit and the working tree in turn, of which `what` is in `MEASURES`; return the figures."""
    if load is put_load and what != "orders":
        wrk_path()  # before any work is done
    sides = [
        Side("old", _cloned(root, commit, folder / "clone"), folder / "old"),
        Side("new", ROOT / "src", folder / "new"),
    ]
    for side in sides:
        side.folder.mkdir()
    return _figures(MEASURES[what](size, sides, load))


def _cloned(root: Path, commit: str, folder: Path) -> Path:
    """Clone the repository at a commit; return where its ``spotbook`` is."""
    for command in (
        ["git", "clone", "--quiet", "--shared", "--no-checkout", str(root), str(folder)],
        ["git", "-C", str(folder), "checkout", "--quiet", "--detach", commit],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunFailed(f"{commit} could not be cloned: {done.stderr.strip()}")
    return folder / "src"


def _asked(side: Side, what: str, size: Size) -> Any:
    """Return what a process of this side answers; RunFailed, with its last words, when ``bench`` cannot drive it."""
    arguments = [what, str(side.folder), json.dumps(size._asdict()), str(side.source)]
    with machine.on_core(machine.SERVER_CORE):
        done = subprocess.run(
            [sys.executable, "-m", "bench.side", *arguments],
            env={**os.environ, **side.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it did not say why"]
        raise RunFailed(f"the {side.name} commit cannot be measured for {what} by this bench: {words[-1][:WORDS_MAX]}")
    return pickle.loads((side.folder / ANSWER).read_bytes())


@contextmanager
def _serving(side: Side, on: Books, books: Path) -> Iterator[Server]:
    environment = {**side.environment, "SPOTBOOK_MASTER_KEY": on.master_key}
    with running("bench.servers.ours", [str(books)], on.first, environment, path=on.path) as server:
        yield server


def _reads(size: Size, sides: list[Side], load: Loader) -> list[dict[str, Rate]]:
    """Load two servers that stay; from the warming on, one sleeps while the other is measured."""
    made: dict[str, Reads] = {side.name: _asked(side, "reads", size) for side in sides}
    with ExitStack() as stack:
        servers = {}
        for side in sides:
            servers[side.name] = stack.enter_context(_serving(side, made[side.name].on, made[side.name].on.books))
        for name, server in servers.items():
            with server.awake():
                server.await_audit()
                warm(
                    load,
                    server,
                    made[name].load,
                    requests=size.accounts,
                    connections=size.connections,
                    seconds=size.warm_seconds,
                )

        def measure(side: Side) -> Rate:
            server = servers[side.name]
            with server.awake():
                seen = load(server.url, server.pid, made[side.name].load, size.connections, size.load_seconds)
            return _rate(side, seen)

        return _in_turn(size, sides, measure)


def _orders_http(size: Size, sides: list[Side], load: Loader) -> list[dict[str, Rate]]:
    """Load servers that were just started on copies of the same books, one at a time."""
    made: dict[str, Orders] = {side.name: _asked(side, "orders_http", size) for side in sides}

    def measure(side: Side) -> Rate:
        requests, books = made[side.name], side.folder / "round"
        shutil.copytree(requests.on.books, books)
        with _serving(side, requests.on, books) as server:
            warm(
                load,
                server,
                requests.keys,
                requests=size.traders,
                connections=size.connections,
                seconds=size.warm_seconds,
            )
            _rate(side, load(server.url, server.pid, requests.warm, size.connections, size.warm_seconds, once=True))
            seen = load(server.url, server.pid, requests.load, size.connections, size.load_seconds, once=True)
        shutil.rmtree(books)
        return _rate(side, seen)

    return _in_turn(size, sides, measure)


def _orders(size: Size, sides: list[Side], load: Loader) -> list[dict[str, Rate]]:  # noqa: ARG001  (one shape for all)
    """Carry out the same commands through either's engine."""
    return _in_turn(size, sides, lambda side: Rate(*_asked(side, "orders", size)))


MEASURES: dict[str, Callable[[Size, list[Side], Loader], list[dict[str, Rate]]]] = {
    "reads": _reads,
    "orders_http": _orders_http,
    "orders": _orders,
}


def _in_turn(size: Size, sides: list[Side], measure: Callable[[Side], Rate]) -> list[dict[str, Rate]]:
    """Measure both in each round; who is first changes, since the second may find the machine warmer, or busier."""
    return [{side.name: measure(side) for side in sides[:: -1 if turn % 2 else 1]} for turn in range(size.pairs)]


def _rate(side: Side, seen: Load) -> Rate:
    if seen.failures:
        raise RunFailed(f"{side.name}: {seen.failures} calls were refused or broke off")
    return Rate(seen.rate, seen.rate / seen.server_busy)


def _figures(rounds: list[dict[str, Rate]]) -> list[Figure]:
    found = [
        Figure(f"{name}: a second", statistics.median(one[name].wall for one in rounds), "1/s")
        for name in ("old", "new")
    ]
    by_wall = [one["new"].wall / one["old"].wall for one in rounds]
    by_time = [one["new"].busy / one["old"].busy for one in rounds]
    return [
        *found,
        Figure("new / old, median of the rounds", statistics.median(by_wall), "", floor=FLOOR),
        Figure("new / old, least and", min(by_wall), ""),
        Figure("most of a round", max(by_wall), ""),
        Figure("new / old, by processor time", statistics.median(by_time), "", floor=FLOOR),
    ]
