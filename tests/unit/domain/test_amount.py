"""One parser and one printer for every amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbook.domain.amount import parse, show, show_stripped
from spotbook.domain.errors import AmountMalformed, AmountTooLarge, AmountTooPrecise, Refusal
from spotbook.limits import AMOUNT_CHARACTERS_MAX, SCALE_MAX, UNITS_MAX

MALFORMED = [
    "",
    " ",
    "1e5",
    "1E5",
    "1e-5",
    "+1e5",
    "NaN",
    "nan",
    "Infinity",
    "inf",
    "-1",
    "-0",
    "+1",
    ".5",
    "5.",
    ".",
    "00.1",
    "01",
    "1.2.3",
    "1,5",
    "1_000",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "1\x00",
    "0x10",
    "½",
    "١",  # ARABIC-INDIC DIGIT ONE: a digit to `str.isdigit` and to `int`
    "１",  # FULLWIDTH DIGIT ONE
    "1²",
    "−1",  # MINUS SIGN
    "\ud800",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_anything_but_plain_decimal_digits_is_malformed(text: str) -> None:
    with pytest.raises(AmountMalformed):
        parse(text, 8)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("0.0", 0),
        ("0.00000000", 0),
        ("1", 100_000_000),
        ("1.0", 100_000_000),
        ("0.00000001", 1),
        ("257.51830114", 25_751_830_114),
        ("10", 1_000_000_000),
        ("46116860184.27387903", UNITS_MAX),
    ],
)
def test_plain_decimal_text_is_read_to_the_unit(text: str, units: int) -> None:
    assert parse(text, 8) == units


def test_scale_zero_takes_whole_numbers() -> None:
    assert parse("7", 0) == 7


def test_a_digit_below_the_smallest_unit_is_too_precise() -> None:
    with pytest.raises(AmountTooPrecise) as refused:
        parse("0.000000001", 8)
    assert refused.value.scale == 8


def test_precision_is_judged_by_value_so_zeros_at_the_end_do_not_count() -> None:
    assert parse("0.1000000000000000000000000", 1) == 1


def test_a_fraction_of_zeros_fits_scale_zero() -> None:
    assert parse("5.000", 0) == 5


def test_a_nonzero_digit_behind_zeros_still_counts() -> None:
    with pytest.raises(AmountTooPrecise):
        parse("0.1000000001", 8)


@pytest.mark.parametrize(("scale", "text"), [(8, "46116860184.27387903"), (0, str(UNITS_MAX))])
def test_exactly_2_to_the_62_minus_1_units_is_an_amount(scale: int, text: str) -> None:
    assert parse(text, scale) == 2**62 - 1


@pytest.mark.parametrize(("scale", "text"), [(8, "46116860184.27387904"), (0, str(2**62)), (8, "99999999999999999999")])
def test_one_unit_more_is_too_large(scale: int, text: str) -> None:
    with pytest.raises(AmountTooLarge):
        parse(text, scale)


def test_text_of_the_longest_length_is_read() -> None:
    assert parse("1." + "0" * (AMOUNT_CHARACTERS_MAX - 2), 8) == 100_000_000


def test_a_character_more_is_refused_before_it_is_read() -> None:
    with pytest.raises(AmountMalformed, match="longer than 64"):
        parse("1." + "0" * (AMOUNT_CHARACTERS_MAX - 1), 8)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("1e5", "write it without an exponent, as plain decimal digits"),
        ("+1.5E-3", "write it without an exponent, as plain decimal digits"),
        ("-1", "is negative"),
        ("abc", "write plain decimal digits, such as 0.25"),
        ("exit", "write plain decimal digits, such as 0.25"),
    ],
)
def test_the_refusal_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(AmountMalformed) as refused:
        parse(text, 8)
    assert (refused.value.name, refused.value.why) == ("amount", why)


@pytest.mark.parametrize("text", ["x", "0.000000001", "99999999999999999999", "1" * 65])
def test_the_refusal_names_the_parameter(text: str) -> None:
    with pytest.raises(Refusal, match=r"^price_min: "):
        parse(text, 8, name="price_min")


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [
        (0, 0, "0"),
        (0, 8, "0.00000000"),
        (1, 8, "0.00000001"),
        (25_000_000, 8, "0.25000000"),
        (100_000_000, 8, "1.00000000"),
        (12, 0, "12"),
        (-12, 0, "-12"),
        (-1, 8, "-0.00000001"),
        (UNITS_MAX, 18, "4.611686018427387903"),
    ],
)
def test_an_amount_is_printed_with_all_its_decimals(units: int, scale: int, text: str) -> None:
    assert show(units, scale) == text


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [
        (0, 0, "0"),
        (0, 8, "0"),
        (25_000_000, 8, "0.25"),
        (100_000_000, 8, "1"),
        (1_000_000_000, 8, "10"),
        (100, 0, "100"),
        (-25_000_000, 8, "-0.25"),
        (1, 18, "0.000000000000000001"),
    ],
)
def test_an_amount_is_stripped_of_zeros_at_its_end_only(units: int, scale: int, text: str) -> None:
    assert show_stripped(units, scale) == text


units_of_money = st.integers(0, UNITS_MAX)
scales = st.integers(0, SCALE_MAX)


@given(units_of_money, scales)
def test_what_is_printed_is_read_back_to_the_unit(units: int, scale: int) -> None:
    assert parse(show(units, scale), scale) == units
    assert parse(show_stripped(units, scale), scale) == units


@given(units_of_money, scales)
def test_stripped_text_is_the_shortest(units: int, scale: int) -> None:
    text = show_stripped(units, scale)
    assert "." not in text or not text.endswith(("0", "."))


@given(st.text(alphabet="0123456789.eE+-_ ١", max_size=70) | st.text(max_size=70), scales)
def test_any_text_is_either_refused_or_is_worth_exactly_what_is_printed(text: str, scale: int) -> None:
    try:
        units = parse(text, scale)
    except Refusal:
        return
    whole, _, fraction = text.partition(".")
    assert units * 10 ** len(fraction) == int(whole + fraction) * 10**scale
    assert 0 <= units <= UNITS_MAX
