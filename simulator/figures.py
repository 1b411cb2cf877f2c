"""Numbers and times as the wire writes them, and as it reads them: the model's own way of both."""

import time
from typing import Any

from simulator.books import LARGEST, No

EIGHT_HOURS = 8 * 3_600


def full(units: int, scale: int) -> str:
    """Write smallest units with all decimals."""
    if scale == 0:
        return str(units)
    whole, part = divmod(units, 10**scale)
    return f"{whole}.{str(part).rjust(scale, '0')}"


def brief(units: int, scale: int) -> str:
    """Write smallest units without zeros at the end."""
    text = full(units, scale)
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(time_ms: int) -> str:
    """Write a time as it is on the wire, eight hours east."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time_ms // 1_000 + EIGHT_HOURS))


def number(text: str, decimals: int, about: str) -> int:
    """Read plain decimal text as a count of 10^-decimals, one character after the other."""
    whole, point, part = text.partition(".")
    digits = whole + part
    wrong = not whole or (point and not part) or (whole[0] == "0" and whole != "0") or len(text) > 64
    if wrong or any(digit not in "0123456789" for digit in digits):
        raise No("Invalid", about)
    part = part.rstrip("0")
    if len(part) > decimals:
        raise No("Precision", about)
    units = int(whole + part + "0" * (decimals - len(part)))
    if units > LARGEST:
        raise No("Invalid", about)
    return units


def positive(text: str, decimals: int, about: str) -> int:
    """Read an amount that must be there and more than nothing."""
    if not text:
        raise No("Invalid", about)
    units = number(text, decimals, about)
    if units == 0:
        raise No("Invalid", about)
    return units


def whole(text: str, about: str, *, most: int = 2**53 - 1) -> int:
    """Read a whole number."""
    if not text or any(digit not in "0123456789" for digit in text) or (text[0] == "0" and text != "0"):
        raise No("Invalid", about)
    if len(text) > 16 or int(text) > most:
        raise No("Invalid", about)
    return int(text)


def flag(params: dict[str, Any], name: str) -> bool:
    """Read a yes or no."""
    text = params.get(name, "")
    if text in {"true", "True", "1"}:
        return True
    if text not in {"", "false", "False", "0"}:
        raise No("Invalid", name)
    return False
