"""Every code that a reply can carry besides success, and the one table from the domain's refusals to them.

Clients classify by the words in a message, so each holds the words of its own code and none of another's: see the
contract's table. The messages of 10006 are one and the same for every reason, so that a key's state is told to nobody.
"""

from collections.abc import Mapping
from typing import NamedTuple

from spotbook.app.writer import NotDone, Refused, Unknown
from spotbook.domain import errors as e

NO_NAMES: Mapping[str, str] = {}


class Failure(NamedTuple):
    """A failing reply: its code (a number where the exchange's documents show one) and its words."""

    code: str | int
    message: str


RATE_LIMITED = Failure(29001, "API access frequently")
NO_SUCH_COMMAND = Failure("10002", "API does not exist")
INVALID_KEY = Failure("10006", "api_key error: invalid api key")
WRONG_SIGNATURE = Failure("10007", "signature error")
STRICT_KEY = Failure("10007", "signature error: this key is strict: sign by HMAC-SHA256, version v1")
NONCE_USED = Failure("10007", "signature error: the nonce was used before")
OTHER_KEY = Failure("10003", "parameter error: api_key: is another than in X-Spotbook-Key")
BUSY = Failure("-200", "system busy")
OUTCOME_UNKNOWN = Failure("-201", "system error, outcome unknown")

ORDER_NOT_FOUND = Failure("-3", "order not found")
"""For another's order as for one that never was: the very same bytes."""

REFUSED = Failure("10009", "refused: the books do not admit it")
"""For what no command of the wire meets, and whose own words were never weighed for clients that classify by them."""

SAY_WHICH: frozenset[type[e.Refusal]] = frozenset(
    {e.Halted, e.AccountIsFrozen, e.MarketClosed, e.WouldCross, e.NoLiquidity, e.TooManyOrders, e.OrderClosed}
)
"""Refusals by a rule or the state of the books: 10009, with the domain's words."""

FIXED: Mapping[type[e.Refusal], Failure] = {
    e.UnknownOrder: ORDER_NOT_FOUND,
    e.UnknownAsset: Failure("-3", "symbol does not exist"),
    e.UnknownMarket: Failure("-3", "symbol does not exist"),
    e.OutTradeNoTaken: Failure("10008", "out_trade_no is taken"),
    e.KeyNotLive: INVALID_KEY,
    e.InsufficientBalance: Failure("200005", "insufficient balance"),
    e.WriterStopped: BUSY,
}
"""Refusals with one answer each."""

NO_SUCH_PATH = Failure(404, "Requested address does not exist")
WRONG_METHOD = Failure("10003", "parameter error: method: use POST")
WRONG_PUBLIC_METHOD = Failure("10003", "parameter error: method: use GET or POST")
BODY_TOO_LARGE = Failure("10003", "parameter error: body: too large")
QUERY_TOO_LARGE = Failure("10003", "parameter error: query: too large")


def parameter(name: str, why: str) -> Failure:
    """Return the failure for a parameter that is missing, malformed or out of range."""
    return Failure("10003", f"parameter error: {name}: {why}")


def malformed_mark(header: str) -> Failure:
    """Return the failure for a header of the signature v1 that is missing, doubled or malformed."""
    return Failure("10007", f"signature error: {header} is missing or malformed")


def stale(ahead_ms: int) -> Failure:
    """Return the failure for a timestamp that is so far ahead of the server's time, or behind it if negative."""
    side = "ahead of" if ahead_ms > 0 else "behind"
    return Failure("10007", f"signature error: the timestamp is {abs(ahead_ms)} ms {side} the server's time")


def permission_missing(needed: str) -> Failure:
    """Return the failure for a key that lacks a permission; withdrawing has a code of its own."""
    return Failure("10005" if needed == "withdraw" else "10004", f"no permission: {needed}")


def of_refusal(refusal: e.Refusal, names: Mapping[str, str] = NO_NAMES) -> Failure:
    """Return the failure by which clients learn of a refusal; `names` gives the wire's names of parameters."""
    match refusal:
        case e.AmountTooPrecise(name=name):
            return Failure("10003", f"parameter precision: {names.get(name, name)}")
        case e.Invalid(name=name, why=why):
            return parameter(names.get(name, name), why)
        case e.PermissionMissing(needed=needed):
            return permission_missing(needed)
        case _ if type(refusal) in SAY_WHICH:
            return Failure("10009", f"refused: {refusal}")
    return FIXED.get(type(refusal), REFUSED)


def of_outcome(outcome: Refused | NotDone | Unknown, names: Mapping[str, str] = NO_NAMES) -> Failure:
    """Return the failure for a command that was not carried out, or whose fate is unknown."""
    if isinstance(outcome, Refused):
        return of_refusal(outcome.refusal, names)
    return BUSY if isinstance(outcome, NotDone) else OUTCOME_UNKNOWN
