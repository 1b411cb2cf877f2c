"""Every endpoint of the Admin API: one table, of which the routing and ``/openapi.json`` are made."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from spotbook.server.admin import (
    accounts,
    assets,
    audits,
    balances,
    bans,
    deposits,
    health,
    keys,
    limits,
    markets,
    operation,
    orders,
    tokens,
)
from spotbook.server.admin.endpoint import Endpoint, Reply
from spotbook.server.admin.office import Office

ENDPOINTS: tuple[Endpoint, ...] = (
    deposits.CREDIT,  # the busiest comes first: paths are tried in this sequence
    deposits.LIST,
    balances.BALANCES,
    balances.ENTRIES,
    balances.HOLDS,
    orders.LIST,
    orders.CANCEL,
    orders.CANCEL_ALL,
    accounts.OPEN,
    accounts.LIST,
    accounts.ONE,
    accounts.FREEZE,
    accounts.WEALTH,
    keys.MAKE,
    keys.LIST,
    keys.REVOKE,
    assets.MAKE,
    assets.LIST,
    markets.MAKE,
    markets.CHANGE,
    markets.LIST,
    audits.AUDIT,
    limits.LIMITS,
    bans.LIST,
    bans.LIFT,
    tokens.MAKE,
    tokens.LIST,
    tokens.REVOKE,
    operation.STATUS,
    operation.HALT,
    operation.RESUME,
)


class Probe(NamedTuple):
    """An endpoint for machines that watch: at the root, GET, without a token."""

    path: str
    summary: str
    answer: Callable[[Office], Awaitable[Reply]]
    replies: dict[int, Any]


PROBES: tuple[Probe, ...] = (
    Probe("/healthz", "Whether the process serves", health.healthz, {200: health.Alive}),
    Probe("/readyz", "Whether commands are carried out", health.readyz, {200: health.Ready, 503: health.NotReady}),
    Probe("/metrics", "Metrics for Prometheus", health.metrics, {200: health.Metrics}),
    # The same under the API's own prefix, for those who look for everything there.
    Probe("/admin/v1/healthz", "As /healthz", health.healthz, {200: health.Alive}),
    Probe("/admin/v1/readyz", "As /readyz", health.readyz, {200: health.Ready, 503: health.NotReady}),
    Probe("/admin/v1/metrics", "As /metrics", health.metrics, {200: health.Metrics}),
)
