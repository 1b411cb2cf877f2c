"""What the books of a demo hold: play money for one account, and the markets to spend it in.

Pure content. `fill` is given empty books; everything that identifies the demo's account is chosen before, so that the
same secrets always lead to the same books.
"""

import hashlib
import secrets
import uuid
from typing import Any, Protocol

import msgspec

from spotbook.app.keys import Keys
from spotbook.app.writer import Done
from spotbook.domain.account import USER_FIRST
from spotbook.domain.commands import Command, Deposit, MakeAsset, MakeMarket, MakeToken, OpenAccount
from spotbook.domain.credentials import PERMISSIONS, ROLES, Actor, House

NAME = "demo"
SCALE = 8

ASSETS = (
    ("BTC", "21000000", "0.0012"),
    ("CWT", "40000000000", "400"),
    ("SAND", "40000000000", "108.467"),
    ("ETH", "1000000000", "0.033"),
    ("USDT", "40000000000", "257.51830114"),
)
"""Name, the most there can be, and what the demo's account gets; complete balances list them in this order."""

MARKETS = tuple(
    MakeMarket(
        symbol=symbol,
        price_decimals=2,
        amount_decimals=amount_decimals,
        value_min="1",
        price_min="0.01",
        price_max="1000000",
        amount_min=amount_min,
        amount_max=amount_max,
        maker_fee_ppm=2_000,
        taker_fee_ppm=2_000,
        self_trade="cancel_newest",
        state="on",
    )
    for symbol, amount_decimals, amount_min, amount_max in (
        ("BTC_USDT", 6, "0.000001", "10000"),
        ("ETH_USDT", 4, "0.0001", "100000"),
    )
)

_ACTOR = House("demo")


class DemoAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account of the demo, with a key that has every permission."""

    name: str
    id: int
    api_key: str
    secret_key: str


class DemoSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a demo is reached by, the same at every start."""

    master_key: str
    admin_token: str
    accounts: tuple[DemoAccount, ...]


class EmptyBooks(Protocol):
    """Books that hold the house's accounts and nothing else."""

    keys: Keys

    def execute(self, command: Command, actor: Actor) -> Any:
        """Carry a command out and return its result."""


def new_secrets() -> DemoSecrets:
    """Choose the secrets of a new demo. The account's number is the first that a user gets."""
    account = DemoAccount(NAME, USER_FIRST, str(uuid.uuid4()), secrets.token_hex(20).upper())
    return DemoSecrets(secrets.token_hex(32), secrets.token_urlsafe(32), (account,))


def fill(books: EmptyBooks, demo: DemoSecrets) -> None:
    """Make the demo's assets, markets, token, account, deposits and key. Raises the Refusal of what is refused."""
    for name, supply_max, _ in ASSETS:
        books.execute(MakeAsset(name, SCALE, supply_max), _ACTOR)
    for market in MARKETS:
        books.execute(market, _ACTOR)
    books.execute(MakeToken(NAME, hashlib.sha256(demo.admin_token.encode()).hexdigest(), ROLES), _ACTOR)
    for account in demo.accounts:
        _open(books, account)


def _open(books: EmptyBooks, account: DemoAccount) -> None:
    opened = books.execute(OpenAccount(account.name), _ACTOR)
    if opened.id != account.id:
        raise RuntimeError(f"the demo's account got the number {opened.id}, not {account.id}: the books were not empty")
    for name, _, amount in ASSETS:
        books.execute(Deposit(account.id, name, amount, f"demo-{account.id}-{name}", 0, ""), _ACTOR)
    outcome, _ = books.keys.make(
        _ACTOR,
        account.id,
        PERMISSIONS,
        label=account.name,
        secret=account.secret_key,
        api_key=account.api_key,
    )
    if not isinstance(outcome, Done):
        raise RuntimeError("the demo's key was not made")  # noqa: TRY004  (an outcome, not a wrong type)
