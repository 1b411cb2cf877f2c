"""The limiter as a client meets it."""

import asyncio
from typing import Any

from integration.wire.conftest import OpenWire, Wire
from spotbook.app.bans import restore_list
from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules, Pacer
from spotbook.domain.window import Limit

NO_LADDER = LimitRules(ladder=None)
LIMITED = "API access frequently"


def story(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with open_wire(**settings) as wire:
            await tell(wire)

    asyncio.run(told())


def test_of_forty_calls_at_once_over_two_keys_five_pass(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key()
        calls = [wire.ask() if number % 2 else wire.ask(key=key, secret=secret) for number in range(40)]
        codes = [reply.code for reply in await asyncio.gather(*calls)]
        assert codes.count("200") == 5
        assert codes.count(29001) == 35

    story(open_wire, tell, limits=NO_LADDER)


def test_a_refusal_says_when_to_come_again_and_coming_then_is_admitted(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        for left in (4, 3, 2, 1, 0):
            reply = await wire.ask()
            assert reply.code == "200"
            assert reply.headers["ratelimit-limit"] == "5"
            assert reply.headers["ratelimit-remaining"] == str(left)
            assert reply.headers["ratelimit-reset"] == "2"
        refused = await wire.ask()
        assert (refused.status, refused.code, refused.msg) == (200, 29001, LIMITED)
        assert refused.headers["ratelimit-remaining"] == "0"
        wire.pace.now += 1_000 * int(refused.headers["retry-after"]) + 1
        assert (await wire.ask()).code == "200"

    story(open_wire, tell, limits=NO_LADDER)


def test_two_users_do_not_share_a_window(open_wire: OpenWire) -> None:
    from spotbook.domain import commands as c

    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(account=wire.do(c.OpenAccount("other")).id)
        for _ in range(5):
            assert (await wire.ask()).code == "200"
        assert (await wire.ask()).code == 29001
        assert (await wire.ask(key=key, secret=secret)).code == "200"

    story(open_wire, tell, limits=NO_LADDER)


def test_forged_calls_with_a_users_key_take_nothing_from_it(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        forged = f"api_key={wire.key.api_key}&sign={'0' * 32}"
        codes = [(await wire.call("command=returnCompleteBalances", forged, peer="192.0.2.1")).code for _ in range(500)]
        assert set(codes) == {"10007", 29001}
        assert codes.count("10007") == LimitRules().forgeries_per_key
        reply = await wire.ask(peer="192.0.2.2")
        assert (reply.code, reply.headers["ratelimit-remaining"]) == ("200", "4")

    story(open_wire, tell)


def test_an_address_pays_before_its_form_is_read(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        codes = [(await wire.call("a=1&a=2")).code for _ in range(101)]
        assert codes == ["10003"] * 100 + [29001]

    story(open_wire, tell, limits=NO_LADDER)


def test_the_ladder_bans_stores_the_ban_and_a_restart_keeps_it(open_wire: OpenWire) -> None:
    rules = LimitRules(ladder=LadderRules(user_errors_max=2, address_errors_max=1_000))

    async def tell(wire: Wire) -> None:
        async def refusals(count: int) -> None:
            refused = 0
            while refused < count:
                refused += (await wire.ask()).code == 29001

        await refusals(3)  # warned
        wire.pace.now += 2_001
        reply = await wire.ask()
        assert reply.headers["ratelimit-limit"] == "2"
        await refusals(3)  # banned
        banned = await wire.ask()
        assert (banned.code, banned.headers["retry-after"]) == (29001, "30")
        assert (await wire.ask(peer="192.0.2.2")).code in {"200", 29001}
        wire.parts.engine.execute(*_nothing())  # the queue is in order: the ban before it is on disk now
        await asyncio.sleep(0)  # the loop's reader sees one moment per turn
        kept = restore_list(wire.parts.reader)
        assert [(ban.subject.user, ban.subject.address, ban.kind) for ban in kept] == [
            (wire.account, "127.0.0.1", "ban")
        ]
        again = Pacer(rules)
        again.restore(kept, wire.pace.now)
        verdict = again.user_call(wire.account, "127.0.0.1", "returnCompleteBalances", Limit(5, 2_000), wire.pace.now)
        assert not verdict.allowed
        wire.pace.now += 30_001
        assert (await wire.ask()).headers["ratelimit-limit"] == "2"  # warned anew

    story(open_wire, tell, limits=rules)


def _nothing() -> Any:
    from integration.wire.conftest import HOUSE
    from spotbook.domain.commands import LiftBan

    return LiftBan("address:192.0.2.99", 1), HOUSE


def test_public_calls_are_limited_by_address(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        async def stamp(peer: str = "127.0.0.1") -> Any:
            return await wire.call("command=timestamp&api_key=x&sign=y", method="GET", path="/api/v1/public", peer=peer)

        first = await stamp()
        assert first.json["data"] == wire.clock.now
        assert [(await stamp()).code for _ in range(80)] == ["200"] * 79 + [29001]
        assert (await stamp("192.0.2.2")).code == "200"

    story(open_wire, tell, limits=NO_LADDER)


def test_public_refusals(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call("command=nothing", method="GET", path="/v1/public")
        assert (reply.code, reply.msg) == ("10002", "API does not exist")
        assert (await wire.call("command=timestamp", method="PUT", path="/v1/public")).status == 405
        assert (await wire.call("command=timestamp", path="/v1/public")).code == "200"
        assert (await wire.call("a=1&a=1", path="/v1/public")).code == "10003"

    story(open_wire, tell)


def test_an_operators_limit_for_a_command_holds(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        codes = [(await wire.ask("returnBalances")).code for _ in range(2)]
        assert codes == ["200", 29001]

    story(open_wire, tell, command_limits={"returnBalances": Limit(1, 1_000)})


def test_an_old_name_of_a_command_shares_its_window(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(("read", "trade"))
        names = ["cancelAll", "cancelAllOrder"] * 20
        codes = [(await wire.ask(name, key=key, secret=secret)).code for name in names]
        assert codes == ["200"] * 30 + [29001] * 10

    story(open_wire, tell, limits=NO_LADDER)
