"""Values as text, and the signature over them. Pure."""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal

__all__ = ["Parameter", "amount_text", "checked", "sign"]

Parameter = str | int | Decimal | None

RESERVED = frozenset({"api_key", "command", "sign", "secret_key"})
FLAGS = frozenset({"fence", "isMarket", "postOnly"})
DIGITS_MAX = 64


def sign(params: Mapping[str, str], secret_key: str) -> str:
    """The signature: MD5 over the decoded values in the order of their names, 32 upper-case hex digits."""
    text = "&".join([*(f"{name}={value}" for name, value in sorted(params.items())), f"secret_key={secret_key}"])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def checked(params: Mapping[str, Parameter]) -> dict[str, str]:
    """The parameters as they are signed and sent; None leaves one out. TypeError and ValueError as `as_text` says."""
    texts = {}
    for name, value in params.items():
        # The signed text is not injective: `a=1&b=2` as one value would carry the signature of two parameters.
        if name in RESERVED or not re.fullmatch(r"[^&=\s]+", name):
            raise ValueError(f"{name!r} cannot be the name of a parameter")
        if value is None:
            continue
        texts[name] = text = as_text(name, value)
        if "&" in text:
            raise ValueError(f"{name}: a value cannot contain &, which would change the meaning of the signature")
        if not text.isascii():
            text.encode()  # a lone surrogate is refused here, and not halfway through
    return texts


def as_text(name: str, value: str | int | Decimal) -> str:
    """Text as it is, a Decimal without exponent; a flag's bool as true or false.

    TypeError for a float, for a bool that is no flag, for any other type; ValueError for NaN, Infinity and the like.
    """
    if isinstance(value, bool):
        if name not in FLAGS:
            raise TypeError(f"{name}: a bool is no amount, price or id; give an int, a str or a Decimal")
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)  # the value of a member of a str enumeration, not its name
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        return amount_text(name, value)
    if isinstance(value, float):  # type: ignore[unreachable]  # callers without a type checker are who this is for
        raise TypeError(f"{name}: a float is not exact; give a Decimal, an int or a str")
    raise TypeError(f"{name}: {type(value).__name__} is no value of a parameter")


def amount_text(name: str, value: Decimal) -> str:
    """A Decimal in plain digits. ValueError when it is not finite, or longer than any amount can be."""
    if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX or len(value.as_tuple().digits) > DIGITS_MAX:
        raise ValueError(f"{name}: this Decimal is no amount")
    return format(value, "f")
