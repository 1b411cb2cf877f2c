"""How large a run is: whole, quick, or as small as it can be."""

from typing import NamedTuple


class Size(NamedTuple):
    """Everything about a run that is a matter of patience."""

    rounds: int
    """Times that each thing is measured, in turn with what it is compared to; the median counts."""
    accounts: int
    assets: int
    connections: int
    warm_seconds: int
    load_seconds: int
    deposits: int
    few_accounts: int
    many_accounts: int
    sheet_reads: int
    traders: int
    orders: int
    http_orders: int
    levels: int
    depth_orders: int
    open_orders: int
    flood_seconds: int
    """How long a server is asked for more than it can take."""
    calm_seconds: int
    """How long it is asked for a tenth of what it can take, before and after."""
    pairs: int
    """Rounds in which an old and a new commit are measured in turn."""


WHOLE = Size(
    rounds=3,
    accounts=10_000,
    assets=5,
    connections=64,
    warm_seconds=3,
    load_seconds=10,
    deposits=100_000,
    few_accounts=1_000,
    many_accounts=1_000_000,
    sheet_reads=50_000,
    traders=20_000,
    orders=150_000,
    http_orders=200_000,
    levels=100_000,
    depth_orders=2_000,
    open_orders=1_000_000,
    flood_seconds=60,
    calm_seconds=15,
    pairs=7,
)
QUICK = WHOLE._replace(
    rounds=1,
    warm_seconds=2,
    load_seconds=3,
    deposits=30_000,
    many_accounts=50_000,
    sheet_reads=20_000,
    orders=45_000,
    http_orders=60_000,
    depth_orders=1_000,
    open_orders=50_000,
    flood_seconds=10,
    calm_seconds=5,
    pairs=3,
)
