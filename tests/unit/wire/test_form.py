"""The parameters of a request, however it was sent."""

import json
from urllib.parse import quote, urlencode

import pytest

from spotbook.limits import PARAMETERS_MAX
from spotbook.wire.coinw import form
from spotbook.wire.coinw.form import Form, FormError, parse, present

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"


def refusal(query: bytes, body: bytes = b"", content_type: bytes = FORM) -> str:
    with pytest.raises(FormError) as caught:
        parse(query, body, content_type)
    return str(caught.value)


# --- the styles that clients send --------------------------------------------------------------------


@pytest.mark.parametrize("content_type", [JSON, b"application/json; charset=utf-8", FORM, b"text/plain", b""])
def test_query_alone_is_read_whatever_the_content_type_of_an_empty_body(content_type: bytes) -> None:
    query = b"command=returnBalances&sign=ABC&startAt=&memo=a+b&api_key=k"
    expected = Form("returnBalances", {"startAt": "", "memo": "a b", "api_key": "k"}, "ABC")
    assert parse(query, b"", content_type) == expected


@pytest.mark.parametrize("content_type", [FORM, b"Application/X-WWW-Form-Urlencoded ; charset=UTF-8", b""])
def test_form_body_is_merged_with_the_query(content_type: bytes) -> None:
    expected = Form("doTrade", {"api_key": "k", "memo": "é ", "symbol": "BTC_USDT"}, "S")
    assert parse(b"command=doTrade&api_key=k", b"memo=%C3%A9+&symbol=BTC_USDT&sign=S", content_type) == expected


def test_percent_encoded_names_and_values_are_decoded() -> None:
    assert parse(b"c%6Fmmand=x&a%20b=%2B%3D+%c3%a9", b"", b"") == Form("x", {"a b": "+= é"}, None)


@pytest.mark.parametrize("query", [b"memo=a=b=", b"%6demo=a=b=", b"mem%6f=a%3db="])
def test_a_value_may_hold_equals_signs(query: bytes) -> None:
    assert parse(query, b"", b"") == Form(None, {"memo": "a=b="}, None)


def test_percent_without_two_hex_digits_stays() -> None:
    assert parse(b"a=100%&b=%zz&c=%4&d=%+%41", b"", b"").params == {"a": "100%", "b": "%zz", "c": "%4", "d": "% A"}


def test_raw_utf8_in_the_query_is_read() -> None:
    assert parse("memo=é".encode(), b"", b"").params == {"memo": "é"}


def test_values_stay_exactly_as_they_arrived() -> None:
    assert parse(b"a= 1 &b=0.10&c=x=y&d&=e&f=\x00", b"", b"").params == {
        "a": " 1 ",
        "b": "0.10",
        "c": "x=y",
        "d": "",
        "": "e",
        "f": "\x00",
    }


@pytest.mark.parametrize("query", [b"", b"&", b"&&&"])
def test_nothing_is_no_parameter(query: bytes) -> None:
    assert parse(query, b"", b"") == Form(None, {}, None)


def test_empty_pieces_between_encoded_ones_are_passed_over() -> None:
    assert parse(b"&a=%41&&b=2&", b"", b"").params == {"a": "A", "b": "2"}


# --- command and sign --------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [b"command\\=cancelOrder", b"command%5C=cancelOrder", b"command%5c=cancelOrder&a=1"])
def test_command_with_a_backslash_is_the_command(query: bytes) -> None:
    parsed = parse(query, b"", b"")
    assert parsed.command == "cancelOrder"
    assert set(parsed.params) <= {"a"}


def test_empty_command_counts_as_missing() -> None:
    assert parse(b"command=&a=1", b"", b"") == Form(None, {"a": "1"}, None)


@pytest.mark.parametrize("body", [b"command=x&a=1", b"command%5C=x&a=1"])
def test_command_in_the_body_alone_is_neither_command_nor_signed(body: bytes) -> None:
    assert parse(b"", body, FORM) == Form(None, {"a": "1"}, None)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"command=x&command\\=x", b""),
        (b"command=x&command=x", b""),
        (b"command=x", b"command=x"),
        (b"command=x", b"command\\=x"),
        (b"command\\=x", b"command=x"),
        (b"", b"command\\=x&command=x"),
    ],
)
def test_two_commands_are_a_duplicate(query: bytes, body: bytes) -> None:
    assert refusal(query, body) in ("parameter error: command: given twice", r"parameter error: command\: given twice")


# --- what would make two requests share one signed text ----------------------------------------------


@pytest.mark.parametrize(
    ("query", "body"),
    [(b"sign=A&sign=A", b""), (b"sign=A", b"sign=A"), (b"", b"sign=A&sign=B"), (b"sign=A&%73ign=A", b"")],
)
def test_duplicates_are_refused_wherever_they_are(query: bytes, body: bytes) -> None:
    assert refusal(query, body) == "parameter error: sign: given twice"


@pytest.mark.parametrize("query", [b"isMarket=false%26a=1", b"sign=%26", b"command=a%26b", b"a%26b=1"])
def test_ampersand_in_a_decoded_name_or_value_is_refused(query: bytes) -> None:
    assert refusal(query).endswith(": must be free of &")


def test_equals_sign_in_a_decoded_name_is_refused() -> None:
    assert refusal(b"a%3Db=1") == "parameter error: a=b: its name must be free of ="


@pytest.mark.parametrize(("query", "body"), [(b"secret_key=x", b""), (b"secret%5Fkey=x", b""), (b"", b"secret_key=")])
def test_a_parameter_named_secret_key_is_refused(query: bytes, body: bytes) -> None:
    assert refusal(query, body) == "parameter error: secret_key: is reserved"


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "name"), [(b"memo=%ff", "memo"), (b"memo=\xff", "memo"), (b"%ff=1", "%ff"), (b"\xff=1", "�")]
)
def test_what_is_not_utf8_is_refused(query: bytes, name: str) -> None:
    assert refusal(query) == f"parameter error: {name}: must be UTF-8"


def test_surrogates_written_as_utf8_are_refused() -> None:
    assert refusal(b"a=%ED%A0%80") == "parameter error: a: must be UTF-8"


def many(count: int) -> dict[str, str]:
    return {f"p{number}": "v" for number in range(count)}


def test_as_many_parameters_as_allowed_pass_and_one_more_does_not() -> None:
    query = urlencode(many(PARAMETERS_MAX)).encode()
    assert len(parse(query, b"", b"").params) == PARAMETERS_MAX
    assert refusal(query + b"&x=1") == f"parameter error: request: more than {PARAMETERS_MAX} parameters"
    assert refusal(query, b"x=1") == f"parameter error: request: more than {PARAMETERS_MAX} parameters"
    members = json.dumps(many(PARAMETERS_MAX)).encode()
    assert len(parse(b"", members, JSON).params) == PARAMETERS_MAX
    assert refusal(b"x=1", members, JSON) == f"parameter error: request: more than {PARAMETERS_MAX} parameters"


@pytest.mark.parametrize("content_type", [b"text/plain", b"multipart/form-data; boundary=x", b"application/jsonp"])
def test_a_body_of_another_type_is_refused(content_type: bytes) -> None:
    assert refusal(b"command=x", b"a=1", content_type) == (
        "parameter error: body: its content type must be application/x-www-form-urlencoded or application/json"
    )


def test_a_name_is_shown_short_and_printable() -> None:
    assert refusal(b"a%0Ab=%ff") == "parameter error: a?b: must be UTF-8"
    long = b"x" * 1_000
    assert refusal(long + b"=1&" + long + b"=1") == f"parameter error: {'x' * 64}: given twice"


def test_no_reason_holds_a_word_that_clients_classify_by() -> None:
    own = [form._TWICE, form._AMPERSAND, form._EQUALS, form._UTF8, form._RESERVED, form._MANY]
    own += [form._OBJECT, form._MEMBER, form._TYPE]
    words = ("order", "not", "symbol", "pair", "sign", "api key", "api_key", "permission", "insufficient", "balance")
    assert not [(why, word) for why in own for word in words if word in why.lower()]


def test_an_error_says_which_parameter_and_why() -> None:
    error = FormError("amount", "given twice")
    assert (error.name, error.why) == ("amount", "given twice")
    assert str(error) == "parameter error: amount: given twice"


# --- JSON bodies --------------------------------------------------------------------------------------


def test_json_members_are_taken_as_the_text_that_was_sent() -> None:
    body = b'{"a":" x ","b":-0,"c":123456789012345678901234567890,"d":true,"e":false,"f":"\\u00e9","sign":"S","g":""}'
    expected = {
        "q": "1",
        "a": " x ",
        "b": "-0",
        "c": "123456789012345678901234567890",
        "d": "true",
        "e": "false",
        "f": "é",
        "g": "",
    }
    assert parse(b"command=x&q=1", body, b"APPLICATION/JSON; charset=utf-8") == Form("x", expected, "S")


def test_empty_json_object_is_no_parameter() -> None:
    assert parse(b"command=x", b" {} ", JSON) == Form("x", {}, None)


@pytest.mark.parametrize("value", ["null", "1.0", "1e5", "NaN", "-Infinity", "[]", "[1]", "{}", '{"b":1}'])
def test_other_json_members_are_refused(value: str) -> None:
    expected = "parameter error: a: must be text, an integer, true or false"
    assert refusal(b"", b'{"a":' + value.encode() + b"}", JSON) == expected


@pytest.mark.parametrize(
    "body",
    [
        *(b"[]", b"1", b'"a"', b"null", b"nonsense", b"{", b"{} {}", b" ", b'{"a":"\xff"}', b'{"a":"\n"}'),
        pytest.param(b'\xef\xbb\xbf{"a":"1"}', id="byte order mark"),
        pytest.param('{"a":"1"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"[" * 60_000, id="deep array"),
        pytest.param(b'{"a":' * 10_000, id="deep object"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert refusal(b"", body, JSON) == "parameter error: body: must be a JSON object in UTF-8"


@pytest.mark.parametrize(
    ("query", "body"), [(b"", b'{"a":"1","a":"1"}'), (b"a=1", b'{"a":1}'), (b"a=1", b'{"\\u0061":1}')]
)
def test_duplicate_json_members_are_duplicate_parameters(query: bytes, body: bytes) -> None:
    assert refusal(query, body, JSON) == "parameter error: a: given twice"


def test_half_a_surrogate_pair_is_refused() -> None:
    assert refusal(b"", b'{"a":"\\ud800"}', JSON) == "parameter error: a: must be UTF-8"
    assert refusal(b"", b'{"\\udfff":"1"}', JSON) == "parameter error: ?: must be UTF-8"


@pytest.mark.parametrize("body", [b'{"a":"x&y"}', b'{"a&b":1}', b'{"a=b":1}', b'{"secret_key":"x"}'])
def test_json_is_held_to_the_same_rules(body: bytes) -> None:
    refusal(b"", body, JSON)


# --- present ------------------------------------------------------------------------------------------


def test_an_empty_value_counts_as_absent() -> None:
    params = {"a": "1", "b": "", "c": " "}
    assert [present(params, name) for name in "abcd"] == ["1", None, " ", None]


def test_quoting_of_any_kind_gives_the_same_values() -> None:
    value = "a b+c é/%=~"
    for written in (quote(value, safe=""), urlencode({"": value})[1:]):
        assert parse(f"memo={written}".encode(), b"", b"").params == {"memo": value}
