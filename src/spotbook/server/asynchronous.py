"""The writer, awaited: commands handed in from an event loop, and their answers brought back to it.

The writer answers a whole batch at once, from its own thread. To wake the loop for each answer would cost more than the
answer, so the first one wakes it and the others are taken along.
"""

import asyncio
import time
from collections import deque

from spotbook.app.engine import Engine
from spotbook.app.ports import SealedSecret
from spotbook.app.writer import NotDone, Outcome, Submission
from spotbook.domain.commands import Command
from spotbook.domain.credentials import Actor
from spotbook.limits import COMMANDS_TOGETHER, PRESSED_GATHER_SECONDS, PRESSED_SECONDS, REFUSALS_SECONDS
from spotbook.server.waiting import Wait

Awaited = Wait[Outcome] | asyncio.Future[Outcome]


class _Returns:
    """Brings outcomes to those who wait for them in one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ready: deque[tuple[Awaited, Outcome]] = deque()
        self._woken = False

    def bring(self, awaited: Awaited, outcome: Outcome) -> None:
        """Called in the writer's thread."""
        self._ready.append((awaited, outcome))
        if not self._woken:
            self._woken = True
            self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Before the first is taken: what is appended from now on finds either this loop or wakes the next.
        self._woken = False
        while self._ready:
            awaited, outcome = self._ready.popleft()
            if isinstance(awaited, Wait):
                awaited.come(outcome)
            elif not awaited.done():  # who asked may have gone away; what was asked is done all the same
                awaited.set_result(outcome)


class _Departures:
    """Hands over together the commands that arrive together: alone, the first would become a batch of its own.

    The answers of a batch leave together, so what their clients ask for next comes within a few turns of the loop. They
    are waited for: a batch costs much whatever is in it, and while the writer decides, the loop and it are in each
    other's way. A turn in which nothing came ends the wait, which costs a lone command some microseconds. In a flood
    there is no such turn, and no processor to spare for many small batches: then they leave together by the clock.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: Engine) -> None:
        self._loop = loop
        self._engine = engine
        self._waiting: list[tuple[Submission, bool]] = []

    def put(self, submission: Submission, *, gives_free: bool, pressed: bool) -> None:
        """Hand a command over once a turn has brought no more, or after a while when there is too much to do."""
        if not self._waiting:
            if pressed:
                self._loop.call_later(PRESSED_GATHER_SECONDS, self._leave, COMMANDS_TOGETHER)
            else:
                self._loop.call_soon(self._leave, 0)
        self._waiting.append((submission, gives_free))

    @property
    def waiting(self) -> int:
        """How many are about to leave."""
        return len(self._waiting)

    def _leave(self, before: int) -> None:
        if before < len(self._waiting) < COMMANDS_TOGETHER:
            self._loop.call_soon(self._leave, len(self._waiting))
            return
        waiting, self._waiting = self._waiting, []
        self._engine.submit_all(waiting, lambda submission, busy: submission.answer(NotDone(str(busy))))


class AsyncEngine:
    """An engine whose commands are awaited. Belongs to one loop at a time: the one that first awaits it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._returns: _Returns | None = None
        self._departures: _Departures
        self._since = time.monotonic()
        self._refused = 0
        self._pressed = False
        self._pressed_until = 0.0

    @property
    def behind(self) -> bool:
        """Whether one command more would wait for long; see `Engine.behind`. Ask once for each.

        When more are sent away than the writer could carry out, to send them away is the greater part of the work.
        Then hardly anything is taken in: whoever waits to be told waits behind what is being carried out.
        """
        now = time.monotonic()
        if now - self._since >= REFUSALS_SECONDS:
            if self._refused > self._engine.pace * (now - self._since):
                self._pressed_until = now + PRESSED_SECONDS
            self._pressed = now < self._pressed_until
            self._since, self._refused = now, 0
        more = self._departures.waiting if self._returns is not None else 0
        behind = self._engine.behind(more, pressed=self._pressed)
        self._refused += behind
        self._engine.turned_away += behind
        return behind

    async def carry_out(
        self,
        command: Command,
        actor: Actor,
        *,
        secrets: tuple[SealedSecret, ...] = (),
        gives_free: bool = False,
    ) -> Outcome:
        """Carry one command out, and return its fate once it is settled. A full queue is NotDone."""
        loop = asyncio.get_running_loop()
        returns = self._returns
        if returns is None or returns.loop is not loop:
            returns = self._returns = _Returns(loop)
            self._departures = _Departures(loop, self._engine)
        # A call that is no task of its own is carried on by `Calls`; who awaits this in a task needs a future.
        awaited: Awaited = Wait() if asyncio.current_task(loop) is None else loop.create_future()
        submission = Submission(command, actor, secrets, lambda outcome: returns.bring(awaited, outcome))
        self._departures.put(submission, gives_free=gives_free, pressed=self._pressed)
        return await awaited
