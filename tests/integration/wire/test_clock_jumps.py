"""The machine's clock jumps while it serves: back an hour, forward a day. What follows it, and what does not."""

import asyncio
from typing import Any

import pytest

from integration.wire.conftest import HOUSE, OpenWire, Wire
from spotbook.app.bans import restore_list
from spotbook.app.writer import Done
from spotbook.domain import commands as c
from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules, Pacer
from spotbook.domain.window import Limit

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
JUMPS = [-HOUR_MS, DAY_MS]


def story(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with open_wire(**settings) as wire:
            await tell(wire)

    asyncio.run(told())


def deposited(wire: Wire, txid: str) -> Done:
    outcome = wire.parts.engine.execute(c.Deposit(wire.account, "BTC", "1", txid, 0, ""), HOUSE)
    assert isinstance(outcome, Done)
    return outcome


def test_the_journals_time_never_runs_back(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        start = wire.clock.now
        times: list[int] = []
        for at in (0, -HOUR_MS, DAY_MS, 0, DAY_MS + 5):
            wire.clock.now = start + at
            times.append(deposited(wire, f"{len(times)}").batch_time - start)
            await asyncio.sleep(0)
            reply = await wire.ask()
            assert reply.code == "200"
            assert int(reply.headers["x-batch-time"]) - start == times[-1]
            wire.pace.now += 2_001
        # It stands still while the clock is behind it.
        assert times == [0, 0, DAY_MS, DAY_MS, DAY_MS + 5]

    story(open_wire, tell)


@pytest.mark.parametrize("jump", JUMPS)
def test_the_limits_take_no_notice(open_wire: OpenWire, jump: int) -> None:
    """Neither does a jump forward give calls free, nor one back keep a client out for an hour."""

    async def tell(wire: Wire) -> None:
        codes = [(await wire.ask()).code for _ in range(6)]
        assert codes == ["200"] * 5 + [29001]
        wire.clock.now += jump
        assert (await wire.ask()).code == 29001
        wire.pace.now += 2_001
        assert (await wire.ask()).code == "200"

    story(open_wire, tell, limits=LimitRules(ladder=None))


def test_a_key_expires_by_the_clock_of_the_machine(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(expires_at=wire.clock.now + HOUR_MS)
        wire.clock.now -= HOUR_MS
        assert (await wire.ask(key=key, secret=secret)).code == "200"
        wire.clock.now += DAY_MS
        refused = await wire.ask(key=key, secret=secret)
        assert (refused.code, refused.msg) == ("10006", "api_key error: invalid api key")

    story(open_wire, tell)


def test_what_an_expired_key_may_not_write_it_may_not_once_the_clock_is_back(open_wire: OpenWire) -> None:
    """The writer's time is the journal's: what was committed after a key's expiry keeps it expired for every write."""

    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(("read", "trade"), expires_at=wire.clock.now + HOUR_MS)
        order = {"symbol": "BTC_USDT", "orderNumber": "1"}
        before = await wire.ask("cancelOrder", order, key=key, secret=secret)
        assert before.code != "10006"
        wire.clock.now += DAY_MS
        deposited(wire, "later")
        wire.clock.now -= DAY_MS
        after = await wire.ask("cancelOrder", order, key=key, secret=secret)
        assert (after.code, after.msg) == ("10006", "api_key error: invalid api key")

    story(open_wire, tell)


@pytest.mark.parametrize("jump", JUMPS)
def test_bans_stand(open_wire: OpenWire, jump: int) -> None:
    """In the process that gave them they last by a clock that never jumps; a restart measures by the machine's anew."""
    rules = LimitRules(ladder=LadderRules(user_errors_max=1, address_errors_max=1_000))

    async def tell(wire: Wire) -> None:
        for _ in range(9):  # five pass, one warns, one more bans
            await wire.ask()
        wire.clock.now += jump
        banned = await wire.ask()
        assert (banned.code, banned.headers["retry-after"]) == (29001, "30")
        deposited(wire, "later")  # the ban before it is on disk now
        await asyncio.sleep(0)
        kept = restore_list(wire.parts.reader)
        [ban] = [ban for ban in kept if ban.kind == "ban"]
        for now in (ban.began_ms - HOUR_MS, ban.until_ms - 1, ban.until_ms):
            again = Pacer(rules)
            again.restore(kept, now)
            verdict = again.user_call(wire.account, "127.0.0.1", "returnBalances", Limit(5, 2_000), now)
            assert verdict.allowed is (now >= ban.until_ms)
        wire.pace.now += 30_001
        assert (await wire.ask()).code == "200"

    story(open_wire, tell, limits=rules)
