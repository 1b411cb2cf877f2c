"""The background audit's thread: its share, what it tells, what it survives, how it ends."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from spotbook.app.audit import background
from spotbook.app.audit.background import BackgroundAudit, Progress
from spotbook.app.audit.report import Finding
from spotbook.app.ports import Head, Row
from spotbook.limits import AUDIT_PRESSED_PART
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from support.commands import USER, deposit
from support.trading_story import tell
from support.writers import Desk

Deed = Callable[[], object]


class Ended(Exception):
    """No deed is left: the test is over."""


class Watched:
    """A background audit that runs in the test's own thread. Each pause between rounds does the next of `deeds`."""

    def __init__(self, *deeds: Deed, **options: Any) -> None:
        self.disk = MemoryBooks()
        self.desk = Desk(MemoryStore(self.disk))
        tell(self.desk)
        self.deeds = list(deeds)
        self.found: list[tuple[str, ...]] = []
        self.alarms: list[str] = []
        self.pauses: list[float] = []
        self.shown: list[Progress] = []
        self.make: Callable[[], MemoryReader] = lambda: MemoryReader(self.disk)
        self.audit = BackgroundAudit(
            self._reader,
            found=lambda findings: self.found.append(tuple(one.message for one in findings)),
            alarm=lambda words, _: self.alarms.append(words),
            pause=self._pause,
            **options,
        )

    def _reader(self) -> MemoryReader:
        return self.make()

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if seconds < background.ROUND_PAUSE_SECONDS:  # within a round
            return
        self.shown.append(self.audit.progress)
        if self.deeds:
            self.deeds.pop(0)()
        else:
            self.audit.close()

    def run(self) -> Progress:
        """Audit until no deed is left; return what was shown before the end."""
        self.audit.run()
        assert self.audit.progress.state == "ended"
        return self.shown[-1]

    def tamper(self) -> None:
        row = self.disk.tables["balance"][USER, 1]
        self.disk.tables["balance"][USER, 1] = (*row[:2], int(row[2]) + 1, *row[3:])

    def repair(self) -> None:
        row = self.disk.tables["balance"][USER, 1]
        self.disk.tables["balance"][USER, 1] = (*row[:2], int(row[2]) - 1, *row[3:])

    def nothing(self) -> None:
        """Let a round pass."""


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_it_shows_how_far_it_is(watched: Watched) -> None:
    watched.deeds = [lambda: watched.desk.do(deposit("more"))]
    progress = watched.run()
    assert progress[:4] == ("running", watched.disk.head.number, 2, 0)
    assert progress.round_seconds > 0
    assert (watched.found, watched.alarms) == ([], [])


def test_what_is_found_is_told_in_each_round_and_alarmed_once(watched: Watched) -> None:
    watched.deeds = [watched.tamper, watched.nothing, watched.nothing]
    assert watched.run().findings == 1
    assert [messages[0].startswith("balance account 1001") for messages in watched.found] == [True] * 3
    assert len(watched.alarms) == 1
    assert "the background audit found: balance account 1001" in watched.alarms[0]


def test_what_was_repaired_and_comes_again_is_alarmed_again(watched: Watched) -> None:
    watched.deeds = [watched.tamper, watched.repair, watched.tamper]
    assert watched.run().findings == 1
    assert [progress.findings for progress in watched.shown] == [0, 1, 0, 1]
    assert len(watched.alarms) == 2


def test_it_pauses_for_as_long_as_its_share_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter(range(10**9))
    monkeypatch.setattr("time.thread_time", lambda: next(used) / 512)
    watched = Watched(share=0.25)
    watched.run()
    slices = [pause for pause in watched.pauses if pause < background.ROUND_PAUSE_SECONDS]
    assert slices
    assert slices == [2 / 512 * 3] * len(slices)


def test_it_pauses_for_longer_while_the_writer_is_pressed_and_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter(range(10**9))
    monkeypatch.setattr("time.thread_time", lambda: next(used) / 512)
    watched = Watched(share=0.25, pressed=lambda: True)
    assert watched.run().rounds == 1
    slices = [pause for pause in watched.pauses if pause < background.ROUND_PAUSE_SECONDS]
    assert slices
    assert slices == [2 / 512 * (1 / (0.25 * AUDIT_PRESSED_PART) - 1)] * len(slices)


def test_whether_the_writer_is_pressed_is_asked_anew_for_each_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    used, answers = iter(range(10**9)), itertools.cycle((True, False))
    monkeypatch.setattr("time.thread_time", lambda: next(used) / 512)
    watched = Watched(share=0.5, pressed=lambda: next(answers))
    watched.run()
    assert watched.pauses[:4] == [2 / 512 * 9, 2 / 512, 2 / 512 * 9, 2 / 512]


def test_it_rests_for_longer_when_nothing_was_committed(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as four such rounds took, but never for more than a minute."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    make = watched.make
    took = iter((2.0, 3.0, 2.0, 50.0, 0.1))

    def slow() -> MemoryReader:
        now[0] += next(took)
        return make()

    watched.make = slow
    commit = lambda: watched.desk.do(deposit("tx-late"))  # noqa: E731
    watched.deeds = [watched.nothing, commit, watched.nothing, watched.nothing]
    watched.run()
    rests = [pause for pause in watched.pauses if pause >= background.ROUND_PAUSE_SECONDS]
    assert rests == [1.0, 12.0, 1.0, 60.0, 1.0]


def test_too_many_rows_end_it_and_are_said() -> None:
    watched = Watched(rows_max=5)
    watched.audit.run()
    assert watched.audit.progress.state == "too_large"
    assert len(watched.alarms) == 1
    assert "spotbook audit" in watched.alarms[0]


def test_books_that_cannot_be_opened_for_a_while_are_alarmed_once(watched: Watched) -> None:
    good = watched.make

    def refuse() -> MemoryReader:
        raise OSError("too many open files")

    def mend() -> None:
        watched.make = good

    watched.make = refuse
    watched.deeds = [watched.nothing, watched.nothing, mend, watched.nothing]
    assert watched.run().rounds == 2
    assert watched.alarms == ["the background audit cannot open the books"]
    assert watched.found == []


def test_a_fault_of_the_program_begins_it_anew(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> Any:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr("spotbook.app.audit.totals.steps", fault)
        watched.deeds = [patched.undo, watched.nothing]
        progress = watched.run()
    assert progress.rounds == 2
    assert watched.alarms == ["the background audit begins anew"]
    assert watched.found == []


def test_a_journal_that_went_back_is_told_and_audited_from_its_begin(watched: Watched) -> None:
    def cut() -> None:
        watched.disk.batches.pop()
        watched.disk.head = Head(*watched.disk.batches[-1][:3])

    watched.deeds = [cut, watched.nothing]
    watched.run()
    assert watched.found[0][0].startswith("the journal ends with batch")


def test_other_books_in_the_place_of_these_are_told(watched: Watched) -> None:
    def replace() -> None:
        watched.disk.books = "others"

    watched.deeds = [replace, watched.nothing]
    assert watched.run().rounds == 1
    assert watched.found == [("the file of the books was replaced by other books",)] * 2
    assert len(watched.alarms) == 1


def test_every_reader_is_closed(watched: Watched) -> None:
    opened: list[MemoryReader] = []
    closed: list[MemoryReader] = []

    class Closing(MemoryReader):
        def close(self) -> None:
            closed.append(self)

        def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
            if len(opened) == 2 and table == "fill":
                raise OSError("no")
            return super().page(table, prefix, after, limit)

    def make() -> MemoryReader:
        opened.append(Closing(watched.disk))
        return opened[-1]

    watched.make = make
    watched.deeds = [watched.nothing, watched.nothing]
    watched.run()
    assert len(opened) == 3
    assert closed == opened


def test_it_ends_within_a_step_when_closed() -> None:
    disk = MemoryBooks()
    tell(Desk(MemoryStore(disk)))
    reached, reads = threading.Event(), list[str]()

    class Slow(MemoryReader):
        def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
            reads.append(table)
            reached.set()
            return super().page(table, prefix, after, limit)

    audit = BackgroundAudit(lambda: Slow(disk), found=found_nothing, alarm=lambda *_: None, share=0.1)
    audit.start()
    assert reached.wait(10)
    audit.close()
    assert audit.progress.state == "ended"
    before = len(reads)
    audit.close()
    assert len(reads) == before


def test_it_ends_within_a_step_when_closed_however_long_it_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SLICE_SECONDS", 0.0)
    disk = MemoryBooks()
    tell(Desk(MemoryStore(disk)))
    pausing = threading.Event()

    def pressed() -> bool:
        pausing.set()
        return True

    audit = BackgroundAudit(
        lambda: MemoryReader(disk), found=found_nothing, alarm=lambda *_: None, share=1e-9, pressed=pressed
    )
    audit.start()
    assert pausing.wait(10)
    audit.close()
    assert audit.progress.state == "ended"


def found_nothing(findings: Any) -> None:
    raise AssertionError(findings)


def test_it_can_be_closed_before_it_began() -> None:
    audit = BackgroundAudit(lambda: MemoryReader(MemoryBooks()), found=found_nothing, alarm=lambda *_: None)
    audit.close()
    assert audit.progress.state == "off"


def test_findings_that_it_knows_of_are_bounded(monkeypatch: pytest.MonkeyPatch, watched: Watched) -> None:
    monkeypatch.setattr(background, "AUDIT_FINDINGS_MAX", 2)
    found = [Finding("x", None, None, None, None, str(number)) for number in range(5)]
    watched.audit._report(found)
    assert watched.audit.progress.findings == 2
