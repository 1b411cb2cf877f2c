"""Calls that wait without a task: begun in a turn of the event loop, and carried on by whoever brings the answer.

A task and a future for each call that waits for the writer are dear beside what else the loop does for it.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
Call = Coroutine[Any, Any, None]


class Calls:
    """Carries calls on, each until it waits for something.

    What waits for a `Wait` stands still until that comes; what waits for anything else goes on in a task. `tasks` keeps
    track of both: who ends the server waits for them, or cancels them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[None]]) -> None:
        self._loop = loop
        self._tasks = tasks

    def carry_on(self, call: Call, came: Any = None) -> None:
        """Carry a call on with what it waited for; None begins it."""
        try:
            waits_for = call.send(came)
        except StopIteration:
            return
        if type(waits_for) is Wait:
            waits_for.hold(self, call)
            self._tasks.add(cast("asyncio.Task[None]", waits_for))
        else:
            task = self._loop.create_task(_rest(call, waits_for))
            task.add_done_callback(self._tasks.discard)
            self._tasks.add(task)

    def end_soon(self, wait: "Wait[Any]", call: Call, msg: Any) -> None:
        """End a call that waited: not before the next turn, since who cancels goes through what is kept track of."""

        def end() -> None:
            self.over(wait)
            self.carry_on(_ending(call, msg))

        self._loop.call_soon(end)

    def over(self, wait: "Wait[Any]") -> None:
        """Keep track of a wait no more."""
        self._tasks.discard(cast("asyncio.Task[None]", wait))


class Wait(Generic[T]):
    """What a call waits for, which is neither a future nor a task. `come` carries the call on, in the loop's thread.

    Only a call that `Calls` carries on can wait for one; no task is the current one then.
    """

    __slots__ = ("_call", "_calls")
    _call: Call | None
    _calls: Calls

    def __await__(self) -> Generator["Wait[T]", T, T]:
        return (yield self)

    def hold(self, calls: Calls, call: Call) -> None:
        """Keep the call that waits."""
        self._calls, self._call = calls, call

    def come(self, what: T) -> None:
        """Carry the call on with what it waited for, unless it was cancelled."""
        call, self._call = self._call, None
        if call is not None:
            self._calls.over(self)
            self._calls.carry_on(call, what)

    def cancel(self, msg: Any = None) -> bool:
        """End the call as a task is ended; return whether it waited still."""
        call, self._call = self._call, None
        if call is None:
            return False
        self._calls.end_soon(self, call, msg)
        return True


@types.coroutine
def _rest(call: Call, waits_for: Any) -> Generator[Any, Any, None]:
    """Carry on with a call that was begun outside a task, and waits for something."""
    try:
        while True:
            try:
                came = yield waits_for
            except BaseException as fault:  # noqa: BLE001  (what is thrown into a task is the call's to deal with)
                waits_for = call.throw(fault)
            else:
                waits_for = call.send(came)
    except StopIteration:
        return


@types.coroutine
def _ending(call: Call, msg: Any) -> Generator[Any, Any, None]:
    """Throw into a call what ends it, and carry on with what it still does."""
    try:
        waits_for = call.throw(asyncio.CancelledError(msg))
    except StopIteration:
        return
    yield from _rest(call, waits_for)
