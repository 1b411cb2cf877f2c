"""Failures: one table from the domain's refusals, and words by which each lands in its own class.

Clients in the wild classify a failing reply by the words in its message, and the first word that they look for wins.
`classified` is such a client.
"""

import ast
import re
from pathlib import Path

import pytest

from spotbook.app.writer import NotDone, Refused, Unknown
from spotbook.domain import amount, rules
from spotbook.domain import errors as e
from spotbook.domain.asset import Market
from spotbook.wire.coinw import errors, form, params
from spotbook.wire.coinw.commands import do_trade, get_batch_history_orders
from spotbook.wire.coinw.errors import Failure, of_outcome, of_refusal

MARKET = Market(1, "BTC_USDT", 1, 2, 2, 6, 1, 1, 2, 1, 2, 0, 0, "cancel_newest", "on")
"""Something for refusals that carry what was there first."""

REFUSALS: dict[type[e.Refusal], list[e.Refusal]] = {
    e.Invalid: [e.Invalid("isMarket", "write true or false")],
    e.AmountMalformed: [e.AmountMalformed("amount", "is empty")],
    e.AmountTooPrecise: [e.AmountTooPrecise("amount", 6), e.AmountTooPrecise("price", 2)],
    e.AmountTooLarge: [e.AmountTooLarge("amount")],
    e.UnknownAsset: [e.UnknownAsset("EUR")],
    e.UnknownMarket: [e.UnknownMarket("BTC_EUR")],
    e.UnknownAccount: [e.UnknownAccount(7)],
    e.UnknownKey: [e.UnknownKey("key")],
    e.UnknownToken: [e.UnknownToken("ops")],
    e.UnknownOrder: [e.UnknownOrder(7)],
    e.AssetDiffers: [e.AssetDiffers("EUR", None)],
    e.MarketDiffers: [e.MarketDiffers("BTC_EUR", MARKET)],
    e.DepositDiffers: [e.DepositDiffers("tx", None)],
    e.TokenExists: [e.TokenExists("ops", None)],
    e.KeyExists: [e.KeyExists("key", None)],
    e.BooksFounded: [e.BooksFounded("account", None)],
    e.OutTradeNoTaken: [e.OutTradeNoTaken("mine")],
    e.InsufficientBalance: [e.InsufficientBalance(7, 1, 10, 5)],
    e.SupplyExceeded: [e.SupplyExceeded("EUR")],
    e.TooMany: [e.TooMany("live API keys of one account", 20)],
    e.NotAUser: [e.NotAUser(1)],
    e.WriterStopped: [e.WriterStopped("an order did not balance")],
    e.Halted: [e.Halted()],
    e.AccountIsFrozen: [e.AccountIsFrozen(7)],
    e.MarketClosed: [e.MarketClosed("BTC_USDT", "off"), e.MarketClosed("BTC_USDT", "cancel_only")],
    e.WouldCross: [e.WouldCross()],
    e.NoLiquidity: [e.NoLiquidity()],
    e.TooManyOrders: [e.TooManyOrders(10_000)],
    e.OrderClosed: [e.OrderClosed(7)],
    e.KeyNotLive: [e.KeyNotLive()],
    e.TokenNotLive: [e.TokenNotLive()],
    e.PermissionMissing: [e.PermissionMissing("read"), e.PermissionMissing("trade"), e.PermissionMissing("withdraw")],
}

CLASSES = {
    "-3 order": "order unknown",
    "-3 symbol": "symbol unknown",
    "10004": "permission",
    "10005": "permission",
    "10006": "key",
    "10007": "key",
    "200005": "funds",
    "10003 precision": "precision",
}
"""What each code is to be taken for; every other code is no class of these."""

KEY_WORDS = ("api key", "api_key", "sign")
OTHER_WORDS = ("permission", "insufficient", "balance", "order", "not", "symbol", "pair", "precision", "rate")

INTERNAL = {"of a market does not exist"}
"""What a broken invariant says: no client ever reads it."""

ABSTRACT = {e.Refusal, e.Unknown, e.Conflict, e.RuleBroken, e.NotPermitted}


def classified(message: str) -> str:
    """Say what a message is taken for, as clients do it."""
    words = message.lower()
    if any(word in words for word in KEY_WORDS):
        return "key"
    if "permission" in words:
        return "permission"
    if "insufficient" in words or "balance" in words:
        return "funds"
    if "order" in words and "not" in words:
        return "order unknown"
    if "symbol" in words or "pair" in words:
        return "symbol unknown"
    if "precision" in words:
        return "precision"
    return "rate" if "rate" in words else "other"


def without_names(message: str) -> str:
    """Return a message without the parameter's name in it."""
    return re.sub(r"^parameter (error|precision): [^:]+", r"parameter \1", message)


def meant(failure: Failure) -> str:
    code = str(failure.code)
    if code == "-3":
        code += " order" if failure == errors.ORDER_NOT_FOUND else " symbol"
    if failure.message.startswith("parameter precision: "):
        code += " precision"
    return CLASSES.get(code, "other")


def constants() -> list[Failure]:
    return [value for value in vars(errors).values() if isinstance(value, Failure)]


def every_refusal() -> list[e.Refusal]:
    return [refusal for refusals in REFUSALS.values() for refusal in refusals]


def reasons() -> set[str]:
    """Return all words in the modules that refuse parameters, docstrings apart: the reasons that they give."""
    found = set()
    for module in (params, rules, amount, form, do_trade, get_batch_history_orders):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node not in docstrings and " " in str(node.value):
                found.add(str(node.value).strip())
    return found


def test_there_is_an_example_of_every_refusal() -> None:
    kinds = {kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, e.Refusal)}
    assert set(REFUSALS) == kinds - ABSTRACT


@pytest.mark.parametrize("refusal", every_refusal(), ids=repr)
def test_every_refusal_lands_in_its_own_class(refusal: e.Refusal) -> None:
    failure = of_refusal(refusal, {"price": "rate"})
    assert classified(without_names(failure.message)) == meant(failure)


@pytest.mark.parametrize("failure", constants(), ids=str)
def test_every_fixed_failure_lands_in_its_own_class(failure: Failure) -> None:
    assert classified(without_names(failure.message)) == meant(failure)


@pytest.mark.parametrize(
    ("refusal", "code", "message"),
    [
        (e.Invalid("amount", "is missing"), "10003", "parameter error: amount: is missing"),
        (e.AmountTooPrecise("price", 2), "10003", "parameter precision: rate"),
        (e.Invalid("price", "is missing"), "10003", "parameter error: rate: is missing"),
        (e.UnknownOrder(7), "-3", "order not found"),
        (e.UnknownMarket("X"), "-3", "symbol does not exist"),
        (e.UnknownAsset("X"), "-3", "symbol does not exist"),
        (e.OutTradeNoTaken("X"), "10008", "out_trade_no is taken"),
        (e.InsufficientBalance(7, 1, 10, 5), "200005", "insufficient balance"),
        (e.Halted(), "10009", "refused: trading is halted"),
        (e.AccountIsFrozen(7), "10009", "refused: the account is frozen"),
        (e.MarketClosed("X", "off"), "10009", "refused: the market is off"),
        (e.MarketClosed("X", "cancel_only"), "10009", "refused: the market is cancel-only"),
        (e.WouldCross(), "10009", "refused: post-only would cross"),
        (e.NoLiquidity(), "10009", "refused: no liquidity"),
        (e.TooManyOrders(10_000), "10009", "refused: too many open orders, 10000 is the most"),
        (e.OrderClosed(7), "10009", "refused: order already closed"),
        (e.WriterStopped("why"), "-200", "system busy"),
        (e.KeyNotLive(), "10006", "api_key error: invalid api key"),
        (e.PermissionMissing("trade"), "10004", "no permission: trade"),
        (e.PermissionMissing("withdraw"), "10005", "no permission: withdraw"),
        (e.KeyExists("key", None), "10009", "refused: the books do not admit it"),
    ],
)
def test_the_table(refusal: e.Refusal, code: str, message: str) -> None:
    assert of_refusal(refusal, {"price": "rate"}) == Failure(code, message)
    assert of_outcome(Refused(refusal, 1, 1), {"price": "rate"}) == Failure(code, message)


def test_what_was_not_done_and_what_nobody_knows() -> None:
    assert of_outcome(NotDone("the queue is full")) == Failure("-200", "system busy")
    assert of_outcome(Unknown("the head cannot be read")) == Failure("-201", "system error, outcome unknown")


def test_what_stopped_the_writer_is_told_to_nobody() -> None:
    assert of_refusal(e.WriterStopped("insufficient balance of an order")) == errors.BUSY


def test_the_reasons_are_found_in_the_source() -> None:
    assert {"is missing", "write true or false", "given twice", "is more than zero", "is negative"} <= reasons()


@pytest.mark.parametrize("word", [*KEY_WORDS, *OTHER_WORDS])
def test_no_reason_of_a_refused_parameter_holds_a_word_of_a_class(word: str) -> None:
    assert [reason for reason in reasons() if word in reason.lower() and reason not in INTERNAL] == []


@pytest.mark.parametrize(
    ("ahead_ms", "side"), [(6_000, "6000 ms ahead of"), (1, "1 ms ahead of"), (-6_000, "6000 ms behind")]
)
def test_a_stale_timestamp_is_told_how_far_it_is_off(ahead_ms: int, side: str) -> None:
    said = f"signature error: the timestamp is {side} the server's time"
    assert errors.stale(ahead_ms) == Failure("10007", said)
