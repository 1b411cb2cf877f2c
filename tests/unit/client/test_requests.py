"""What is sent, byte for byte, in each of the four styles."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from spotbook.client import ConfigurationError, Style
from spotbook.client._requests import is_write
from spotbook.client._signing import sign

if TYPE_CHECKING:
    from unit.client.conftest import Host
else:
    Host = Any

SIGN_OF_NOTHING = "66C46B00004301A405E5EB88B15579B0"
KEY = "11111111-2222-4333-8444-555555555555"
START = "/api/v1/private?command=returnCompleteBalances"


@pytest.mark.parametrize(
    ("style", "target", "body", "content_type"),
    [
        ("form", START, f"api_key={KEY}&sign={SIGN_OF_NOTHING}", "application/x-www-form-urlencoded"),
        ("helper", f"{START}&sign={SIGN_OF_NOTHING}&api_key={KEY}", "", "application/json"),
        ("sorted", f"{START}&api_key={KEY}&sign={SIGN_OF_NOTHING}", "", None),
        ("percent", f"{START}&sign={SIGN_OF_NOTHING}&api_key={KEY}", "", "application/json; charset=utf-8"),
    ],
)
def test_a_call_without_parameters(host: Host, style: str, target: str, body: str, content_type: str | None) -> None:
    host.client(style=style).complete_balances()
    (request,) = host.seen
    assert request.method == "POST"
    assert request.url.raw_path.decode() == target
    assert request.content.decode() == body
    assert request.headers.get("Content-Type") == content_type
    assert request.headers["Content-Length"] == str(len(body))
    assert str(request.url).startswith("http://127.0.0.1:8080/")


@pytest.mark.parametrize(
    ("style", "rest"),
    [
        ("form", ""),
        ("helper", "&sign={sign}&symbol=A%2CB&memo=a+b%2Bc+%C3%A9%25%23&api_key={key}"),
        ("sorted", "&api_key={key}&memo=a%20b%2Bc%20%C3%A9%25%23&symbol=A,B&sign={sign}"),
        ("percent", "&sign={sign}&api_key={key}&memo=a%20b%2Bc%20%C3%A9%25%23&symbol=A%2CB"),
    ],
)
def test_what_a_url_cannot_carry_is_encoded_and_what_is_signed_is_not(host: Host, style: str, rest: str) -> None:
    params: dict[str, Any] = {"symbol": "A,B", "memo": "a b+c é%#"}
    signature = sign({**params, "api_key": KEY}, "SECRET0123456789ABCDEF")
    host.client(style=style).call("returnCompleteBalances", **params)
    (request,) = host.seen
    target = request.url.raw_path.decode()
    assert target == START + rest.format(sign=signature, key=KEY)
    arrived = parse_qsl(target.partition("?")[2], keep_blank_values=True) + parse_qsl(request.content.decode())
    assert dict(arrived) == {"command": "returnCompleteBalances", **params, "api_key": KEY, "sign": signature}


@pytest.mark.parametrize("style", list(Style))
def test_every_valid_vector_arrives_as_it_was_signed(host: Host, style: Style, vectors: Any) -> None:
    for vector in vectors["valid"]:
        host.client(style=style).call("returnCompleteBalances", **vector["params"])
        request = host.seen[-1]
        query = request.url.query.decode()
        pairs = parse_qsl(query, keep_blank_values=True) + parse_qsl(request.content.decode(), keep_blank_values=True)
        arrived = dict(pairs)
        assert len(arrived) == len(pairs)
        signature = arrived.pop("sign")
        assert arrived.pop("command") == "returnCompleteBalances"
        assert signature == sign(arrived, "SECRET0123456789ABCDEF"), vector["name"]
        assert arrived == {**vector["params"], "api_key": KEY}


def test_amounts_go_without_exponent_and_flags_as_words(host: Host) -> None:
    host.client().call("doTrade", amount=Decimal("1E-8"), rate=82000, isMarket=False, out_trade_no=None)
    sent = dict(parse_qsl(host.seen[0].content.decode()))
    assert (sent["amount"], sent["rate"], sent["isMarket"]) == ("0.00000001", "82000", "false")
    assert "out_trade_no" not in sent


@pytest.mark.parametrize(("asked", "text"), [(7, "7"), (0, "0"), (("b00c5", 7), "b00c5:7")])
def test_min_version_is_a_header(host: Host, asked: Any, text: str) -> None:
    host.client().complete_balances(min_version=asked)
    host.client().call("returnBalances")
    assert host.seen[0].headers["X-Min-Version"] == text
    assert "X-Min-Version" not in host.seen[1].headers


@pytest.mark.parametrize("asked", [True, 1.0, "7", (None, 7), ("b", None)])
def test_a_min_version_of_another_type_is_refused(host: Host, asked: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        host.client().complete_balances(min_version=asked)


@pytest.mark.parametrize("asked", [-1, ("a\r\nb", 7), ("a:b", 7)])
def test_a_min_version_that_no_header_can_hold_is_refused(host: Host, asked: Any) -> None:
    with pytest.raises(ValueError, match="min_version"):
        host.client().complete_balances(min_version=asked)


def test_a_float_is_refused_before_anything_is_sent(host: Host) -> None:
    with pytest.raises(TypeError, match="float"):
        host.client().call("doTrade", amount=0.1)  # type: ignore[arg-type]
    assert host.seen == []


@pytest.mark.parametrize("command", ["", "return Balances", "a&b=c", "a" * 65])
def test_a_command_is_a_word(host: Host, command: str) -> None:
    with pytest.raises(ValueError, match="command"):
        host.client().call(command)


def test_parameters_too_long_for_a_url_are_refused_in_words(host: Host) -> None:
    with pytest.raises(ValueError, match="FORM"):
        host.client(style="percent").call("returnBalances", symbol="x" * 70_000)
    host.client(style="form").call("returnBalances", symbol="x" * 70_000)


@pytest.mark.parametrize(
    ("command", "params", "writes"),
    [
        ("returnCompleteBalances", {}, False),
        ("getUserTrades", {}, False),
        ("spotbook.holds", {}, False),
        ("spotbook.order", {"out_trade_no": "a"}, False),
        ("spotbook.order", {"fence": ""}, False),
        ("spotbook.order", {"fence": "false"}, False),
        ("spotbook.order", {"fence": "true"}, True),
        ("spotbook.order", {"fence": "perhaps"}, True),
        ("doTrade", {}, True),
        ("cancelOrder", {}, True),
        ("subAccount_list", {}, True),
        ("spotbook.new", {}, True),
    ],
)
def test_what_is_not_known_to_be_a_read_is_a_write(command: str, params: dict[str, str], writes: bool) -> None:
    assert is_write(command, params) is writes


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://host",
        "http://",
        "http://a:b@host",
        "http://host?x=1",
        "http://host#f",
        "http://h:port",
    ],
)
def test_a_base_url_that_is_none_is_refused(host: Host, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        host.client(base_url=base_url)


def test_a_base_url_may_have_a_path(host: Host) -> None:
    host.client(base_url="https://example.org/spot/").complete_balances()
    assert str(host.seen[0].url).startswith("https://example.org/spot/api/v1/private?command=")
