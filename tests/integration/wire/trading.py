"""A trading floor in process: one market, two users with funds, no rate limits, and a clock at a round hour."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.wire.conftest import OpenWire, Reply, Wire
from spotbook.domain import commands as c
from spotbook.domain.credentials import Key
from spotbook.settings import Settings, unlimited
from spotbook.wire.coinw.registry import PRIVATE, PUBLIC

NOON = 1_893_470_400_000
"""2030-01-01 12:00:00 in UTC+8: 04:00 in UTC."""

BTC_USDT = c.MakeMarket(
    "BTC_USDT", 2, 6, "1", "0.01", "1000000", "0.000001", "10000", 2_000, 2_000, "cancel_newest", "on", "900000"
)
ETH_USDT = BTC_USDT._replace(symbol="ETH_USDT", amount_decimals=4, amount_min="0.0001")


@dataclass(frozen=True)
class Party:
    """A user with a key that has every permission."""

    wire: Wire
    account: int
    key: Key
    secret: str

    async def ask(self, command: str, params: Mapping[str, str] | None = None, **how: Any) -> Reply:
        """Make one signed call by form body."""
        return await self.wire.ask(command, params, **{"key": self.key, "secret": self.secret, **how})

    async def data(self, command: str, params: Mapping[str, str] | None = None, **how: Any) -> Any:
        """Return the data of a call that succeeds."""
        reply = await self.ask(command, params, **how)
        assert reply.code == "200", reply
        return reply.json["data"]

    async def place(self, side: str, amount: str = "", rate: str = "", **more: str) -> int:
        """Place an order in BTC_USDT; return its number."""
        params = {"symbol": "BTC_USDT", "type": {"buy": "0", "sell": "1"}[side], "amount": amount, "rate": rate, **more}
        number = (await self.data("doTrade", params))["orderNumber"]
        assert type(number) is int
        return number

    async def balance(self, asset: str) -> tuple[str, str]:
        """Return what is available and what is on orders."""
        balance = (await self.data("returnCompleteBalances"))[asset]
        return balance["available"], balance["onOrders"]

    async def everything(self) -> Any:
        """Return all that a placing could have changed: balances, holds and open orders."""
        return [
            await self.data("returnCompleteBalances"),
            await self.data("spotbook.holds"),
            await self.data("returnOpenOrders", {"currencyPair": "BTC_USDT"}),
        ]


@dataclass(frozen=True)
class Floor:
    """The wire with its two users: `seller` has bitcoin, `buyer` has dollars, and both a little of the other."""

    wire: Wire
    seller: Party
    buyer: Party

    def tick(self, seconds: int = 1) -> None:
        """Let time pass."""
        self.wire.clock.now += 1_000 * seconds


@asynccontextmanager
async def trading(open_wire: OpenWire, **changed: Any) -> AsyncIterator[Floor]:
    """Open the floor."""
    free = unlimited(Settings(data=Path()), {name: command.limit for name, command in {**PRIVATE, **PUBLIC}.items()})
    async with open_wire(**{"limits": free.limits, "command_limits": free.command_limits, **changed}) as wire:
        wire.do(BTC_USDT)
        wire.do(ETH_USDT)
        seller, buyer = (_party(wire, name) for name in ("seller", "buyer"))
        for party, btc, usdt in ((seller, "10", "5"), (buyer, "0.5", "100000")):
            for asset, amount in (("BTC", btc), ("USDT", usdt)):
                wire.do(c.Deposit(party.account, asset, amount, f"tx-{party.account}-{asset}", 0, ""))
        wire.clock.now = NOON
        yield Floor(wire, seller, buyer)


def _party(wire: Wire, name: str) -> Party:
    account = wire.do(c.OpenAccount(name)).id
    key, secret = wire.make_key(("read", "trade", "withdraw"), account=account)
    return Party(wire, account, key, secret)
