"""What can be asked of the writer. Amounts are text here: the decision parses them with the asset's scale."""

from typing import NamedTuple


class FoundBooks(NamedTuple):
    """Open the house's own accounts, world and fees. The first command of any books."""


class MakeAsset(NamedTuple):
    """Make an asset, whose scale and supply_max are fixed for ever."""

    name: str
    scale: int
    supply_max: str


class MakeMarket(NamedTuple):
    """Make a market named ``BASE_QUOTE``. Prices, amounts and `value_min` are plain decimal text."""

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


class OpenAccount(NamedTuple):
    """Open a user's spot account."""

    name: str


class OpenWealth(NamedTuple):
    """Open the wealth sub-account of a user, once; asked again it answers the same."""

    account: int


class FreezeAccount(NamedTuple):
    """Freeze a user's account, or thaw it: while frozen it is read and receives, and nothing else."""

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
    | OpenAccount
    | OpenWealth
    | FreezeAccount
    | Deposit
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
