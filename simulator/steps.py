"""Drawing the steps of a run, with an eye on the model, so that most of it is about what there is."""

import random
from collections.abc import Mapping
from typing import Any

from simulator.books import Market
from simulator.disk import COPYING_BACK, IN_COMMIT
from simulator.figures import full
from simulator.operating import BAD_AMOUNTS, Operating
from simulator.plan import Plan, owner_key
from simulator.reads import PERIODS
from simulator.step import Step
from simulator.world import World

SIZES = (1, 2, 3, 1, 5, 7, 10, 12, 20, 33, 50)
LARGE = (64, 100, 250, 400, 1_000, 5_000)
BAD_NUMBERS = ("0", "9007199254740993", "1234567890123456789", "12345678901234567890", "x", "01", "-1")
SHARED = ("a", "b", "c", "d")
"""References that orders compete for."""
FLAWS = ("wrong sign", "lower case", "no sign", "changed after signing", "unknown key", "twice", "ampersand")
PASSING_FAULTS = ("not committed", "disk full", "fate unknown, not there", "fate unknown, there")
JUMPS_MS = (-3_600_000, -4_000, -1, 6_000, 70_000, 3_700_000, 90_000_000)


class Drawer:
    """Draws the steps of a run."""

    def __init__(self, plan: Plan, *, crashes: bool) -> None:
        self.plan = plan
        self.crashes = crashes
        self.draw = random.Random(f"steps {plan.seed}")
        self.placed: dict[int, int] = {}
        """Steps that placed an order, with its number: to be named by later ones."""
        self.referenced: list[tuple[int, Mapping[str, str]]] = []
        """Orders that were sent with a reference, each with its account."""
        self._whose: int | None = None
        self._bursts = 0
        self._faults: list[str] = []
        self._attacked: list[tuple[str, str]] = []
        """Calls that somebody makes who tries a key: which, and from where."""
        self._operating = Operating(plan, self.draw)
        self._endowing = self._operating.endowments()

    # --- one step ---------------------------------------------------------------------------------------------------

    def next(self, number: int, world: World, *, full_disk: bool) -> Step:
        """Return step `number`."""
        if self._endowing:
            return self._endowing.pop()
        draw = self.draw
        if full_disk and draw.random() < 0.2:
            return Step(draw.choice(("room", "probe")), {})
        chance = draw.random()
        step = None
        if chance < 0.014:
            step = self._incident()
        elif chance < 0.10:
            step = self._operating.next(world)
        elif chance < 0.16:
            step = self._public(world)
        if step is None:
            step = self._private(number, world)
        joins = step.kind in {"call", "deed"} and draw.random() < self.plan.together
        if self._bursts:
            self._bursts -= 1
            return step._replace(joins=joins)
        if draw.random() < 0.001:
            self._bursts = draw.randint(50, 200)
        return step._replace(joins=joins, ms=draw.randint(0, 2 * self.plan.pause_ms))

    def _incident(self) -> Step:
        """Return what is no command: time that jumps, a fault to come, an end and a new beginning, a look at all."""
        draw = self.draw
        kinds = ["jump", "fault", "fault", "fault", "check", "restart"] + ["kill", "fault", "fault"] * self.crashes
        kind = draw.choice(kinds)
        if kind == "jump":
            return Step("jump", {"ms": draw.choice(JUMPS_MS)})
        if kind == "fault":
            if not self._faults:  # each comes about before any comes again
                self._faults = list((*IN_COMMIT, COPYING_BACK) if self.crashes else PASSING_FAULTS)
                draw.shuffle(self._faults)
            part = draw.choice((0, 1_000_000, draw.randrange(1_000_000), draw.randrange(1_000_000)))
            return Step("fault", {"kind": self._faults.pop(), "part": part})
        return Step(kind, {})

    # --- signed calls -----------------------------------------------------------------------------------------------

    def _private(self, number: int, world: World) -> Step:
        draw = self.draw
        self._whose = None
        command, params, order = draw.choices(_PRIVATE, _WEIGHTS)[0](self, number, world)
        args: dict[str, Any] = {"command": command, "params": params, "order": order}
        args |= self._signed(world, order)
        args["lost"] = draw.random() < 0.03
        key = world.books.keys.get(args["api_key"])
        if command == "doTrade" and params.get("out_trade_no") and key is not None:
            self.referenced.append((key.account, params))
        return Step("call", args)

    def _signed(self, world: World, order: int | None) -> dict[str, Any]:
        """Draw who signs, and how: mostly the owner of the order that the call is about."""
        draw = self.draw
        account = draw.choice(self.plan.accounts)
        if order is not None and draw.random() < 0.9:
            account = world.books.orders[self.placed[order]].account
        elif self._whose is not None:
            account = self._whose
        if self._attacked:
            return self._forged(world)
        if draw.random() < 0.001:
            self._attacked = [(owner_key(account), draw.choice(self.plan.addresses))] * draw.choice((6, 30, 90))
        keys = [key for key in world.books.keys.values() if key.account == account]
        if draw.random() < 0.5:
            keys = [key for key in keys if key.live(world.books.batch_time)]
        key = world.books.keys[owner_key(account)] if draw.random() < 0.75 else draw.choice(keys)
        signing = "v1" if (key.strict and draw.random() < 0.85) or draw.random() < 0.06 else "md5"
        flaw = draw.choice(FLAWS) if draw.random() < 0.015 else ""
        if signing == "v1" and flaw:
            flaw = draw.choice(("wrong sign", "no stamp"))
        style = draw.choice(("form", "form", "query", "json"))
        address = key.allow if key.allow and draw.random() < 0.8 else draw.choice(self.plan.addresses)
        return {
            "api_key": "nobody" if flaw == "unknown key" else key.api_key,
            "secret": key.secret,
            "address": address,
            "signing": signing,
            "stamp": draw.choice((0, 0, 0, 4_900, -4_900, 5_001, -5_001)),
            "nonce": f"nonce-of-sixteen-{draw.randrange(5 if draw.random() < 0.5 else 10**9)}",
            "style": "form" if flaw == "twice" else style,
            "flaw": "" if flaw == "unknown key" else flaw,
        }

    def _forged(self, world: World) -> dict[str, Any]:
        """Sign as somebody does who tries a key from one address again and again, and has not its secret."""
        api_key, address = self._attacked.pop()
        signed = {"signing": "md5", "stamp": 0, "nonce": "", "style": "form"}
        flaw = "wrong sign" if self.draw.random() < 0.95 else ""
        return {
            "api_key": api_key,
            "secret": world.books.keys[api_key].secret,
            "address": address,
            **signed,
            "flaw": flaw,
        }

    def _symbol(self) -> str:
        draw = self.draw
        return "NO_SUCH" if draw.random() < 0.01 else draw.choice(list(self.plan.places))

    def _place(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        draw, symbol = self.draw, self._symbol()
        market = world.books.markets.get(symbol) or next(iter(world.books.markets.values()))
        place = self.plan.places[market.symbol]
        buys = draw.random() < 0.5
        price = max(0, place.middle + (draw.randrange(16) - (10 if buys else 6)) * place.stride)
        size = draw.choice(SIZES if draw.random() < 0.8 else LARGE)
        params = {"symbol": symbol, "type": "0" if buys else "1"}
        kind = draw.random()
        if kind < 0.12:
            params |= {"isMarket": draw.choice(("true", "True", "1")), **self._at_any_price(market, price, size, world)}
        else:
            if draw.random() < 0.08:
                size = self._all_there_is(market, price, world, buys=buys)
            params |= {"rate": full(price, market.price_decimals), "amount": full(size, market.amount_decimals)}
            if kind < 0.2:
                params["postOnly"] = "true"
        if draw.random() < 0.05:
            self._spoil(params)
        reference = draw.choice(("", "", "", f"own-{number}", f"own-{number}", draw.choice(SHARED)))
        if reference:
            params["out_trade_no"] = reference
        return "doTrade", params, None

    def _all_there_is(self, market: Market, price: int, world: World, *, buys: bool) -> int:
        """Return as many lots as an account can pay for, or one more; that account is to sign."""
        self._whose = self.draw.choice(self.plan.accounts)
        each = max(1, price) * market.tick if buys else market.lot
        available = world.books.available(self._whose, market.quote if buys else market.base)
        return available // each + self.draw.randrange(2)

    def _at_any_price(self, market: Market, price: int, size: int, world: World) -> dict[str, str]:
        draw = self.draw
        if draw.random() < 0.5:
            return {"amount": full(size, market.amount_decimals)}
        if draw.random() < 0.3:
            self._whose = draw.choice(self.plan.accounts)
            available = world.books.available(self._whose, market.quote)
            return {"funds": full(available + draw.randrange(2), world.books.scales[market.quote])}
        units = size * max(1, price) + draw.choice((0, 0, 1))
        return {"funds": full(units, market.price_decimals + market.amount_decimals)}

    def _spoil(self, params: dict[str, str]) -> None:
        draw = self.draw
        way = draw.randrange(5)
        if way == 0:
            params.pop(draw.choice(list(params)))
        elif way == 1:
            params[draw.choice(("isMarket", "postOnly", "type"))] = draw.choice(("yes", "2", "", "false"))
        else:
            params[draw.choice(("amount", "rate", "funds"))] = draw.choice(BAD_AMOUNTS)

    def _again(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        """Send an order again that has a reference; now and then another one under the same."""
        if not self.referenced:
            return self._place(number, world)
        draw = self.draw
        account, sent = draw.choice(self.referenced[-12:])
        params = dict(sent)
        self._whose = account if draw.random() < 0.9 else None
        way = draw.randrange(6)
        if way == 0 and "." in params.get("amount", ""):
            params["amount"] += "00"
        elif way == 1:
            params["type"] = "1" if params.get("type") == "0" else "0"
        elif way == 2 and "amount" in params:
            params["amount"] = draw.choice(("1", "2", "0.1"))
        return "doTrade", params, None

    def _cancel(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        if self.draw.random() < 0.03:
            return "cancelOrder", {"orderNumber": self.draw.choice(BAD_NUMBERS)}, None
        return "cancelOrder", {"orderNumber": ""}, self._one_of_placed()

    def _one_of_placed(self) -> int | None:
        if not self.placed:
            return None
        reach = 12 if self.draw.random() < 0.8 else 200
        return self.draw.choice(list(self.placed)[-reach:])

    def _cancel_all(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        symbol = self.draw.choice(("", self._symbol()))
        if self.draw.random() < 0.3:
            return "cancelAll", {"symbol": symbol}, None
        return "cancelAllOrder", {"currencyPair": symbol}, None

    def _find(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        draw = self.draw
        params: Mapping[str, str] = {}
        if self.referenced and draw.random() < 0.7:
            self._whose, params = draw.choice(self.referenced[-12:])
        reference = params.get("out_trade_no") or draw.choice((*SHARED, f"own-{number + 1}", "", "ö"))
        asked = {"out_trade_no": reference}
        if draw.random() < 0.3:
            asked["fence"] = draw.choice(("true", "true", "false", "maybe"))
        return "spotbook.order", asked, None

    def _balances(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        name = self.draw.choice(
            ("returnCompleteBalances", "returnCompleteBalances", "returnBalances", "spotbook.holds")
        )
        return name, {}, None

    def _lists(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        draw = self.draw
        name = draw.choice(("returnOpenOrders", "returnOpenOrders", "returnUTradeHistory", "getUserTrades"))
        times = self._times(world, "startAt", "endAt")
        if name != "getUserTrades":
            return name, {"currencyPair": self._symbol(), **times}, None
        asked = dict(times)
        if draw.random() < 0.5:
            asked["symbol"] = self._symbol()
        if draw.random() < 0.5:
            asked["limit"] = draw.choice(("1", "2", "5", "100", "0", "101"))
        for mark in ("after", "before"):
            if draw.random() < 0.25:
                asked[mark] = str(draw.randint(0, len(world.books.fills) + 1))
        return name, asked, None

    def _times(self, world: World, first: str, last: str) -> dict[str, str]:
        draw, now = self.draw, world.books.batch_time
        if draw.random() < 0.7:
            return {}
        return {first: str(now - draw.randrange(100_000)), last: draw.choice((str(now), str(now - 50_000), ""))}

    def _one(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        name = self.draw.choice(("returnOrderTrades", "returnOrderStatus", "getOrder", "getBatchHistoryOrders"))
        field = {"getOrder": "id", "getBatchHistoryOrders": "orderIds"}.get(name, "orderNumber")
        if self.draw.random() < 0.05:
            return name, {field: self.draw.choice(BAD_NUMBERS)}, None
        return name, {field: ""}, self._one_of_placed()

    def _unknown(self, number: int, world: World) -> tuple[str, dict[str, str], int | None]:
        return self.draw.choice(("doNothing", "returnTicker", "doWithdrawl")), {}, None

    # --- public calls -----------------------------------------------------------------------------------------------

    def _public(self, world: World) -> Step:
        draw, symbol = self.draw, self._symbol()
        choices: tuple[tuple[str, dict[str, str]], ...] = (
            ("returnSymbol", {}),
            ("returnTicker", {}),
            ("returnOrderBook", {"symbol": symbol, "size": draw.choice(("5", "20", "", "x"))}),
            ("returnOrderBook", {"symbol": f"{symbol},{self._symbol()}"}),
            ("returnTradeHistory", {"symbol": symbol, **self._times(world, "start", "end")}),
            ("returnChartData", {"currencyPair": symbol, "period": str(draw.choice((*PERIODS, 7)))}),
            ("returnChartData", {"currencyPair": symbol, "period": "60"}),
            ("timestamp", {}),
            ("returnNothing", {}),
        )
        command, params = draw.choice(choices)
        params = {name: value for name, value in params.items() if value}
        signing = {
            "api_key": "",
            "secret": "",
            "signing": "none",
            "stamp": 0,
            "nonce": "",
            "style": "query",
            "flaw": "",
        }
        args = {"command": command, "params": params, "order": None, "lost": False, **signing}
        return Step("call", {**args, "address": draw.choice(self.plan.addresses)})


_PRIVATE = (
    *(Drawer._place, Drawer._again, Drawer._cancel, Drawer._cancel_all, Drawer._find),  # noqa: SLF001
    *(Drawer._balances, Drawer._lists, Drawer._one, Drawer._unknown),  # noqa: SLF001
)
_WEIGHTS = (46, 6, 12, 1.5, 5, 7, 6, 6, 0.5)
