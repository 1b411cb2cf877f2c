"""Lists of trades reach the largest number that a trade can have."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from spotbook.app.ports import Row
from spotbook.app.projection import TABLES
from spotbook.domain.asset import Asset, Market
from spotbook.limits import ID_MAX
from spotbook.wire.coinw.commands import get_user_trades, return_trade_history

MARKET = Market(3, "BASE_QUOTE", 1, 2, 2, 4, 0, 1, 10**9, 1, 10**15, 0, 0, "cancel_newest", "on")
ASSETS = {1: Asset(1, "BASE", 6, 10**15), 2: Asset(2, "QUOTE", 8, 10**17)}
NUMBERS = (1, 2, ID_MAX - 1, ID_MAX)


class Reader:
    """Rows of one market, numbered `NUMBERS`, whatever the table."""

    def span(self, table: str, prefix: Row, above: int, below: int, limit: int, *, newest: bool = True) -> list[Row]:
        """Return rows between two numbers, neither of which belongs to the span."""
        within = sorted((number for number in NUMBERS if above < number < below), reverse=newest)
        return [row(table, number) for number in within[:limit]]

    def sheet(self, account: int) -> Any:
        """Return what a reply is headed with."""
        return SimpleNamespace(version=1, batch=1, batch_time=1)


def row(table: str, number: int) -> Row:
    told: dict[str, int | str] = {"id": number, "market": 3, "side": "buy", "made_at": 1_893_470_400_000}
    return tuple(told.get(column, 0) for column in TABLES[table].columns)


def call(**params: str) -> Any:
    assets, markets = SimpleNamespace(of=ASSETS.get), SimpleNamespace(of={3: MARKET}.get)
    return SimpleNamespace(
        account=1_001, params=params, reader=Reader(), assets=assets, markets=markets, market=lambda symbol: MARKET
    )


@pytest.mark.parametrize(
    ("params", "listed", "older", "newer"),
    [
        ({}, [ID_MAX, ID_MAX - 1, 2, 1], None, None),
        ({"limit": "2"}, [ID_MAX, ID_MAX - 1], ID_MAX - 1, None),
        ({"after": str(ID_MAX), "limit": "1"}, [ID_MAX - 1], ID_MAX - 1, ID_MAX - 1),
        ({"before": str(ID_MAX - 1)}, [ID_MAX], ID_MAX, None),
        ({"before": "1", "limit": "1"}, [2], 2, 2),
        ({"after": "2"}, [1], None, 1),
    ],
    ids=str,
)
def test_pages_of_an_accounts_fills(
    params: dict[str, str], listed: list[int], older: int | None, newer: int | None
) -> None:
    data = json.loads(get_user_trades.answer(call(**params)).data)
    assert [fill["tradeId"] for fill in data["list"]] == listed
    assert (data.get("after"), data.get("before")) == (older, newer)


def test_the_newest_trades_of_a_market() -> None:
    trades = json.loads(return_trade_history.answer(call(symbol="BASE_QUOTE")))
    assert [trade["id"] for trade in trades] == [ID_MAX, ID_MAX - 1, 2, 1]
