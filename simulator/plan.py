"""What a run is drawn with, from its seed: who there is, what is traded by which rules, which limits hold."""

import random
from typing import Any, NamedTuple

from simulator.deeds import Deed
from simulator.figures import full
from simulator.pace import Limits
from spotbook.domain.ladder import LadderRules
from spotbook.domain.pacing import LimitRules
from spotbook.domain.window import Limit

BEGINS_AT = 1_900_000_000_000
FIRST_ACCOUNT = 1_001
NAMES = ("BTC", "USDT", "ETH", "X9")
SCALES = (8, 2, 0, 1, 3, 6, 12)
FEES_PPM = (2_000, 0, 1, 1_000, 333_333, 1_000_000)
MIDDLES = (20, 1, 2, 9, 100, 100_000)
COMMANDS = {
    "returnCompleteBalances": (5, 2_000),
    "returnBalances": (3, 1_000),
    "doTrade": (30, 2_000),
    "cancelOrder": (30, 2_000),
    "cancelAllOrder": (30, 2_000),
    "returnOpenOrders": (30, 2_000),
    "returnOrderTrades": (30, 2_000),
    "returnOrderStatus": (30, 2_000),
    "returnUTradeHistory": (5, 2_000),
    "getUserTrades": (10, 2_000),
    "getBatchHistoryOrders": (5, 2_000),
    "spotbook.holds": (5, 2_000),
    "spotbook.order": (30, 2_000),
    "returnSymbol": (80, 1_000),
    "returnTicker": (80, 1_000),
    "returnOrderBook": (10, 1_000),
    "returnTradeHistory": (10, 1_000),
    "returnChartData": (10, 1_000),
    "timestamp": (80, 1_000),
}
"""The exchange's own limits, as its documents and this project's coverage page have them: calls, and window in ms."""
USUAL = Limits(100, 300, 20, 60, 60, 80, 10_000, 300_000, 30_000, 10, 28_800_000, 28_800_000, COMMANDS)
TIGHT = Limits(40, 20, 3, 5, 6, 9, 3_000, 2_000, 400, 2, 60_000, 5_000, COMMANDS | {"doTrade": (5, 1_000)})
_WIDE_COMMANDS = {name: (10**9, span) for name, (_, span) in COMMANDS.items()}
WIDE = Limits._make([*[10**9] * 12, _WIDE_COMMANDS])


_LADDER = (
    *("error_window_ms", "user_errors_max", "address_errors_max", "warned_ms", "banned_ms", "bans_max"),
    *("bans_window_ms", "blacklisted_ms"),
)


class Place(NamedTuple):
    """Where a market's prices are: the middle, and how far apart they are drawn, in ticks."""

    middle: int
    stride: int


class Plan:
    """Everything that a run's seed decides before its first step."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(f"plan {seed}")
        self.seed = seed
        self.in_memory = draw.random() < 0.1
        self.accounts = [FIRST_ACCOUNT + number for number in range(draw.randint(3, 8))]
        self.addresses = [f"10.0.0.{number}" for number in range(1, draw.randint(2, 6))]
        self.assets = {name: draw.choice(SCALES) for name in NAMES[: draw.randint(2, 4)]}
        self.limits = draw.choice((USUAL, USUAL, WIDE, WIDE, TIGHT))
        self.fills_max = draw.choice((1_000, 1_000, 3))
        self.cached_rows = draw.choice((262_144, 4))
        self.checkpoint_rows = draw.choice((32_768, 400, 60))
        self.together = draw.choice((0.0, 0.5, 0.85))
        """How often the next step joins the batch of the one before it."""
        self.pause_ms = draw.choice((8, 30, 90))
        self.places: dict[str, Place] = {}
        names = list(self.assets)
        pairs = [f"{base}_{quote}" for base in names for quote in names if base != quote]
        self.founding = [Deed("found", {})]
        self.founding += [
            Deed("make_asset", {"name": name, "scale": scale, "supply_max": str(10 ** (18 - scale))})
            for name, scale in self.assets.items()
        ]
        self.founding += [
            Deed("make_market", self._market(draw, symbol)) for symbol in draw.sample(pairs, min(len(pairs), 3))
        ]
        self.founding += [Deed("open_account", {"name": f"user {account}"}) for account in self.accounts]
        self.owners = [
            Deed(
                "make_key",
                {
                    "account": account,
                    "api_key": owner_key(account),
                    "secret": f"secret of {account}",
                    "permissions": ("read", "trade", "withdraw"),
                    "allow": "",
                    "expires_at": 0,
                    "strict": False,
                },
            )
            for account in self.accounts
        ]

    def _market(self, draw: random.Random, symbol: str) -> dict[str, Any]:
        base, quote = symbol.split("_")
        amount_decimals = draw.randint(0, min(self.assets[base], self.assets[quote]))
        price_decimals = draw.randint(0, self.assets[quote] - amount_decimals)
        middle = draw.choice(MIDDLES)
        self.places[symbol] = Place(middle, max(1, middle // 50))
        value_decimals = price_decimals + amount_decimals
        return {
            "symbol": symbol,
            "price_decimals": price_decimals,
            "amount_decimals": amount_decimals,
            "value_min": full(draw.choice((0, 1, 25)), value_decimals),
            "price_min": full(draw.choice((1, max(1, middle - 3))), price_decimals),
            "price_max": full(middle * 3 + draw.choice((10, 5_000)), price_decimals),
            "amount_min": full(draw.choice((1, 1, 2)), amount_decimals),
            "amount_max": full(draw.choice((5_000, 500)), amount_decimals),
            "maker_fee_ppm": draw.choice(FEES_PPM),
            "taker_fee_ppm": draw.choice(FEES_PPM),
            "self_trade": draw.choice(("cancel_newest", "cancel_oldest")),
            "state": "on",
            "value_max": draw.choice(("", "0", full(40_000 * middle, value_decimals))),
            "orders_max": draw.choice((10_000, 10_000, 12, 4)),
            "bound_ppm": draw.choice((100_000, 0, 50_000, 1_000_000)),
        }

    def rules(self) -> LimitRules:
        """Return the limits as the exchange is told them."""
        ladder = LadderRules(**{name: getattr(self.limits, name) for name in _LADDER})
        limits = self.limits
        return LimitRules(
            address_per_s=limits.address_per_s,
            user_per_s=limits.user_per_s,
            ladder=ladder,
            forgeries_per_key=limits.forgeries_per_key,
            forgeries_per_address=limits.forgeries_per_address,
        )

    def command_limits(self) -> dict[str, Limit]:
        """Return the limits of commands that are not the exchange's own: the others are its to know."""
        return {name: Limit(*limit) for name, limit in self.limits.commands.items() if limit != COMMANDS[name]}


def owner_key(account: int) -> str:
    """Return the key that each account has from the beginning, and that is never revoked."""
    return f"owner-{account}"
