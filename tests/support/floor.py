"""A trading floor: books with two markets, and balances written as one reads them."""

from typing import Any

import pytest

from spotbook.domain import amount
from spotbook.domain.account import FEES
from spotbook.domain.commands import Deposit, MakeAsset, MakeMarket, OpenAccount
from spotbook.domain.errors import Refusal
from spotbook.domain.events import Entry
from spotbook.domain.order import Order
from spotbook.domain.state import NOTHING, State
from spotbook.domain.trading import OrderAt
from support.books import Bench, bench
from support.commands import BTC_USDT, OTHER, USER
from support.open_orders import books_of

THIRD = OTHER + 1
WHOLE = MakeMarket("ONE_COIN", 0, 0, "0", "1", "1000000", "1", "1000000000", 2_000, 2_000, "cancel_newest", "on")
"""A market in which the smallest unit of either asset is a whole one, so that every rounding is seen."""


class Floor(Bench):
    """Books in which `USER`, `OTHER` and `THIRD` each have so much of everything."""

    def coins(self, account: int, asset: str) -> tuple[str, str]:
        """Return what is available and what is frozen, as text."""
        found = self.state.asset_named(asset)
        assert found is not None
        balance = self.state.balances.get((account, found.id)) or NOTHING
        return amount.show_stripped(balance.available, found.scale), amount.show_stripped(balance.frozen, found.scale)

    def fees(self, asset: str) -> str:
        """Return what the house has taken."""
        return self.coins(FEES, asset)[0]

    def place(self, command: Any) -> Order:
        """Place an order and return it as it stands then."""
        placed = self.do(command)
        assert isinstance(placed, OrderAt)
        assert placed.order is not None
        return placed.order

    def order(self, account: int, number: int) -> Order:
        """Return an order as it stands now."""
        found = self.state.open_orders.get(account, number) or self.state.closed_orders.get((account, number))
        assert found is not None
        return found

    def entries(self, account: int, asset: str, since: int) -> list[tuple[str, str, str]]:
        """Return why, and by how much each side changed, for each entry after so many events."""
        found = self.state.asset_named(asset)
        assert found is not None
        return [
            (
                event.why,
                amount.show_stripped(event.available_after - event.available_before, found.scale),
                amount.show_stripped(event.frozen_after - event.frozen_before, found.scale),
            )
            for event in self.events[since:]
            if isinstance(event, Entry) and (event.account, event.asset) == (account, found.id)
        ]

    def kept(self) -> dict[str, Any]:
        """Return a copy of all that a decision could have changed."""
        shelves = {name: getattr(self.state, name) for name in State.__slots__ if name != "open_orders"}
        return {
            **{name: dict(shelf.kept) for name, shelf in shelves.items()},
            "books": books_of(self.state.open_orders),
        }

    @property
    def holds(self) -> int:
        """How many holds there are."""
        return len(self.state.holds.kept)  # type: ignore[attr-defined]


def floor(*, each: str = "1000", **rules: Any) -> Floor:
    """Return a floor whose market BTC_USDT has no fees and no least value, but for the rules given."""
    made = Floor()
    made.apply(*bench().events)
    free = {"value_min": "0", "maker_fee_ppm": 0, "taker_fee_ppm": 0}
    for command in (
        MakeAsset("ONE", 0, "4000000000"),
        MakeAsset("COIN", 0, "4000000000"),
        BTC_USDT._replace(**{**free, **rules}),
        WHOLE,
        OpenAccount("other"),
        OpenAccount("third"),
    ):
        made.do(command)
    for account in (USER, OTHER, THIRD):
        for asset in ("BTC", "USDT", "ONE", "COIN"):
            made.do(Deposit(account, asset, each, f"{account}-{asset}", 0, ""))
    return made


def refused(books: Floor, command: Any, kind: type[Refusal]) -> Refusal:
    """Return the refusal, of just this kind; deciding it froze nothing, bound nothing and used up no number."""
    before = books.kept()
    with pytest.raises(Refusal) as raised:
        books.decide(command)
    assert type(raised.value) is kind
    assert books.kept() == before
    return raised.value
