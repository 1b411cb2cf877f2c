"""What the domain says no to, and what must never be.

::

    Refusal                     a command that the rules do not admit: nothing was changed
    ├── Invalid                 a value that no state of the books would admit; names the parameter
    │   ├── AmountMalformed
    │   ├── AmountTooPrecise
    │   └── AmountTooLarge
    ├── Unknown                 the thing named does not exist
    │   ├── UnknownAsset, UnknownMarket, UnknownAccount, UnknownKey, UnknownToken, UnknownOrder
    ├── Conflict                the thing exists, and differs from what was asked
    │   ├── AssetDiffers, MarketDiffers, DepositDiffers, TokenExists, KeyExists, BooksFounded, OutTradeNoTaken
    ├── RuleBroken              the state of the books does not admit it now
    │   ├── InsufficientBalance, SupplyExceeded, TooMany, NotAUser, WriterStopped, Halted, AccountIsFrozen
    │   ├── MarketClosed, WouldCross, NoLiquidity, TooManyOrders, OrderClosed
    └── NotPermitted            who asks may not
        ├── KeyNotLive, TokenNotLive, PermissionMissing
    InvariantBroken             the books contradict themselves: never caught to go on, stops the writer

A refusal is a fact with its values as attributes. It knows no HTTP and no exchange's codes: the wire and the
Admin API each have one table for that.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """The command was refused and changed nothing."""


class Invalid(Refusal):
    """A value is not admissible, whatever the books hold."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class AmountMalformed(Invalid):
    """The text is no plain decimal."""


class AmountTooPrecise(Invalid):
    """The text has a digit below the smallest unit."""

    def __init__(self, name: str, scale: int) -> None:
        super().__init__(name, f"has more than {scale} decimals")
        self.scale = scale


class AmountTooLarge(Invalid):
    """The amount is beyond what the books can hold."""

    def __init__(self, name: str, why: str = "is larger than any amount can be") -> None:
        super().__init__(name, why)


class Unknown(Refusal):
    """The thing that was named does not exist."""

    thing: ClassVar[str] = "thing"

    def __init__(self, named: object) -> None:
        super().__init__(f"{self.thing} {named} does not exist")
        self.named = named


class UnknownAsset(Unknown):
    """There is no asset of this name."""

    thing = "asset"


class UnknownMarket(Unknown):
    """There is no market of this symbol."""

    thing = "market"


class UnknownAccount(Unknown):
    """There is no account of this id."""

    thing = "account"


class UnknownKey(Unknown):
    """The account has no API key of this id."""

    thing = "API key"


class UnknownToken(Unknown):
    """There is no admin token of this name."""

    thing = "token"


class UnknownOrder(Unknown):
    """The account has no order of this id; whether another has is not told."""

    thing = "order"


class Conflict(Refusal):
    """The thing exists already and differs; `first` is what there is (an event or a domain value)."""

    thing: ClassVar[str] = "thing"

    def __init__(self, named: object, first: Any) -> None:
        super().__init__(f"{self.thing} {named} exists already and differs")
        self.named = named
        self.first = first


class AssetDiffers(Conflict):
    """An asset of this name was made with other properties; they are fixed for ever."""

    thing = "asset"


class MarketDiffers(Conflict):
    """A market of this symbol was made with other rules."""

    thing = "market"


class DepositDiffers(Conflict):
    """A deposit of this asset, chain, txid and index was made, for another account or amount."""

    thing = "deposit"


class TokenExists(Conflict):
    """A token of this name was made before; names are used once, so that the journal stays clear."""

    thing = "token"


class KeyExists(Conflict):
    """A key of this text was made before, for this account or another."""

    thing = "API key"


class BooksFounded(Conflict):
    """The house's accounts exist: these books were founded before."""

    thing = "house"


class OutTradeNoTaken(Conflict):
    """The out_trade_no belongs to another request of the account, or was closed."""

    thing = "out_trade_no"

    def __init__(self, named: str) -> None:
        super().__init__(named, None)


class RuleBroken(Refusal):
    """The rules do not admit it as the books stand."""


class InsufficientBalance(RuleBroken):
    """The account's available balance does not cover it. Units are the asset's smallest."""

    def __init__(self, account: int, asset: int, needed: int, available: int) -> None:
        super().__init__(f"insufficient balance of asset {asset} on account {account}")
        self.account = account
        self.asset = asset
        self.needed = needed
        self.available = available


class SupplyExceeded(RuleBroken):
    """More of the asset would be on the books than can exist."""

    def __init__(self, asset: str) -> None:
        super().__init__(f"more {asset} would be on the books than its supply_max")
        self.asset = asset


class TooMany(RuleBroken):
    """A bound on how many there may be is reached."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"there may be at most {most} {what}")
        self.what = what
        self.most = most


class NotAUser(RuleBroken):
    """The account is the house's own or a sub-account; this is done to a user's spot account only."""

    def __init__(self, account: int) -> None:
        super().__init__(f"account {account} is not a user's spot account")
        self.account = account


class WriterStopped(RuleBroken):
    """An invariant broke earlier: no command is carried out until the operator resumes."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the writer is stopped: {reason}")
        self.reason = reason


class Halted(RuleBroken):
    """The books are halted: nothing is placed until the operator resumes."""

    def __init__(self) -> None:
        super().__init__("trading is halted")


class AccountIsFrozen(RuleBroken):
    """The operator froze the account: it places nothing."""

    def __init__(self, account: int) -> None:
        super().__init__("the account is frozen")
        self.account = account


class MarketClosed(RuleBroken):
    """The market is off, or takes cancels only."""

    def __init__(self, symbol: str, state: str) -> None:
        super().__init__("the market is off" if state == "off" else "the market is cancel-only")
        self.symbol = symbol
        self.state = state


class WouldCross(RuleBroken):
    """A post-only order would meet what stands in the book."""

    def __init__(self) -> None:
        super().__init__("post-only would cross")


class NoLiquidity(RuleBroken):
    """A market order finds nothing that it could execute."""

    def __init__(self) -> None:
        super().__init__("no liquidity")


class TooManyOrders(RuleBroken):
    """The account has as many open orders as the market lets anybody have."""

    def __init__(self, most: int) -> None:
        super().__init__(f"too many open orders, {most} is the most")
        self.most = most


class OrderClosed(RuleBroken):
    """The order was filled or cancelled before."""

    def __init__(self, number: int) -> None:
        super().__init__("order already closed")
        self.number = number


class NotPermitted(Refusal):
    """Who asks may not do it."""


class KeyNotLive(NotPermitted):
    """The API key is unknown, revoked or expired."""


class TokenNotLive(NotPermitted):
    """The admin token is unknown or revoked."""


class PermissionMissing(NotPermitted):
    """The key or token does not carry the permission or role that this needs."""

    def __init__(self, needed: str) -> None:
        super().__init__(f"{needed} permission is missing")
        self.needed = needed


class InvariantBroken(Exception):
    """The books contradict themselves. Whoever sees this stops the writer; nothing goes on from here."""
