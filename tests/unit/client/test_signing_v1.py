"""Calls signed by HMAC, as the client sends them: what is signed is what leaves, and each attempt is signed anew."""

import asyncio
import hashlib
import hmac
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from spotbook.client import ClockSkew, ConfigurationError, ExchangeBusy, InvalidSignature, Signing, Style
from spotbook.client._signing_v1 import signed_headers, stamp_now

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

NAMES = ("X-Spotbook-Key", "X-Spotbook-Timestamp", "X-Spotbook-Nonce", "X-Spotbook-Signature")
FACES = ["sync", "async"]


def call(host: Host, face: str, command: str, **params: Any) -> Any:
    options = {"signing": "hmac", "retries": params.pop("retries", 0), **params.pop("options", {})}
    if face == "sync":
        return host.client(**options).call(command, **params)
    return asyncio.run(host.async_client(**options).call(command, **params))


def expected(request: httpx2.Request, key: str, secret: str, path: str = "/api/v1/private") -> str:
    """Sign what left: written apart from the client's on purpose."""
    lines = [
        "v1",
        request.method,
        path,
        request.url.raw_path.decode().partition("?")[2],
        hashlib.sha256(request.content).hexdigest(),
        request.headers["X-Spotbook-Timestamp"],
        request.headers["X-Spotbook-Nonce"],
        key,
    ]
    return hmac.new(secret.encode(), "\n".join(lines).encode(), "sha256").hexdigest()


def test_the_headers_of_a_known_call(key: str, secret: str) -> None:
    stamp = (1_790_000_000_000, "Zm9ydHktdHdvIGJ1dHRlcnM")
    headers = signed_headers(
        (key, secret), "POST", "/api/v1/private", b"command=returnCompleteBalances", b"", stamp=stamp
    )
    assert headers == {
        "X-Spotbook-Key": key,
        "X-Spotbook-Timestamp": "1790000000000",
        "X-Spotbook-Nonce": "Zm9ydHktdHdvIGJ1dHRlcnM",
        "X-Spotbook-Signature": "f35300d18144b1fb0b864ee7635d467609b37960b2c4302fafe7cd2ba2226d11",
    }


@pytest.mark.parametrize("face", FACES)
def test_what_leaves_is_signed_and_has_neither_key_nor_signature_in_it(
    host: Host, face: str, key: str, secret: str
) -> None:
    call(host, face, "doTrade", symbol="BTC_USDT", amount=Decimal("1E-8"), memo="a b+é%")
    (request,) = host.seen
    assert request.headers["X-Spotbook-Key"] == key
    assert request.headers["X-Spotbook-Signature"] == expected(request, key, secret)
    assert request.url.raw_path == b"/api/v1/private?command=doTrade"
    assert dict(parse_qsl(request.content.decode())) == {
        "symbol": "BTC_USDT",
        "amount": "0.00000001",
        "memo": "a b+é%",
    }


def test_a_call_without_parameters_and_a_typed_method(host: Host, key: str, secret: str) -> None:
    host.client(signing=Signing.HMAC).complete_balances(min_version=7)
    (request,) = host.seen
    assert (request.content, request.headers["X-Min-Version"]) == (b"", "7")
    assert request.headers["X-Spotbook-Signature"] == expected(request, key, secret)


def test_the_path_is_that_of_the_server_not_of_a_proxy_before_it(host: Host, key: str, secret: str) -> None:
    host.client(signing="hmac", base_url="https://h/spot").call("returnBalances")
    (request,) = host.seen
    assert request.url.path == "/spot/api/v1/private"
    assert request.headers["X-Spotbook-Signature"] == expected(request, key, secret)


@pytest.mark.parametrize("face", FACES)
def test_each_attempt_has_a_nonce_and_a_signature_of_its_own(host: Host, face: str, key: str, secret: str) -> None:
    host.reactions = [httpx2.ReadTimeout("slow"), httpx2.ReadTimeout("slow"), *host.reactions]
    call(host, face, "returnCompleteBalances", retries=2)
    assert len({request.headers["X-Spotbook-Nonce"] for request in host.seen}) == 3
    for request in host.seen:
        assert request.headers["X-Spotbook-Signature"] == expected(request, key, secret)


def test_a_nonce_is_of_the_form_and_never_the_same() -> None:
    nonces = {stamp_now()[1] for _ in range(1_000)}
    assert len(nonces) == 1_000
    assert all(re.fullmatch("[A-Za-z0-9_-]{16,64}", nonce) for nonce in nonces)


def test_the_default_is_md5_and_sends_none_of_the_headers(host: Host) -> None:
    host.client().call("returnBalances")
    assert not set(NAMES) & set(host.seen[0].headers)
    assert "sign=" in host.seen[0].content.decode()


def test_from_env_takes_it_too(key: str, secret: str) -> None:
    from spotbook.client import AsyncClient, Client

    environ = {"SPOTBOOK_API_KEY": key, "SPOTBOOK_SECRET_KEY": secret}
    for kind in (Client, AsyncClient):
        made: Any = kind.from_env(environ, signing="hmac")
        request = made._signer.request("https://h", "returnBalances", {}, None)
        assert "X-Spotbook-Signature" in made._core.http(request).headers
        assert secret not in repr(request) + repr(made)


@pytest.mark.parametrize("style", [style for style in Style if style is not Style.FORM])
def test_the_other_styles_put_a_signature_into_the_url_and_go_with_md5_only(host: Host, style: Style) -> None:
    with pytest.raises(ConfigurationError, match="form"):
        host.client(signing="hmac", style=style)


def test_another_signing_is_none(host: Host) -> None:
    with pytest.raises(ValueError, match="sha1"):
        host.client(signing="sha1")


def test_a_clock_that_is_off_is_told_as_such(host: Host, refuse: Any) -> None:
    host.reactions = [refuse("10007", "signature error: the timestamp is 7200000 ms behind the server's time")]
    with pytest.raises(ClockSkew, match="7200000 ms behind the server's time"):
        call(host, "sync", "returnBalances", retries=3)
    assert len(host.seen) == 1, "to repeat it would not help"


@pytest.mark.parametrize("words", ["signature error", "signature error: the nonce was used before"])
def test_other_wrong_signatures_are_no_matter_of_the_clock(host: Host, refuse: Any, words: str) -> None:
    host.reactions = [refuse("10007", words)]
    with pytest.raises(InvalidSignature) as caught:
        call(host, "sync", "returnBalances")
    assert type(caught.value) is InvalidSignature


@pytest.mark.parametrize("face", FACES)
def test_a_busy_server_that_says_when_to_come_again_is_waited_for(host: Host, refuse: Any, face: str) -> None:
    host.reactions = [refuse("-200", "system busy", Retry_After="4"), *host.reactions]
    call(host, face, "returnCompleteBalances", retries=1)
    assert len(host.seen) == 2
    assert 4 <= host.slept[0] <= 4.1


def test_how_long_a_busy_server_asks_to_wait_can_be_read(host: Host, refuse: Any) -> None:
    for headers, wait in (({"Retry_After": "4"}, 4.0), ({}, None)):
        host.reactions = [refuse("-200", "system busy", **headers)]
        with pytest.raises(ExchangeBusy) as caught:
            host.client().call("doTrade")
        assert caught.value.retry_after == wait
    assert ExchangeBusy().retry_after is None
