"""Amounts: whole numbers of an asset's smallest unit, and their text.

One parser and one printer serve the whole program. Neither touches a float, a Decimal or an exponent, so that what a
client wrote is what the books hold, and what the books hold is what a client reads.
"""

import re

from spotbook.domain.errors import AmountMalformed, AmountTooLarge, AmountTooPrecise
from spotbook.limits import AMOUNT_CHARACTERS_MAX, SCALE_MAX, UNITS_MAX

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_POWERS = [10**scale for scale in range(SCALE_MAX + 1)]
_EXPONENT = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+", re.ASCII)


def parse(text: str, scale: int, *, name: str = "amount") -> int:
    """Return `text`, a plain decimal such as ``0.00010000``, as a count of units of 10^-`scale`.

    Precision is judged by value, so zeros at the end do not count. Raises AmountMalformed for anything else than
    digits with at most one point between digits, AmountTooPrecise for a digit below the smallest unit, and
    AmountTooLarge beyond 2^62 - 1 units; each names the parameter `name`.
    """
    if len(text) > AMOUNT_CHARACTERS_MAX:
        raise AmountMalformed(name, f"is longer than {AMOUNT_CHARACTERS_MAX} characters")
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        raise AmountMalformed(name, _why_malformed(text))
    whole, fraction = plain.group(1), (plain.group(2) or "").rstrip("0")
    if len(fraction) > scale:
        raise AmountTooPrecise(name, scale)
    units = int(whole + fraction.ljust(scale, "0"))
    if units > UNITS_MAX:
        raise AmountTooLarge(name)
    return units


def _why_malformed(text: str) -> str:
    if not text:
        return "is empty"
    if _EXPONENT.fullmatch(text):
        return "write it without an exponent, as plain decimal digits"
    if text.startswith("-"):
        return "is negative"
    return "write plain decimal digits, such as 0.25"


def show(units: int, scale: int) -> str:
    """Return `units` as plain decimal text with all of the asset's `scale` decimals: ``0.25000000``."""
    if units < 0:
        return "-" + show(-units, scale)
    if scale == 0:
        return str(units)
    digits = str(units).zfill(scale + 1)
    return f"{digits[:-scale]}.{digits[-scale:]}"


def show_stripped(units: int, scale: int) -> str:
    """Return `units` as plain decimal text without zeros at its end: ``0.25``; nothing is ``0``."""
    if units < 0:
        return "-" + show_stripped(-units, scale)
    whole, part = divmod(units, _POWERS[scale])
    return f"{whole}.{part:0{scale}}".rstrip("0") if part else str(whole)
