"""Every client there is, against a running server: the same balances, byte for byte."""

import asyncio
import hashlib
import http.client
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import pytest

from spotbook.client import (
    AsyncClient,
    AuthenticationError,
    Balance,
    Client,
    CompleteBalances,
    InvalidSignature,
    NotSupported,
    Pacing,
    SpotRestfulPrivate,
    SpotRestuflPrivate,
    Style,
)
from support.cli import StartDemo

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
VECTORS: dict[str, list[dict[str, Any]]] = msgspec.json.decode((ROOT / "tests/data/vectors.json").read_bytes())
STYLES = ("helper", "sorted", "percent", "form")
TARGET = "/api/v1/private?command=returnCompleteBalances"
REPLY = (
    b'{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"},'
    b'"SAND":{"onOrders":"0","available":"108.467"},"ETH":{"onOrders":"0","available":"0.033"},'
    b'"USDT":{"onOrders":"0","available":"257.51830114"}},"msg":"SUCCESS","success":true,"failed":false}'
)
BALANCES = {"BTC": "0.0012", "CWT": "400", "SAND": "108.467", "ETH": "0.033", "USDT": "257.51830114"}


class Demo(Protocol):
    url: str
    api_key: str
    secret_key: str


def cases(kind: str) -> list[Any]:
    """Every vector in every style that it names, and in all four where it names none."""
    return [
        pytest.param(vector, style, id=f"{vector['name']}-{style}")
        for vector in VECTORS[kind]
        for style in vector.get("styles", STYLES)
    ]


def signature(texts: Mapping[str, str], secret_key: str) -> str:
    """Written apart from the client's on purpose: two hands that agree."""
    text = ""
    for name in sorted(texts, key=str.encode):
        text += f"{name}={texts[name]}&"
    return hashlib.md5(f"{text}secret_key={secret_key}".encode()).hexdigest().upper()


def send(demo: Demo, style: str, params: Mapping[str, str], sign: str) -> tuple[int, bytes]:
    """One request as a client of this style sends it, over a bare connection: status and body of what comes."""
    target, body, headers = TARGET, "", {}
    by_name = sorted({**params, "api_key": demo.api_key}.items())
    match style:
        case "helper":
            target += f"&sign={sign}&" + urlencode({**params, "api_key": demo.api_key})
            headers["Content-Type"] = "application/json"
        case "sorted":
            target += "".join(f"&{name}={value}" for name, value in by_name) + f"&sign={sign}"
        case "percent":
            target += f"&sign={sign}&" + urlencode(by_name, quote_via=quote, safe="")
            headers["Content-Type"] = "application/json; charset=utf-8"
        case "form":
            body = urlencode({"api_key": demo.api_key, **params, "sign": sign})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
    address = urlsplit(demo.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request("POST", target, body.encode(), headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def code(body: bytes) -> str:
    envelope: dict[str, Any] = msgspec.json.decode(body)
    assert envelope["failed"] is not envelope["success"]
    return str(envelope["code"])


def check(balances: CompleteBalances) -> None:
    assert {asset: str(balance.available) for asset, balance in balances.items()} == BALANCES
    assert list(balances) == list(BALANCES)
    assert balances["USDT"] == Balance(available=Decimal("257.51830114"), on_orders=Decimal(0))
    assert balances["DOGE"].total == 0
    assert balances.version == 5  # five deposits, one entry of this account each
    assert balances.batch is not None
    assert balances.batch_time is not None
    assert balances.books
    assert balances.rate_limit is not None


@pytest.mark.parametrize("style", STYLES)
def test_the_demo_reply_byte_for_byte_in_each_style(demo: Demo, style: str) -> None:
    sign = signature({"api_key": demo.api_key}, demo.secret_key)
    assert send(demo, style, {}, sign) == (200, REPLY)


@pytest.mark.parametrize(("vector", "style"), cases("valid"))
def test_what_valid_vectors_send_is_accepted(demo: Demo, vector: Mapping[str, Any], style: str) -> None:
    # The parameters of the vector, signed with a key that is here; the command ignores what it does not know.
    params = vector["params"]
    sign = signature({**params, "api_key": demo.api_key}, demo.secret_key)
    assert send(demo, style, params, sign) == (200, REPLY)


def wrong_signature(name: str, params: Mapping[str, str], demo: Demo) -> str:
    """The defect that the vector is named for, with a key that is here."""
    texts = {**params, "api_key": demo.api_key}
    if name == "command signed too":
        return signature({**texts, "command": "returnCompleteBalances"}, demo.secret_key)
    if name == "empty values dropped from the text but sent":
        return signature({key: value for key, value in texts.items() if value}, demo.secret_key)
    if name == "percent-encoded text signed":
        return signature({key: quote(value, safe="") for key, value in texts.items()}, demo.secret_key)
    if name == "lower case":
        return signature(texts, demo.secret_key).lower()
    assert name.startswith("a value with & swallows")
    return signature(texts, demo.secret_key)


@pytest.mark.parametrize(("vector", "style"), cases("invalid"))
def test_what_invalid_vectors_send_is_refused_with_their_code(
    demo: Demo, vector: Mapping[str, Any], style: str
) -> None:
    status, body = send(demo, style, vector["params"], wrong_signature(vector["name"], vector["params"], demo))
    assert (status, code(body)) == (200, vector["code"])


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=[vector["name"] for vector in VECTORS["invalid"]])
def test_the_defects_are_those_of_the_vectors(vector: Mapping[str, Any]) -> None:
    class Published:
        url = ""
        api_key = vector["api_key"]
        secret_key = vector["secret_key"]

    assert wrong_signature(vector["name"], vector["params"], Published()) == vector["sign"]


@pytest.mark.parametrize("function", [SpotRestfulPrivate, SpotRestuflPrivate])
def test_the_official_helper(demo: Demo, function: Any) -> None:
    reply = function(demo.url, TARGET, "POST", demo.api_key, {}, demo.secret_key)
    assert reply == msgspec.json.decode(REPLY)
    assert msgspec.json.encode(reply) == REPLY


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=[vector["name"] for vector in VECTORS["valid"]])
def test_the_official_helper_with_every_vector(demo: Demo, vector: Mapping[str, Any]) -> None:
    reply = SpotRestfulPrivate(demo.url, TARGET, "post", demo.api_key, vector["params"], demo.secret_key)
    assert msgspec.json.encode(reply) == REPLY


@pytest.mark.parametrize("style", list(Style))
def test_the_client(demo: Demo, style: Style) -> None:
    with Client(demo.api_key, demo.secret_key, demo.url, style=style, pacing=Pacing(), retries=1) as client:
        balances = client.complete_balances()
        check(balances)
        assert balances.books is not None
        assert balances.version is not None
        check(client.complete_balances(min_version=balances.version))
        check(client.complete_balances(min_version=(balances.books, balances.version)))
        available = client.balances()
        assert list(available) == list(BALANCES)
        assert {asset: str(amount) for asset, amount in available.items()} == {
            asset: f"{Decimal(text):.8f}" for asset, text in BALANCES.items()
        }
        assert client.call("returnCompleteBalances") == msgspec.json.decode(REPLY)["data"]
        assert client.request("returnCompleteBalances").msg == "SUCCESS"


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("vector", VECTORS["valid"], ids=[vector["name"] for vector in VECTORS["valid"]])
def test_the_client_with_every_vector(demo: Demo, vector: Mapping[str, Any], style: Style) -> None:
    with Client(demo.api_key, demo.secret_key, demo.url, style=style) as client:
        data = client.request("returnCompleteBalances", vector["params"]).data
        assert msgspec.json.encode(data) in REPLY


@pytest.mark.parametrize("style", list(Style))
def test_the_async_client(demo: Demo, style: Style) -> None:
    async def run() -> None:
        async with AsyncClient(demo.api_key, demo.secret_key, demo.url, style=style) as client:
            several = await asyncio.gather(*(client.complete_balances() for _ in range(20)))
            for balances in several:
                check(balances)
            assert (await client.balances())["CWT"] == 400
            assert await client.call("returnCompleteBalances") == msgspec.json.decode(REPLY)["data"]

    asyncio.run(run())


def test_refusals_are_the_errors_that_the_client_names(demo: Demo) -> None:
    with Client(demo.api_key, demo.secret_key + "x", demo.url) as client, pytest.raises(InvalidSignature):
        client.complete_balances()
    with Client("unknown", demo.secret_key, demo.url) as client, pytest.raises(AuthenticationError):
        client.complete_balances()
    with Client(demo.api_key, demo.secret_key, demo.url) as client, pytest.raises(NotSupported):
        client.call("returnNothing")


@pytest.mark.parametrize("style", list(Style))
def test_nothing_of_a_signed_request_is_logged(demo: Demo, style: Style, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(demo.api_key, demo.secret_key, demo.url, style=style) as client:
        client.complete_balances()
    SpotRestfulPrivate(demo.url, TARGET, "POST", demo.api_key, {}, demo.secret_key)
    for secret in (demo.api_key, demo.secret_key, signature({"api_key": demo.api_key}, demo.secret_key)):
        assert secret not in caplog.text


def test_the_code_of_the_reference_page_runs(start_demo: StartDemo, tmp_path: Path) -> None:
    demo = start_demo("--unlimited")  # one of its own: the page places orders
    page = (ROOT / "docs/reference/client.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 9
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    lines = run(demo, sys.executable, script).decode().splitlines()
    assert lines[0] == "0.0012 0 0.0012"
    assert lines[1:5] == ["5 0", "open 0.001000 50", "cancelled", "2 1.00000000000000000000 0 0"]
    assert lines[-1].startswith("200 {")


def environment(demo: Demo) -> dict[str, str]:
    names = {"SPOTBOOK_URL": demo.url, "SPOTBOOK_API_KEY": demo.api_key, "SPOTBOOK_SECRET_KEY": demo.secret_key}
    return {**os.environ, **names}


def run(demo: Demo, *command: str | Path) -> bytes:
    result = subprocess.run(command, env=environment(demo), capture_output=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def test_the_python_example(demo: Demo) -> None:
    lines = run(demo, sys.executable, ROOT / "examples/python/complete_balances.py").decode().splitlines()
    assert [line.split()[:2] for line in lines[1:-1]] == [list(pair) for pair in BALANCES.items()]
    assert lines[-1] == "version 5"


def test_the_python_example_of_the_official_helper(demo: Demo) -> None:
    output = run(demo, sys.executable, ROOT / "examples/python/official_helper.py")
    assert msgspec.json.encode(msgspec.json.decode(output)) == REPLY


@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java compiler here")
def test_the_java_example(demo: Demo, tmp_path: Path) -> None:
    run(demo, "javac", "-Xlint:all", "-Werror", "-d", tmp_path, ROOT / "examples/java/CompleteBalances.java")
    assert run(demo, "java", "-cp", tmp_path, "CompleteBalances") == REPLY + b"\n"


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("openssl") is None, reason="there is no curl or no openssl here"
)
def test_the_curl_example(demo: Demo) -> None:
    assert run(demo, "sh", ROOT / "examples/curl/complete_balances.sh") == REPLY
