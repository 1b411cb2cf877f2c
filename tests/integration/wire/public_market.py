"""Markets to trade in, a maker and a taker, and public calls, for the tests of the public commands."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from integration.wire.conftest import OpenWire, Reply, Wire
from spotbook.domain import commands as c
from spotbook.domain.order import Side
from spotbook.domain.pacing import LimitRules

PUBLIC = "/api/v1/public"
DAY_MS = 86_400_000
MARKETS = (
    c.MakeMarket("BTC_USDT", 2, 6, "1", "0.01", "1000000", "0.000001", "10000", 2_000, 2_000, "cancel_newest", "on"),
    c.MakeMarket("ETH_USDT", 2, 4, "1", "0.01", "1000000", "0.0001", "100000", 2_000, 2_000, "cancel_newest", "on"),
    c.MakeMarket("SAND_BTC", 5, 3, "0.0001", "0.00001", "1", "0.001", "9", 0, 0, "cancel_newest", "on", "0.5"),
)


@dataclass
class Trading:
    """A wire API with markets, and a maker and a taker who have plenty. `midnight` (UTC) is after all that was done."""

    wire: Wire
    midnight: int
    maker: int = 0
    taker: int = 0

    def at(self, hours: int = 0, minutes: int = 0, seconds: int = 0) -> int:
        """Move the clock to so long after midnight; return the time."""
        self.wire.clock.now = self.midnight + ((hours * 60 + minutes) * 60 + seconds) * 1_000
        return self.wire.clock.now

    def place(self, account: int, side: Side, price: str, amount: str, symbol: str = "BTC_USDT") -> int:
        """Place a limit order; return its id."""
        number: int = self.wire.do(c.PlaceOrder(account, symbol, side, "limit", price, amount, "", "")).id
        return number

    def trade(self, price: str, amount: str, side: Side = "buy", symbol: str = "BTC_USDT") -> None:
        """Let the taker, who is on `side`, meet the maker."""
        self.place(self.maker, "sell" if side == "buy" else "buy", price, amount, symbol)
        self.place(self.taker, side, price, amount, symbol)

    async def ask(self, command: str, params: Mapping[str, str] | None = None, *, method: str = "GET") -> Reply:
        """Make a public call, in a turn of the loop of its own, once the limiter has forgotten those before it."""
        await asyncio.sleep(0)  # the loop's reader sees one moment per turn
        self.wire.pace.now += 1_001
        form = urlencode(params or {})
        if method == "POST":
            return await self.wire.call(f"command={command}", form, path=PUBLIC)
        return await self.wire.call(f"command={command}&{form}", method=method, path=PUBLIC)

    async def data(self, command: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the `data` of a reply, byte for byte."""
        reply = await self.ask(command, params)
        head, tail = b'{"code":"200","data":', b',"msg":"SUCCESS","success":true,"failed":false}'
        assert reply.body.startswith(head), reply.body
        assert reply.body.endswith(tail)
        return reply.body[len(head) : -len(tail)]

    async def refusal(self, command: str, params: Mapping[str, str] | None = None) -> tuple[Any, Any]:
        """Return code and words of a call that is refused."""
        reply = await self.ask(command, params)
        assert (reply.status, reply.json["success"], reply.json["failed"]) == (200, False, True)
        return reply.code, reply.msg


def story(open_wire: OpenWire, tell: Callable[[Trading], Awaitable[None]], *, markets: bool = True) -> None:
    """Open the books, with markets unless told otherwise, and tell a story in them."""

    async def told() -> None:
        async with open_wire(limits=LimitRules(ladder=None)) as wire:
            trading = Trading(wire, (wire.clock.now // DAY_MS + 1) * DAY_MS)
            if markets:
                _open(trading)
            await tell(trading)

    asyncio.run(told())


def _open(trading: Trading) -> None:
    do = trading.wire.do
    for market in MARKETS:
        do(market)
    trading.maker, trading.taker = do(c.OpenAccount("maker")).id, do(c.OpenAccount("taker")).id
    for account in (trading.maker, trading.taker):
        for asset, amount in (("BTC", "1000"), ("ETH", "1000"), ("SAND", "1000"), ("USDT", "10000000")):
            do(c.Deposit(account, asset, amount, f"tx-{account}-{asset}", 0, ""))
