"""What doTrade asks the writer for: each text as it arrived, and nothing for what is absent."""

from types import SimpleNamespace
from typing import Any

import pytest

from spotbook.domain.commands import PlaceOrder
from spotbook.domain.errors import UnknownMarket
from spotbook.wire.coinw.command import PublicCall
from spotbook.wire.coinw.commands.do_trade import command
from spotbook.wire.coinw.orders import market_named

NOWHERE: Any = SimpleNamespace(named={}.get)
"""Markets, of which there is none."""


def asked(**params: str) -> PlaceOrder:
    call: Any = SimpleNamespace(account=1_001, params={"symbol": "A_B", **params})
    return command(call)


def test_a_limit_order() -> None:
    order = asked(type="0", rate="1.50", amount="2.0", out_trade_no="mine")
    assert order == PlaceOrder(1_001, "A_B", "buy", "limit", "1.50", "2.0", "", "mine")


def test_a_post_only_order() -> None:
    order = asked(type="1", rate="1.50", amount="2.0", postOnly="true")
    assert order == PlaceOrder(1_001, "A_B", "sell", "post_only", "1.50", "2.0", "", "")


def test_a_market_order_by_funds() -> None:
    assert asked(type="0", isMarket="true", funds="9") == PlaceOrder(1_001, "A_B", "buy", "market", "", "", "9", "")


def test_a_market_order_by_amount() -> None:
    assert asked(type="1", isMarket="1", amount="9") == PlaceOrder(1_001, "A_B", "sell", "market", "", "9", "", "")


def test_a_market_that_is_not_there_is_unknown_by_its_symbol() -> None:
    call: Any = SimpleNamespace(params={"symbol": "A_B"}, markets=NOWHERE)
    with pytest.raises(UnknownMarket) as refused:
        market_named(call, "symbol")
    assert refused.value.named == "A_B"
    nothing: Any = None
    public = PublicCall({}, 0, nothing, nothing, NOWHERE, nothing, nothing)
    with pytest.raises(UnknownMarket) as refused:
        public.market("A_B")
    assert refused.value.named == "A_B"
