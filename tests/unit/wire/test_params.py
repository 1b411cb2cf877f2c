"""Parameters read strictly: what passes, and the words of what does not."""

from typing import Any

import pytest

from spotbook.domain.errors import Invalid, UnknownOrder
from spotbook.limits import ID_MAX
from spotbook.wire.coinw import params as p


def refusal(read: Any, *args: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        read(*args, **options)
    return refused.value.name, refused.value.why


def test_what_is_required_is_there_and_more_than_nothing() -> None:
    assert p.required({"symbol": " x"}, "symbol") == " x"
    assert refusal(p.required, {}, "symbol") == ("symbol", "is missing")
    assert refusal(p.required, {"symbol": ""}, "symbol") == ("symbol", "is missing")


def test_what_is_optional_is_nothing_when_absent() -> None:
    assert p.optional({}, "symbol") == p.optional({"symbol": ""}, "symbol") == ""
    assert p.optional({}, "endAt") == p.optional({"endAt": ""}, "endAt") == p.optional({"endAT": ""}, "endAt") == ""


def test_the_other_spelling_of_a_name() -> None:
    assert p.optional({"endAT": "5"}, "endAt") == "5"
    assert p.required({"endAt": "", "endAT": "5"}, "endAt") == "5"
    assert p.optional({"endAt": "5", "endAT": ""}, "endAt") == "5"
    assert p.optional({"startAT": "5"}, "startAt") == ""
    assert refusal(p.optional, {"endAt": "5", "endAT": "5"}, "endAt") == ("endAt", "given twice")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), (str(ID_MAX), ID_MAX)])
def test_whole_numbers(text: str, number: int) -> None:
    assert p.whole({"id": text}, "id") == number
    assert p.whole_or({"id": text}, "id", 3) == number


@pytest.mark.parametrize("text", ["-1", "+1", "1.0", "01", " 1", "1 ", "1e3", "x", "١", str(ID_MAX + 1), "1" * 17])
def test_what_is_no_whole_number(text: str) -> None:
    why = f"write a whole number from 0 to {ID_MAX}"
    assert refusal(p.whole, {"id": text}, "id") == ("id", why)
    assert refusal(p.whole_or, {"id": text}, "id", 3) == ("id", why)


def test_an_absent_whole_number() -> None:
    assert p.whole_or({"id": ""}, "id", 3) == 3
    assert refusal(p.whole, {"id": ""}, "id") == ("id", "is missing")


@pytest.mark.parametrize(("text", "number"), [("", 20), ("1", 1), ("100", 100)])
def test_whole_numbers_of_a_range(text: str, number: int) -> None:
    assert p.whole_within({"limit": text}, "limit", 1, 100, 20) == number


@pytest.mark.parametrize("text", ["0", "101", str(ID_MAX)])
def test_whole_numbers_out_of_their_range(text: str) -> None:
    found = refusal(p.whole_within, {"limit": text}, "limit", 1, 100, 20)
    assert found == ("limit", "write a whole number from 1 to 100")


@pytest.mark.parametrize(("text", "number"), [("1", 1), (str(ID_MAX), ID_MAX)])
def test_numbers_of_orders(text: str, number: int) -> None:
    assert p.order_number({"orderNumber": text}, "orderNumber") == number


@pytest.mark.parametrize("text", ["0", str(ID_MAX + 1), "4612181898174494829", "9" * 19])
def test_numbers_that_no_order_here_can_have(text: str) -> None:
    with pytest.raises(UnknownOrder) as refused:
        p.order_number({"orderNumber": text}, "orderNumber")
    assert refused.value.named == text


@pytest.mark.parametrize("text", ["9" * 20, "01", "-1", "x", "1.0", "1,2", " 1", "١"])
def test_what_is_no_order_s_number(text: str) -> None:
    found = refusal(p.order_number, {"orderNumber": text}, "orderNumber")
    assert found == ("orderNumber", "write a whole number of at most 19 digits")


@pytest.mark.parametrize(
    ("text", "said"),
    [("true", True), ("True", True), ("1", True), ("", False), ("false", False), ("False", False), ("0", False)],
)
def test_flags(text: str, said: bool) -> None:
    assert p.flag({"isMarket": text}, "isMarket") is said
    assert p.flag({}, "isMarket") is False


@pytest.mark.parametrize("text", ["yes", "TRUE", "no", "2", " true", "on"])
def test_what_is_no_flag(text: str) -> None:
    assert refusal(p.flag, {"isMarket": text}, "isMarket") == ("isMarket", "write true or false")


def test_spans_of_time() -> None:
    assert p.span({}, "startAt", "endAt") == (0, ID_MAX)
    assert p.span({"startAt": "5"}, "startAt", "endAt") == (5, ID_MAX)
    assert p.span({"startAt": "", "endAT": "9"}, "startAt", "endAt") == (0, 9)
    assert p.span({"start": "5", "end": "5"}, "start", "end") == (5, 5)
    assert refusal(p.span, {"startAt": "6", "endAt": "5"}, "startAt", "endAt") == ("startAt", "is after endAt")


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [("1", 1_000), ("99999999999", 99_999_999_999_000), ("100000000000", 100_000_000_000), (str(ID_MAX), ID_MAX)],
)
def test_times_in_seconds_or_milliseconds_are_told_apart_by_size(text: str, time_ms: int) -> None:
    assert p.span_of_any_size({"start": text}, "start", "end") == (time_ms, ID_MAX)
    assert p.span_of_any_size({"end": text}, "start", "end") == (0, time_ms)
    assert p.span_of_any_size({"start": text, "end": text}, "start", "end") == (time_ms, time_ms)


def test_a_span_of_either_size_does_not_end_before_it_begins() -> None:
    assert p.span_of_any_size({}, "start", "end") == (0, ID_MAX)
    found = refusal(p.span_of_any_size, {"start": "2", "end": "1"}, "start", "end")
    assert found == ("start", "is after end")


def test_a_parameter_that_goes_by_two_names() -> None:
    assert p.either({"symbol": "a", "currencyPair": "b"}, "symbol", "currencyPair") == "a"
    assert p.either({"symbol": "", "currencyPair": "b"}, "symbol", "currencyPair") == "b"
    assert refusal(p.either, {"currencyPair": ""}, "symbol", "currencyPair") == ("symbol", "is missing")


@pytest.mark.parametrize("text", ["a", "A-b_9", "-", "a" * 50])
def test_references(text: str) -> None:
    assert p.out_trade_no({"out_trade_no": text}) == p.out_trade_no({"out_trade_no": text}, needed=True) == text


def test_an_absent_reference() -> None:
    assert p.out_trade_no({}) == p.out_trade_no({"out_trade_no": ""}) == ""
    assert refusal(p.out_trade_no, {}, needed=True) == ("out_trade_no", "is missing")


@pytest.mark.parametrize("text", ["a" * 51, "a b", "a.b", "é", "a\n"])
def test_what_is_no_reference(text: str) -> None:
    found = refusal(p.out_trade_no, {"out_trade_no": text})
    assert found == ("out_trade_no", "write 1 to 50 letters, digits, - and _")
