"""What the writer decided: the facts of the journal.

An event says what is so afterwards, whole, and needs no rule to be read: applying it cannot fail. Amounts are in the
asset's smallest units, times in milliseconds since 1970. Fields are only ever added at the end, with a default,
because the journal holds events as arrays of these fields in this order, for ever.
"""

from typing import NamedTuple

from spotbook.domain import order
from spotbook.domain.asset import BOUND_PPM
from spotbook.limits import OPEN_ORDERS_MAX


class AssetMade(NamedTuple):
    """An asset was made; see `asset.Asset`."""

    id: int
    name: str
    scale: int
    supply_max: int


class MarketMade(NamedTuple):
    """A market was made; see `asset.Market`."""

    id: int
    symbol: str
    base: int
    quote: int
    price_decimals: int
    amount_decimals: int
    value_min: int
    price_min: int
    price_max: int
    amount_min: int
    amount_max: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    self_trade: str
    state: str
    value_max: int = 0
    orders_max: int = OPEN_ORDERS_MAX
    bound_ppm: int = BOUND_PPM


class MarketChanged(NamedTuple):
    """The rules of a market were changed. The market is given whole."""

    id: int
    symbol: str
    base: int
    quote: int
    price_decimals: int
    amount_decimals: int
    value_min: int
    price_min: int
    price_max: int
    amount_min: int
    amount_max: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    self_trade: str
    state: str
    value_max: int
    orders_max: int
    bound_ppm: int


class AccountOpened(NamedTuple):
    """An account was opened; see `account.Account`."""

    id: int
    kind: str
    name: str
    parent: int
    frozen: bool
    opened_at: int


class AccountFrozen(NamedTuple):
    """The operator froze an account, or thawed it, and said why. The account is given whole."""

    id: int
    kind: str
    name: str
    parent: int
    frozen: bool
    opened_at: int
    reason: str


class Entry(NamedTuple):
    """One change of one balance: both sides before and after, the account's version, and why.

    `ref` is the id of the deposit, withdrawal or order that `why` speaks of.
    """

    account: int
    version: int
    asset: int
    available_before: int
    available_after: int
    frozen_before: int
    frozen_after: int
    why: str
    ref: int


class HoldChanged(NamedTuple):
    """The part of `frozen` that one open order or pending withdrawal owns went from `before` to `after`."""

    account: int
    asset: int
    kind: str
    id: int
    before: int
    after: int


class DepositMade(NamedTuple):
    """A deposit was credited: by it `account` came to `version`."""

    id: int
    account: int
    asset: int
    amount: int
    txid: str
    txid_index: int
    chain: str
    version: int
    made_at: int


class OrderPlaced(order.Order):
    """An order was accepted. It is given as it stands after all that it met at once."""

    __slots__ = ()


class OrderChanged(order.Order):
    """An open order was filled, in part or whole, or cancelled. The order is given whole."""

    __slots__ = ()


class Traded(NamedTuple):
    """One fill. `side` is the taker's; `price` is in the market's steps, each fee in the asset its side received."""

    market: int
    id: int
    side: str
    price: int
    amount: int
    value: int
    maker_account: int
    maker_order: int
    maker_fee: int
    taker_account: int
    taker_order: int
    taker_fee: int
    made_at: int


class OutTradeNoClosed(NamedTuple):
    """An out_trade_no that no order had was closed: none will ever have it."""

    account: int
    out_trade_no: str


class KeyMade(NamedTuple):
    """An API key was made; see `credentials.Key`. The sealed secret is no part of the journal."""

    api_key: str
    account: int
    permissions: tuple[str, ...]
    allow: tuple[str, ...]
    label: str
    made_at: int
    expires_at: int
    revoked_at: int
    strict: bool = False


class KeyRevoked(NamedTuple):
    """An API key was revoked. The key is given whole."""

    api_key: str
    account: int
    permissions: tuple[str, ...]
    allow: tuple[str, ...]
    label: str
    made_at: int
    expires_at: int
    revoked_at: int
    strict: bool = False


class TokenMade(NamedTuple):
    """An admin token was made; see `credentials.Token`."""

    name: str
    id: int
    digest: str
    roles: tuple[str, ...]
    made_at: int
    revoked_at: int


class TokenRevoked(NamedTuple):
    """An admin token was revoked. The token is given whole."""

    name: str
    id: int
    digest: str
    roles: tuple[str, ...]
    made_at: int
    revoked_at: int


class BanBegun(NamedTuple):
    """The limiter shut a subject out from `began` until `until`; `kind` is ``ban`` or ``blacklist``."""

    subject: str
    kind: str
    began: int
    until: int


class BanLifted(NamedTuple):
    """The operator lifted every ban of a subject that had begun by then."""

    subject: str
    lifted_at: int


class StandingChanged(NamedTuple):
    """What the books admit from now on: ``running``, ``halted`` or ``stopped``, with the reason given."""

    standing: str
    reason: str
    since: int


Event = (
    AssetMade
    | MarketMade
    | MarketChanged
    | AccountOpened
    | AccountFrozen
    | Entry
    | HoldChanged
    | DepositMade
    | OrderPlaced
    | OrderChanged
    | Traded
    | OutTradeNoClosed
    | KeyMade
    | KeyRevoked
    | TokenMade
    | TokenRevoked
    | BanBegun
    | BanLifted
    | StandingChanged
)
