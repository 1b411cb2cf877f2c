"""The four ways in which clients send a signed call, and the one for a public call. Pure: nothing is sent here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

from spotbook import __version__
from spotbook.client import errors
from spotbook.client._config import MinVersion, min_version_text
from spotbook.client._signing import Parameter, checked, sign
from spotbook.client._signing_v1 import SignerV1

__all__ = ["Request", "Signer", "Signing", "Style", "build", "is_write", "public_request"]

PRIVATE_PATH: Final = "/api/v1/private"
PUBLIC_PATH: Final = "/api/v1/public"
HEADERS: Final = {"Accept": "application/json", "User-Agent": f"spotbook/{__version__}"}
NOT_FENCED: Final = frozenset({"", "0", "false", "False"})
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


class Signing(StrEnum):
    """How a call is signed."""

    MD5 = "md5"
    """As the exchange has it (the default). Whoever reads such a call can send it again."""
    HMAC = "hmac"
    """HMAC-SHA256 over all of the call, its time and a nonce: it is taken once, within seconds. Spotbook only."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to send. Its repr shows neither key nor signature. `signer`, if any, signs each attempt anew."""

    command: str
    is_write: bool
    url: str = field(repr=False)
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    method: str = "POST"
    signer: SignerV1 | None = field(default=None, repr=False)


def is_write(command: str, params: Mapping[str, str]) -> bool:
    """Whether repeating the call could do something twice. What is not known to be a read is a write."""
    if command == "spotbook.order":
        return params.get("fence", "") not in NOT_FENCED  # a fence closes an unknown out_trade_no for ever
    return not (command.startswith(("return", "get")) or command == "spotbook.holds")


def public_request(base_url: str, command: str, params: Mapping[str, Parameter]) -> Request:
    """A public call: GET, unsigned, never a write. TypeError or ValueError when it cannot be sent."""
    query = urlencode(checked(params))
    url = f"{base_url}{PUBLIC_PATH}?command={_named(command)}" + (f"&{query}" if query else "")
    return Request(command, False, url, HEADERS, b"", "GET")  # noqa: FBT003 (a field of the record)


class Signer:
    """Makes signed calls. Holds the key and its secret, and never shows them."""

    def __init__(self, api_key: str, secret_key: str, style: Style | str, signing: Signing | str = Signing.MD5) -> None:
        if not api_key or not secret_key or not (api_key + secret_key).isprintable():
            raise errors.ConfigurationError("api_key and secret_key are two texts of printable characters")
        self._api_key, self._secret_key = api_key, secret_key
        self._style = Style(style)
        self._v1 = SignerV1(api_key, secret_key) if Signing(signing) is Signing.HMAC else None
        if self._v1 is not None and (self._style is not Style.FORM or not api_key.isascii()):
            raise errors.ConfigurationError("signing by HMAC has one style, form, and an api_key of ASCII characters")

    def request(
        self, base_url: str, command: str, params: Mapping[str, Parameter], min_version: MinVersion | None
    ) -> Request:
        """The signed request. TypeError or ValueError when a parameter or the command cannot be sent."""
        address, texts = base_url + PRIVATE_PATH, checked(params)
        if self._v1 is not None:
            request = _unsigned(address, _named(command), texts, self._v1)
        else:
            signature = sign({**texts, "api_key": self._api_key}, self._secret_key)
            request = build(self._style, address, _named(command), texts, api_key=self._api_key, signature=signature)
        if min_version is None:
            return request
        return replace(request, headers={**request.headers, "X-Min-Version": min_version_text(min_version)})


def _named(command: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.]{1,64}", command):
        raise ValueError(f"{command!r} is no name of a command")
    return command


def _unsigned(address: str, command: str, params: Mapping[str, str], signer: SignerV1) -> Request:
    """A call whose headers will sign it: its body has the parameters, and neither key nor signature."""
    headers = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
    body, target = urlencode(params).encode(), f"{address}?command={quote(command, safe='')}"
    return Request(command, is_write(command, params), target, headers, body, signer=signer)


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
    headers = {**HEADERS, "Content-Type": content_type} if content_type else HEADERS
    return Request(command, is_write(command, params), target, headers, body)
