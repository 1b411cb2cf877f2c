"""What can be asked of the writer. Amounts are text here: the decision parses them with the asset's scale."""

from typing import NamedTuple

from spotbook.domain.asset import BOUND_PPM
from spotbook.domain.order import Kind, Side
from spotbook.limits import OPEN_ORDERS_MAX


class FoundBooks(NamedTuple):
    """Open the house's own accounts, world and fees. The first command of any books."""


class MakeAsset(NamedTuple):
    """Make an asset, whose scale and supply_max are fixed for ever."""

    name: str
    scale: int
    supply_max: str


class MakeMarket(NamedTuple):
    """Make a market named ``BASE_QUOTE``. Prices, amounts and values are plain decimal text.

    `value_max` may be ``""`` or ``0``: no largest value. See `asset.Market`.
    """

    symbol: str
    price_decimals: int
    amount_decimals: int
    value_min: str
    price_min: str
    price_max: str
    amount_min: str
    amount_max: str
    maker_fee_ppm: int
    taker_fee_ppm: int
    self_trade: str
    state: str
    value_max: str = ""
    orders_max: int = OPEN_ORDERS_MAX
    bound_ppm: int = BOUND_PPM


class ChangeMarket(NamedTuple):
    """Change what may change of a market: None, or ``""`` for text, leaves it as it is. Decimals are for ever."""

    symbol: str
    value_min: str = ""
    value_max: str = ""
    price_min: str = ""
    price_max: str = ""
    amount_min: str = ""
    amount_max: str = ""
    maker_fee_ppm: int | None = None
    taker_fee_ppm: int | None = None
    self_trade: str = ""
    state: str = ""
    orders_max: int | None = None
    bound_ppm: int | None = None


class OpenAccount(NamedTuple):
    """Open a user's spot account."""

    name: str


class OpenWealth(NamedTuple):
    """Open the wealth sub-account of a user, once; asked again it answers the same."""

    account: int


class FreezeAccount(NamedTuple):
    """Freeze a user's account, or thaw it: while frozen it is read, receives and cancels, and nothing else."""

    account: int
    frozen: bool
    reason: str


class Deposit(NamedTuple):
    """Credit a deposit, whose identity is (asset, chain, txid, index), once and for ever."""

    account: int
    asset: str
    amount: str
    txid: str
    txid_index: int
    chain: str


class MakeKey(NamedTuple):
    """Make an API key. The text of the key and its sealed secret are made outside, where randomness is."""

    account: int
    api_key: str
    permissions: tuple[str, ...]
    allow: tuple[str, ...]
    label: str
    made_at: int
    expires_at: int
    strict: bool = False


class RevokeKey(NamedTuple):
    """Revoke an API key of an account. The time is the caller's, because it is sealed with the secret."""

    account: int
    api_key: str
    revoked_at: int


class MakeToken(NamedTuple):
    """Make an admin token of which the SHA-256 in hex is `digest`."""

    name: str
    digest: str
    roles: tuple[str, ...]


class RevokeToken(NamedTuple):
    """Revoke an admin token."""

    name: str


class RecordBan(NamedTuple):
    """Remember a ban that the limiter began, so that a restart does not lift it."""

    subject: str
    kind: str
    began: int
    until: int


class LiftBan(NamedTuple):
    """Lift every ban of a subject that began until `lifted_at`, by the limiter's clock, as `began` is."""

    subject: str
    lifted_at: int


class PlaceOrder(NamedTuple):
    """Place an order. Amounts are plain decimal text, ``""`` for what is not given.

    A limit order (``limit``, or ``post_only``, which never takes) has `price` and `amount`. A ``market`` order has
    `amount` of the base or `funds` of the quote; its `price` is ignored. An `out_trade_no` that is not ``""`` makes
    the command one that is carried out once.
    """

    account: int
    symbol: str
    side: Side
    kind: Kind
    price: str
    amount: str
    funds: str
    out_trade_no: str


class CancelOrder(NamedTuple):
    """Cancel an open order of the account."""

    account: int
    id: int


class CancelAllOrders(NamedTuple):
    """Cancel every open order of the account, in the market `symbol`, or in all when it is ``""``."""

    account: int
    symbol: str


class FindOrder(NamedTuple):
    """Ask what became of the order that an out_trade_no was sent with; with `fence`, close one that nobody has."""

    account: int
    out_trade_no: str
    fence: bool


class Halt(NamedTuple):
    """Admit no placing, withdrawals and transfers until resumed."""

    reason: str


class StopWriter(NamedTuple):
    """Admit no command at all until resumed: an invariant broke."""

    reason: str


class Resume(NamedTuple):
    """Go on after a halt or a stop."""

    reason: str


Command = (
    FoundBooks
    | MakeAsset
    | MakeMarket
    | ChangeMarket
    | OpenAccount
    | OpenWealth
    | FreezeAccount
    | Deposit
    | PlaceOrder
    | CancelOrder
    | CancelAllOrders
    | FindOrder
    | MakeKey
    | RevokeKey
    | MakeToken
    | RevokeToken
    | RecordBan
    | LiftBan
    | Halt
    | StopWriter
    | Resume
)
