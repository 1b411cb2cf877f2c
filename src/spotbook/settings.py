"""Settings: one frozen value, from a TOML file, the environment and the command line, in that order of weight.

A key that is not known is an error, so that a misspelt bound is not silently the default. Nothing here reads the
environment by itself: `load` is given everything. How text becomes values is in `spotbook.settings_sources`.

::

    SettingsRefused     a key that does not exist, a value that is none, or a combination that is not safe
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec

from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules
from spotbook.domain.window import Limit
from spotbook.limits import AUDIT_ROWS_MAX, AUDIT_SHARE, CONNECTIONS_PER_ADDRESS_MAX
from spotbook.settings_sources import Place, SourceRefused, from_environment, from_file, from_flags, overlaid

LOG_LEVELS = ("debug", "info", "warning", "error")

AUDIT_SHARE_MIN = 0.001
"""Less is no audit: turn it off instead."""

UNLIMITED = 1_000_000_000
"""What stands for no limit: the same code runs, and nobody reaches it."""

NOT_SETTINGS = frozenset(
    f"SPOTBOOK_{name}"
    for name in ("MASTER_KEY", "MASTER_KEY_FILE", "URL", "API_KEY", "SECRET_KEY", "ADMIN_TOKEN", "ADMIN_URL", "CONFIG")
)
"""Secrets and addresses in the environment that belong to other readers than the settings."""


class SettingsRefused(Exception):
    """The settings are not understood, or not safe to serve with."""


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


class Connections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many connections one address may hold open at a listener. A trusted proxy's address has no such bound."""

    per_address: int = CONNECTIONS_PER_ADDRESS_MAX


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit in the background: whether there is one, its share of one core, and how many rows it may keep."""

    enabled: bool = True
    share: float = AUDIT_SHARE
    rows_max: int = AUDIT_ROWS_MAX


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
    connections: Connections = Connections()
    audit: Audit = Audit()
    limits: LimitRules = LimitRules()
    command_limits: dict[str, Limit] = {}
    """Calls per window of single commands, over the exchange's own: the name, and calls and window_ms."""
    log_level: str = "info"


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Return the settings of a TOML file, overridden by SPOTBOOK_… variables, overridden by flags.

    Flags are named by their path (``public.host``); None is no flag. Relative paths in the file begin at its folder.
    Raises SettingsRefused, naming the source and the key; OSError when the file cannot be read.
    """
    try:
        leaves: dict[Place, Any] = {}
        if file is not None:
            leaves |= from_file(Settings, file)
        leaves |= from_environment(Settings, environment, "SPOTBOOK", NOT_SETTINGS)
        leaves |= from_flags(Settings, flags)
        if ("data",) not in leaves:
            raise SettingsRefused("data is not set: name the folder of the books with --data")
    except SourceRefused as refused:
        raise SettingsRefused(str(refused)) from None
    settings = overlaid(Settings(data=leaves[("data",)]), leaves)
    check(settings)
    return settings


def unlimited(settings: Settings, own: Mapping[str, Limit]) -> Settings:
    """Return the settings with every rate limit at a billion and the ladder off; `own` are the commands' limits."""
    rules = settings.limits
    ladder = (rules.ladder or LadderRules())._replace(enabled=False)
    limits = rules._replace(
        address_per_s=UNLIMITED,
        user_per_s=UNLIMITED,
        ladder=ladder,
        forgeries_per_key=UNLIMITED,
        forgeries_per_address=UNLIMITED,
    )
    commands = {name: limit._replace(calls=UNLIMITED) for name, limit in (dict(own) | settings.command_limits).items()}
    return msgspec.structs.replace(settings, limits=limits, command_limits=commands)


def check(settings: Settings) -> None:
    """Raise SettingsRefused for values that no server could work with."""
    for why in _faults(settings):
        raise SettingsRefused(why)


def check_serve(settings: Settings) -> None:
    """Raise SettingsRefused unless it is safe to serve real money with these settings.

    Beyond loopback a listener needs TLS, or the explicit word that a proxy ends it: whoever reads one signed call can
    repeat it for ever, and an admin token is worth all the money there is.
    """
    check(settings)
    for name, listener in (("public", settings.public), ("admin", settings.admin)):
        if not loopback(listener.host) and not secured(settings):
            raise SettingsRefused(
                f"{name}.host {listener.host!r} is beyond loopback: give tls.certificate and tls.private_key, or say "
                "with proxy.behind and proxy.trusted that a proxy ends TLS"
            )


def secured(settings: Settings) -> bool:
    """Whether Spotbook speaks TLS itself, or a proxy does it by the operator's word."""
    return settings.proxy.behind or settings.tls.certificate is not None


def exposed(settings: Settings) -> bool:
    """Whether others than this machine's own programs can call: by the address, or through a proxy."""
    return settings.proxy.behind or not loopback(settings.public.host)


def key_needs_allow_list(settings: Settings) -> bool:
    """Whether an API key that may trade or withdraw, and is not strict, is made only with an address allow-list.

    Its signature is an MD5 that never ages, so that beyond loopback it alone must not be enough to move money.
    """
    return exposed(settings) and not settings.unsafe_keys


def loopback(host: str) -> bool:
    """Whether only this machine can reach a listener at `host`."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _faults(settings: Settings) -> Iterator[str]:
    for name, listener in (("public", settings.public), ("admin", settings.admin)):
        if not listener.host.strip():
            yield f"{name}.host is empty: write 0.0.0.0 for every address"
        if not 0 <= listener.port <= 65_535:
            yield f"{name}.port is 0 to 65535"
    if settings.public.port and settings.public == settings.admin:
        yield "public and admin cannot share one port"
    if not settings.admin_hosts:
        yield "admin_hosts is empty: nobody could call the admin listener"
    if (settings.tls.certificate is None) != (settings.tls.private_key is None):
        yield "tls.certificate and tls.private_key go together: one of them is missing"
    if settings.proxy.behind and not settings.proxy.trusted:
        yield "proxy.behind needs proxy.trusted, the addresses of the proxies: else nobody's address could be told"
    if settings.connections.per_address < 1:
        yield "connections.per_address is 1 or more"
    if not AUDIT_SHARE_MIN <= settings.audit.share <= 1:
        yield f"audit.share is {AUDIT_SHARE_MIN} to 1: the part of one core that the background audit takes"
    if settings.audit.rows_max < 1:
        yield "audit.rows_max is 1 or more"
    if settings.log_level not in LOG_LEVELS:
        yield f"log_level is one of {', '.join(LOG_LEVELS)}"
    yield from _network_faults(settings.proxy.trusted)
    yield from _limit_faults(settings)


def _network_faults(trusted: tuple[str, ...]) -> Iterator[str]:
    for text in trusted:
        try:
            network = ip_network(text)
        except ValueError as error:
            yield f"proxy.trusted: {error}"
        else:
            if network.prefixlen == 0:
                yield f"proxy.trusted: {text} trusts everybody, so that a client could choose its own address"


def _limit_faults(settings: Settings) -> Iterator[str]:
    ladder = settings.limits.ladder
    for name, value in settings.limits._asdict().items():
        if name not in ("ladder", "clock_grain_ms") and value < 1:
            yield f"limits.{name} is 1 or more"
    if not 0 <= settings.limits.clock_grain_ms <= 1_000:
        yield "limits.clock_grain_ms is 0 to 1000"
    for name, value in (ladder._asdict() if ladder else {}).items():
        if value < 1 and name != "enabled":
            yield f"limits.ladder.{name} is 1 or more"
    for command, limit in settings.command_limits.items():
        if limit.calls < 1 or limit.window_ms < 1:
            yield f"command_limits.{command}: calls and window_ms are 1 or more"
