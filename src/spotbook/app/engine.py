"""The engine: one bounded queue before the writer, and the one thread in which it runs.

A command is handed in by `submit`, from any thread, and answered by a call from the writer's thread after its batch is
settled. The queue never grows beyond its bound: what finds it full is told so at once.

How long a command waits follows from how many wait before it, and from how quick the disk and the processor happen to
be. So the engine also learns, batch by batch, how many the writer carries out in the time that a client may be kept
waiting: with more than that on their way it is `behind`, and whoever can be sent away should be, before any work is
spent on them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

from spotbook.app.ports import SealedSecret
from spotbook.app.writer import NotDone, Outcome, Submission, Writer
from spotbook.domain.commands import Command
from spotbook.domain.credentials import Actor
from spotbook.limits import (
    COMMANDS_PRESSED_MAX,
    COMMANDS_WAITING_MIN,
    QUEUE_COMMANDS_MAX,
    QUEUE_RESERVED,
    WAIT_MS_TARGET,
)

PACE_WEIGHT = 0.1
"""What the last batch says of the writer's pace, beside those before it."""

PROBE_SECONDS = 1.0
"""How often a writer that found the disk full tries again."""

Condition = Literal["recovering", "running", "read_only", "draining", "ended"]


_TAKES_NOTHING: frozenset[Condition] = frozenset({"recovering", "ended"})


class Busy(Exception):
    """The command was not taken in: it is certainly not done and may be sent again."""


class Engine:
    """Runs a writer in a thread of its own.

    `make_writer` is called in that thread: it is the recovery. `ended` is called when the thread ends by itself
    because the store broke; the process should end then.
    """

    def __init__(
        self,
        make_writer: Callable[[], Writer],
        *,
        alarm: Callable[[str, BaseException | None], None],
        ended: Callable[[], None] = lambda: None,
        queue_max: int = QUEUE_COMMANDS_MAX,
        reserved: int = QUEUE_RESERVED,
    ) -> None:
        self._make_writer = make_writer
        self._alarm = alarm
        self._ended = ended
        self._queue: deque[Submission] = deque()
        self._queue_max = queue_max
        self._open_max = queue_max - reserved
        self._room = COMMANDS_WAITING_MIN
        self.pace = 0.0
        """Commands a second that the writer carries out while it does nothing else; 0 before it has carried any out."""
        self._more = threading.Condition()
        self._draining = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.condition: Condition = "recovering"
        self._taken_in = 0
        self._answered = 0
        self.batches = 0
        self.commands = 0
        self.turned_away = 0
        """Commands that whoever asks whether it is `behind` did not hand in for that reason; they are counted there."""
        self.recovered = threading.Event()

    def start(self) -> None:
        """Begin to recover, and then to write."""
        self._thread.start()

    def submit(
        self,
        command: Command,
        actor: Actor,
        answer: Callable[[Outcome], None],
        *,
        secrets: tuple[SealedSecret, ...] = (),
        gives_free: bool = False,
    ) -> None:
        """Queue a command; `answer` is called in the writer's thread once its fate is known.

        Raises Busy at once when it is not taken in. `gives_free` marks what only releases funds or lifts a bound: it
        may use the reserved part of the queue.
        """
        with self._more:
            self._take_in(Submission(command, actor, secrets, answer), gives_free=gives_free)

    def submit_all(
        self, submissions: Iterable[tuple[Submission, bool]], refused: Callable[[Submission, Busy], None]
    ) -> None:
        """Queue what has gathered, each with whether it gives free; the writer wakes once, and finds all of it.

        What is not taken in goes to `refused`, at once.
        """
        with self._more:
            for submission, gives_free in submissions:
                try:
                    self._take_in(submission, gives_free=gives_free)
                except Busy as busy:
                    refused(submission, busy)

    def _take_in(self, submission: Submission, *, gives_free: bool) -> None:
        """Put a command into the queue, or raise Busy. Under the lock, so that the writer finds all of what came."""
        if self._draining or self.condition in _TAKES_NOTHING:
            raise Busy(self.condition)
        if len(self._queue) >= (self._queue_max if gives_free else self._open_max):
            raise Busy("the queue is full")
        if not self._queue:
            self._more.notify()
        self._queue.append(submission)
        self._taken_in += 1

    def execute(
        self, command: Command, actor: Actor, *, secrets: tuple[SealedSecret, ...] = (), gives_free: bool = False
    ) -> Outcome:
        """Carry one command out and wait for its fate. For threads that may wait; never the writer's own."""
        done = threading.Event()
        fate: list[Outcome] = []

        def answer(outcome: Outcome) -> None:
            fate.append(outcome)
            done.set()

        try:
            self.submit(command, actor, answer, secrets=secrets, gives_free=gives_free)
        except Busy as busy:
            return NotDone(str(busy))
        done.wait()
        return fate[0]

    @property
    def queued(self) -> int:
        """How many commands wait."""
        return len(self._queue)

    def behind(self, more: int = 0, *, pressed: bool = False) -> bool:
        """Whether more wait for an answer than the writer can be expected to give in `WAIT_MS_TARGET`.

        `more` is how many the caller is about to hand in. The batch under way counts: it takes in what comes while it
        is decided, so that the queue alone may be short. With `pressed`, since whoever asks has too much to do with the
        asking alone, there is hardly any room: the writer leaves the processor to who asks.
        """
        return self._taken_in - self._answered + more >= (COMMANDS_PRESSED_MAX if pressed else self._room)

    def drain(self, timeout_seconds: float | None = None) -> bool:
        """Take no more in, carry out what is queued, end the thread; return whether it ended in time."""
        with self._more:
            self._draining = True
            if self.condition != "ended":
                self.condition = "draining"
            self._more.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        drained = False
        try:
            drained = self._write(self._make_writer())
        except BaseException as fault:  # noqa: BLE001  (whatever it is, nobody may be left waiting)
            self._alarm("the writer's thread ended", fault)
        finally:
            with self._more:
                self.condition = "ended"
                left = list(self._queue)
                self._queue.clear()
            for submission in left:
                self._answer(submission, NotDone("the writer has ended"))
            self.recovered.set()
            if not drained:  # it ended by itself, be it in the middle of a drain
                self._ended()

    def _write(self, writer: Writer) -> bool:
        """Carry batches out until all is drained, which is True, or the store broke, which is False."""
        probed = 0.0
        while writer.condition != "broken":
            with self._more:
                self._show(writer)
                while not self._queue and not self._draining:
                    self._more.wait(PROBE_SECONDS if writer.condition == "read_only" else None)
                    if writer.condition == "read_only":
                        break
                if not self._queue and self._draining:
                    return True
            if writer.condition == "read_only" and time.monotonic() - probed >= PROBE_SECONDS:
                probed = time.monotonic()
                writer.probe()
            if self._queue:
                self._batch(writer)
        return False

    def _show(self, writer: Writer) -> None:
        """Show the writer's condition; under the lock, so that a drain is not overwritten."""
        if not self._draining:
            self.condition = "read_only" if writer.condition == "read_only" else "running"
        self.recovered.set()

    def _batch(self, writer: Writer) -> None:
        if writer.condition != "sound":
            self._answer(self._queue.popleft(), NotDone("the disk is full"))
            return
        # The deque is shared with `submit`, which only appends: taking from its left needs no lock.
        began = time.monotonic()
        answers = writer.carry_out(self._queue)
        self._learn(len(answers), (time.monotonic() - began) * 1_000)
        self.batches += 1
        self.commands += len(answers)
        for submission, outcome in answers:
            self._answer(submission, outcome)
        writer.tidy()

    def _learn(self, commands: int, took_ms: float) -> None:
        """Take from a batch how many may wait.

        One that took too long says how many would not have; one that did not, that twice as many may be tried.
        """
        if took_ms > WAIT_MS_TARGET:
            self._room = max(COMMANDS_WAITING_MIN, int(commands * WAIT_MS_TARGET / took_ms))
        else:
            self._room = max(self._room, 2 * commands)
        self.pace += (commands * 1_000 / max(took_ms, 1.0) - self.pace) * PACE_WEIGHT

    def _answer(self, submission: Submission, outcome: Outcome) -> None:
        self._answered += 1
        try:
            submission.answer(outcome)
        except Exception as fault:  # noqa: BLE001  (one client that is gone must not keep the others waiting)
            self._alarm("an answer could not be delivered", fault)
