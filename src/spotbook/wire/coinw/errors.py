"""Every code that a reply can carry besides success, and the one table from the domain's refusals to them.

Clients classify by the words in a message, so each holds the words of its own code and none of another's: see the
contract's table. The messages of 10006 are one and the same for every reason, so that a key's state is told to nobody.
"""

from typing import NamedTuple

from spotbook.app.writer import NotDone, Refused, Unknown
from spotbook.domain import errors as e


class Failure(NamedTuple):
    """A failing reply: its code (a number where the exchange's documents show one) and its words."""

    code: str | int
    message: str


RATE_LIMITED = Failure(29001, "API access frequently")
NO_SUCH_COMMAND = Failure("10002", "API does not exist")
INVALID_KEY = Failure("10006", "api_key error: invalid api key")
WRONG_SIGNATURE = Failure("10007", "signature error")
BUSY = Failure("-200", "system busy")
OUTCOME_UNKNOWN = Failure("-201", "system error, outcome unknown")

NO_SUCH_PATH = Failure(404, "Requested address does not exist")
WRONG_METHOD = Failure("10003", "parameter error: method: use POST")
WRONG_PUBLIC_METHOD = Failure("10003", "parameter error: method: use GET or POST")
BODY_TOO_LARGE = Failure("10003", "parameter error: body: too large")
QUERY_TOO_LARGE = Failure("10003", "parameter error: query: too large")


def parameter(name: str, why: str) -> Failure:
    """Return the failure for a parameter that is missing, malformed or out of range."""
    return Failure("10003", f"parameter error: {name}: {why}")


def permission_missing(needed: str) -> Failure:
    """Return the failure for a key that lacks a permission; withdrawing has a code of its own."""
    return Failure("10005" if needed == "withdraw" else "10004", f"no permission: {needed}")


def of_refusal(refusal: e.Refusal) -> Failure:
    """Return the failure by which clients learn of a refusal of the domain."""
    match refusal:
        case e.AmountTooPrecise(name=name):
            return Failure("10003", f"parameter precision: {name}")
        case e.Invalid(name=name, why=why):
            return parameter(name, why)
        case e.UnknownAsset() | e.UnknownMarket():
            return Failure("-3", "symbol does not exist")
        case e.KeyNotLive():
            return INVALID_KEY
        case e.PermissionMissing(needed=needed):
            return permission_missing(needed)
        case e.InsufficientBalance():
            return Failure("200005", "insufficient balance")
        case e.WriterStopped():
            return BUSY
        case _:
            return Failure("10009", f"refused: {refusal}")


def of_outcome(outcome: Refused | NotDone | Unknown) -> Failure:
    """Return the failure for a command that was not carried out, or whose fate is unknown."""
    match outcome:
        case Refused(refusal=refusal):
            return of_refusal(refusal)
        case NotDone():
            return BUSY
        case Unknown():
            return OUTCOME_UNKNOWN
