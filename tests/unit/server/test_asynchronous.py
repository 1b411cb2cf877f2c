"""The writer, awaited."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from spotbook.app.engine import Busy, Engine
from spotbook.app.writer import Done, NotDone, Outcome, Submission
from spotbook.domain.commands import OpenAccount
from spotbook.limits import COMMANDS_WAITING_MIN, TURN_MS_TARGET
from spotbook.server.asynchronous import AsyncEngine
from support.commands import HOUSE

OPEN = OpenAccount("a")


class StandIn(Engine):
    """An engine whose answers are given as told, from another thread."""

    def __init__(self) -> None:
        self.answers: list[Callable[[Outcome], None]] = []
        self.handed_over: list[int] = []
        self.busy = False

    def submit_all(
        self, submissions: Iterable[tuple[Submission, bool]], refused: Callable[[Submission, Busy], None]
    ) -> None:
        taken = [submission for submission, _ in submissions]
        self.handed_over.append(len(taken))
        for submission in taken:
            if self.busy:
                refused(submission, Busy("the queue is full"))
            else:
                self.answers.append(submission.answer)

    def answer_all(self) -> None:
        outcomes = [(answer, Done(number, True, 1, 1)) for number, answer in enumerate(self.answers)]
        thread = threading.Thread(target=lambda: [answer(outcome) for answer, outcome in outcomes])
        thread.start()
        thread.join()
        self.answers.clear()


async def handed_over() -> None:
    """Let the tasks ask, and then what they asked for be handed over together."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_what_a_turn_asks_for_is_handed_over_together_and_its_answers_wake_the_loop_once() -> None:
    async def run() -> tuple[list[Outcome], int]:
        engine = StandIn()
        waiting = AsyncEngine(engine)
        tasks = [asyncio.create_task(waiting.carry_out(OPEN, HOUSE)) for _ in range(100)]
        await handed_over()
        assert engine.handed_over == [100]
        loop, woken = asyncio.get_running_loop(), 0
        wake = loop.call_soon_threadsafe

        def counted(*args: Any, **options: Any) -> Any:
            nonlocal woken
            woken += 1
            return wake(*args, **options)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign,assignment]
        engine.answer_all()
        return [await task for task in tasks], woken

    outcomes, woken = asyncio.run(run())
    assert [outcome.result for outcome in outcomes if isinstance(outcome, Done)] == list(range(100))
    assert woken == 1


def test_who_has_gone_away_is_passed_over() -> None:
    async def run() -> list[Any]:
        engine = StandIn()
        waiting = AsyncEngine(engine)
        gone, stays = (asyncio.create_task(waiting.carry_out(OPEN, HOUSE)) for _ in range(2))
        await handed_over()
        gone.cancel()
        await asyncio.sleep(0)
        engine.answer_all()
        return list(await asyncio.gather(gone, stays, return_exceptions=True))

    gone, stays = asyncio.run(run())
    assert isinstance(gone, asyncio.CancelledError)
    assert stays == Done(1, True, 1, 1)


def test_a_full_queue_is_not_done() -> None:
    engine = StandIn()
    engine.busy = True
    assert asyncio.run(AsyncEngine(engine).carry_out(OPEN, HOUSE)) == NotDone("the queue is full")


def test_one_loop_after_another_is_served() -> None:
    engine = StandIn()
    waiting = AsyncEngine(engine)

    async def run() -> Outcome:
        task = asyncio.create_task(waiting.carry_out(OPEN, HOUSE))
        await handed_over()
        engine.answer_all()
        return await task

    assert asyncio.run(run()) == asyncio.run(run())


class Turns:
    """An engine that takes in as many as it is told to be behind by, on a loop whose turns and work are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pressed: list[bool] = []
        self.turn = self.worked = 0.0
        engine = StandIn()
        self.awaited = AsyncEngine(engine)
        monkeypatch.setattr("time.thread_time", lambda: self.worked)
        monkeypatch.setattr(engine, "behind", self._behind)

    def _behind(self, more: int = 0, *, pressed: bool = False) -> bool:
        self.pressed.append(pressed)
        return pressed

    async def begin(self) -> None:
        """Let the first command through, after which the engine knows its loop, whose time is told from then on."""
        task = asyncio.create_task(self.awaited.carry_out(OPEN, HOUSE))
        await handed_over()
        task.cancel()
        assert self.awaited._returns is not None
        self.awaited._returns.loop = cast("asyncio.AbstractEventLoop", SimpleNamespace(time=lambda: self.turn))

    def ask(self, times: int, work_ms: float) -> list[bool]:
        """Ask so often in one turn, in which so much work is done; return who was told that it is pressed."""
        self.turn += 1
        self.pressed.clear()
        for _ in range(times):
            self.worked += work_ms / times / 1_000
            assert self.awaited.behind is self.pressed[-1]
        return list(self.pressed)


def test_a_turn_with_much_to_do_and_the_one_after_it_are_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        turns = Turns(monkeypatch)
        await turns.begin()
        many = 2 * COMMANDS_WAITING_MIN
        assert not any(turns.ask(many, 0.9 * TURN_MS_TARGET))  # many, but soon done
        assert not any(turns.ask(COMMANDS_WAITING_MIN, 9 * TURN_MS_TARGET))  # long, but no more than may always wait
        assert not any(turns.ask(1, 0))
        told = turns.ask(many, 4 * TURN_MS_TARGET)
        assert told == [False] * COMMANDS_WAITING_MIN + [True] * COMMANDS_WAITING_MIN
        assert all(turns.ask(3, 0))  # what is still to be read came meanwhile
        assert not any(turns.ask(3, 0))

    asyncio.run(run())
