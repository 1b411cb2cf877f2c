"""Parameters as the exchange's clients write them, read strictly. Each refusal is an `Invalid` with the wire's name.

An empty value counts as absent. What a refusal says is free of the words "order", "not", "symbol" and "pair", since
clients classify a reply by the words in it.
"""

import re
from collections.abc import Mapping

from spotbook.domain.errors import Invalid, UnknownOrder
from spotbook.limits import ID_MAX, OUT_TRADE_NO_CHARACTERS_MAX

Params = Mapping[str, str]

SPELLINGS: Mapping[str, str] = {"endAt": "endAT"}
"""Names that clients in the wild send instead of the documents'. A call is signed under the name that arrived."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_ORDER_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_OUT_TRADE_NO = re.compile(rf"[A-Za-z0-9_-]{{1,{OUT_TRADE_NO_CHARACTERS_MAX}}}", re.ASCII)


def optional(params: Params, name: str) -> str:
    """Return a parameter's text under either of its names, ``""`` when it is absent."""
    text = params.get(name, "")
    if name not in SPELLINGS:
        return text
    other = params.get(SPELLINGS[name], "")
    if text and other:
        raise Invalid(name, "given twice")
    return text or other


def required(params: Params, name: str) -> str:
    """Return the text of a parameter that must be there."""
    text = optional(params, name)
    if not text:
        raise Invalid(name, "is missing")
    return text


def whole(params: Params, name: str) -> int:
    """Return a whole number, such as an id or a time in milliseconds."""
    return as_whole(name, required(params, name))


def whole_or(params: Params, name: str, otherwise: int) -> int:
    """Return a whole number, or `otherwise` when it is absent."""
    text = optional(params, name)
    return as_whole(name, text) if text else otherwise


def as_whole(name: str, text: str) -> int:
    """Return the whole number that a text is."""
    if not _WHOLE.fullmatch(text) or int(text) > ID_MAX:
        raise Invalid(name, f"write a whole number from 0 to {ID_MAX}")
    return int(text)


def whole_within(params: Params, name: str, least: int, most: int, otherwise: int) -> int:
    """Return a whole number of a range, or `otherwise` when it is absent."""
    number = whole_or(params, name, otherwise)
    if not least <= number <= most:
        raise Invalid(name, f"write a whole number from {least} to {most}")
    return number


def order_number(params: Params, name: str) -> int:
    """Return the number of an order that may exist.

    Clients hold numbers of the exchange's own, which have 19 digits and are no order's here: UnknownOrder.
    """
    return as_order_number(name, required(params, name))


def as_order_number(name: str, text: str) -> int:
    """Return the order's number that a text is; see `order_number`."""
    if not _ORDER_NUMBER.fullmatch(text):
        raise Invalid(name, "write a whole number of at most 19 digits")
    if not 0 < int(text) <= ID_MAX:
        raise UnknownOrder(text)
    return int(text)


def flag(params: Params, name: str) -> bool:
    """Return a yes or no, in any of the ways in which clients write it; absent is no."""
    text = params.get(name, "")
    if text in {"true", "True", "1"}:
        return True
    if text in {"", "false", "False", "0"}:
        return False
    raise Invalid(name, "write true or false")


def span(params: Params, first: str, last: str) -> tuple[int, int]:
    """Return two times in milliseconds, both inclusive; absent ones leave the span open on that side."""
    begin, end = whole_or(params, first, 0), whole_or(params, last, ID_MAX)
    if begin > end:
        raise Invalid(first, f"is after {last}")
    return begin, end


def out_trade_no(params: Params, *, needed: bool = False) -> str:
    """Return the client's own reference of an order, ``""`` when it is absent."""
    text = required(params, "out_trade_no") if needed else params.get("out_trade_no", "")
    if text and not _OUT_TRADE_NO.fullmatch(text):
        words = f"write 1 to {OUT_TRADE_NO_CHARACTERS_MAX} letters, digits, - and _"
        raise Invalid("out_trade_no", words)
    return text


def either(params: Params, name: str, also: str) -> str:
    """Return the text of a parameter that clients know by two names; a refusal gives the first."""
    return params.get(name) or params.get(also) or required(params, name)


SECONDS_BELOW = 100_000_000_000
"""A time below it is in seconds (until the year 5138), one from it on in milliseconds (since March 1973)."""


def span_of_any_size(params: Params, first: str, last: str) -> tuple[int, int]:
    """Return two times as `span` does; each may be in seconds or milliseconds, told apart by size."""
    begin, end = (
        value * 1_000 if value < SECONDS_BELOW else value
        for value in (whole_or(params, first, 0), whole_or(params, last, ID_MAX))
    )
    if begin > end:
        raise Invalid(first, f"is after {last}")
    return begin, end
