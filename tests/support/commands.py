"""Commands with the values that most tests want, so that a test names only what it is about."""

from spotbook.domain.commands import Deposit, MakeAsset, MakeKey, MakeMarket, MakeToken, PlaceOrder
from spotbook.domain.credentials import House
from spotbook.domain.order import Kind, Side
from support.clock import NOW

HOUSE = House("test")
USER = 1_001
"""The first user that books open."""

OTHER = USER + 1
"""The second."""

BTC = MakeAsset("BTC", 8, "21000000")
USDT = MakeAsset("USDT", 8, "40000000000")
BTC_USDT = MakeMarket("BTC_USDT", 2, 6, "5", "0.01", "1000000", "0.000001", "9000", 1_000, 2_000, "cancel_newest", "on")


def deposit(
    txid: str = "tx-1", amount: str = "1", *, account: int = USER, asset: str = "BTC", index: int = 0, chain: str = ""
) -> Deposit:
    return Deposit(account, asset, amount, txid, index, chain)


def make_key(
    api_key: str = "key-1",
    *,
    account: int = USER,
    permissions: tuple[str, ...] = ("read",),
    allow: tuple[str, ...] = (),
    label: str = "",
    expires_at: int = 0,
    made_at: int = NOW,
    strict: bool = False,
) -> MakeKey:
    return MakeKey(account, api_key, permissions, allow, label, made_at, expires_at, strict)


def make_token(name: str = "ops", roles: tuple[str, ...] = ("view", "operate", "money")) -> MakeToken:
    return MakeToken(name, "0" * 64, roles)


def limit(
    side: Side,
    price: str,
    amount: str,
    *,
    account: int = USER,
    out_trade_no: str = "",
    kind: Kind = "limit",
    symbol: str = "BTC_USDT",
) -> PlaceOrder:
    return PlaceOrder(account, symbol, side, kind, price, amount, "", out_trade_no)


def market(
    side: Side,
    amount: str = "",
    *,
    funds: str = "",
    account: int = USER,
    out_trade_no: str = "",
    symbol: str = "BTC_USDT",
) -> PlaceOrder:
    return PlaceOrder(account, symbol, side, "market", "", amount, funds, out_trade_no)
