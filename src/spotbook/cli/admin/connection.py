"""Calls to the Admin API of a running server."""

import os
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import click
import httpx2
import msgspec

from spotbook.cli.refusals import Refused

PREFIX = "/admin/v1"
TIMEOUT_SECONDS = 60.0
"""An audit of a million entries takes longer than anything else that is asked here."""


class Connection:
    """Speaks to the Admin API with one token. Nothing is looked up before the first call."""

    def __init__(self, url: str, token_file: str | None) -> None:
        self._url = url.rstrip("/")
        self._token_file = token_file
        self._client: httpx2.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read. Values that are None are left out of the query."""
        return self._call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, **body: Any) -> Any:
        """Write. Values that are None are left out of the body."""
        return self._call("POST", path, json={name: value for name, value in body.items() if value is not None})

    def patch(self, path: str, **body: Any) -> Any:
        """Change. Values that are None are left out of the body."""
        return self._call("PATCH", path, json={name: value for name, value in body.items() if value is not None})

    def delete(self, path: str, **query: Any) -> Any:
        """Take away. Values that are None are left out of the query."""
        return self._call("DELETE", path, params={name: value for name, value in query.items() if value is not None})

    def _call(self, method: str, path: str, **what: Any) -> Any:
        response = self._opened().request(method, f"{self._url}{PREFIX}{path}", **what)
        text = response.text
        try:
            value = msgspec.json.decode(text) if text else None
        except msgspec.DecodeError:
            value = None
        if response.status_code >= 400:
            raise Refused(_said(value, response.status_code))
        return value

    def _opened(self) -> httpx2.Client:
        if self._client is None:
            # The environment's proxies are not for tokens; SSL_CERT_FILE names other certificates to trust.
            verify = ssl.create_default_context() if self._url.lower().startswith("https:") else False
            headers = {"Authorization": f"Bearer {self._token()}"}
            self._client = httpx2.Client(headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False, verify=verify)
        return self._client

    def _token(self) -> str:
        if self._token_file is not None:
            token = Path(self._token_file).read_text(encoding="utf-8").strip()
        else:
            token = os.environ.get("SPOTBOOK_ADMIN_TOKEN", "").strip()
        if not token.isascii() or not token.isprintable() or not token:
            raise Refused("there is no admin token: set SPOTBOOK_ADMIN_TOKEN, or name a file with --token-file")
        return token


def _said(value: Any, status: int) -> str:
    """Return what the Admin API said of a refusal, with the facts that it names."""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict) or "message" not in error:
        return f"the Admin API answered {status}"
    facts = [
        f"; {name}: {msgspec.json.encode(error[name]).decode()}" for name in ("first", "findings") if name in error
    ]
    return "".join([str(error["message"]), *facts])


pass_connection = click.make_pass_decorator(Connection)


def segment(text: str) -> str:
    """Return text as one segment of a path, whatever is in it."""
    return quote(text, safe="")
