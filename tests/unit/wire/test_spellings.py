"""Public commands that know a market by two names of the parameter."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from spotbook.domain.errors import UnknownMarket
from spotbook.wire.coinw.commands import return_chart_data, return_order_book, return_trade_history


def asked_for(command: ModuleType, **params: str) -> list[str]:
    """Return the symbols that a command asks for before it finds that there is no such market."""
    symbols: list[str] = []

    def market(symbol: str) -> Any:
        symbols.append(symbol)
        raise UnknownMarket(symbol)

    with pytest.raises(UnknownMarket):
        command.answer(SimpleNamespace(params={"period": "60", **params}, market=market))
    return symbols


@pytest.mark.parametrize("command", [return_chart_data, return_order_book, return_trade_history])
def test_a_market_goes_by_either_name(command: ModuleType) -> None:
    assert asked_for(command, symbol="A_B") == asked_for(command, currencyPair="A_B") == ["A_B"]


@pytest.mark.parametrize(
    ("command", "first"),
    [(return_chart_data, "currencyPair"), (return_order_book, "symbol"), (return_trade_history, "symbol")],
)
def test_of_both_its_own_counts(command: ModuleType, first: str) -> None:
    assert asked_for(command, symbol="symbol", currencyPair="currencyPair") == [first]
