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
from spotbook.limits import COMMANDS_WAITING_MIN, TURN_MS_TARGET


class _Returns:
    """Brings outcomes to the futures of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ready: deque[tuple[asyncio.Future[Outcome], Outcome]] = deque()
        self._woken = False

    def bring(self, future: asyncio.Future[Outcome], outcome: Outcome) -> None:
        """Called in the writer's thread."""
        self._ready.append((future, outcome))
        if not self._woken:
            self._woken = True
            self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Before the first is taken: what is appended from now on finds either this loop or wakes the next.
        self._woken = False
        while self._ready:
            future, outcome = self._ready.popleft()
            if not future.done():  # who asked may have gone away; what was asked is done all the same
                future.set_result(outcome)


class _Departures:
    """Hands over the commands of one turn of the loop together: alone, the first would become a batch of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: Engine) -> None:
        self._loop = loop
        self._engine = engine
        self._waiting: list[tuple[Submission, bool]] = []

    def put(self, submission: Submission, *, gives_free: bool) -> None:
        """Hand a command over at the end of this turn."""
        if not self._waiting:
            self._loop.call_soon(self._leave)
        self._waiting.append((submission, gives_free))

    @property
    def waiting(self) -> int:
        """How many leave at the end of this turn."""
        return len(self._waiting)

    def _leave(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._engine.submit_all(waiting, lambda submission, busy: submission.answer(NotDone(str(busy))))


class AsyncEngine:
    """An engine whose commands are awaited. Belongs to one loop at a time: the one that first awaits it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._returns: _Returns | None = None
        self._departures: _Departures
        self._turn = 0.0
        self._asked = 0
        self._asked_at = self._began = time.thread_time()
        self._pressed = False

    @property
    def behind(self) -> bool:
        """Whether one command more would wait for long; see `Engine.behind`. Ask once for each.

        A turn in which many asked, and which gave the loop much to do, means that what comes next waits to be read
        before any queue counts it. Then, and in the turn after it, hardly anything is taken in.
        """
        returns = self._returns
        if returns is None:
            return self._engine.behind()
        turn, now = returns.loop.time(), time.thread_time()  # uvloop's time stands still within a turn
        if turn != self._turn:
            self._pressed = self._long(self._asked_at)
            self._turn, self._began, self._asked = turn, self._asked_at, 0
        self._asked, self._asked_at = self._asked + 1, now
        return self._engine.behind(self._departures.waiting, pressed=self._pressed or self._long(now))

    def _long(self, now: float) -> bool:
        """Whether more asked in the turn than should, and the loop's thread worked for longer since the one before."""
        return self._asked > COMMANDS_WAITING_MIN and (now - self._began) * 1_000 > TURN_MS_TARGET

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
        future: asyncio.Future[Outcome] = loop.create_future()
        submission = Submission(command, actor, secrets, lambda outcome: returns.bring(future, outcome))
        self._departures.put(submission, gives_free=gives_free)
        return await future
