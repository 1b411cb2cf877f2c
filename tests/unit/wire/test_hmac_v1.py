"""The signature v1: what it covers, to the byte, and which headers are of its form."""

import hashlib
import hmac

import pytest

from spotbook.wire.hmac_v1 import KEY, NONCE, SIGNATURE, TIMESTAMP, Signed, malformed, signed_text, verify

SECRET = b"SECRET0123456789ABCDEF"
API_KEY = b"11111111-2222-4333-8444-555555555555"
BODY = b"symbol=BTC_USDT&memo=a%20b"
QUERY = b"command=doTrade"
MARKS: dict[bytes, bytes | None] = {KEY: API_KEY, TIMESTAMP: b"1790000000000", NONCE: b"Zm9ydHktdHdvIGJ1dHRlcnM"}

TEXT = (
    b"v1\nPOST\n/api/v1/private\ncommand=doTrade\n"
    + hashlib.sha256(BODY).hexdigest().encode()
    + b"\n1790000000000\nZm9ydHktdHdvIGJ1dHRlcnM\n11111111-2222-4333-8444-555555555555"
)
SIGN = hmac.new(SECRET, TEXT, hashlib.sha256).hexdigest().encode()


def call(**changed: bytes) -> Signed:
    return Signed({**MARKS, SIGNATURE: SIGN}, b"POST", b"/api/v1/private", QUERY, BODY)._replace(**changed)  # type: ignore[arg-type]


def marked(name: bytes, value: bytes | None) -> Signed:
    return call()._replace(marks={**MARKS, SIGNATURE: SIGN, name: value})


def test_the_text_is_eight_lines() -> None:
    assert signed_text(call()) == TEXT


def test_without_a_body_the_hash_is_that_of_nothing() -> None:
    line = signed_text(call(body=b"")).split(b"\n")[4]
    assert line == b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_published_vector() -> None:
    """Made once with ``openssl dgst -sha256 -hmac``, so that another implementation has something to agree with."""
    signed = Signed(MARKS, b"POST", b"/api/v1/private", b"command=returnCompleteBalances", b"")
    assert hmac.new(SECRET, signed_text(signed), hashlib.sha256).hexdigest() == PUBLISHED


PUBLISHED = "f35300d18144b1fb0b864ee7635d467609b37960b2c4302fafe7cd2ba2226d11"


def test_the_right_signature_is_right() -> None:
    assert verify(call(), SECRET)


@pytest.mark.parametrize(
    "other",
    [
        call(method=b"GET"),
        call(path=b"/v1/private"),
        call(query=b"command=cancelAllOrder"),
        call(query=b""),
        call(body=BODY + b"&"),
        call(body=b""),
        marked(KEY, b"22222222-2222-4333-8444-555555555555"),
        marked(TIMESTAMP, b"1790000000001"),
        marked(TIMESTAMP, b"01790000000000"),
        marked(NONCE, b"Zm9ydHktdHdvIGJ1dHRlcnN"),
        marked(SIGNATURE, b"0" * 64),
    ],
)
def test_it_covers_every_part(other: Signed) -> None:
    assert malformed(other) is None
    assert not verify(other, SECRET)


def test_another_secret_is_wrong() -> None:
    assert not verify(call(), SECRET + b"0")


@pytest.mark.parametrize("name", [TIMESTAMP, NONCE, SIGNATURE])
def test_a_header_that_is_missing_or_came_twice_is_named(name: bytes) -> None:
    assert malformed(marked(name, None)) == name
    marks = {**MARKS, SIGNATURE: SIGN}
    del marks[name]
    assert malformed(call()._replace(marks=marks)) == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (TIMESTAMP, b""),
        (TIMESTAMP, b"-1"),
        (TIMESTAMP, b"1.5"),
        (TIMESTAMP, b"1e12"),
        (TIMESTAMP, b" 1790000000000"),
        (TIMESTAMP, b"1790000000000\n"),
        (TIMESTAMP, b"9" * 16),
        (TIMESTAMP, "١٧٩".encode()),
        (NONCE, b""),
        (NONCE, b"a" * 15),
        (NONCE, b"a" * 65),
        (NONCE, b"a" * 15 + b"+"),
        (NONCE, b"a" * 15 + b"/"),
        (NONCE, b"a" * 15 + b"\xe9"),
        (NONCE, b"a" * 16 + b"\n"),
        (SIGNATURE, b""),
        (SIGNATURE, SIGN.upper()),
        (SIGNATURE, SIGN[:-1]),
        (SIGNATURE, SIGN + b"0"),
        (SIGNATURE, b"v1=" + SIGN),
    ],
)
def test_a_header_of_another_form_is_named(name: bytes, value: bytes) -> None:
    assert malformed(marked(name, value)) == name


@pytest.mark.parametrize("nonce", [b"a" * 16, b"a" * 64, b"AZaz09-_.~AZaz09-_.~"])
def test_nonces_are_sixteen_to_sixty_four_characters_that_a_url_can_hold(nonce: bytes) -> None:
    assert malformed(marked(NONCE, nonce)) is None
    assert marked(NONCE, nonce).nonce == nonce


def test_the_parts_are_read_from_the_headers() -> None:
    assert (call().api_key, call().stamp) == (API_KEY.decode(), 1_790_000_000_000)
    assert (marked(KEY, None).api_key, marked(KEY, b"\xe9").api_key, marked(NONCE, None).nonce) == ("", "é", b"")
