"""Drawing what the operator does: deposits, keys, tokens, rules, freezes and halts, sensible or not."""

import random
from collections.abc import Callable
from typing import Any

from simulator.figures import full
from simulator.plan import Plan, owner_key
from simulator.step import Step
from simulator.world import World

BAD_AMOUNTS = ("0", "0.0", "-1", "1e-05", ".5", "5.", "00.1", "+1", " 1", "1." + "0" * 20 + "1", "１", "9" * 30, "x")
NOBODY = 99
PERMISSIONS = (("read",), ("read", "trade"), ("trade",), ("read", "trade", "withdraw"), ("withdraw",))

Drawn = tuple[str, dict[str, Any]] | None
"""A deed's kind and what it is about; None when there is nothing to do it to."""


class Operating:
    """Draws deeds for a run."""

    def __init__(self, plan: Plan, draw: random.Random) -> None:
        self._plan = plan
        self._draw = draw
        self._made = 0
        self._tokens = 0

    def endowments(self) -> list[Step]:
        """Return deposits that make every account rich enough to trade, yet poor enough to run out now and then."""
        return [
            Step("deed", {"kind": "deposit", "args": self._endowment(account, asset), "actor": None})
            for account in self._plan.accounts
            for asset in self._plan.assets
        ]

    def _endowment(self, account: int, asset: str) -> dict[str, Any]:
        plan, units = self._plan, 1
        for deed in plan.founding:
            if deed.kind != "make_market" or asset not in deed.args["symbol"].split("_"):
                continue
            scale = plan.assets[asset] - deed.args["amount_decimals"]
            if deed.args["symbol"].startswith(f"{asset}_"):
                units = max(units, 400 * 10**scale)
            else:
                middle = plan.places[deed.args["symbol"]].middle
                units = max(units, 400 * middle * 10 ** (scale - deed.args["price_decimals"]))
        return self._deposit_of(account, asset, full(min(units, 10**17), plan.assets[asset]))

    def _deposit_of(self, account: int, asset: str, amount: str) -> dict[str, Any]:
        self._made += 1
        txid = _txid(self._made)
        return {"account": account, "asset": asset, "amount": amount, "txid": txid, "txid_index": 0, "chain": ""}

    def next(self, world: World) -> Step | None:
        """Return a deed."""
        draw, books = self._draw, world.books
        if books.stopped or books.halted:
            return _step("resume", {}) if draw.random() < 0.5 else None
        drawn = self._lifting(world)
        if drawn is None:
            drawn = draw.choices(_DEEDS, _WEIGHTS)[0](self, world)
        if drawn is None:
            return None
        kind, args = drawn
        if kind == "lift_ban":
            return Step("alone", {"kind": kind, "args": args, "actor": None})
        actor = None
        if books.tokens and draw.random() < 0.2:
            actor = draw.choice(list(books.tokens)), draw.choice(("view", "operate", "money"))
        return _step(kind, args, actor)

    def _lifting(self, world: World) -> Drawn:
        """Take back a restriction, often enough that trading goes on."""
        if self._draw.random() > 0.25:
            return None
        for account, frozen in world.books.frozen.items():
            if frozen:
                return "freeze", {"account": account, "frozen": False}
        for market in world.books.markets.values():
            if market.state != "on":
                return "change_market", {"symbol": market.symbol, "state": "on"}
        return None

    def _account(self) -> int:
        return self._draw.choice(self._plan.accounts)

    def _deposit(self, world: World) -> Drawn:
        draw = self._draw
        asset = draw.choice(list(self._plan.assets))
        units = draw.choice((1, 10, 10**3, 10**4, 10**5, 10**7, 10**18))
        args = self._deposit_of(self._account(), asset, full(units, self._plan.assets[asset]))
        way = draw.random()
        if way < 0.1:
            args["amount"] = draw.choice(BAD_AMOUNTS)
        elif way < 0.15:
            args["asset"] = "NONE"
        elif way < 0.2:
            args["account"] = draw.choice((1, NOBODY, 10**17))
        elif way < 0.5 and world.books.deposits:
            self._repeat(world, args)
        return "deposit", args

    def _repeat(self, world: World, args: dict[str, Any]) -> None:
        """Make it a deposit that was made before: the same, the same in another spelling, or another amount."""
        draw, books = self._draw, world.books
        (asset, chain, txid, index), (account, units, _) = draw.choice(list(books.deposits.items()))
        if len(txid) == 64 and draw.random() < 0.7:
            txid = draw.choice((txid.upper(), f"0x{txid}", f"0X{txid.upper()}"))
        args |= {"asset": asset, "chain": chain, "txid": txid, "txid_index": index, "account": account}
        args["amount"] = full(units if draw.random() < 0.7 else units + 1, books.scales[asset])

    def _make_key(self, world: World) -> Drawn:
        draw, now = self._draw, world.books.batch_time
        self._made += 1
        account = self._account()
        return "make_key", {
            "account": account if draw.random() < 0.95 else NOBODY,
            "api_key": f"key-{self._made}" if draw.random() < 0.95 else owner_key(account),
            "secret": f"secret {self._made}",
            "permissions": draw.choice(PERMISSIONS),
            "allow": draw.choice(("", "", *self._plan.addresses[:1])),
            "expires_at": draw.choice((0, 0, 0, now + 5_000, now + 60_000, 1)),
            "strict": draw.random() < 0.3,
        }

    def _revoke_key(self, world: World) -> Drawn:
        keys = world.books.keys
        mine = [name for name in keys if not name.startswith("owner-")]
        if not mine:
            return None
        name = self._draw.choice(mine[-4:] if self._draw.random() < 0.7 else mine)
        owner = keys[name].account if self._draw.random() < 0.9 else self._account()
        return "revoke_key", {"account": owner, "api_key": name}

    def _lift_ban(self, world: World) -> Drawn:
        if not world.books.bans:
            return None
        subject, began = self._draw.choice(list(world.books.bans))
        return "lift_ban", {"subject": subject, "lifted_at": began + self._draw.choice((0, 1_000))}

    def _make_token(self, world: World) -> Drawn:
        draw = self._draw
        self._tokens += 1
        roles = draw.choice((("view",), ("operate",), ("money",), ("operate", "money")))
        return "make_token", {"name": f"token-{self._tokens if draw.random() < 0.8 else 1}", "roles": roles}

    def _revoke_token(self, world: World) -> Drawn:
        return "revoke_token", {"name": self._draw.choice([*world.books.tokens, "nobody"])}

    def _change_market(self, world: World) -> Drawn:
        draw = self._draw
        market = draw.choice(list(world.books.markets.values()))
        middle = self._plan.places[market.symbol].middle
        prices, amounts = market.price_decimals, market.amount_decimals
        values = prices + amounts
        changes: tuple[tuple[str, Any], ...] = (
            ("self_trade", "cancel_oldest" if market.self_trade == "cancel_newest" else "cancel_newest"),
            *((name, ppm) for name in ("maker_fee_ppm", "taker_fee_ppm") for ppm in (0, 2_000, 500_000, 1_000_001, -1)),
            *(("bound_ppm", ppm) for ppm in (100_000, 0, 1_000_000, 1_000_001)),
            *(("orders_max", most) for most in (10_000, 10_000, 3, 0)),
            *(("value_min", full(units, values)) for units in (0, 1, 30)),
            *(("value_max", full(units, values)) for units in (0, 10, 40_000 * middle)),
            ("price_min", full(1, prices)),
            ("price_max", full(middle * 3 + 10, prices)),
            ("price_max", "0"),
            ("amount_min", full(1, amounts)),
            ("amount_min", full(3, amounts)),
            ("amount_max", full(5_000, amounts)),
            ("amount_max", full(1, amounts + 1)),
            ("state", draw.choice(("on", "off", "cancel_only", "ajar"))),
            ("state", draw.choice(("off", "cancel_only"))),
        )
        name, value = draw.choice(changes)
        symbol = market.symbol if draw.random() < 0.97 else "NO_SUCH"
        return "change_market", {"symbol": symbol, name: value}

    def _freeze(self, world: World) -> Drawn:
        draw = self._draw
        account = self._account() if draw.random() < 0.9 else draw.choice((1, 2, NOBODY, 10**17))
        return "freeze", {"account": account, "frozen": draw.random() < 0.9}

    def _open_account(self, world: World) -> Drawn:
        return "open_account", {"name": f"late {len(world.books.frozen)}"}

    def _open_wealth(self, world: World) -> Drawn:
        return "open_wealth", {"account": self._draw.choice((self._account(), 2))}

    def _halt(self, world: World) -> Drawn:
        return "halt", {}

    def _stop(self, world: World) -> Drawn:
        return "stop", {}

    def _make_again(self, world: World) -> Drawn:
        deed = self._draw.choice([deed for deed in self._plan.founding if deed.kind.startswith("make_")])
        return deed.kind, dict(deed.args)


def _txid(number: int) -> str:
    """Return a deposit's txid: mostly a word, now and then a hash."""
    return f"{number:x}".rjust(64, "a") if number % 4 == 0 else f"tx-{number}"


def _step(kind: str, args: dict[str, Any], actor: tuple[str, str] | None = None) -> Step:
    return Step("deed", {"kind": kind, "args": args, "actor": actor})


_WEIGHED: tuple[tuple[Callable[[Operating, World], Drawn], float], ...] = (
    (Operating._deposit, 35),  # noqa: SLF001
    (Operating._make_key, 8),  # noqa: SLF001
    (Operating._revoke_key, 7),  # noqa: SLF001
    (Operating._lift_ban, 4),  # noqa: SLF001
    (Operating._make_token, 3),  # noqa: SLF001
    (Operating._revoke_token, 2),  # noqa: SLF001
    (Operating._change_market, 10),  # noqa: SLF001
    (Operating._freeze, 5),  # noqa: SLF001
    (Operating._open_account, 1),  # noqa: SLF001
    (Operating._open_wealth, 2),  # noqa: SLF001
    (Operating._halt, 2),  # noqa: SLF001
    (Operating._stop, 1),  # noqa: SLF001
    (Operating._make_again, 3),  # noqa: SLF001
)
_DEEDS = [deed for deed, _ in _WEIGHED]
_WEIGHTS = [weight for _, weight in _WEIGHED]
