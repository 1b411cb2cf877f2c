"""The engine: one bounded queue, one thread, and an answer for everybody."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from spotbook.app import engine as engine_module
from spotbook.app.engine import Busy, Engine
from spotbook.app.ports import DiskBroken, NoBooks
from spotbook.app.writer import Done, NotDone, Outcome, Refused, Unknown, Writer
from spotbook.domain.commands import OpenAccount
from spotbook.limits import COMMANDS_PRESSED_MAX, COMMANDS_WAITING_MIN, WAIT_MS_TARGET
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.clock import StandingClock
from support.commands import HOUSE
from support.stores import FaultyStore, Odd
from support.writers import kinds

OPEN = OpenAccount("user")
SECONDS_MAX = 60
"""How long a test waits for what must come; it is no measure of anything."""


class Hall:
    """An engine over a store in memory that can be held up at its next commit, and all that was answered."""

    def __init__(self, queue_max: int = 8, reserved: int = 2) -> None:
        self.disk = MemoryBooks()
        self.store = FaultyStore(MemoryStore(self.disk))
        self.alarms: list[str] = []
        self.ended = threading.Event()
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.answers: list[Outcome] = []
        self.engine = Engine(
            self.make_writer, alarm=self.alarm, ended=self.ended.set, queue_max=queue_max, reserved=reserved
        )

    def make_writer(self) -> Writer:
        return Writer(self.store, StandingClock(), alarm=self.alarm)

    def alarm(self, words: str, cause: BaseException | None) -> None:
        self.alarms.append(words)

    def submit(self, count: int = 1, *, gives_free: bool = False) -> None:
        for _ in range(count):
            self.engine.submit(OPEN, HOUSE, self.answers.append, gives_free=gives_free)

    def start(self) -> None:
        self.engine.start()
        assert self.engine.recovered.wait(SECONDS_MAX)

    def hold_up(self) -> None:
        """Let the writer begin one batch of one command, and stand still in its commit."""
        self.store.on_commit = self._stand
        self.submit()
        assert self.held.wait(SECONDS_MAX)

    def _stand(self) -> None:
        self.held.set()
        assert self.go_on.wait(SECONDS_MAX)

    def drain(self) -> None:
        self.go_on.set()
        assert self.engine.drain(SECONDS_MAX)


@contextmanager
def running(hall: Hall) -> Iterator[Hall]:
    hall.start()
    try:
        yield hall
    finally:
        hall.drain()


@pytest.fixture
def hall() -> Iterator[Hall]:
    with running(Hall()) as made:
        yield made


def wait_until(so: Callable[[], bool]) -> None:
    """Return once it is so. Fails after a minute, which is no measure."""
    tick = threading.Event()
    for _ in range(SECONDS_MAX * 200):
        if so():
            return
        tick.wait(0.005)
    raise AssertionError("it never came to be so")


# --- how many may wait --------------------------------------------------------------------------


def test_it_is_behind_when_more_wait_than_always_may_the_batch_under_way_included() -> None:
    hall = Hall(queue_max=1_000)
    hall.start()
    hall.hold_up()
    hall.submit(COMMANDS_WAITING_MIN - 2)
    assert not hall.engine.behind()
    assert hall.engine.behind(1)
    hall.submit()
    assert hall.engine.behind()
    hall.drain()
    assert not hall.engine.behind()


def test_who_was_answered_without_a_batch_waits_no_more() -> None:
    hall = Hall(queue_max=1_000)
    hall.start()
    hall.hold_up()
    hall.submit(COMMANDS_WAITING_MIN)
    hall.store.tidy_fault = DiskBroken("bad sector")
    hall.drain()
    assert len(hall.answers) == COMMANDS_WAITING_MIN + 1
    assert not hall.engine.behind()


@pytest.mark.parametrize(
    ("batches", "room"),
    [
        ([(10, WAIT_MS_TARGET)], COMMANDS_WAITING_MIN),
        ([(100, WAIT_MS_TARGET)], 200),
        ([(100, 1), (50, 1)], 200),
        ([(1_000, 2 * WAIT_MS_TARGET)], 500),
        ([(1_000, WAIT_MS_TARGET), (1_000, 4 * WAIT_MS_TARGET)], 250),
        ([(1_000, WAIT_MS_TARGET), (1, 4 * WAIT_MS_TARGET)], COMMANDS_WAITING_MIN),
    ],
)
def test_how_many_may_wait_follows_from_what_batches_took(
    hall: Hall, batches: list[tuple[int, float]], room: int
) -> None:
    for commands, took_ms in batches:
        hall.engine._learn(commands, took_ms)
    assert not hall.engine.behind(room - 1)
    assert hall.engine.behind(room)
    assert hall.engine.behind(COMMANDS_PRESSED_MAX, pressed=True)
    assert not hall.engine.behind(COMMANDS_PRESSED_MAX - 1, pressed=True)


def test_the_pace_follows_what_batches_did_in_their_time(hall: Hall) -> None:
    assert hall.engine.pace == 0
    for _ in range(200):
        hall.engine._learn(50, 25)
    assert round(hall.engine.pace) == 2_000
    hall.engine._learn(1, 0)  # no more than one in a millisecond is believed
    assert round(hall.engine.pace) == 1_900


# --- answers ------------------------------------------------------------------------------------


def test_a_command_is_carried_out_and_answered(hall: Hall) -> None:
    outcome = hall.engine.execute(OPEN, HOUSE)
    assert isinstance(outcome, Done)
    assert (outcome.batch, outcome.result.id) == (1, 1_001)


def test_a_refusal_is_answered(hall: Hall) -> None:
    assert isinstance(hall.engine.execute(OpenAccount(""), HOUSE), Refused)


def test_no_answer_of_a_batch_leaves_before_its_commit(hall: Hall) -> None:
    order: list[str] = []
    hall.hold_up()
    hall.store.on_commit = lambda: order.append(f"commit {hall.disk.head.number}")
    hall.submit(2)
    hall.engine.submit(OpenAccount(""), HOUSE, lambda _: order.append(f"refused {hall.disk.head.number}"))
    hall.engine.submit(OPEN, HOUSE, lambda _: order.append(f"done {hall.disk.head.number}"))
    hall.drain()
    assert order == ["commit 1", "refused 2", "done 2"]


def test_nothing_of_the_next_batch_is_decided_before_the_fate_of_this_one_is_known(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(3)
    assert (hall.engine.queued, hall.answers) == (3, [])
    hall.drain()
    assert [outcome.batch for outcome in hall.answers if isinstance(outcome, Done)] == [1, 2, 2, 2]


def test_what_gathered_during_a_commit_is_one_batch(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(5)
    hall.drain()
    assert (hall.engine.batches, hall.engine.commands) == (2, 6)


def test_answers_come_in_the_order_of_the_queue(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(5)
    hall.drain()
    assert [outcome.result.id for outcome in hall.answers if isinstance(outcome, Done)] == list(range(1_001, 1_007))


def test_an_answer_that_cannot_be_delivered_keeps_nobody_waiting(hall: Hall) -> None:
    def gone(_: Outcome) -> None:
        raise Odd("the client is gone")

    hall.hold_up()
    hall.engine.submit(OPEN, HOUSE, gone)
    hall.submit()
    hall.drain()
    assert kinds(hall.answers) == ["Done", "Done"]
    assert hall.alarms == ["an answer could not be delivered"]


def test_commands_may_come_from_many_threads(hall: Hall) -> None:
    made: list[int] = []

    def client() -> None:
        for _ in range(20):
            outcome = hall.engine.execute(OPEN, HOUSE)
            while isinstance(outcome, NotDone):
                outcome = hall.engine.execute(OPEN, HOUSE)
            assert isinstance(outcome, Done)
            made.append(outcome.result.id)

    threads = [threading.Thread(target=client) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS_MAX)
    assert sorted(made) == list(range(1_001, 1_201))


# --- the queue's bound --------------------------------------------------------------------------


def test_a_full_queue_says_busy_at_once(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    with pytest.raises(Busy, match="full"):
        hall.submit()
    assert hall.engine.queued == 6


def test_what_was_busy_is_certainly_not_done(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    assert hall.engine.execute(OPEN, HOUSE) == NotDone("the queue is full")
    hall.drain()
    assert len(hall.disk.tables["account"]) == 7


def test_what_gives_free_may_use_the_reserved_part(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.submit(2, gives_free=True)
    hall.drain()
    assert kinds(hall.answers) == ["Done"] * 9


def test_the_reserved_part_has_its_end_too(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.submit(2, gives_free=True)
    with pytest.raises(Busy):
        hall.submit(gives_free=True)


def test_there_is_room_again_once_the_writer_goes_on(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.go_on.set()
    wait_until(lambda: len(hall.answers) == 7)
    assert isinstance(hall.engine.execute(OPEN, HOUSE), Done)


# --- beginning and end --------------------------------------------------------------------------


def test_nothing_is_taken_in_before_the_books_are_recovered() -> None:
    hall = Hall()
    with pytest.raises(Busy, match="recovering"):
        hall.submit()


def test_the_condition_tells_recovering_running_draining_and_ended() -> None:
    hall = Hall()
    seen = [hall.engine.condition]
    hall.start()
    seen.append(hall.engine.condition)
    hall.hold_up()
    assert not hall.engine.drain(0)
    seen.append(hall.engine.condition)
    hall.drain()
    seen.append(hall.engine.condition)
    assert seen == ["recovering", "running", "draining", "ended"]


def test_a_drain_takes_nothing_more_in(hall: Hall) -> None:
    hall.hold_up()
    assert not hall.engine.drain(0)
    with pytest.raises(Busy, match="draining"):
        hall.submit(gives_free=True)


def test_a_drain_answers_everything_that_is_queued(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.drain()
    assert kinds(hall.answers) == ["Done"] * 7
    assert not hall.ended.is_set()


def test_an_engine_that_was_never_started_drains_at_once() -> None:
    assert Hall().engine.drain()


def test_after_the_end_nothing_is_taken_in() -> None:
    hall = Hall()
    hall.start()
    hall.drain()
    assert hall.engine.execute(OPEN, HOUSE) == NotDone("ended")


def test_a_recovery_that_fails_ends_the_engine() -> None:
    hall = Hall()

    def refused() -> Writer:
        raise NoBooks("there are no books")

    hall.engine = Engine(refused, alarm=hall.alarm, ended=hall.ended.set)
    hall.engine.start()
    assert hall.ended.wait(SECONDS_MAX)
    assert hall.engine.condition == "ended"
    assert hall.engine.recovered.is_set()
    assert hall.alarms == ["the writer's thread ended"]


# --- a store that fails -------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["disk broken", "disk broken, batch there", "deposed"])
def test_a_broken_store_leaves_the_batch_unknown_and_ends_the_engine(hall: Hall, fault: str) -> None:
    hall.store.faults.append(fault)  # type: ignore[arg-type]
    assert isinstance(hall.engine.execute(OPEN, HOUSE), Unknown)
    assert hall.ended.wait(SECONDS_MAX)
    assert hall.engine.condition == "ended"


def test_what_is_queued_behind_a_broken_batch_was_not_done(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.store.faults.append("disk broken")
    hall.go_on.set()
    assert hall.ended.wait(SECONDS_MAX)
    assert kinds(hall.answers) == ["Unknown"] + ["NotDone"] * 6


def test_a_disk_that_breaks_while_tidying_ends_the_engine_after_the_answers(hall: Hall) -> None:
    hall.store.tidy_fault = DiskBroken("bad sector")
    assert isinstance(hall.engine.execute(OPEN, HOUSE), Done)
    assert hall.ended.wait(SECONDS_MAX)


def test_a_thread_that_dies_answers_everybody(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.store.tidy_fault = Odd("not a store's error at all")
    hall.go_on.set()
    assert hall.ended.wait(SECONDS_MAX)
    assert kinds(hall.answers) == ["Done"] + ["NotDone"] * 6
    assert hall.alarms == ["the writer's thread ended"]


def test_a_clock_that_fails_ends_the_engine_and_answers_everybody() -> None:
    hall = Hall()

    def broken() -> int:
        raise OSError("no time")

    hall.engine = Engine(lambda: Writer(hall.store, broken, alarm=hall.alarm), alarm=hall.alarm, ended=hall.ended.set)
    hall.start()
    assert hall.engine.execute(OPEN, HOUSE) == NotDone("the writer has ended")


def test_a_commit_that_fails_otherwise_does_not_end_it(hall: Hall) -> None:
    hall.store.faults.extend(["not committed", "unknown, batch not there", "unknown, batch there"])
    assert kinds([hall.engine.execute(OPEN, HOUSE) for _ in range(4)]) == ["NotDone", "NotDone", "Done", "Done"]


# --- a full disk --------------------------------------------------------------------------------


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "PROBE_SECONDS", 0.01)


@pytest.mark.usefixtures("quick_probes")
def test_a_full_disk_makes_it_read_only_until_a_probe_finds_room(hall: Hall) -> None:
    hall.store.full = True
    assert hall.engine.execute(OPEN, HOUSE) == NotDone("the disk is full")
    wait_until(lambda: hall.engine.condition == "read_only")
    assert hall.engine.execute(OPEN, HOUSE) == NotDone("the disk is full")
    hall.store.full = False
    wait_until(lambda: hall.engine.condition == "running")
    assert isinstance(hall.engine.execute(OPEN, HOUSE), Done)


def test_everything_queued_while_it_is_full_is_answered(hall: Hall) -> None:
    hall.hold_up()
    hall.submit(6)
    hall.store.full = True
    hall.drain()
    assert hall.answers == [NotDone("the disk is full")] * 7


def test_it_is_read_only_as_soon_as_the_disk_was_found_full(hall: Hall) -> None:
    """Not only after the next probe: what takes readiness from it must not be told otherwise."""
    hall.store.full = True
    hall.engine.execute(OPEN, HOUSE)
    wait_until(lambda: hall.engine.condition == "read_only")
    assert len(hall.store.commits) == 1


@pytest.mark.usefixtures("quick_probes")
def test_a_probe_that_finds_the_disk_broken_ends_the_engine(hall: Hall) -> None:
    hall.store.full = True
    hall.engine.execute(OPEN, HOUSE)
    hall.store.probe_fault = DiskBroken("bad sector")
    hall.store.full = False
    assert hall.ended.wait(SECONDS_MAX)


def test_a_store_that_breaks_in_the_middle_of_a_drain_is_told(hall: Hall) -> None:
    hall.hold_up()
    hall.store.faults.append("disk broken")
    hall.submit()
    hall.drain()
    assert hall.ended.is_set()
