"""Both faces: the same calls, the same repeats, no secret anywhere."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from spotbook.client import AsyncClient, Client, ConfigurationError, NetworkError, SpotbookError, Style, Timeout
from spotbook.client._requests import public_request

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

Refuse = Callable[..., httpx2.Response]
FACES = ["sync", "async"]


def call(host: Host, face: str, command: str, **options: Any) -> Any:
    if face == "sync":
        with host.client(**options) as client:
            return client.call(command)

    async def run() -> Any:
        async with host.async_client(**options) as client:
            return await client.call(command)

    return asyncio.run(run())


@pytest.fixture
def good(host: Host) -> Any:
    return host.reactions[0]


@pytest.mark.parametrize("face", FACES)
def test_a_call_gives_the_data(host: Host, face: str) -> None:
    assert call(host, face, "returnCompleteBalances")["CWT"]["available"] == "400"


def test_the_async_face_has_the_same_typed_calls(host: Host) -> None:
    async def run() -> None:
        async with host.async_client() as client:
            assert (await client.complete_balances(min_version=7))["BTC"].available == Decimal("0.0012")
            assert (await client.request("returnCompleteBalances")).version == 7
            host.reactions = [httpx2.Response(200, content=b'{"code":"200","data":{"BTC":"1"}}')]
            assert (await client.balances())["BTC"] == 1

    asyncio.run(run())
    assert host.seen[0].headers["X-Min-Version"] == "7"


def test_both_faces_send_the_same_bytes(host: Host) -> None:
    for face in FACES:
        call(host, face, "returnCompleteBalances")
    first, second = host.seen
    assert (first.url, first.content, first.headers.raw) == (second.url, second.content, second.headers.raw)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        httpx2.Response(200, json={"code": "-200", "msg": "system busy"}),
        httpx2.Response(503, text="busy"),
        httpx2.Response(200, json={"code": 29001, "msg": "API access frequently"}, headers={"Retry-After": "2"}),
    ],
)
def test_a_read_is_repeated_when_asked(host: Host, good: Any, face: str, trouble: Any) -> None:
    host.reactions = [trouble, trouble, good]
    assert call(host, face, "returnCompleteBalances", retries=2)["BTC"]
    assert len(host.seen) == 3
    least = 2.0 if isinstance(trouble, httpx2.Response) and "Retry-After" in trouble.headers else 0.0
    assert len(host.slept) == 2
    for attempt, seconds in enumerate(host.slept):
        assert least <= seconds <= least + 0.1 * 2**attempt


@pytest.mark.parametrize("face", FACES)
def test_repeats_are_capped_and_off_by_default(host: Host, face: str) -> None:
    host.reactions = [httpx2.ConnectError("refused")]
    with pytest.raises(NetworkError):
        call(host, face, "returnCompleteBalances")
    assert len(host.seen) == 1
    with pytest.raises(NetworkError):
        call(host, face, "returnCompleteBalances", retries=10)
    assert len(host.seen) == 12
    assert max(host.slept) <= 5.0


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("command", ["doTrade", "cancelOrder", "cancelAllOrder", "doWithdraw", "subAccount_list"])
def test_a_write_is_never_repeated(host: Host, face: str, command: str) -> None:
    host.reactions = [httpx2.Response(200, json={"code": "-200", "msg": "system busy"})]
    with pytest.raises(SpotbookError):
        call(host, face, command, retries=5)
    host.reactions = [httpx2.ConnectError("refused")]
    with pytest.raises(SpotbookError):
        call(host, face, command, retries=5)
    assert (len(host.seen), host.slept) == (2, [])


@pytest.mark.parametrize(
    ("code", "message"), [("10007", "signature error"), ("-201", "system, outcome unknown"), (29001, "frequently")]
)
def test_a_final_answer_is_not_asked_for_again(host: Host, refuse: Refuse, code: Any, message: str) -> None:
    host.reactions = [refuse(code, message)]
    with pytest.raises(SpotbookError):
        host.client(retries=5).complete_balances()
    assert len(host.seen) == 1


def test_a_ban_is_not_waited_for(host: Host, refuse: Refuse) -> None:
    host.reactions = [refuse(29001, "API access frequently", Retry_After="30")]
    with pytest.raises(SpotbookError):
        host.client(retries=5).complete_balances()
    assert (len(host.seen), host.slept) == (1, [])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("trouble", "kind", "ambiguous"),
    [
        (httpx2.ConnectError("refused"), NetworkError, False),
        (httpx2.ConnectTimeout("slow"), Timeout, False),
        (httpx2.PoolTimeout("full"), Timeout, False),
        (httpx2.ReadTimeout("slow"), Timeout, True),
        (httpx2.WriteTimeout(""), Timeout, True),
        (httpx2.ReadError("cut"), NetworkError, True),
        (httpx2.RemoteProtocolError("cut"), NetworkError, True),
    ],
)
def test_no_answer_says_whether_a_write_may_have_been_done(
    host: Host, face: str, trouble: Exception, kind: type[NetworkError], ambiguous: bool
) -> None:
    host.reactions = [trouble]
    with pytest.raises(kind) as caught:
        call(host, face, "doTrade")
    assert (caught.value.ambiguous, caught.value.command) == (ambiguous, "doTrade")
    assert caught.value.__cause__ is trouble
    with pytest.raises(kind) as caught:
        call(host, face, "returnCompleteBalances")
    assert caught.value.ambiguous is False


def test_an_encoding_that_does_not_hold_is_a_malformed_reply(host: Host) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(b"no gzip"))

    client = Client("k", "s", transport=httpx2.MockTransport(answer))
    with pytest.raises(SpotbookError) as caught:
        client.call("doTrade")
    assert (type(caught.value).__name__, caught.value.ambiguous) == ("MalformedReply", True)


def everything_shown(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines) + repr(error) + str(error) + repr(vars(error))


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("face", FACES)
def test_no_secret_in_logs_reprs_and_errors(  # noqa: PLR0917 (fixtures)
    host: Host, face: str, style: Style, key: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    call(host, face, "returnCompleteBalances", style=style)
    client = host.client(style=style)
    shown = repr(client) + repr(host.async_client(style=style)) + repr(client.request("returnCompleteBalances"))
    shown += repr(client._signer.request("https://h", "returnBalances", {}, None))
    for trouble in (httpx2.ReadTimeout("slow"), httpx2.Response(502, text="x"), httpx2.Response(200, text="{}")):
        host.reactions = [trouble]
        with pytest.raises(SpotbookError) as caught:
            call(host, face, "returnCompleteBalances", style=style)
        shown += everything_shown(caught.value)
    shown += caplog.text
    assert secret not in shown
    assert key not in shown
    assert "66C46B00004301A405E5EB88B15579B0" not in shown


def test_from_env_reads_three_names_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTBOOK_API_KEY", "k")
    monkeypatch.setenv("SPOTBOOK_SECRET_KEY", "s")
    monkeypatch.delenv("SPOTBOOK_URL", raising=False)
    with Client.from_env() as client:
        assert repr(client) == "<Client of http://127.0.0.1:8080>"
    monkeypatch.setenv("SPOTBOOK_URL", "https://example.org")
    with Client.from_env(retries=1, style="helper", timeout=1.0) as client:
        assert repr(client) == "<Client of https://example.org>"
    assert repr(AsyncClient.from_env({"SPOTBOOK_API_KEY": "k", "SPOTBOOK_SECRET_KEY": "s"})).endswith(":8080>")


def test_from_env_names_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="SPOTBOOK_SECRET_KEY"):
        Client.from_env({"SPOTBOOK_API_KEY": "k", "SPOTBOOK_SECRET_KEY": ""})
    with pytest.raises(ConfigurationError, match="SPOTBOOK_API_KEY, SPOTBOOK_SECRET_KEY"):
        AsyncClient.from_env({})


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", ""), ("k\n", "s"), ("k", "\ud800")])
def test_a_client_needs_a_key_and_a_secret(key: str, secret: str) -> None:
    with pytest.raises(ConfigurationError, match="printable"):
        Client(key, secret)


@pytest.mark.parametrize("retries", [-1, 11])
def test_retries_are_bounded(retries: int) -> None:
    with pytest.raises(ConfigurationError, match="retries"):
        Client("k", "s", retries=retries)


def test_a_style_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="carrier pigeon"):
        Client("k", "s", style="carrier pigeon")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Client("k", "s", "http://127.0.0.1:2") as client, pytest.raises(NetworkError) as caught:
        client.complete_balances()
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


def test_a_face_that_forgets_to_tell_the_outcome_is_told_so(host: Host) -> None:
    steps = host.client()._core.converse(public_request("https://h", "timestamp", {}))
    next(steps)
    with pytest.raises(TypeError, match="outcome"):
        next(steps)
