"""Settings: one frozen value, from a TOML file, the environment and the command line, in that order of weight.

A key that is not known is an error, so that a misspelt bound is not silently the default. Nothing here reads the
environment by itself: `load` is given everything.
"""

from pathlib import Path

import msgspec

from spotbook.domain.pacing import Limit, LimitRules


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a listener binds; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0


class Proxy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before Spotbook.

    `behind` says in so many words that a proxy ends TLS and sets X-Forwarded-For; it needs `trusted`, the CIDR ranges
    of such proxies, and nothing else that forwards is ever believed.
    """

    behind: bool = False
    trusted: tuple[str, ...] = ()


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files with the certificate chain and its private key, in PEM."""

    certificate: Path | None = None
    private_key: Path | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that an operator may set."""

    data: Path
    public: Listener = Listener(port=8080)
    admin: Listener = Listener(port=8081)
    admin_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Names by which the admin listener may be called; another Host header is refused (DNS rebinding)."""
    proxy: Proxy = Proxy()
    tls: Tls = Tls()
    unsafe_keys: bool = False
    """Beyond loopback, an MD5-signed key may trade or withdraw without an address allow-list only if this is set."""
    list_empty_assets: bool = False
    """List assets of which an account holds nothing in complete balances, as older servers of the exchange did."""
    limits: LimitRules = LimitRules()
    command_limits: dict[str, Limit] = {}
    """Calls per window of single commands, over the exchange's own: the name, and calls and window_ms."""
    log_level: str = "info"
