"""The four ways in which clients send a signed call. Pure: nothing is sent here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

from spotbook import __version__

__all__ = ["PRIVATE_PATH", "Request", "Style", "build"]

PRIVATE_PATH: Final = "/api/v1/private"
# What travels unencoded in a query and still arrives as it is: no space, plus, percent, ampersand, hash or non-ASCII.
RAW_SAFE: Final = "!$'()*,-./:;=?@_~"


class Style(StrEnum):
    """How a call is sent. All four mean the same to the exchange; only FORM keeps key and signature out of the URL."""

    FORM = "form"
    """api_key, sign and the parameters in a form body (the default)."""
    HELPER = "helper"
    """All in the query, form-encoded, sign second, api_key last, as the official helper does."""
    SORTED = "sorted"
    """All in the query, sorted by name, unencoded as far as a URL allows it, sign last."""
    PERCENT = "percent"
    """All in the query, percent-encoded, sign second."""


@dataclass(frozen=True, slots=True)
class Request:
    """One signed call, ready to send by POST. Its repr shows neither key nor signature."""

    command: str
    is_write: bool
    url: str = field(repr=False)
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def is_write(command: str) -> bool:
    """Whether repeating the command could do something twice. What is not known to be a read is a write."""
    return not (command.startswith(("return", "get")) or command == "spotbook.holds")


def build(
    style: Style, address: str, command: str, params: Mapping[str, str], *, api_key: str, signature: str
) -> Request:
    """The request for `address` (scheme, host, path), in one of the four styles; `params` without api_key."""
    target = f"{address}?command={quote(command, safe='')}"
    sorted_params = dict(sorted({**params, "api_key": api_key}.items()))
    content_type, body = "", b""
    match style:
        case Style.FORM:
            content_type = "application/x-www-form-urlencoded"
            body = urlencode({"api_key": api_key, **params, "sign": signature}).encode()
        case Style.HELPER:
            content_type = "application/json"
            target += f"&sign={signature}&{urlencode({**params, 'api_key': api_key})}"
        case Style.SORTED:
            target += "".join(f"&{quote_plus(n)}={quote(v, safe=RAW_SAFE)}" for n, v in sorted_params.items())
            target += f"&sign={signature}"
        case _:  # PERCENT
            content_type = "application/json; charset=utf-8"
            target += f"&sign={signature}&{urlencode(sorted_params, quote_via=quote, safe='')}"
    headers = {"Accept": "application/json", "User-Agent": f"spotbook/{__version__}"}
    if content_type:
        headers["Content-Type"] = content_type
    return Request(command, is_write(command), target, headers, body)
