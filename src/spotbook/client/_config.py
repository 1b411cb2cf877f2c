"""What a client is made from: addresses, the environment, certificates, versions to wait for."""

import os
import re
import ssl
from collections.abc import Mapping
from typing import Final

import httpx2

from spotbook.client import errors

__all__ = [
    "DEFAULT_URL",
    "MinVersion",
    "checked_base_url",
    "from_environment",
    "min_version_text",
    "tls",
    "url_from_environment",
]

DEFAULT_URL: Final = "http://127.0.0.1:8080"  # loopback: no client talks to a real exchange by accident

MinVersion = int | tuple[str, int]


def url_from_environment(environ: Mapping[str, str] | None) -> str:
    """base_url as `from_env` finds it."""
    return (os.environ if environ is None else environ).get("SPOTBOOK_URL") or DEFAULT_URL


def from_environment(environ: Mapping[str, str] | None) -> tuple[str, str, str]:
    """api_key, secret_key and base_url as `from_env` finds them. ConfigurationError names what is missing."""
    source = os.environ if environ is None else environ
    missing = [name for name in ("SPOTBOOK_API_KEY", "SPOTBOOK_SECRET_KEY") if not source.get(name)]
    if missing:
        raise errors.ConfigurationError(f"not set in the environment: {', '.join(missing)}")
    return source["SPOTBOOK_API_KEY"], source["SPOTBOOK_SECRET_KEY"], url_from_environment(source)


def tls(url: str) -> ssl.SSLContext | bool:
    """Certificates are always verified. Plain HTTP loads none: that costs 40 ms and is used by nobody."""
    return True if url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def checked_base_url(text: str) -> str:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or "?" in text or "#" in text:
        raise errors.ConfigurationError("base_url is http or https, a host, and perhaps a port and a path")
    return text.rstrip("/")


def min_version_text(min_version: MinVersion) -> str:
    books, version = min_version if isinstance(min_version, tuple) else ("", min_version)
    if type(version) is not int or type(books) is not str:  # exactly: a bool is an int, too
        raise TypeError("min_version is a version, or a pair of books and version")
    if version < 0 or not re.fullmatch("[A-Za-z0-9_.-]{0,64}", books):
        raise ValueError("min_version is a version, or a pair of books and version")
    return f"{books}:{version}" if books else str(version)
