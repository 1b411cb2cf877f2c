"""The official helper's functions send what the documents' own code sends."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from spotbook.client import (
    ConfigurationError,
    MalformedReply,
    NetworkError,
    SpotRestfulPrivate,
    SpotRestfulPublic,
    SpotRestuflPrivate,
    Timeout,
)
from spotbook.client._signing import sign

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

HOST = "http://127.0.0.1:8080"
API = "/api/v1/private?command=returnCompleteBalances"


def test_the_request_is_the_documents(host: Host, key: str, secret: str) -> None:
    params = {"currencyPair": "EOS_USDT", "startAt": "", "endAt": ""}
    reply = SpotRestfulPrivate(HOST, API, "post", key, params, secret, transport=host.transport)
    assert reply["code"] == "200"
    assert list(reply) == ["code", "data", "msg", "success", "failed"]
    (request,) = host.seen
    assert request.method == "POST"
    assert request.content == b""
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Content-Length"] == "0"
    signature = "2F7CBB78F59F7B205EB5C99A11FE7AC6"
    rest = f"&sign={signature}&currencyPair=EOS_USDT&startAt=&endAt=&api_key={key}"
    assert str(request.url) == HOST + API + rest
    assert params == {"currencyPair": "EOS_USDT", "startAt": "", "endAt": ""}


@pytest.mark.parametrize("method", ["POST", "post", "Post"])
def test_the_method_is_taken_in_any_case(host: Host, key: str, secret: str, method: str) -> None:
    SpotRestfulPrivate(HOST, API, method, key, {}, secret, transport=host.transport)
    assert host.seen[0].method == "POST"


def test_values_are_signed_raw_and_sent_form_encoded(host: Host, key: str, secret: str) -> None:
    params = {"memo": "a b+c é", "api_key": "old", "n": 3, "flag": True, "none": None, "amount": Decimal("1E-8")}
    SpotRestfulPrivate(HOST, API, "POST", key, params, secret, transport=host.transport)
    texts = {"memo": "a b+c é", "n": "3", "flag": "True", "none": "None", "amount": "0.00000001"}
    signature = sign({**texts, "api_key": key}, secret)
    rest = f"&sign={signature}&memo=a+b%2Bc+%C3%A9&n=3&flag=True&none=None&amount=0.00000001&api_key={key}"
    assert host.seen[0].url.raw_path.decode() == API + rest


def test_every_valid_vector(host: Host, vectors: Any) -> None:
    for vector in vectors["valid"]:
        arguments = (vector["api_key"], vector["params"], vector["secret_key"])
        SpotRestfulPrivate(HOST, API, "POST", *arguments, transport=host.transport)
        assert f"&sign={vector['sign']}&" in str(host.seen[-1].url), vector["name"]


def test_a_float_is_refused(host: Host, key: str, secret: str) -> None:
    with pytest.raises(TypeError, match="float"):
        SpotRestfulPrivate(HOST, API, "POST", key, {"amount": 0.00001}, secret, transport=host.transport)
    assert host.seen == []


def test_the_misspelt_name_is_the_same_function() -> None:
    assert SpotRestuflPrivate is SpotRestfulPrivate


def test_the_backslash_of_old_samples_goes_encoded(host: Host, key: str, secret: str) -> None:
    SpotRestfulPrivate(
        HOST, r"/api/v1/private?command\=returnBalances", "POST", key, None, secret, transport=host.transport
    )
    assert host.seen[0].url.raw_path.startswith(b"/api/v1/private?command%5C=returnBalances&sign=")


def test_a_refusal_is_returned(host: Host, key: str, secret: str) -> None:
    host.reactions = [httpx2.Response(200, json={"code": "10007", "msg": "signature error"})]
    reply = SpotRestfulPrivate(HOST, API, "POST", key, {}, secret, transport=host.transport)
    assert reply == {"code": "10007", "msg": "signature error"}


def test_numbers_are_exact(host: Host, key: str, secret: str) -> None:
    host.reactions = [httpx2.Response(200, content=b'{"code":"200","data":[{"amount":0.10000000000000000001}]}')]
    reply = SpotRestfulPrivate(HOST, API, "POST", key, {}, secret, transport=host.transport)
    assert reply["data"][0]["amount"] == Decimal("0.10000000000000000001")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_what_is_no_json_object_is_a_malformed_reply(host: Host, key: str, secret: str, body: bytes) -> None:
    host.reactions = [httpx2.Response(502, content=body)]
    with pytest.raises(MalformedReply) as caught:
        SpotRestfulPrivate(HOST, "/api/v1/private?command=doTrade", "POST", key, {}, secret, transport=host.transport)
    assert (caught.value.status, caught.value.ambiguous, caught.value.command) == (502, True, "doTrade")
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("trouble", "kind"), [(httpx2.ReadTimeout("slow"), Timeout), (httpx2.ConnectError("refused"), NetworkError)]
)
def test_no_answer(host: Host, key: str, secret: str, trouble: Exception, kind: type[NetworkError]) -> None:
    host.reactions = [trouble]
    with pytest.raises(kind):
        SpotRestfulPrivate(HOST, API, "POST", key, {}, secret, transport=host.transport)


@pytest.mark.parametrize("wrong", ["127.0.0.1:8080", "", "ftp://host", "http://h:port"])
def test_a_host_has_its_scheme(host: Host, key: str, secret: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="host"):
        SpotRestfulPrivate(wrong, API, "POST", key, {}, secret, transport=host.transport)


def test_public_calls(host: Host) -> None:
    SpotRestfulPublic("/api/v1/public?command=returnOrderBook", {"symbol": "BTC_USDT"}, transport=host.transport)
    SpotRestfulPublic("/api/v1/public?command=returnTicker", host="https://example.org", transport=host.transport)
    first, second = host.seen
    assert (first.method, str(first.url)) == (
        "GET",
        HOST + "/api/v1/public?command=returnOrderBook&symbol=BTC_USDT",
    )
    assert str(second.url) == "https://example.org/api/v1/public?command=returnTicker"


@pytest.mark.parametrize(
    ("params", "ambiguous"), [({"out_trade_no": "a"}, False), ({"out_trade_no": "a", "fence": True}, True)]
)
def test_only_a_fence_makes_a_question_ambiguous(
    host: Host, key: str, secret: str, params: dict[str, object], ambiguous: bool
) -> None:
    host.reactions = [httpx2.ReadTimeout("slow")]
    with pytest.raises(Timeout) as caught:
        SpotRestfulPrivate(
            HOST, "/api/v1/private?command=spotbook.order", "POST", key, params, secret, transport=host.transport
        )
    assert caught.value.ambiguous is ambiguous


def test_a_public_call_is_never_ambiguous(host: Host) -> None:
    host.reactions = [httpx2.ReadTimeout("slow")]
    with pytest.raises(Timeout) as caught:
        SpotRestfulPublic("/api/v1/public?command=timestamp", transport=host.transport)
    assert caught.value.ambiguous is False
