"""Signing, against the published vectors, and values as text."""

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from spotbook.client._signing import checked, sign

Vectors = dict[str, list[dict[str, Any]]]


def test_every_valid_vector_is_signed_as_published(vectors: Vectors) -> None:
    assert vectors["valid"]
    for vector in vectors["valid"]:
        params = {**vector["params"], "api_key": vector["api_key"]}
        assert sign(params, vector["secret_key"]) == vector["sign"], vector["name"]


def test_no_invalid_vector_is_what_we_sign_except_the_one_that_the_form_gives_away(vectors: Vectors) -> None:
    for vector in vectors["invalid"]:
        params = {**vector["params"], "api_key": vector["api_key"]}
        assert (sign(params, vector["secret_key"]) == vector["sign"]) == (vector["code"] == "10003"), vector["name"]


def test_a_value_that_would_swallow_the_next_parameter_is_never_sent() -> None:
    with pytest.raises(ValueError, match="isMarket"):
        checked({"isMarket": "false&out_trade_no=3"})


@pytest.mark.parametrize("name", ["command", "sign", "api_key", "secret_key", "a=b", "a&b", "", "a b"])
def test_names_that_would_change_the_meaning_of_the_signature_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        checked({name: "1"})


class Side(str, Enum):  # noqa: UP042 (what older callers have)
    BUY = "0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00010", "0.00010"),
        ("", ""),
        (Side.BUY, "0"),
        (3, "3"),
        (-3, "-3"),
        (10**30, "1" + "0" * 30),
        (Decimal("0.00000001"), "0.00000001"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("82000.10"), "82000.10"),
        (Decimal("12345678901234567890.123456789012345678"), "12345678901234567890.123456789012345678"),
        ("é 日本", "é 日本"),
    ],
)
def test_values_become_plain_text(value: Any, text: str) -> None:
    assert checked({"amount": value}) == {"amount": text}


def test_none_leaves_a_parameter_out() -> None:
    assert checked({"a": None, "b": "1"}) == {"b": "1"}


@pytest.mark.parametrize("value", [0.1, float("nan"), True, False, b"1", [1], {"a": 1}, object()])
def test_floats_bools_and_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="amount"):
        checked({"amount": value})


@pytest.mark.parametrize("name", ["isMarket", "postOnly", "fence"])
def test_a_flag_takes_a_bool(name: str) -> None:
    assert checked({name: True}) == {name: "true"}
    assert checked({name: False}) == {name: "false"}


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+100", "1E-100", "1" * 65])
def test_a_decimal_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        checked({"amount": Decimal(text)})


def test_text_that_has_no_utf8_form_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        checked({"memo": "\ud800"})
