"""Signed trading over HTTP, beside a constant reply and beside a plain order endpoint of FastAPI and SQLAlchemy.

Seven requests in ten are doTrade, each with its own out_trade_no: the orders of a flow as `trading` draws it, some of
which go for what rests. Three are cancelOrder. Connections overtake each other, so the id of an order that is placed
meanwhile cannot be known when requests are prepared: cancelled are orders that were there before, far from where the
others meet. So every request must be accepted, in whatever sequence they come, and one refusal ends the run.

Requests are prepared and signed; none is sent twice. Each round begins with the same books and with a server that has
just been started, then warmed, one server at a time.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import load as loads_
from bench.load import Load, Loader, put_load, wrk_path
from bench.prepared import Prepared, prepare
from bench.process import Server, running
from bench.report import Figure, RunFailed
from bench.sizes import Size
from spotbook.store.file import FILE

FLOOR = 7_000
P99_US_CEILING = 25_000
CONSTANT_FLOOR = 0.13


class Traded(NamedTuple):
    """What one round left in Spotbook's books: orders placed, executed in part or whole, cancelled, and batches."""

    placed: int
    executed: int
    cancelled: int
    batches: int


def run(size: Size, folder: Path, *, load: Loader = put_load, fastapi: bool = True) -> list[Figure]:
    """Prepare books and requests, load the servers in turn; return the figures."""
    if load is put_load:
        wrk_path()  # before any work is done
    prepared = prepare(size, folder, fastapi=fastapi)
    names = ["spotbook", "constant", *(["fastapi"] if fastapi else [])]
    loads: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(size.rounds):
        replies: dict[str, list[bytes]] = {}
        for name in names:
            with _server(name, prepared, folder / "round") as server:
                replies[name] = [server.call(request.body, request.path) for request in prepared.checked[1:]]
                answers, seen = _load(name, server, size, prepared, load)
            loads[name].append(seen)
            if name == "spotbook":
                traded = _traded(folder / "round", prepared, answers)
            shutil.rmtree(folder / "round")
        if fastapi and replies["spotbook"] != replies["fastapi"]:
            raise RunFailed("Spotbook and FastAPI answer the same requests differently")
    return _figures(loads, traded)


@contextmanager
def _server(name: str, prepared: Prepared, folder: Path) -> Iterator[Server]:
    """Lend a server on a copy of the books in `folder`, which stays."""
    environment = {}
    if name == "spotbook":
        shutil.copytree(prepared.books, folder)
        module, arguments = "bench.servers.ours", [str(folder)]
        environment = {"SPOTBOOK_MASTER_KEY": prepared.master_key}
    else:
        folder.mkdir()
        module, arguments = "bench.servers.plain", [name]
        if name == "fastapi":
            shutil.copy(prepared.database, folder)
            arguments = ["fastapi_orders", str(folder / prepared.database.name)]
    first = prepared.checked[0]
    with running(module, arguments, first.body, environment, path=first.path) as server:
        yield server


def _load(name: str, server: Server, size: Size, prepared: Prepared, load: Loader) -> tuple[int, Load]:
    """Warm and load; return how many trading requests were answered in all, and what the load saw."""
    trades = name != "constant"
    if name == "spotbook":
        loads_.warm(
            load,
            server,
            prepared.keys,
            requests=size.traders,
            connections=size.connections,
            seconds=size.warm_seconds,
        )
    warmed = load(server.url, server.pid, prepared.warm, size.connections, size.warm_seconds, once=trades)
    seen = load(server.url, server.pid, prepared.load, size.connections, size.load_seconds, once=trades)
    if failures := warmed.failures + seen.failures:
        raise RunFailed(f"{name}: {failures} calls were refused or broke off")
    return warmed.answers + seen.answers, seen


def _traded(folder: Path, prepared: Prepared, answers: int) -> Traded:
    """Return what the books say was traded; RunFailed when it is less than what was answered."""

    def count(connection: sqlite3.Connection, statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    ours, base = sqlite3.connect(folder / FILE), sqlite3.connect(prepared.books / FILE)
    placed = count(ours, "SELECT count(*) FROM out_trade_no") - prepared.standing
    executed = count(ours, "SELECT count(DISTINCT order_id) FROM fill")
    cancelled = prepared.standing - count(ours, f"SELECT count(*) FROM open_order WHERE id <= {prepared.standing}")
    batches = count(ours, "SELECT number FROM head") - count(base, "SELECT number FROM head")
    ours.close()
    base.close()
    if placed + cancelled < answers:
        raise RunFailed(f"{answers} commands were answered, but {placed + cancelled} are in the books")
    return Traded(placed, executed, cancelled, batches)


def _figures(loads: dict[str, list[Load]], traded: Traded) -> list[Figure]:
    ours = loads["spotbook"]
    found = loads_.figures("spotbook", ours, floor=FLOOR, p99_us_ceiling=P99_US_CEILING)
    others = [name for name in loads if name != "spotbook"]
    for name in others:
        found += loads_.figures(name, loads[name])
    commands = traded.placed + traded.cancelled
    found += [
        Figure("commands in a batch", commands / traded.batches, ""),
        Figure("part that places", traded.placed / commands, ""),
        Figure("part of the placed that is executed", traded.executed / traded.placed, ""),
        Figure(
            "most that others took of the machine", max(one.others_busy for all_ in loads.values() for one in all_), ""
        ),
    ]
    for name in others:
        ratio = loads_.rate_of_processor(ours) / loads_.rate_of_processor(loads[name])
        found.append(Figure(f"spotbook / {name}, by processor time", ratio, ""))
        floor = CONSTANT_FLOOR if name == "constant" else 0
        found.append(Figure(f"spotbook / {name}", loads_.rate(ours) / loads_.rate(loads[name]), "", floor=floor))
    return found
