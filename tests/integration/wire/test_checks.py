"""The checks of a private call, each with its code and words, and their sequence: the first that fails answers."""

import asyncio
from typing import Any

import pytest

from integration.wire.conftest import OpenWire, Wire
from spotbook.domain import commands as c
from spotbook.limits import BODY_BYTES_MAX, QUERY_BYTES_MAX

INVALID_KEY = ("10006", "api_key error: invalid api key")
WRONG_SIGNATURE = ("10007", "signature error")


def story(open_wire: OpenWire, tell: Any, **settings: Any) -> None:
    async def told() -> None:
        async with open_wire(**settings) as wire:
            await tell(wire)

    asyncio.run(told())


async def answered(wire: Wire, *args: Any, **how: Any) -> tuple[str, str]:
    reply = await wire.call(*args, **how)
    assert reply.status == 200
    assert (reply.json["success"], reply.json["failed"]) == (False, True)
    assert "data" not in reply.json
    return reply.code, reply.msg


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS", "DELETE"])
def test_only_post_is_taken(open_wire: OpenWire, method: str) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call("command=returnCompleteBalances", method=method)
        assert (reply.status, reply.code, reply.headers["allow"]) == (405, "10003", "POST")

    story(open_wire, tell)


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/private/", "/api/v1/Private", "/admin/v1/accounts"])
def test_other_paths_do_not_exist(open_wire: OpenWire, path: str) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call(path=path)
        assert reply.status == 404
        assert reply.json["code"] == 404
        assert reply.msg == "Requested address does not exist"

    story(open_wire, tell)


def test_the_alias_path_answers_the_same(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert (await wire.ask(path="/v1/private")).body == (await wire.ask()).body

    story(open_wire, tell)


@pytest.mark.parametrize("chunks", [1, 3])
def test_a_body_over_the_limit_is_refused(open_wire: OpenWire, chunks: int) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call("command=x", b"a=" + b"b" * BODY_BYTES_MAX, chunks=chunks)
        assert (reply.status, reply.code) == (413, "10003")

    story(open_wire, tell)


def test_a_query_over_the_limit_is_refused(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call(b"a=" + b"b" * QUERY_BYTES_MAX)
        assert (reply.status, reply.code) == (414, "10003")

    story(open_wire, tell)


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999"])
def test_a_senseless_length_is_refused(open_wire: OpenWire, length: str) -> None:
    async def tell(wire: Wire) -> None:
        reply = await wire.call("command=x", b"a=b", headers={"content-length": length})
        assert (reply.status, reply.code) == (413, "10003")

    story(open_wire, tell)


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("command=x&a=1&a=2", "", "parameter error: a: given twice"),
        ("command=x&a=1", "a=1", "parameter error: a: given twice"),
        ("command=x&command=x", "", "parameter error: command: given twice"),
        ("command=x&a=b%26c", "", "parameter error: a: must be free of &"),
        ("command=x&a=%ff", "", "parameter error: a: must be UTF-8"),
        ("command=x&secret_key=s", "", "parameter error: secret_key: is reserved"),
        ("command=x&" + "&".join(f"p{number}=1" for number in range(1_000)), "", "parameter error: request:"),
    ],
)
def test_a_malformed_form_is_refused_before_the_key_is_looked_at(
    open_wire: OpenWire, query: str, body: str, message: str
) -> None:
    async def tell(wire: Wire) -> None:
        code, words = await answered(wire, query, body)
        assert code == "10003"
        assert words.startswith(message)

    story(open_wire, tell)


@pytest.mark.parametrize("body", ["[1]", '"text"', "{", '{"a":1.5}', '{"a":null}', '{"a":"1","a":"2"}'])
def test_json_that_is_no_object_of_parameters_is_refused(open_wire: OpenWire, body: str) -> None:
    async def tell(wire: Wire) -> None:
        code, _ = await answered(wire, "command=x", body, headers={"content-type": "application/json"})
        assert code == "10003"

    story(open_wire, tell)


def test_missing_and_unknown_keys(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert await answered(wire, "command=returnCompleteBalances") == INVALID_KEY
        assert await answered(wire, "command=returnCompleteBalances", "api_key=&sign=") == INVALID_KEY
        assert await answered(wire, "command=returnCompleteBalances", "api_key=nobody&sign=" + "A" * 32) == INVALID_KEY

    story(open_wire, tell)


@pytest.mark.parametrize("change", [str.lower, lambda sign: sign[:-1], lambda sign: "é" * 32, lambda sign: "0" * 32])
def test_wrong_signatures(open_wire: OpenWire, change: Any) -> None:
    async def tell(wire: Wire) -> None:
        form, _, sign = wire.form().rpartition("sign=")
        assert await answered(wire, "command=returnCompleteBalances", f"{form}sign={change(sign)}") == WRONG_SIGNATURE

    story(open_wire, tell)


def test_a_missing_signature(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        form = f"api_key={wire.key.api_key}"
        assert await answered(wire, "command=returnCompleteBalances", form) == WRONG_SIGNATURE

    story(open_wire, tell)


def test_a_revoked_key_is_told_only_to_who_can_sign(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        assert (await wire.ask()).code == "200"
        wire.parts.keys.revoke(wire_house(), wire.account, wire.key.api_key, wire.parts.reader)
        await asyncio.sleep(0)
        wrong = f"api_key={wire.key.api_key}&sign={'0' * 32}"
        assert await answered(wire, "command=returnCompleteBalances", wrong) == WRONG_SIGNATURE
        assert await answered(wire, "command=returnCompleteBalances", wire.form()) == INVALID_KEY

    story(open_wire, tell)


def wire_house() -> Any:
    from integration.wire.conftest import HOUSE

    return HOUSE


def test_an_expired_key(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(expires_at=wire.clock.now + 1_000)
        wire.clock.now += 999
        assert (await wire.ask(key=key, secret=secret)).code == "200"
        wire.clock.now += 1
        reply = await wire.ask(key=key, secret=secret)
        assert (reply.code, reply.msg) == INVALID_KEY

    story(open_wire, tell)


def test_a_key_is_used_from_its_allow_list_only(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(allow=("10.0.0.0/8", "2001:db8::/32"))
        for peer, code in (("10.1.2.3", "200"), ("::ffff:10.1.2.3", "200"), ("2001:db8::1", "200")):
            assert (await wire.ask(key=key, secret=secret, peer=peer)).code == code
        for peer in ("127.0.0.1", "11.0.0.1", "::1"):
            reply = await wire.ask(key=key, secret=secret, peer=peer)
            assert (reply.code, reply.msg) == INVALID_KEY

    story(open_wire, tell)


def test_a_row_changed_in_the_file_shuts_the_key(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key()
        assert (await wire.ask(key=key, secret=secret)).code == "200"
        wire.store._execute("UPDATE api_key SET permissions = 'read,trade,withdraw' WHERE api_key = ?", (key.api_key,))
        await asyncio.sleep(0)
        reply = await wire.ask(key=key, secret=secret)
        assert (reply.code, reply.msg) == INVALID_KEY
        assert wire.alarms == [f"tampered {key.api_key}"]

    story(open_wire, tell)


def test_unknown_and_missing_commands(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        for query in ("command=nothing", "command=", "", "command=%72%65"):
            reply = await wire.call(query, wire.form())
            assert (reply.code, reply.msg) == ("10002", "API does not exist")
            assert reply.headers["x-account-version"] == "5"

    story(open_wire, tell)


def test_a_key_without_read_may_not_read(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(("trade",))
        reply = await wire.ask(key=key, secret=secret)
        assert (reply.code, reply.msg) == ("10004", "no permission: read")

    story(open_wire, tell)


def test_forwarded_addresses_are_believed_from_trusted_proxies_only(open_wire: OpenWire) -> None:
    from spotbook.settings import Proxy

    async def tell(wire: Wire) -> None:
        key, secret = wire.make_key(allow=("192.0.2.7",))
        named = {"x-forwarded-for": "203.0.113.9, 192.0.2.7, 10.0.0.2"}
        assert (await wire.ask(key=key, secret=secret, peer="10.0.0.1", headers=named)).code == "200"
        assert (await wire.ask(key=key, secret=secret, peer="192.0.2.1", headers=named)).code == "10006"
        forged = {"x-forwarded-for": "192.0.2.7, 203.0.113.9"}
        assert (await wire.ask(key=key, secret=secret, peer="10.0.0.1", headers=forged)).code == "10006"

    story(open_wire, tell, proxy=Proxy(behind=True, trusted=("10.0.0.0/8",)))


def test_a_fault_in_a_call_answers_busy_and_alarms(open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(wire: Wire) -> None:
        monkeypatch.setattr(wire.parts.reader, "sheet", lambda account: 1 / 0)
        reply = await wire.ask()
        assert (reply.status, reply.code, reply.msg) == (200, "-200", "system busy")
        assert "a call of the wire API failed: ZeroDivisionError('division by zero')" in wire.alarms

    story(open_wire, tell)


def test_a_frozen_account_still_reads(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        before = await wire.ask()
        wire.do(c.FreezeAccount(wire.account, frozen=True, reason="asked for"))
        await asyncio.sleep(0)
        assert (await wire.ask()).body == before.body

    story(open_wire, tell)


@pytest.mark.parametrize("command", [c.Halt("a finding"), c.StopWriter("an invariant broke")])
def test_reads_go_on_while_halted_or_stopped(open_wire: OpenWire, command: c.Command) -> None:
    async def tell(wire: Wire) -> None:
        wire.do(command)
        await asyncio.sleep(0)
        assert (await wire.ask()).code == "200"

    story(open_wire, tell)


def test_while_recovering_every_private_call_is_told_to_come_again(open_wire: OpenWire) -> None:
    async def tell(wire: Wire) -> None:
        wire.parts.engine.condition = "recovering"
        reply = await wire.ask()
        assert (reply.status, reply.code, reply.msg) == (200, "-200", "system busy")

    story(open_wire, tell)
