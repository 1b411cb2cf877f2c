"""Refusals: the words, and the facts that come with them."""

from typing import Any

import pytest

from spotbook.domain import errors as e

FIRST = "what there is"

REFUSALS: list[tuple[type[e.Refusal], tuple[Any, ...], str, dict[str, Any]]] = [
    (e.Invalid, ("price", "is missing"), "price: is missing", {"name": "price", "why": "is missing"}),
    (
        e.AmountTooPrecise,
        ("price", 2),
        "price: has more than 2 decimals",
        {"name": "price", "why": "has more than 2 decimals", "scale": 2},
    ),
    (
        e.AmountTooLarge,
        ("funds",),
        "funds: is larger than any amount can be",
        {"name": "funds", "why": "is larger than any amount can be"},
    ),
    (e.AmountTooLarge, ("funds", "is too long"), "funds: is too long", {"name": "funds", "why": "is too long"}),
    (e.UnknownAsset, ("BTC",), "asset BTC does not exist", {"named": "BTC"}),
    (e.UnknownMarket, ("BTC_USDT",), "market BTC_USDT does not exist", {"named": "BTC_USDT"}),
    (e.UnknownAccount, (7,), "account 7 does not exist", {"named": 7}),
    (e.UnknownKey, ("k",), "API key k does not exist", {"named": "k"}),
    (e.UnknownToken, ("ops",), "token ops does not exist", {"named": "ops"}),
    (e.UnknownOrder, (7,), "order 7 does not exist", {"named": 7}),
    (e.AssetDiffers, ("BTC", FIRST), "asset BTC exists already and differs", {"named": "BTC", "first": FIRST}),
    (e.MarketDiffers, ("X_Y", FIRST), "market X_Y exists already and differs", {"named": "X_Y", "first": FIRST}),
    (e.DepositDiffers, ("tx", FIRST), "deposit tx exists already and differs", {"named": "tx", "first": FIRST}),
    (e.TokenExists, ("ops", FIRST), "token ops exists already and differs", {"named": "ops", "first": FIRST}),
    (e.KeyExists, ("k", FIRST), "API key k exists already and differs", {"named": "k", "first": FIRST}),
    (e.BooksFounded, ("account", FIRST), "house account exists already and differs", {"first": FIRST}),
    (e.OutTradeNoTaken, ("a",), "out_trade_no a exists already and differs", {"named": "a", "first": None}),
    (
        e.InsufficientBalance,
        (1_001, 2, 9, 5),
        "insufficient balance of asset 2 on account 1001",
        {"account": 1_001, "asset": 2, "needed": 9, "available": 5},
    ),
    (e.SupplyExceeded, ("BTC",), "more BTC would be on the books than its supply_max", {"asset": "BTC"}),
    (e.TooMany, ("tokens", 9), "there may be at most 9 tokens", {"what": "tokens", "most": 9}),
    (e.NotAUser, (1,), "account 1 is not a user's spot account", {"account": 1}),
    (e.WriterStopped, ("broke",), "the writer is stopped: broke", {"reason": "broke"}),
    (e.Halted, (), "trading is halted", {}),
    (e.AccountIsFrozen, (1_001,), "the account is frozen", {"account": 1_001}),
    (e.MarketClosed, ("X_Y", "off"), "the market is off", {"symbol": "X_Y", "state": "off"}),
    (e.MarketClosed, ("X_Y", "cancel_only"), "the market is cancel-only", {"symbol": "X_Y", "state": "cancel_only"}),
    (e.WouldCross, (), "post-only would cross", {}),
    (e.NoLiquidity, (), "no liquidity", {}),
    (e.TooManyOrders, (9,), "too many open orders, 9 is the most", {"most": 9}),
    (e.OrderClosed, (7,), "order already closed", {"number": 7}),
    (e.PermissionMissing, ("trade",), "trade permission is missing", {"needed": "trade"}),
]


@pytest.mark.parametrize(("kind", "args", "words", "facts"), REFUSALS, ids=str)
def test_a_refusal_has_its_words_and_its_facts(
    kind: type[e.Refusal], args: tuple[Any, ...], words: str, facts: dict[str, Any]
) -> None:
    refusal = kind(*args)
    assert str(refusal) == words
    assert {name: getattr(refusal, name) for name in facts} == facts
