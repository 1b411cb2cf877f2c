"""Signed complete balances over HTTP, beside a constant reply and beside FastAPI with SQLAlchemy.

The three servers are loaded in turn, each alone on one core, by wrk on another, over the same prepared requests.
"""

import hashlib
import random
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench import books
from bench.books import SignedAccount
from bench.load import Load, Loader, figures, line, put_load, rate, rate_of_processor, warm, wrk_path
from bench.process import CALL, Server, running
from bench.report import Figure, RunFailed
from bench.sizes import Size
from spotbook.store.vault import new_master_key

FLOORS = {"constant": 0.45, "fastapi": 20.0}
"""The least that Spotbook's rate is of another's."""
CHECKED = 20
"""Accounts whose reply is compared, byte for byte, between Spotbook and the comparator."""


def signed_body(account: SignedAccount, params: dict[str, str] | None = None) -> str:
    """Return the form body of a signed call; values are plain ASCII that needs no encoding."""
    given = {"api_key": account.api_key, **(params or {})}
    text = "&".join(f"{name}={given[name]}" for name in sorted(given))
    sign = hashlib.md5(f"{text}&secret_key={account.secret}".encode(), usedforsecurity=False).hexdigest().upper()
    return f"{text}&sign={sign}"


def run(size: Size, folder: Path, *, load: Loader = put_load, fastapi: bool = True) -> list[Figure]:
    """Make the books, run all servers, load them in turn; return the figures."""
    if load is put_load:
        wrk_path()  # before any work is done
    master_key = new_master_key()
    books.make(folder / "books", master_key, size.assets)
    accounts = books.fill(folder / "books", master_key, size.accounts, size.assets)
    bodies = [signed_body(account) for account in random.Random(3).sample(accounts, len(accounts))]
    prepared = folder / "prepared"
    prepared.write_text("".join(line(CALL, body) for body in bodies), encoding="ascii")
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
                    server.await_audit()
                    warm(
                        load,
                        server,
                        prepared,
                        requests=size.accounts,
                        connections=size.connections,
                        seconds=size.warm_seconds,
                    )
                seen = load(server.url, server.pid, prepared, size.connections, size.load_seconds)
            if seen.failures:
                raise RunFailed(f"{name}: {seen.failures} calls were refused or broke off")
            loads[name].append(seen)
    return loads


def _figures(loads: dict[str, list[Load]]) -> list[Figure]:
    found = [figure for name, seen in loads.items() for figure in figures(name, seen)]
    others = max(load.others_busy for seen in loads.values() for load in seen)
    found.append(Figure("most that others took of the machine", others, ""))
    ours = loads["spotbook"]
    for name in [other for other in loads if other != "spotbook"]:
        ratio = rate_of_processor(ours) / rate_of_processor(loads[name])
        found.append(Figure(f"spotbook / {name}, by processor time", ratio, ""))
    for name, floor in FLOORS.items():
        if name in loads:
            found.append(Figure(f"spotbook / {name}", rate(ours) / rate(loads[name]), "", floor=floor))
    return found
