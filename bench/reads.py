"""Signed complete balances over HTTP, beside a constant reply and beside FastAPI with SQLAlchemy.

The three servers are loaded in turn, each alone on one core, by wrk on another, over the same prepared requests.
"""

import hashlib
import random
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench import books
from bench.books import SignedAccount
from bench.load import Load, put_load, wrk_path
from bench.process import CALL, Server, running
from bench.report import Figure, RunFailed
from bench.sizes import Size
from spotbook.store.vault import new_master_key

CONSTANT_FLOOR = 0.45
FASTAPI_FLOOR = 20.0
CHECKED = 20
"""Accounts whose reply is compared, byte for byte, between Spotbook and the comparator."""

Loader = Callable[[str, int, Path, int, int], Load]


def signed_body(account: SignedAccount) -> str:
    """Return the form body of a signed call without parameters."""
    text = f"api_key={account.api_key}&secret_key={account.secret}"
    sign = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()
    return f"api_key={account.api_key}&sign={sign}"


def run(size: Size, folder: Path, *, load: Loader = put_load, fastapi: bool = True) -> list[Figure]:
    """Make the books, run all servers, load them in turn; return the figures."""
    if load is put_load:
        wrk_path()  # before any work is done
    master_key = new_master_key()
    books.make(folder / "books", master_key, size.assets)
    accounts = books.fill(folder / "books", master_key, size.accounts, size.assets)
    bodies = [signed_body(account) for account in random.Random(3).sample(accounts, len(accounts))]
    prepared = folder / "bodies"
    prepared.write_text("\n".join(bodies) + "\n", encoding="ascii")
    with ExitStack() as stack:
        environment = {"SPOTBOOK_MASTER_KEY": master_key}
        servers = {
            "spotbook": stack.enter_context(
                running("bench.servers.ours", [str(folder / "books")], bodies[0], environment)
            ),
            "constant": stack.enter_context(running("bench.servers.plain", ["constant"], bodies[0])),
        }
        if fastapi:
            servers["fastapi"] = stack.enter_context(_fastapi(folder / "fastapi.sqlite3", accounts, bodies))
            _compare(servers["spotbook"], servers["fastapi"], bodies)
        loads = _loads(size, servers, prepared, load)
    return _figures(loads)


def _fastapi(file: Path, accounts: list[SignedAccount], bodies: list[str]) -> AbstractContextManager[Server]:
    from bench.comparators.fastapi_sqlalchemy import write  # noqa: PLC0415  (only `make bench` installs it)

    write(file, accounts)
    return running("bench.servers.plain", ["fastapi", str(file)], bodies[0])


def _compare(ours: Server, other: Server, bodies: list[str]) -> None:
    for body in bodies[:CHECKED]:
        if ours.call(body) != other.call(body):
            raise RunFailed(f"two servers answer differently: {ours.call(body)!r} and {other.call(body)!r}")


def _loads(size: Size, servers: dict[str, Server], prepared: Path, load: Loader) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {name: [] for name in servers}
    for turn in range(size.rounds):
        for name, server in servers.items():
            with server.awake():
                if turn == 0:
                    _warm(size, server, prepared, load)
                seen = load(server.url + CALL, server.pid, prepared, size.connections, size.load_seconds)
            if seen.failures:
                raise RunFailed(f"{name}: {seen.failures} calls were refused or broke off")
            loads[name].append(seen)
    return loads


def _warm(size: Size, server: Server, prepared: Path, load: Loader) -> None:
    """Ask until one run has gone through all accounts: the first call of a key costs more than the later ones."""
    for longer in (1, 2, 4):
        seconds = size.warm_seconds * longer
        if load(server.url + CALL, server.pid, prepared, size.connections, seconds).rate * seconds >= size.accounts:
            return


def _figures(loads: dict[str, list[Load]]) -> list[Figure]:
    rate = {name: statistics.median(load.rate for load in seen) for name, seen in loads.items()}
    per_cpu = {name: statistics.median(load.rate / load.server_busy for load in seen) for name, seen in loads.items()}
    figures = []
    for name, seen in loads.items():
        figures += [
            Figure(f"{name}: replies", rate[name], "1/s"),
            Figure(f"{name}: replies in a second of its processor's time", per_cpu[name], "1/s"),
            Figure(f"{name}: latency p50", statistics.median(load.p50_us for load in seen), "µs"),
            Figure(f"{name}: latency p99", statistics.median(load.p99_us for load in seen), "µs"),
            Figure(f"{name}: its core was busy", statistics.median(load.server_busy for load in seen), ""),
            Figure(f"{name}: the load's core was busy", statistics.median(load.load_busy for load in seen), ""),
        ]
    others = max(load.others_busy for seen in loads.values() for load in seen)
    figures.append(Figure("most that others took of the machine", others, ""))
    for name in rate.keys() - {"spotbook"}:
        figures.append(Figure(f"spotbook / {name}, by processor time", per_cpu["spotbook"] / per_cpu[name], ""))
    figures.append(Figure("spotbook / constant", rate["spotbook"] / rate["constant"], "", floor=CONSTANT_FLOOR))
    if "fastapi" in rate:
        figures.append(Figure("spotbook / fastapi", rate["spotbook"] / rate["fastapi"], "", floor=FASTAPI_FLOOR))
    return figures
