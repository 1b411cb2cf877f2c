"""Calls that wait without a task."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from spotbook.server.waiting import Calls, Wait

Tasks = set[asyncio.Task[None]]


def told(story: Callable[[Calls, Tasks, list[Any]], Coroutine[Any, Any, None]]) -> list[Any]:
    """Tell a story of calls; return what they noted."""
    seen: list[Any] = []

    async def run() -> None:
        tasks: Tasks = set()
        await story(Calls(asyncio.get_running_loop(), tasks), tasks, seen)
        assert not tasks

    asyncio.run(run())
    return seen


def test_a_call_that_waits_is_carried_on_at_once_when_it_comes() -> None:
    async def story(calls: Calls, tasks: Tasks, seen: list[Any]) -> None:
        wait = Wait[str]()

        async def call() -> None:
            seen.append("begun")
            seen.append(await wait)

        calls.carry_on(call())
        assert (seen, len(tasks)) == (["begun"], 1)
        wait.come("answer")

    assert told(story) == ["begun", "answer"]


def test_what_waits_for_anything_else_goes_on_in_a_task_before_and_after_it() -> None:
    async def story(calls: Calls, tasks: Tasks, seen: list[Any]) -> None:
        wait = Wait[str]()

        async def call() -> None:
            seen.append(await wait)
            await asyncio.sleep(0)
            seen.append("slept")

        calls.carry_on(call())
        wait.come("answer")
        assert seen == ["answer"]
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)  # what takes it out of `tasks` is called a turn later

    assert told(story) == ["answer", "slept"]


def test_a_call_that_is_cancelled_learns_of_it_and_may_still_wait() -> None:
    async def story(calls: Calls, tasks: Tasks, seen: list[Any]) -> None:
        wait = Wait[str]()

        async def call() -> None:
            try:
                await wait
            except asyncio.CancelledError as cancelled:
                seen.append(str(cancelled))
                await asyncio.sleep(0)
                seen.append("ended")

        calls.carry_on(call())
        for task in tasks:  # as uvicorn does
            assert task.cancel(msg="too late")
        assert not wait.cancel()
        wait.come("answer")
        for _ in range(4):
            await asyncio.sleep(0)

    assert told(story) == ["too late", "ended"]
