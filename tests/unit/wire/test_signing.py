"""The signature, against the contract's vectors in each style of sending."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from spotbook.wire.coinw.form import FormError, parse
from spotbook.wire.coinw.signing import sign_of, signed_text, verify

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))
STYLES = ("helper", "sorted", "percent", "form")
ENDPOINT = b"command=returnCompleteBalances"

Sent = tuple[bytes, bytes, bytes]


def sent(style: str, params: dict[str, str], sign: str) -> Sent:
    """Write a request as the contract's table of styles says: query, body, content type."""
    match style:
        case "helper":
            return ENDPOINT + f"&sign={sign}&{urlencode(params)}".encode(), b"", b"application/json"
        case "sorted":
            raw = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
            return ENDPOINT + f"&{raw}&sign={sign}".encode(), b"", b""
        case "percent":
            encoded = urlencode(params, quote_via=quote)
            return ENDPOINT + f"&sign={sign}&{encoded}".encode(), b"", b"application/json; charset=utf-8"
        case _:
            return ENDPOINT, urlencode({**params, "sign": sign}).encode(), b"application/x-www-form-urlencoded"


def cases(which: str) -> list[Any]:
    return [
        pytest.param(vector, style, id=f"{vector['name']} ({style})")
        for vector in VECTORS[which]
        for style in vector.get("styles", STYLES)
    ]


def own_params(vector: dict[str, Any]) -> dict[str, str]:
    return {**vector["params"], "api_key": vector["api_key"]}


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
def test_text_and_sign_of_each_vector(vector: dict[str, Any]) -> None:
    params, secret = own_params(vector), vector["secret_key"]
    assert signed_text(params, secret) == vector["signed_text"].encode()
    assert signed_text(params, secret.encode()) == vector["signed_text"].encode()
    assert sign_of(params, secret) == vector["sign"]


@pytest.mark.parametrize(("vector", "style"), cases("valid"))
def test_valid_vectors_verify_in_each_style(vector: dict[str, Any], style: str) -> None:
    form = parse(*sent(style, own_params(vector), vector["sign"]))
    assert form.command == "returnCompleteBalances"
    assert form.params == own_params(vector)
    assert verify(form.params, vector["secret_key"], form.sign)


@pytest.mark.parametrize(("vector", "style"), cases("invalid"))
def test_invalid_vectors_are_refused_with_their_code(vector: dict[str, Any], style: str) -> None:
    request = sent(style, own_params(vector), vector["sign"])
    if vector["code"] == "10003":
        with pytest.raises(FormError):
            parse(*request)
    else:
        form = parse(*request)
        assert vector["code"] == "10007"
        assert not verify(form.params, vector["secret_key"], form.sign)


PARAMS = {"api_key": "k"}
RIGHT = sign_of(PARAMS, "s")


@pytest.mark.parametrize(
    "sign",
    [None, "", RIGHT.lower(), RIGHT[:-1], RIGHT + "A", "é" * 32, "\ud800" * 32, "A" * 32, RIGHT[:-1] + " ", "Ａ" * 32],
)
def test_a_missing_or_malformed_sign_is_wrong_and_no_error(sign: str | None) -> None:
    assert verify(PARAMS, "s", RIGHT)
    assert not verify(PARAMS, "s", sign)


def test_names_sort_by_byte_beyond_ascii_too() -> None:
    names = ["é", "z", "Z", "_", "\uffff", "\U00010000", "a", "aa", "a0"]
    text = signed_text(dict.fromkeys(names, ""), "s")
    expected = sorted(names, key=str.encode)
    assert text == ("&".join(f"{name}=" for name in expected) + "&secret_key=s").encode()
