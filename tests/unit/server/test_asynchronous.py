"""The writer, awaited."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from spotbook.app.engine import Busy, Engine
from spotbook.app.writer import Done, NotDone, Outcome, Submission
from spotbook.domain.commands import OpenAccount
from spotbook.limits import COMMANDS_TOGETHER, PRESSED_GATHER_SECONDS, PRESSED_SECONDS, REFUSALS_SECONDS
from spotbook.server.asynchronous import AsyncEngine
from support.commands import HOUSE

OPEN = OpenAccount("a")


class StandIn(Engine):
    """An engine whose answers are given as told, from another thread."""

    def __init__(self) -> None:
        self.answers: list[Callable[[Outcome], None]] = []
        self.handed_over: list[int] = []
        self.busy = False
        self.turned_away = 0

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
    """Let the tasks ask, a turn pass in which nothing more comes, and what they asked for be handed over together."""
    for _ in range(3):
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


def test_what_arrives_in_turns_one_after_the_other_is_handed_over_together_up_to_a_bound() -> None:
    async def run(turns: int) -> list[int]:
        engine = StandIn()
        waiting = AsyncEngine(engine)
        tasks = []
        for _ in range(turns):
            tasks.append(asyncio.create_task(waiting.carry_out(OPEN, HOUSE)))
            await asyncio.sleep(0)
        await handed_over()
        engine.answer_all()
        await asyncio.gather(*tasks)
        return engine.handed_over

    assert asyncio.run(run(10)) == [10]
    assert asyncio.run(run(COMMANDS_TOGETHER + 10)) == [COMMANDS_TOGETHER, 10]


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


def test_when_more_are_sent_away_than_could_be_done_hardly_anything_is_taken_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, full, told = 100.0, False, list[bool]()

    def behind(more: int = 0, *, pressed: bool = False) -> bool:
        told.append(pressed)
        return pressed or full

    monkeypatch.setattr("time.monotonic", lambda: now)
    engine = StandIn()
    engine.pace = 1_000.0
    monkeypatch.setattr(engine, "behind", behind)
    awaited = AsyncEngine(engine)
    pace = int(1_000 * REFUSALS_SECONDS)

    def ask(times: int) -> set[bool]:
        """Ask so often in one stretch of time; return what the engine was told."""
        nonlocal now
        told.clear()
        for _ in range(times):
            assert awaited.behind is (told[-1] or full)
        now += 1.001 * REFUSALS_SECONDS
        return set(told)

    assert ask(10 * pace) == {False}  # all were taken in
    assert engine.turned_away == 0
    full = True
    assert ask(pace) == {False}
    assert engine.turned_away == pace
    assert ask(pace + 1) == {False}
    full = False
    assert ask(pace + 1) == {True}  # that many were sent away just before
    windows = 0
    while ask(1) == {True}:  # hardly any more, but the flood may only be halting
        windows += 1
    assert windows == int(PRESSED_SECONDS / REFUSALS_SECONDS)
    assert ask(10 * pace) == {False}


def test_in_a_flood_commands_are_gathered_and_leave_together_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = StandIn()
    awaited = AsyncEngine(engine)
    timers: list[tuple[float, Callable[[int], None], int]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", lambda *timer: timers.append(timer))
        awaited._pressed = True
        tasks = []
        for _ in range(2 * COMMANDS_TOGETHER):
            tasks.append(asyncio.create_task(awaited.carry_out(OPEN, HOUSE)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert engine.handed_over == []
        [(delay, leave, before)] = timers
        assert delay == PRESSED_GATHER_SECONDS
        leave(before)
        assert engine.handed_over == [2 * COMMANDS_TOGETHER]
        engine.answer_all()
        await asyncio.gather(*tasks)

        awaited._pressed = False  # the flood is over: the next leaves by itself
        task = asyncio.create_task(awaited.carry_out(OPEN, HOUSE))
        for _ in range(4):
            await asyncio.sleep(0)
        assert engine.handed_over[1:] == [1]
        engine.answer_all()
        await task

    asyncio.run(run())
    assert len(timers) == 1
