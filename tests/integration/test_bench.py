"""The benchmarks at their smallest: they must still run, and measure what they say. No times are looked at."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest
from bench import (
    book_depth,
    books,
    deposits,
    durable,
    open_orders_start,
    orders,
    orders_http,
    overload,
    reads,
    report,
    standing,
    store_reads,
    trading,
    versus,
)
from bench.books import ASSETS, SCALE, Submission
from bench.load import Load, line, put_load
from bench.process import FORM, running
from bench.report import Figure, RunFailed
from bench.sizes import Size

from spotbook.app import journal
from spotbook.app.audit import audit
from spotbook.app.journal import Transaction
from spotbook.app.projection import TABLES
from spotbook.domain.amount import show
from spotbook.domain.commands import Command, Deposit, OpenAccount, PlaceOrder
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import new_master_key

SMALLEST = Size(
    rounds=1,
    accounts=4,
    assets=2,
    connections=1,
    warm_seconds=1,
    load_seconds=1,
    deposits=20,
    few_accounts=3,
    many_accounts=6,
    sheet_reads=5,
    traders=6,
    orders=60,
    http_orders=80,
    levels=8,
    depth_orders=6,
    open_orders=30,
    flood_seconds=1,
    calm_seconds=1,
    pairs=1,
)

ANSWERED = Load(answers=4, rate=4.0, p50_us=1, p99_us=2, failures=0, server_busy=1.0, load_busy=0.0, others_busy=0.0)


def test_grown_books_are_those_that_the_writer_makes(tmp_path: Path) -> None:
    made, grown = tmp_path / "made", tmp_path / "grown"
    for folder in (made, grown):
        books.make(folder, new_master_key(), 2)
    books.grow(grown, 5, 2, accounts_per_batch=2)
    commands: list[Command] = []
    for opened in (part for part in _grown_events(grown) if part.command == "OpenAccount"):
        commands.append(OpenAccount(opened.events[0].name))
        commands += [
            Deposit(event.account, ASSETS[event.asset - 1], show(event.amount, SCALE), event.txid, 0, "")
            for part in _grown_events(grown)
            if part.command == "Deposit" and (event := part.events[-1]).account == opened.events[0].id
        ]
    store = SqliteStore(made)
    with books.engine_on(store) as engine:
        books.submit_all(engine, [Submission(command) for command in commands])
    store.close()

    assert _timeless(grown) == _timeless(made)
    reader = SqliteReader(grown)
    found = audit(reader)
    reader.close()
    assert found.ok, found.findings
    assert found.entries == 5 * 2 * 2


def test_deposits_run(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in deposits.run(SMALLEST, tmp_path)}

    assert figures["durable deposits through the engine"].value > 0
    assert figures["engine / bare"].value > 0


def test_orders_run_and_are_what_was_drawn(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in orders.run(SMALLEST, tmp_path)}

    assert figures["durable orders and cancels through the engine"].value > 0
    assert figures["engine / bare"].value > 0
    assert 0.4 < figures["part that places"].value < 1
    assert figures["fills of one command"].value > 0


def test_the_bare_side_leaves_the_tables_that_the_engine_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: dict[str, dict[str, list[Any]]] = {}
    monkeypatch.setattr("bench.durable.shutil.rmtree", lambda folder: left.setdefault(folder.name, _tables(folder)))
    accounts = trading.make(tmp_path / "base", new_master_key(), 6)
    drawn = trading.draw(tmp_path / "base", accounts, 300, 100)

    seen = durable.measure(tmp_path / "base", tmp_path, drawn.submissions, drawn.warm)

    assert seen.commands == 200
    assert seen.rows["-open_order"] > 0
    assert left["ours"]["candle"]
    assert left["bare"] == left["ours"]


def test_standing_orders_are_those_that_the_writer_makes(tmp_path: Path) -> None:
    made, grown = tmp_path / "made", tmp_path / "grown"
    for folder in (made, grown):
        trading.make(folder, new_master_key(), 3)
    standing.grow(grown, 3, 40, levels=2)
    placed = [part.events[-1] for part in _grown_events(grown) if part.command == "PlaceOrder"]
    symbols = [market.symbol for market in trading.MARKETS]
    store = SqliteStore(made)
    with books.engine_on(store) as engine:
        books.submit_all(
            engine,
            [
                Submission(
                    PlaceOrder(
                        order.account,
                        symbols[order.market - 1],
                        order.side,
                        order.kind,
                        show(order.price, 2),
                        show(order.amount // 100, 6),
                        "",
                        order.out_trade_no,
                    )
                )
                for order in placed
            ],
        )
    store.close()

    assert len(placed) == 40
    assert _orders(grown) == _orders(made)
    reader = SqliteReader(grown)
    found = audit(reader)
    reader.close()
    assert found.ok, found.findings


def test_book_depth_runs(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in book_depth.run(SMALLEST, tmp_path)}

    assert figures["domain: place, 8 levels"].value > 0
    assert figures["writer: cancel, deep / shallow"].value > 0


@pytest.mark.e2e
def test_open_orders_start_runs(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in open_orders_start.run(SMALLEST, tmp_path)}

    assert figures["start to first signed reply"].value > 0
    assert figures["memory then, resident"].value > 1


@pytest.mark.e2e
def test_orders_http_runs_without_wrk_and_fastapi(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in orders_http.run(SMALLEST, tmp_path, load=_each_once, fastapi=False)}

    assert figures["spotbook / constant"].value == 1.0
    assert 0.4 < figures["part that places"].value < 1
    assert figures["part of the placed that is executed"].value > 0


@pytest.mark.e2e
@pytest.mark.skipif(importlib.util.find_spec("fastapi") is None, reason="only `make bench` installs FastAPI")
def test_the_order_endpoint_answers_as_spotbook_does(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in orders_http.run(SMALLEST, tmp_path, load=_each_once)}

    assert figures["spotbook / fastapi"].value == 1.0  # the loads' figures are made up


@pytest.mark.e2e
def test_answers_that_are_not_in_the_books_fail_the_run(tmp_path: Path) -> None:
    def load(*_: Any, **__: Any) -> Load:
        return ANSWERED._replace(answers=1_000)

    with pytest.raises(RunFailed, match="were answered, but"):
        orders_http.run(SMALLEST, tmp_path, load=load, fastapi=False)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.e2e
def test_requests_that_do_not_last_fail_the_run(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.write_text(line("/api/v1/private?command=doTrade", "a=b"), encoding="ascii")
    with running("bench.servers.plain", ["constant"], "a=b") as server:
        assert put_load(server.url, server.pid, prepared, 1, 1).answers > 1
        with pytest.raises(RunFailed, match="more than were prepared"):
            put_load(server.url, server.pid, prepared, 1, 1, once=True)


@pytest.mark.e2e
def test_store_reads_run(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in store_reads.run(SMALLEST, tmp_path)}

    assert figures["sheet: large / small"].value > 0
    assert figures["start to first signed reply"].verdict == "met"
    assert figures["memory then, resident"].value > 1


@pytest.mark.e2e
def test_reads_run_without_wrk_and_fastapi(tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(url: str, pid: int, prepared: Path, connections: int, seconds: int, *, once: bool = False) -> Load:
        loaded.append(url)
        return _each_once(url, pid, prepared, connections, seconds, once=once)

    figures = {figure.name: figure for figure in reads.run(SMALLEST, tmp_path, load=load, fastapi=False)}

    assert len(loaded) == 4  # two servers, each warmed and then measured
    assert figures["spotbook / constant"].value == 1.0


@pytest.mark.e2e
def test_refusals_fail_the_run(tmp_path: Path) -> None:
    def load(*_: Any, **__: Any) -> Load:
        return ANSWERED._replace(failures=1)

    with pytest.raises(RunFailed, match="refused"):
        reads.run(SMALLEST, tmp_path, load=load, fastapi=False)


@pytest.mark.e2e
@pytest.mark.skipif(importlib.util.find_spec("fastapi") is None, reason="only `make bench` installs FastAPI")
def test_the_comparator_answers_as_spotbook_does(tmp_path: Path) -> None:
    def load(*_: Any, **__: Any) -> Load:
        return ANSWERED

    figures = {figure.name: figure for figure in reads.run(SMALLEST, tmp_path, load=load)}

    assert figures["spotbook / fastapi"].verdict == "missed"  # the load was made up, and the same for both


@pytest.mark.e2e
def test_overload_runs(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in overload.run(SMALLEST, tmp_path)}

    assert figures["takes, when each waits for its answer"].value > 0
    assert figures["calm before: accepted writes, p99"].value > 0
    assert figures["flood: part of the cancels done"].verdict == "met"


@pytest.mark.e2e
@pytest.mark.parametrize("what", ["reads", "orders"])
def test_a_commit_is_measured_beside_this_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def cloned(root: Path, commit: str, folder: Path) -> Path:
        shutil.copytree(root / "src", folder / "src")
        return folder / "src"

    monkeypatch.setattr(versus, "_cloned", cloned)
    figures = {figure.name: figure for figure in versus.run(SMALLEST, tmp_path, "old", what, load=_each_once)}

    assert figures["old: a second"].value > 0
    assert figures["new / old, median of the rounds"].value > 0


def test_a_commit_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="nowhere could not be cloned"):
        versus.run(SMALLEST, tmp_path, "nowhere", "orders", root=tmp_path)


@pytest.mark.e2e
def test_a_commit_that_this_bench_cannot_drive_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versus, "_cloned", lambda root, commit, folder: root / "tests")

    with pytest.raises(RunFailed, match="the old commit cannot be measured for orders"):
        versus.run(SMALLEST, tmp_path, "old", "orders")


def test_missing_wrk_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RunFailed, match="apt-get install wrk"):
        reads.run(SMALLEST, tmp_path)


def test_verdicts_and_results(tmp_path: Path) -> None:
    met, missed = Figure("a", 2.0, "1/s", floor=2), Figure("b", 3.0, "s", ceiling=2)

    assert (met.verdict, missed.verdict, Figure("c", 1.0, "").verdict) == ("met", "missed", "")
    assert (met.asked, missed.asked) == ("at least 2", "at most 2")
    assert report.save({"x": [met]}, {}, tmp_path).read_text("utf-8").count('"met"') == 1


def _each_once(url: str, pid: int, prepared: Path, connections: int, seconds: int, *, once: bool = False) -> Load:
    """Send every prepared request once, one by one; the figures are made up, the answers are not."""
    lines = prepared.read_text("ascii").splitlines()
    for one in lines:
        path, _, body = one.partition(" ")
        reply = httpx2.post(url + path, content=body, headers=FORM).content
        assert reply.startswith(b'{"code":"200"'), reply
    return ANSWERED._replace(answers=len(lines))


def _tables(folder: Path) -> dict[str, list[Any]]:
    """Return all rows of all projections."""
    store = SqliteStore(folder)
    rows = {table: store.rows(table) for table in TABLES}
    store.close()
    return rows


def _orders(folder: Path) -> list[Transaction]:
    """Return the transactions that placed orders, with their times set to nothing."""
    return [part for part in _timeless(folder) if part.command == "PlaceOrder"]


def _grown_events(folder: Path) -> list[Any]:
    reader = SqliteReader(folder)
    batches = reader.batches(0, 1_000)
    reader.close()
    return [part for batch in batches for part in journal.read(batch.body)[1] if part.by == "house:bench"]


def _timeless(folder: Path) -> list[Transaction]:
    """Return all transactions with their times set to nothing."""
    times = {"opened_at": 0, "made_at": 0, "placed_at": 0, "changed_at": 0}
    return [
        part._replace(
            events=[event._replace(**{n: v for n, v in times.items() if n in event._fields}) for event in part.events]
        )
        for part in _grown_events(folder)
    ]
