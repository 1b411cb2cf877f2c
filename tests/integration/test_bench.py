"""The benchmarks at their smallest: they must still run, and measure what they say. No times are looked at."""

import importlib.util
from pathlib import Path
from typing import Any

import httpx2
import pytest
from bench import books, deposits, reads, report, store_reads
from bench.books import ASSETS, HOUSE, SCALE, Submission
from bench.load import Load
from bench.process import FORM
from bench.report import Figure, RunFailed
from bench.sizes import Size

from spotbook.app import journal
from spotbook.app.audit import audit
from spotbook.app.journal import Transaction
from spotbook.domain.amount import show
from spotbook.domain.commands import Command, Deposit, OpenAccount
from spotbook.store.sqlite import SqliteReader, SqliteStore
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
)


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
        books.submit_all(engine, [Submission(command) for command in commands], HOUSE)
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


@pytest.mark.e2e
def test_store_reads_run(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in store_reads.run(SMALLEST, tmp_path)}

    assert figures["sheet: large / small"].value > 0
    assert figures["start to first signed reply"].verdict == "met"
    assert figures["memory then, resident"].value > 1


@pytest.mark.e2e
def test_reads_run_without_wrk_and_fastapi(tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(url: str, _pid: int, bodies: Path, _connections: int, _seconds: int) -> Load:
        for body in bodies.read_text("ascii").splitlines():
            assert httpx2.post(url, content=body, headers=FORM).content.startswith(b'{"code":"200"')
        loaded.append(url)
        return Load(rate=4.0, p50_us=1, p99_us=2, failures=0, server_busy=1.0, load_busy=0.0, others_busy=0.0)

    figures = {figure.name: figure for figure in reads.run(SMALLEST, tmp_path, load=load, fastapi=False)}

    assert len(loaded) == 4  # two servers, each warmed and then measured
    assert figures["spotbook / constant"].value == 1.0


@pytest.mark.e2e
def test_refusals_fail_the_run(tmp_path: Path) -> None:
    def load(*_: Any) -> Load:
        return Load(rate=4.0, p50_us=1, p99_us=2, failures=1, server_busy=1.0, load_busy=0.0, others_busy=0.0)

    with pytest.raises(RunFailed, match="refused"):
        reads.run(SMALLEST, tmp_path, load=load, fastapi=False)


@pytest.mark.e2e
@pytest.mark.skipif(importlib.util.find_spec("fastapi") is None, reason="only `make bench` installs FastAPI")
def test_the_comparator_answers_as_spotbook_does(tmp_path: Path) -> None:
    def load(*_: Any) -> Load:
        return Load(rate=4.0, p50_us=1, p99_us=2, failures=0, server_busy=1.0, load_busy=0.0, others_busy=0.0)

    figures = {figure.name: figure for figure in reads.run(SMALLEST, tmp_path, load=load)}

    assert figures["spotbook / fastapi"].verdict == "missed"  # the load was made up, and the same for both


def test_missing_wrk_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RunFailed, match="apt-get install wrk"):
        reads.run(SMALLEST, tmp_path)


def test_verdicts_and_results(tmp_path: Path) -> None:
    met, missed = Figure("a", 2.0, "1/s", floor=2), Figure("b", 3.0, "s", ceiling=2)

    assert (met.verdict, missed.verdict, Figure("c", 1.0, "").verdict) == ("met", "missed", "")
    assert (met.asked, missed.asked) == ("at least 2", "at most 2")
    assert report.save({"x": [met]}, {}, tmp_path).read_text("utf-8").count('"met"') == 1


def _grown_events(folder: Path) -> list[Any]:
    reader = SqliteReader(folder)
    batches = reader.batches(0, 1_000)
    reader.close()
    return [part for batch in batches for part in journal.read(batch.body)[1] if part.by == "house:bench"]


def _timeless(folder: Path) -> list[Transaction]:
    """Return all transactions with their times set to nothing."""
    times = {"opened_at": 0, "made_at": 0}
    return [
        part._replace(
            events=[event._replace(**{n: v for n, v in times.items() if n in event._fields}) for event in part.events]
        )
        for part in _grown_events(folder)
    ]
