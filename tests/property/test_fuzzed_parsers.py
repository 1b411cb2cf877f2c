"""The parsers, fuzzed: whatever comes, they answer as they were documented to, and never in another way."""

import asyncio
from fractions import Fraction

from spotbook.domain import amount
from spotbook.domain.errors import AmountMalformed, AmountTooLarge, AmountTooPrecise
from spotbook.limits import AMOUNT_CHARACTERS_MAX, PARAMETERS_MAX, SCALE_MAX, UNITS_MAX
from spotbook.wire.coinw import form
from spotbook.wire.coinw.form import Form, FormError
from spotbook.wire.coinw.signing import signed_text
from support.fuzzing import Inputs, fuzz

KINDS = [
    b"",
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"application/json; charset=utf-8",
    b"text/plain",
]
FORMS = [
    b"\x00command=returnBalances&api_key=a&sign=b",
    b"\x00command\\=returnBalances&a=%C3%A9+%26",
    b"\x02command=c\r\napi_key=a&sign=b&symbol=BTC_USDT",
    b'\x01command=c\r\n{"api_key":"a","sign":"b","amount":1,"flag":true}',
    b'\x03\r\n{"a":"\\ud83d\\ude00","b":-1,"c":false}',
    b"\x04\r\na=b",
]
FORM_WORDS = [
    *(b"&", b"=", b"%", b"%26", b"%3D", b"%3d", b"%00", b"%C3", b"%e2%82%ac", b"+", b"\r\n", b"\xff", b"\0"),
    *(b"command", b"command\\", b"sign", b"secret_key", b"api_key", b"a=1&b=2&c=3&", b"&" * (PARAMETERS_MAX - 2)),
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"1e5", b"1.5", b"NaN", b"\\ud800", b"\\u0026"),
    *(b"[" * 2_000, b'{"a":' * 500, b"9" * 5_000, b"-0", b"Infinity"),
]


def parsed(query: bytes, body: bytes, kind: bytes) -> Form | FormError:
    try:
        return form.parse(query, body, kind)
    except FormError as refused:
        return refused


def test_the_form_parser_refuses_or_returns_what_can_be_signed() -> None:
    async def attempt(raw: bytes) -> None:
        query, _, body = raw[1:].partition(b"\r\n")
        kind = KINDS[raw[0] % len(KINDS)] if raw else b""
        read = parsed(query, body, kind)
        if isinstance(read, FormError):
            assert str(read).isprintable()
            assert len(str(read)) < 200
            return
        names = set(read.params)
        assert len(names) <= PARAMETERS_MAX
        assert not names & {"command", "command\\", "sign", "secret_key"}
        # The text that is signed says of itself what it holds, so no two forms share it.
        pieces = [piece.partition("=")[::2] for piece in signed_text(read.params, "s").decode().split("&") if piece]
        assert dict(pieces) == {**read.params, "secret_key": "s"}

    asyncio.run(fuzz("the form parser", Inputs("form", FORMS, FORM_WORDS), [form], attempt, 6))


AMOUNTS = [
    b"\x080",
    b"\x080.00010000",
    b"\x12115292150460684697.6",
    b"\x004611686018427387903",
    b"\x0212.345",
    b"\x051e5",
]
AMOUNT_WORDS = [
    *(b"0", b".", b"1", b"9" * 20, b"0" * 30, b"-", b"+", b"e", b"E5", b" ", b"\n", b"_", b",", b"\0", b"0x"),
    *("٣".encode(), "１".encode(), "\N{MINUS SIGN}".encode(), b"Infinity", b"4611686018427387904", b".0"),
]

Expected = int | type[AmountMalformed] | type[AmountTooPrecise] | type[AmountTooLarge]


def expected(text: str, scale: int) -> Expected:
    """Say what an amount is by the letter of its documentation, with fractions and without the parser's ways."""
    whole, point, part = text.partition(".")
    plain = bool(whole) and bool(part) == bool(point) and set(whole + part) <= set("0123456789")
    if len(text) > AMOUNT_CHARACTERS_MAX or not plain or (whole != "0" and whole.startswith("0")):
        return AmountMalformed
    units = Fraction(f"{whole}.{part or 0}") * 10**scale
    if units.denominator != 1:
        return AmountTooPrecise
    return int(units) if units <= UNITS_MAX else AmountTooLarge


def read(text: str, scale: int) -> Expected:
    try:
        return amount.parse(text, scale)
    except (AmountMalformed, AmountTooPrecise, AmountTooLarge) as refused:
        return type(refused)


def test_amounts_are_what_fractions_make_of_them() -> None:
    async def attempt(raw: bytes) -> None:
        text, scale = raw[1:].decode("utf-8", "replace"), (raw[0] if raw else 0) % (SCALE_MAX + 1)
        due = expected(text, scale)
        units = read(text, scale)
        assert units == due
        if not isinstance(units, int):
            return
        for sign in (1, -1):
            shown, stripped = amount.show(sign * units, scale), amount.show_stripped(sign * units, scale)
            assert Fraction(shown) == Fraction(stripped) == Fraction(sign * units, 10**scale)
            assert len(shown.partition(".")[2]) == scale
            assert not stripped.partition(".")[2].endswith("0")
        assert amount.parse(amount.show(units, scale), scale) == units
        assert amount.parse(amount.show_stripped(units, scale), scale) == units

    asyncio.run(fuzz("amounts", Inputs("amounts", AMOUNTS, AMOUNT_WORDS), [amount], attempt, 4))
