"""The official helper's functions, by the names that the exchange's documents use, working against any host.

They send exactly what the documents' own code sends: everything in the query, an empty body. So key and signature are
in the URL; the `Client` keeps them out of it. A refusal is returned like any other reply, as those who use these
functions expect; `NetworkError`, `Timeout` and `MalformedReply` are raised.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

import httpx2

from spotbook.client._config import DEFAULT_URL, tls
from spotbook.client._core import never_answered
from spotbook.client._replies import decode
from spotbook.client._requests import Request, is_write
from spotbook.client._signing import amount_text, sign
from spotbook.client.errors import ConfigurationError, MalformedReply

__all__ = ["SpotRestfulPrivate", "SpotRestfulPublic", "SpotRestuflPrivate"]

HEADERS: Final = (("Content-Type", "application/json"),)


def SpotRestfulPrivate(  # noqa: N802, PLR0917 (the documents' name and order)
    host: str,
    api_url: str,
    method: str,
    api_key: str,
    params: Mapping[str, object] | None,
    secret_key: str,
    *,
    timeout: float = 10.0,
    transport: httpx2.BaseTransport | None = None,
) -> dict[str, Any]:
    """One signed call: `{method} {host}{api_url}&sign={sign}&{urlencode(params)}`, its reply as a dict.

    `host` has its scheme (`http://127.0.0.1:8080`); `api_url` holds the command
    (`/api/v1/private?command=returnCompleteBalances`); `method` is POST, in any case. `params` is not changed; values
    go as `str()` writes them, but a float is refused with TypeError. Fractional numbers of the reply are Decimal.
    """
    texts = _texts({name: value for name, value in (params or {}).items() if name != "api_key"})
    texts["api_key"] = api_key  # the last one, whatever it was in `params`
    query = f"&sign={sign(texts, secret_key)}&{urlencode(texts)}"
    return _send(method, host, api_url, texts, query, timeout=timeout, transport=transport)


SpotRestuflPrivate = SpotRestfulPrivate
"""The same, as the documents' trading samples misspell it."""


def SpotRestfulPublic(  # noqa: N802 (the documents' name)
    api_url: str,
    params: Mapping[str, object] | None = None,
    host: str = DEFAULT_URL,
    *,
    timeout: float = 10.0,
    transport: httpx2.BaseTransport | None = None,
) -> dict[str, Any]:
    """One public call, `GET {host}{api_url}&{urlencode(params)}`, its reply as a dict. The rest as above."""
    texts = _texts(params or {})
    query = f"&{urlencode(texts)}" if texts else ""
    return _send("GET", host, api_url, texts, query, timeout=timeout, transport=transport)


def _texts(params: Mapping[str, object]) -> dict[str, str]:
    texts = {}
    for name, value in params.items():
        if isinstance(value, float):
            raise TypeError(f"{name}: a float is not exact; give a Decimal, an int or a str")
        texts[name] = amount_text(name, value) if isinstance(value, Decimal) else str(value)
    return texts


def _send(
    method: str,
    host: str,
    api_url: str,
    texts: Mapping[str, str],
    query: str,
    *,
    timeout: float,
    transport: httpx2.BaseTransport | None,
) -> dict[str, Any]:
    # Old samples write `?command\=…`; what goes over the wire for it is %5C.
    url = (host + api_url + query).replace("\\", "%5C")
    command = api_url.rpartition("=")[2]
    writes = method.upper() != "GET" and is_write(command, texts)
    request = Request(command, writes, url, dict(HEADERS), b"")
    with transport or httpx2.HTTPTransport(verify=tls(host), trust_env=False) as opened:
        try:
            response = opened.handle_request(_http(method, request, timeout))
            body = response.read()
        except httpx2.RequestError as error:
            raise never_answered(error, request) from error
    try:
        return decode(body, dict[str, Any])
    except ValueError:
        words = f"HTTP {response.status_code} with {len(body)} bytes that are no JSON object"
        status, ambiguous = response.status_code, request.is_write
        raise MalformedReply(words, command, status=status, ambiguous=ambiguous) from None


def _http(method: str, request: Request, timeout: float) -> httpx2.Request:
    if not request.url.lower().startswith(("http://", "https://")):
        raise ConfigurationError("host begins with http:// or https://")
    extensions = {"timeout": httpx2.Timeout(timeout).as_dict()}
    try:
        return httpx2.Request(method, request.url, headers=request.headers, content=b"", extensions=extensions)
    except httpx2.InvalidURL:
        raise ConfigurationError("host, api_url and params make no URL, or one that is too long") from None
