"""Pacing, on a clock that moves only when something sleeps."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from spotbook.client import LIMITS, Limit, Pacing
from spotbook.client.pacing import OLD_NAMES
from spotbook.wire.coinw.command import PrivateRead, PrivateWrite, PublicRead
from spotbook.wire.coinw.registry import PRIVATE, PUBLIC

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

Refuse = Callable[..., httpx2.Response]


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += max(1, round(seconds * 1_000_000_000))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def most_in_a_window(times_ns: list[int], seconds: int) -> int:
    span = seconds * 1_000_000_000
    return max(sum(start <= time <= start + span for time in times_ns) for start in times_ns)


def run(pacing: Pacing, clock: Clock, command: str, calls: int, latency_seconds: float = 0.0) -> list[int]:
    times = []
    for _ in range(calls):
        while wait := pacing.take(command):
            clock.sleep(wait)
        times.append(clock.now_ns)
        clock.sleep(latency_seconds)
        pacing.answered(command)
    return times


@pytest.mark.parametrize("command", sorted(LIMITS))
def test_never_more_than_the_table_allows_in_any_window(clock: Clock, command: str) -> None:
    limit = LIMITS[command]
    times = run(Pacing(clock_ns=clock), clock, command, limit.calls * 4)
    assert most_in_a_window(times, limit.seconds) == limit.calls


def test_the_table_is_the_contracts() -> None:
    assert LIMITS["returnCompleteBalances"] == Limit(calls=5, seconds=2)
    assert LIMITS["returnBalances"] == Limit(calls=3, seconds=1)
    assert LIMITS["doTrade"] == Limit(calls=30, seconds=2)
    assert LIMITS["returnOrderBook"] == Limit(calls=10, seconds=1)
    assert len(LIMITS) == 32


@pytest.mark.parametrize("command", [*PRIVATE.values(), *PUBLIC.values()], ids=lambda command: command.name)
def test_the_table_is_the_servers(command: PrivateRead | PrivateWrite | PublicRead) -> None:
    limit = LIMITS[OLD_NAMES.get(command.name, command.name)]
    assert (limit.calls, limit.seconds * 1_000) == (command.limit.calls, command.limit.window_ms)


def test_the_first_calls_do_not_wait(clock: Clock) -> None:
    pacing = Pacing(clock_ns=clock)
    assert [pacing.take("returnCompleteBalances") for _ in range(5)] == [0.0] * 5
    assert pacing.take("returnCompleteBalances") > 2.0
    assert pacing.take("returnBalances") == 0.0


def test_a_place_is_held_until_its_window_after_the_answer(clock: Clock) -> None:
    pacing = Pacing({"returnBalances": Limit(1, 1)}, clock_ns=clock)
    assert pacing.take("returnBalances") == 0.0
    clock.sleep(3)  # a slow network: the exchange may count the call only now
    assert pacing.take("returnBalances") > 1.0
    pacing.answered("returnBalances")
    clock.sleep(0.5)
    assert pacing.take("returnBalances") == pytest.approx(0.501)
    clock.sleep(0.501)
    assert pacing.take("returnBalances") == 0.0


def test_all_calls_together_have_a_limit_too(clock: Clock) -> None:
    pacing = Pacing(clock_ns=clock)
    times = run(pacing, clock, "a command of tomorrow", 250)
    assert most_in_a_window(times, 1) == 100


def test_an_old_name_shares_the_window_of_the_new_one(clock: Clock) -> None:
    pacing = Pacing({"returnOrderTrades": Limit(1, 1)}, clock_ns=clock)
    assert pacing.take("getOrder") == 0.0
    assert pacing.take("returnOrderTrades") > 0


@pytest.mark.parametrize(("calls", "seconds"), [(0, 1), (1, 0)])
def test_a_limit_that_would_never_let_anything_pass_is_refused(calls: int, seconds: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        Limit(calls, seconds)


def test_a_client_waits_rather_than_be_refused(host: Host, clock: Clock) -> None:
    times = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        host.slept.append(seconds)

    client = host.client(pacing=Pacing(clock_ns=clock))
    client._sleep = sleep
    for _ in range(12):
        client.complete_balances()
        times.append(clock.now_ns)
    assert most_in_a_window(times, 2) == 5
    assert sum(host.slept) < 4.1


def test_tasks_that_share_a_client_share_its_windows(host: Host, clock: Clock) -> None:
    async def go() -> None:
        client = host.async_client(pacing=Pacing(clock_ns=clock))

        async def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            times.append(clock.now_ns)

        client._sleep = sleep
        await asyncio.gather(*(client.complete_balances() for _ in range(11)))

    times: list[int] = []
    asyncio.run(go())
    assert len(host.seen) == 11
    assert clock.now_ns >= 5_000_000_000 + 2 * 2_000_000_000


def test_a_call_that_failed_gives_its_place_back_in_time(host: Host, clock: Clock) -> None:
    host.reactions = [httpx2.ReadTimeout("slow")]
    client = host.client(pacing=Pacing({"returnBalances": Limit(1, 1)}, clock_ns=clock), retries=2)
    client._sleep = clock.sleep
    with pytest.raises(Exception, match="slow"):
        client.balances()
    assert len(host.seen) == 3
    assert clock.now_ns > 5_000_000_000 + 2 * 1_000_000_000
