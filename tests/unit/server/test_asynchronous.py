"""The writer, awaited."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from spotbook.app.engine import Busy, Engine
from spotbook.app.writer import Done, NotDone, Outcome
from spotbook.domain.commands import OpenAccount
from spotbook.server.asynchronous import AsyncEngine
from support.commands import HOUSE

OPEN = OpenAccount("a")


class StandIn(Engine):
    """An engine whose answers are given as told, from another thread."""

    def __init__(self) -> None:
        self.answers: list[Callable[[Outcome], None]] = []
        self.busy = False

    def submit(self, command: Any, actor: Any, answer: Callable[[Outcome], None], **_: Any) -> None:
        if self.busy:
            raise Busy("the queue is full")
        self.answers.append(answer)

    def answer_all(self) -> None:
        outcomes = [(answer, Done(number, True, 1, 1)) for number, answer in enumerate(self.answers)]
        thread = threading.Thread(target=lambda: [answer(outcome) for answer, outcome in outcomes])
        thread.start()
        thread.join()
        self.answers.clear()


def test_the_answers_of_a_batch_wake_the_loop_once() -> None:
    async def run() -> tuple[list[Outcome], int]:
        engine = StandIn()
        waiting = AsyncEngine(engine)
        tasks = [asyncio.create_task(waiting.carry_out(OPEN, HOUSE)) for _ in range(100)]
        await asyncio.sleep(0)
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
        await asyncio.sleep(0)
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
        await asyncio.sleep(0)
        engine.answer_all()
        return await task

    assert asyncio.run(run()) == asyncio.run(run())
