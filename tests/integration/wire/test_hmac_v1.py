"""Calls signed by HMAC, and strict keys, over the wire: what is taken, and every refusal with its code."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest

from integration.wire.conftest import HOUSE, PATH, OpenWire, Reply, Wire
from spotbook.domain import commands as c
from spotbook.domain.credentials import Key
from spotbook.domain.pacing import LimitRules
from spotbook.domain.window import Limit

INVALID_KEY = ("10006", "api_key error: invalid api key")
WRONG_SIGNATURE = ("10007", "signature error")
QUERY = "command=returnCompleteBalances"
FREE = LimitRules(ladder=None, address_per_s=10**9, user_per_s=10**9)
COMMANDS = {"returnCompleteBalances": Limit(10**9, 2_000), "returnBalances": Limit(10**9, 1_000)}


def story(open_wire: OpenWire, tell: Any, *, settled: bool = True, **settings: Any) -> None:
    """Tell a story; unless told otherwise the server has been there for long enough to take calls."""

    async def told() -> None:
        async with open_wire(**{"limits": FREE, "command_limits": COMMANDS, **settings}) as wire:
            if settled:
                pass_by(wire, 10_001)
            await tell(wire)

    asyncio.run(told())


def pass_by(wire: Wire, ms: int) -> None:
    wire.clock.now += ms
    wire.pace.now += ms


def headers(
    wire: Wire,
    query: str = QUERY,
    body: str = "",
    *,
    stamp: int | None = None,
    nonce: str = "nonce-of-16-char",
    key: Key | None = None,
    secret: str | None = None,
    path: str = PATH,
) -> dict[str, str]:
    """Sign a call: written apart from the program's own, on purpose."""
    api_key, timestamp = (key or wire.key).api_key, str(wire.clock.now if stamp is None else stamp)
    digest = hashlib.sha256(body.encode()).hexdigest()
    text = f"v1\nPOST\n{path}\n{query}\n{digest}\n{timestamp}\n{nonce}\n{api_key}"
    return {
        "X-Spotbook-Key": api_key,
        "X-Spotbook-Timestamp": timestamp,
        "X-Spotbook-Nonce": nonce,
        "X-Spotbook-Signature": hmac.new((secret or wire.secret).encode(), text.encode(), hashlib.sha256).hexdigest(),
    }


async def send(
    wire: Wire, query: str = QUERY, body: str = "", *, marks: Mapping[str, str] | None = None, **how: Any
) -> Reply:
    peer = how.pop("peer", "127.0.0.1")
    sent = headers(wire, query, body, **how) if marks is None else marks
    return await wire.call(query, body, headers=sent, peer=peer, path=how.get("path", PATH))


def said(reply: Reply) -> tuple[str, str]:
    assert (reply.status, reply.json["success"]) == (200, False)
    assert "x-books" in reply.headers
    return reply.code, reply.msg


# --- what is taken ------------------------------------------------------------------------------


def test_a_signed_call_needs_no_parameters_and_gets_what_md5_gets(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        reply = await send(wire)
        assert reply.code == "200"
        assert reply.body == (await wire.ask()).body

    story(open_wire, tell)


@pytest.mark.parametrize("path", ["/api/v1/private", "/v1/private"])
def test_parameters_come_in_the_query_or_the_body_and_by_either_path(open_wire: OpenWire, path: str) -> None:
    async def tell(wire: Wire) -> None:
        assert (await send(wire, f"{QUERY}&memo=%20a+b", path=path)).code == "200"
        assert (await send(wire, QUERY, "memo=%20a+b", nonce="another-nonce-16", path=path)).code == "200"

    story(open_wire, tell)


def test_an_api_key_that_comes_along_may_be_the_same(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert (await send(wire, QUERY, f"api_key={wire.key.api_key}&sign={'0' * 32}")).code == "200"

    story(open_wire, tell)


@pytest.mark.parametrize("offset", [-5_000, 0, 5_000])
def test_a_stamp_may_be_five_seconds_off(open_wire: OpenWire, offset: int) -> None:
    async def tell(wire: Wire) -> None:
        assert (await send(wire, stamp=wire.clock.now + offset)).code == "200"

    story(open_wire, tell)


def test_a_write_is_carried_out_once(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        marks = headers(wire, "command=cancelAllOrder")
        assert (await send(wire, "command=cancelAllOrder", marks=marks)).code == "200"
        assert said(await send(wire, "command=cancelAllOrder", marks=marks))[0] == "10007"

    story(open_wire, tell)


def test_two_keys_may_use_one_nonce(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key()
        assert (await send(wire)).code == (await send(wire, key=key, secret=secret)).code == "200"

    story(open_wire, tell)


# --- strict keys --------------------------------------------------------------------------------


def test_a_strict_key_takes_hmac_and_refuses_md5(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(strict=True)
        assert (await send(wire, key=key, secret=secret)).code == "200"
        code, words = said(await wire.ask(key=key, secret=secret))
        assert (code, words) == ("10007", "signature error: this key is strict: sign by HMAC-SHA256, version v1")

    story(open_wire, tell)


def test_that_a_key_is_strict_is_told_only_to_who_can_sign_with_it(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, _ = wire.make_key(strict=True)
        assert said(await wire.ask(key=key)) == WRONG_SIGNATURE
        assert said(await wire.call(QUERY, f"api_key={key.api_key}")) == WRONG_SIGNATURE

    story(open_wire, tell)


# --- every refusal ------------------------------------------------------------------------------


def test_a_replay_is_refused_and_says_why(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        marks = headers(wire)
        assert (await send(wire, marks=marks)).code == "200"
        for peer in ("127.0.0.1", "192.0.2.1"):
            reply = await send(wire, marks=marks, peer=peer)
            assert said(reply) == ("10007", "signature error: the nonce was used before")
            assert "x-account-version" not in reply.headers

    story(open_wire, tell)


@pytest.mark.parametrize(("offset", "side"), [(-5_001, "behind"), (5_001, "ahead of"), (-3_600_000, "behind")])
def test_a_stamp_too_far_off_says_by_how_much(open_wire: OpenWire, offset: int, side: str) -> None:
    async def tell(wire: Wire) -> None:
        reply = await send(wire, stamp=wire.clock.now + offset)
        words = f"signature error: the timestamp is {abs(offset)} ms {side} the server's time"
        assert said(reply) == ("10007", words)

    story(open_wire, tell)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Spotbook-Timestamp", "soon"),
        ("X-Spotbook-Timestamp", None),
        ("X-Spotbook-Nonce", "short"),
        ("X-Spotbook-Nonce", None),
        ("X-Spotbook-Signature", "0" * 63),
        ("X-Spotbook-Signature", None),
    ],
)
def test_a_header_that_is_missing_or_malformed_is_named(open_wire: OpenWire, name: str, value: str | None) -> None:
    async def tell(wire: Wire) -> None:
        marks = {**headers(wire), name: value}
        reply = await send(wire, marks={header: text for header, text in marks.items() if text is not None})
        assert said(reply) == ("10007", f"signature error: {name} is missing or malformed")

    story(open_wire, tell)


def test_a_call_with_any_of_the_headers_is_verified_by_them_alone(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        for name, text in headers(wire).items():
            reply = await wire.call(QUERY, wire.form(), headers={name: text})
            assert reply.code in {"10003", "10006", "10007"}, name

    story(open_wire, tell)


def test_a_header_that_comes_twice_is_refused(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        marks = headers(wire)
        for name in marks:
            doubled = [*marks.items(), (name, marks[name])]
            replies: list[Any] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": b""}

            async def keep(message: Any, replies: list[Any] = replies) -> None:
                replies.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": PATH,
                "query_string": QUERY.encode(),
                "headers": [(header.lower().encode(), text.encode()) for header, text in doubled],
                "client": ("127.0.0.1", 1),
            }
            await wire.app(scope, receive, keep)
            assert (b'"10006"' if name == "X-Spotbook-Key" else b'"10007"') in replies[1]["body"]
        assert (await send(wire, marks=marks)).code == "200"

    story(open_wire, tell)


def test_another_api_key_among_the_parameters_is_refused(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, _ = wire.make_key()
        assert said(await send(wire, QUERY, f"api_key={key.api_key}")) == (
            "10003",
            "parameter error: api_key: is another than in X-Spotbook-Key",
        )

    story(open_wire, tell)


def test_an_unknown_key_and_none(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        for text in ("", "nobody", "caf\xe9"):
            assert said(await send(wire, marks={**headers(wire), "X-Spotbook-Key": text})) == INVALID_KEY

    story(open_wire, tell)


def test_what_was_changed_on_the_way_does_not_verify(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        marks = headers(wire, QUERY, "a=1")
        assert said(await send(wire, "command=cancelAllOrder", "a=1", marks=marks)) == WRONG_SIGNATURE
        assert said(await send(wire, QUERY, "a=2", marks=marks)) == WRONG_SIGNATURE
        assert said(await wire.call(QUERY, "a=1", headers=marks, path="/v1/private")) == WRONG_SIGNATURE
        assert said(await send(wire, QUERY, "a=1", secret="other")) == WRONG_SIGNATURE
        assert (await send(wire, QUERY, "a=1", marks=marks)).code == "200", "and none of them used the nonce up"

    story(open_wire, tell)


@pytest.mark.parametrize("state", ["revoked", "expired", "address"])
def test_a_keys_state_is_told_after_a_right_signature_and_uses_no_nonce(open_wire: OpenWire, state: str) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(
            allow=("127.0.0.0/8",) if state == "address" else (),
            expires_at=wire.clock.now + 1 if state == "expired" else 0,
        )
        if state == "revoked":
            wire.parts.keys.revoke(HOUSE, wire.account, key.api_key, wire.parts.reader)
        wire.clock.now += 1
        await asyncio.sleep(0)
        how: dict[str, Any] = {"key": key, "secret": secret, "peer": "192.0.2.1"}
        assert said(await send(wire, **how)) == INVALID_KEY
        assert said(await send(wire, **{**how, "secret": "other"})) == WRONG_SIGNATURE
        if state == "address":
            assert (await send(wire, **{**how, "peer": "127.0.0.1"})).code == "200"

    story(open_wire, tell)


def test_a_refusal_of_the_limiter_and_of_the_command_come_after(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert (await send(wire, "command=nothing")).code == "10002"
        key, secret = wire.make_key(("trade",))
        await asyncio.sleep(0)  # the loop's reader sees one moment per turn
        assert (await send(wire, key=key, secret=secret)).code == "10004"
        for number in range(6):
            last = await send(wire, nonce=f"nonce-of-16-char{number}")
        assert last.code == 29001

    story(open_wire, tell, command_limits={})


def test_public_calls_ignore_the_headers(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call(
            "command=timestamp", method="GET", path="/api/v1/public", headers={"X-Spotbook-Nonce": "x"}
        )
        assert reply.code == "200"

    story(open_wire, tell)


# --- starts and clocks --------------------------------------------------------------------------


def test_a_restart_opens_no_window(open_wire: OpenWire) -> None:
    marks: list[dict[str, str]] = []

    async def before(wire: Wire) -> None:
        for number, stamp in enumerate((-5_000, 0, 5_000)):
            marks.append(headers(wire, nonce=f"before-the-start-{number}", stamp=wire.clock.now + stamp))
            assert (await send(wire, marks=marks[-1])).code == "200"
        wire.do(c.MakeAsset("LAST", 8, "1"))  # a batch: the clock of the next start may be behind
        marks.append({"api_key": wire.key.api_key, "secret": wire.secret, "account": str(wire.account)})

    async def after(wire: Wire) -> None:
        *calls, who = marks
        started = wire.parts.reader.head().time
        assert wire.clock.now < started
        for ms in (0, 4_999, 5_000, 5_001, 10_001):
            wire.clock.now = started + ms
            for call in calls:
                assert said(await send(wire, marks=call))[0] in {"-200", "10007"}
        wire.secret, wire.account = who["secret"], int(who["account"])
        wire.key = wire.parts.ring.find(who["api_key"]).key  # type: ignore[union-attr]
        assert (await send(wire)).code == "200"

    story(open_wire, before)
    story(open_wire, after, settled=False)


def test_just_after_a_start_a_call_is_told_when_to_come_again(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        pass_by(wire, 1_000)
        reply = await send(wire)
        assert said(reply) == ("-200", "system busy")
        assert reply.headers["retry-after"] == "5"
        assert (await wire.ask()).code == "200", "MD5 knows no time"
        pass_by(wire, 5_000)
        assert (await send(wire)).code == "200"

    story(open_wire, tell, settled=False)


def test_the_time_of_the_last_batch_counts_when_the_clock_is_behind_it(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        wire.do(c.MakeAsset("LAST", 8, "1"))
        await asyncio.sleep(0)
        marks = headers(wire)
        wire.clock.now -= 3_600_000
        assert (await send(wire, marks=marks)).code == "200"
        assert said(await send(wire, nonce="another-nonce-16"))[1].endswith("3600000 ms behind the server's time")

    story(open_wire, tell)


def test_a_key_with_too_many_nonces_waits(open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch) -> None:
    from spotbook.server import authentication

    monkeypatch.setattr(authentication, "Nonces", _few)

    async def tell(wire: Wire) -> None:
        for number in range(3):
            assert (await send(wire, nonce=f"nonce-of-16-char{number}")).code == "200"
        reply = await send(wire, nonce="one-nonce-too-many")
        assert (reply.code, reply.msg, reply.headers["retry-after"]) == (29001, "API access frequently", "6")
        assert said(await send(wire, nonce="nonce-of-16-char0"))[1].endswith("was used before")

    story(open_wire, tell)


def _few(start: int) -> Any:
    from spotbook.domain.nonces import Nonces

    return Nonces(start, most=3)


# --- floods of wrong signatures -----------------------------------------------------------------

ATTACKER = "192.0.2.66"
WRONG = "0" * 32


async def forge(wire: Wire, times: int, *, peer: str = ATTACKER, key: Key | None = None) -> list[Any]:
    body = f"api_key={(key or wire.key).api_key}&sign={WRONG}"
    return [(await wire.call(QUERY, body, peer=peer)).code for _ in range(times)]


def test_wrong_signatures_beyond_so_many_are_refused_to_that_address_only(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert await forge(wire, 25) == ["10007"] * 20 + [29001] * 5
        assert await forge(wire, 1, peer="192.0.2.67") == ["10007"]
        assert (await wire.ask()).code == "200"
        pass_by(wire, 10_001)
        assert await forge(wire, 1) == ["10007"]

    story(open_wire, tell)


def test_so_are_those_of_many_keys_from_one_address(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        keys = [wire.make_key()[0] for _ in range(4)]
        codes = [code for key in keys for code in await forge(wire, 19, key=key)]
        assert codes == ["10007"] * 60 + [29001] * 16

    story(open_wire, tell)


def test_replays_and_stale_stamps_count_as_wrong_signatures(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        marks, late = headers(wire), headers(wire, nonce="another-nonce-16", stamp=wire.clock.now - 5_001)
        await send(wire, marks=marks)
        codes = [(await send(wire, marks=call, peer=ATTACKER)).code for call in (marks, late) * 11]
        assert codes == ["10007"] * 20 + [29001] * 2
        assert (await send(wire, nonce="the-owner-is-here")).code == "200"

    story(open_wire, tell)


def test_a_flood_leads_to_a_ban_of_its_address_and_the_owner_elsewhere_never_notices(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        answered = 0
        for second in range(120):
            answered += (await forge(wire, 100)).count("10007")
            if second % 4 == 0:
                assert (await wire.ask(peer="127.0.0.1")).code == "200"
                assert (await send(wire, nonce=f"the-owner-is-here{second}", peer="127.0.0.1")).code == "200"
            pass_by(wire, 1_000)
        assert answered <= 20 * (120 // 30 + 1)
        assert [(ban.subject.user, ban.subject.address) for ban in wire.parts.pacer.bans(wire.pace.now)] == [
            (None, ATTACKER)
        ]

    story(open_wire, tell, limits=LimitRules())


def test_the_owner_at_the_floods_own_address_is_let_in_until_it_is_banned_and_after(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        await forge(wire, 60)
        assert (await wire.ask(peer=ATTACKER)).code == "200"
        while (await wire.ask(peer=ATTACKER)).code == "200":
            await forge(wire, 50)
            pass_by(wire, 2_000)
        refused = await wire.ask(peer=ATTACKER)
        assert refused.code == 29001
        pass_by(wire, 1_000 * int(refused.headers["retry-after"]))
        assert (await wire.ask(peer=ATTACKER)).code == "200"

    story(open_wire, tell, limits=LimitRules())
