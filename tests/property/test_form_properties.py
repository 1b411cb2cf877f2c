"""Whatever is sent, the form is read as it was meant, or refused by its one error."""

import json
from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from spotbook.limits import PARAMETERS_MAX
from spotbook.wire.coinw.form import Form, FormError, parse
from spotbook.wire.coinw.signing import sign_of, signed_text, verify

KINDS = [b"", b"application/json", b"application/x-www-form-urlencoded", b"text/plain", b"application/json;a=b"]
RESERVED = {"command", "command\\", "sign", "secret_key"}

characters = st.characters(exclude_categories=["Cs"], exclude_characters="&=")
names = st.text(characters, min_size=1, max_size=8).filter(lambda name: name not in RESERVED)
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&"), max_size=20)
forms = st.dictionaries(names, values, max_size=PARAMETERS_MAX - 2)

# Pieces that are likely to hit a rule, beside plain noise.
pieces = st.sampled_from(
    [
        *(
            b"command",
            b"command\\",
            b"sign",
            b"secret_key",
            b"a",
            b"=",
            b"&",
            b"%",
            b"%26",
            b"%3D",
            b"+",
            b"%C3",
            b"\xff",
        ),
        *(b"%c3%a9", b'{"a":', b"}", b'"', b"1", b"1.5", b"true", b"null", b"[", b",", b":", b"\\ud800", b" "),
    ]
)
noise = st.binary(max_size=60) | st.lists(pieces, max_size=30).map(b"".join)


@given(forms, st.sampled_from(["helper", "percent", "form", "json", "split"]))
def test_a_form_comes_back_as_it_was_sent(params: dict[str, str], style: str) -> None:
    sign = sign_of(params, "secret")
    query, body, kind = b"command=c&sign=" + sign.encode(), b"", b"application/json"
    match style:
        case "helper":
            query += b"&" + urlencode(params).encode()
        case "percent":
            query += b"&" + urlencode(params, quote_via=quote, safe="").encode()
        case "form":
            body, kind = urlencode(params).encode(), b"application/x-www-form-urlencoded"
        case "json":
            body = json.dumps(params).encode()
        case _:
            half = list(params)[::2]
            query += b"&" + urlencode({name: params[name] for name in half}).encode()
            body = json.dumps({name: value for name, value in params.items() if name not in half}).encode()
    form = parse(query, body, kind)
    assert form == Form("c", params, sign)
    assert verify(form.params, "secret", form.sign)


def outcome(query: bytes, body: bytes = b"", kind: bytes = b"") -> Form | FormError:
    try:
        return parse(query, body, kind)
    except FormError as error:
        return error


@given(noise, noise, st.sampled_from(KINDS))
def test_nothing_but_its_own_error_is_raised(query: bytes, body: bytes, kind: bytes) -> None:
    form = outcome(query, body, kind)
    if isinstance(form, FormError):
        assert str(form) == f"parameter error: {form.name}: {form.why}"
        assert str(form).isprintable()
        assert str(form).encode()
        return
    assert not RESERVED & set(form.params)
    assert not any("&" in name or "=" in name or "&" in value for name, value in form.params.items())
    signed_text(form.params, "secret")
    assert not verify(form.params, "secret", form.sign)


@given(noise, noise)
def test_two_different_forms_never_share_a_signed_text(one: bytes, other: bytes) -> None:
    first, second = outcome(one), outcome(other)
    if isinstance(first, Form) and isinstance(second, Form):
        same_text = signed_text(first.params, "s") == signed_text(second.params, "s")
        assert same_text == (first.params == second.params)
