"""What is answered instead of success: one table from the domain's refusals to HTTP status and code.

An error's body is ``{"error": {"code": …, "message": …}}``; `name` is there when a parameter is to blame, `first` when
what exists already is shown, `findings` when an audit stands in the way.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from spotbook.domain import errors as e
from spotbook.server.admin.endpoint import Out, Reply

RETRY_SECONDS = 1
"""When what was not done may be tried again: the queue empties in half a second."""

STATUSES: dict[type[e.Refusal], tuple[int, str]] = {
    e.Invalid: (422, "invalid"),
    e.AmountMalformed: (422, "amount_malformed"),
    e.AmountTooPrecise: (422, "amount_too_precise"),
    e.AmountTooLarge: (422, "amount_too_large"),
    e.UnknownAsset: (404, "unknown_asset"),
    e.UnknownMarket: (404, "unknown_market"),
    e.UnknownAccount: (404, "unknown_account"),
    e.UnknownKey: (404, "unknown_key"),
    e.UnknownToken: (404, "unknown_token"),
    e.UnknownOrder: (404, "unknown_order"),
    e.AssetDiffers: (409, "asset_differs"),
    e.MarketDiffers: (409, "market_differs"),
    e.DepositDiffers: (409, "deposit_differs"),
    e.TokenExists: (409, "token_exists"),
    e.KeyExists: (409, "key_exists"),
    e.BooksFounded: (409, "books_founded"),
    e.InsufficientBalance: (409, "insufficient_balance"),
    e.SupplyExceeded: (409, "supply_exceeded"),
    e.TooMany: (409, "too_many"),
    e.NotAUser: (409, "not_a_user"),
    e.OutTradeNoTaken: (409, "out_trade_no_taken"),
    e.OrderClosed: (409, "order_closed"),
    e.TooManyOrders: (409, "too_many_orders"),
    e.MarketClosed: (409, "market_closed"),
    e.WouldCross: (409, "would_cross"),
    e.NoLiquidity: (409, "no_liquidity"),
    e.AccountIsFrozen: (409, "account_is_frozen"),
    e.Halted: (409, "halted"),
    e.WriterStopped: (503, "writer_stopped"),
    e.KeyNotLive: (403, "key_not_live"),
    e.TokenNotLive: (401, "token_not_live"),
    e.PermissionMissing: (403, "permission_missing"),
}
"""Every refusal has its line; a test holds that none is missing."""


class Problem(Out, frozen=True, omit_defaults=True):
    """What is wrong, for programs by `code`, for people by `message`."""

    code: str
    message: str
    name: str | UnsetType = UNSET
    first: Any = UNSET
    findings: Any = UNSET


class Failure(Out, frozen=True):
    """The body of every error."""

    error: Problem


class Failed(Exception):
    """The call ends here, with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def failure(status: int, code: str, message: str, *, headers: tuple[tuple[str, str], ...] = (), **more: Any) -> Reply:
    """Return an error."""
    return Reply(status, Failure(Problem(code, message, **more)), headers)


def unauthorised(code: str, message: str) -> Reply:
    """Return a 401."""
    return failure(401, code, message, headers=(("www-authenticate", 'Bearer realm="spotbook admin"'),))


def refused(refusal: e.Refusal, **more: Any) -> Reply:
    """Return a refusal as its error."""
    status, code = STATUSES[type(refusal)]
    if status == 401:
        return unauthorised(code, str(refusal) or (type(refusal).__doc__ or ""))
    if isinstance(refusal, e.Invalid):
        more["name"] = refusal.name
    return failure(status, code, str(refusal) or (type(refusal).__doc__ or ""), **more)


def not_done(why: str, seconds: int = RETRY_SECONDS) -> Reply:
    """Return that nothing was done, for certain, and that it may be tried again."""
    return failure(503, "not_done", f"nothing was done: {why}", headers=(("retry-after", str(seconds)),))


def outcome_unknown() -> Reply:
    """Return that nobody knows; the reasons are in the operator's log."""
    return failure(500, "outcome_unknown", "whether it was done could not be told: look, or ask again the same")


def misread(error: msgspec.ValidationError) -> Reply:
    """Return what a body or query has that it should not have. msgspec names the place as ``$.amount``."""
    message, _, place = str(error).partition(" - at `")
    name = place.rstrip("`").removeprefix("$").removeprefix(".").partition("[")[0]
    if not name and "`" in message:  # "Object missing required field `name`", "… contains unknown field `nam`"
        name = message.split("`")[1] if " field `" in message else ""
    return failure(422, "invalid", message, name=name or UNSET)
