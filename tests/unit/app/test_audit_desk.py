"""The audit's desk: one pass at a time, fresh for whoever asks."""

import threading
from collections.abc import Callable, Iterator

import pytest

from spotbook.app.audit import AuditClosed, AuditDesk, Progress, Report, audit, desk
from spotbook.app.readers import Readers
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.commands import deposit
from support.writers import Desk

SECONDS = 10


class Held:
    """Passes that go on one at a time, as told; `begun` counts them."""

    def __init__(self, run: Callable[..., Report]) -> None:
        self._run = run
        self.begun = 0
        self.go = threading.Semaphore(0)
        self.fault: Exception | None = None

    def __call__(self, reader: object, *, progress: Callable[[Progress], None]) -> Report:
        self.begun += 1
        assert self.go.acquire(timeout=SECONDS)
        if self.fault:
            raise self.fault
        return self._run(reader, progress=progress)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(MemoryBooks())


@pytest.fixture
def books(store: MemoryStore) -> Desk:
    made = Desk(store)
    made.found()
    made.batch(deposit("a"))
    return made


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made = Held(audit)
    monkeypatch.setattr(desk, "audit", made)
    yield made
    made.go.release(100)


def test_who_asks_while_a_pass_runs_gets_the_next(store: MemoryStore, books: Desk, held: Held) -> None:
    audits = AuditDesk(Readers(store.reader))
    first = audits.whole()
    second, third = audits.whole(), audits.soon()
    books.batch(deposit("b"))
    held.go.release()
    first.result(SECONDS)
    held.go.release()
    report = second.result(SECONDS)
    assert report == third.result(SECONDS) == audits.last
    assert (report.entries, report.ok) == (4, True)
    assert held.begun == 2


def test_finished_reports_are_shown_before_they_are_given(store: MemoryStore, books: Desk) -> None:
    shown: list[Report] = []
    audits = AuditDesk(Readers(store.reader), finished=shown.append)
    assert [audits.whole().result(SECONDS)] == shown


def test_large_books_are_not_waited_for(store: MemoryStore, books: Desk) -> None:
    audits = AuditDesk(Readers(store.reader), entries_max=1)
    assert audits.soon().result(SECONDS) is None
    report = audits.whole().result(SECONDS)
    books.batch(deposit("b"))
    assert audits.soon().result(SECONDS) == report
    assert audits.whole().result(SECONDS).entries == 4


def test_a_pass_that_fails_fails_those_who_asked_and_nobody_else(store: MemoryStore, books: Desk, held: Held) -> None:
    failed: list[BaseException] = []
    audits = AuditDesk(Readers(store.reader), failed=failed.append)
    held.fault = RuntimeError("torn")
    held.go.release(2)
    with pytest.raises(RuntimeError, match="torn"):
        audits.whole().result(SECONDS)
    with pytest.raises(RuntimeError, match="torn"):
        audits.soon().result(SECONDS)
    assert len(failed) == 2
    held.fault = None
    held.go.release()
    assert audits.whole().result(SECONDS).ok


def test_a_closed_desk_ends_its_pass(store: MemoryStore, books: Desk, held: Held) -> None:
    failed: list[BaseException] = []
    audits = AuditDesk(Readers(store.reader), failed=failed.append)
    asked = audits.whole()
    audits.close()
    held.go.release()
    with pytest.raises(AuditClosed):
        asked.result(SECONDS)
    assert not failed
