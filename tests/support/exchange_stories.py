"""What happens in a story of the exchange: its founding and its commands, each drawn from a number.

A command is drawn with an eye on the naive exchange, so that most of it is about what there is: open orders are
cancelled, balances are about spent, references are used again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    Command,
    Deposit,
    FindOrder,
    FreezeAccount,
    Halt,
    MakeAsset,
    MakeMarket,
    PlaceOrder,
    Resume,
)
from spotbook.domain.order import Kind
from support.dice import Dice
from support.naive_exchange import FEES, Market, NaiveExchange

USERS = (1_001, 1_002, 1_003, 1_004)
ASSETS = ("AAA", "BBB", "CCC")
SYMBOLS = ("AAA_BBB", "CCC_BBB", "AAA_CCC")
SCALES = (2, 0, 1, 3, 6, 8)
FEES_PPM = (2_000, 0, 1, 1_000, 333_333, 1_000_000)
MIDDLES = (20, 1, 2, 9, 100, 100_000)
STEPS = (1, 2, 3, 1, 5, 7, 10, 12, 20, 33, 50, 64, 100, 250, 1_000, 5_000)
SHARED_REFERENCES = ("a", "b", "c", "d", "e")
"""References that orders compete for; most have one of their own, or none."""
BAD_TEXTS = (
    "0",
    "",
    "0.0",
    "-1",
    "1e-05",
    ".5",
    "5.",
    "00.1",
    "+1",
    " 1",
    "1.000000000000000000001",
    "１",
    "9" * 30,
    "x",
)
KINDS: tuple[Kind, ...] = ("limit", "post_only", "market", "market")


class Place(NamedTuple):
    """A market as stories use it: its middle price, and how far prices are apart, in steps."""

    middle: int
    stride: int


class Story:
    """Draws commands. `model` is what they are drawn for; it is set anew when a batch was lost."""

    def __init__(self, number: int) -> None:
        dice = Dice(number)
        self.fills_max = dice.one_of((1_000, 3, 2))
        self.model = NaiveExchange(self.fills_max)
        self.places: dict[str, Place] = {}
        self._said: list[PlaceOrder] = []
        self._deposits = 0
        self.founding = [*self._assets(dice), *self._markets(dice)]

    # --- the founding ---------------------------------------------------------------------------

    def _assets(self, dice: Dice) -> list[Command]:
        for name in ASSETS:
            self.model.scales[name] = dice.one_of(SCALES)
        return [MakeAsset(name, scale, "1" + "0" * (18 - scale)) for name, scale in self.model.scales.items()]

    def _markets(self, dice: Dice) -> list[Command]:
        made: list[Command] = []
        for symbol in SYMBOLS:
            base, quote = symbol.split("_")
            scales = self.model.scales
            amount_decimals = dice.roll(min(scales[base], scales[quote]) + 1)
            price_decimals = dice.roll(scales[quote] - amount_decimals + 1)
            middle = dice.one_of(MIDDLES)
            self.places[symbol] = Place(middle, max(1, middle // 50))
            value_decimals = price_decimals + amount_decimals
            made.append(
                MakeMarket(
                    symbol,
                    price_decimals,
                    amount_decimals,
                    value_min=text(dice.one_of((0, 1, 25)), value_decimals),
                    price_min=text(dice.one_of((1, max(1, middle - 3))), price_decimals),
                    price_max=text(middle * 3 + dice.one_of((10, 5_000)), price_decimals),
                    amount_min=text(dice.one_of((1, 1, 2)), amount_decimals),
                    amount_max=text(dice.one_of((5_000, 500)), amount_decimals),
                    maker_fee_ppm=dice.one_of(FEES_PPM),
                    taker_fee_ppm=dice.one_of(FEES_PPM),
                    self_trade=dice.one_of(("cancel_newest", "cancel_oldest")),
                    state="on",
                    value_max=dice.one_of(("", "0", text(40_000 * middle, value_decimals))),
                    orders_max=dice.one_of((10_000, 10_000, 12, 4)),
                    bound_ppm=dice.one_of((100_000, 0, 50_000, 1_000_000)),
                )
            )
        return made

    def endow(self) -> list[Command]:
        """Return deposits that everybody can begin to trade with."""
        needed = dict.fromkeys(ASSETS, 1)
        for symbol, place in self.places.items():
            market = self.model.markets[symbol]
            scales = self.model.scales
            lot = 10 ** (scales[market.base] - market.amount_decimals)
            tick = 10 ** (scales[market.quote] - market.price_decimals - market.amount_decimals)
            needed[market.base] = max(needed[market.base], 400 * lot)
            needed[market.quote] = max(needed[market.quote], 400 * place.middle * tick)
        return [self._deposit(user, asset, units) for user in USERS for asset, units in needed.items()]

    def _deposit(self, user: int, asset: str, units: int) -> Deposit:
        self._deposits += 1
        return Deposit(user, asset, text(units, self.model.scales[asset]), f"tx-{self._deposits}", 0, "")

    # --- commands -------------------------------------------------------------------------------

    def command(self, dice: Dice) -> Command | None:
        """Return the command that the dice stand for, None when they stand for none."""
        return dice.one_of(_SORTS)(self, dice)

    def nothing(self, _: Dice) -> Command | None:
        return None

    def place(self, dice: Dice) -> Command:
        """Place an order: mostly one that can be had, now and then nonsense."""
        account, symbol = self._whose(dice), dice.one_of(SYMBOLS)
        market, place = self.model.markets[symbol], self.places[symbol]
        buys = bool(dice.roll(2))
        kind = dice.one_of(KINDS) if dice.roll(2) else "limit"
        steps = dice.one_of(STEPS)
        price = max(0, place.middle + (dice.roll(16) - (10 if buys else 6)) * place.stride)
        texts = {
            "price": text(price, market.price_decimals),
            "amount": text(steps, market.amount_decimals),
            "funds": "",
        }
        if kind == "market" and dice.roll(2):
            texts["amount"] = ""
            units = steps * max(1, price) + dice.one_of((0, 0, 1))
            texts["funds"] = text(units, market.price_decimals + market.amount_decimals)
        if dice.seldom(12):
            texts[dice.one_of(("amount", "price", "funds"))] = dice.one_of(BAD_TEXTS)
        if dice.seldom(60):
            symbol = "NO_SUCH"
        reference = dice.one_of(("", "", "", "", f"own-{len(self._said)}", dice.one_of(SHARED_REFERENCES)))
        order = PlaceOrder(account, symbol, "buy" if buys else "sell", kind, **texts, out_trade_no=reference)
        if order.out_trade_no:
            self._said.append(order)
        return order

    def say_again(self, dice: Dice) -> Command | None:
        """Repeat an order that has a reference; now and then with zeros that change nothing, or as another's."""
        if not self._said:
            return None
        order = self._said[-1 - dice.roll(min(8, len(self._said)))]
        change = dice.roll(5)
        if change == 1 and "." in order.amount:
            order = order._replace(amount=order.amount + "00")
        if change == 2:
            order = order._replace(account=self._whose(dice))
        if change == 3 and order.kind == "market":
            order = order._replace(price=dice.one_of(BAD_TEXTS))
        return order

    def cancel(self, dice: Dice) -> Command:
        """Cancel: an open order, a closed one, somebody else's, one that never was."""
        closed_too = dice.seldom(8)
        orders = [order for order in self.model.orders if order.open or closed_too]
        number = orders[dice.roll(len(orders))].id if orders else 0
        owner = next((order.account for order in self.model.orders if order.id == number), USERS[0])
        if dice.seldom(10):
            owner = self._whose(dice)
        if dice.seldom(20):
            number = dice.one_of((len(self.model.orders) + 1, 0, -1, 2**53, 10**30))
        return CancelOrder(owner, number)

    def cancel_all(self, dice: Dice) -> Command:
        return CancelAllOrders(dice.one_of(USERS), dice.one_of(("", *SYMBOLS, "NO_SUCH")))

    def find(self, dice: Dice) -> Command:
        if self._said and dice.roll(2):
            order = self._said[-1 - dice.roll(min(8, len(self._said)))]
            return FindOrder(order.account, order.out_trade_no, fence=dice.seldom(4))
        references = (f"own-{len(self._said)}", *SHARED_REFERENCES)
        return FindOrder(dice.one_of(USERS), dice.one_of(references), fence=dice.seldom(6))

    def deposit(self, dice: Dice) -> Command:
        asset = dice.one_of(ASSETS)
        return self._deposit(dice.one_of(USERS), asset, dice.one_of((10**4, 0, 1, 10**7, 10**10, 10**18)))

    def change_market(self, dice: Dice) -> Command:
        """Change one or two of a market's rules, some to what is refused."""
        symbol = dice.one_of((*SYMBOLS, *SYMBOLS, "NO_SUCH"))
        market = self.model.markets.get(symbol, self.model.markets[SYMBOLS[0]])
        place = self.places.get(symbol, Place(1, 1))
        given: dict[str, Any] = {}
        for _ in range(1 + dice.roll(2)):
            name, value = dice.one_of(_changes(market, place))
            given[name] = value
        return ChangeMarket(symbol, **given)

    def restrict(self, dice: Dice) -> Command:
        """Halt, freeze somebody, or close a market."""
        restrictions: tuple[Command, ...] = (
            FreezeAccount(dice.one_of(USERS), frozen=True, reason="asked"),
            ChangeMarket(dice.one_of(SYMBOLS), state=dice.one_of(("cancel_only", "off"))),
            Halt("asked"),
        )
        return dice.one_of(restrictions)

    def lift(self, dice: Dice) -> Command:
        """Take back a restriction; place an order when there is none."""
        frozen = [user for user in USERS if self.model.frozen_accounts[user]]
        closed = [symbol for symbol in SYMBOLS if self.model.markets[symbol].state != "on"]
        if self.model.halted or dice.seldom(20):
            return Resume("checked")
        if not frozen and not closed:
            return self.place(dice)
        if frozen and (not closed or dice.roll(2)):
            return FreezeAccount(dice.one_of(frozen), frozen=False, reason="asked")
        return ChangeMarket(dice.one_of(closed), state="on")

    @staticmethod
    def _whose(dice: Dice) -> int:
        return dice.one_of((FEES, 9)) if dice.seldom(80) else dice.one_of(USERS)


def _changes(market: Market, place: Place) -> list[tuple[str, Any]]:
    value_decimals = market.price_decimals + market.amount_decimals
    return [
        ("self_trade", "cancel_oldest" if market.self_trade == "cancel_newest" else "cancel_newest"),
        *((name, ppm) for name in ("maker_fee_ppm", "taker_fee_ppm") for ppm in (0, 2_000, 500_000, 1_000_000)),
        ("maker_fee_ppm", 1_000_001),
        ("taker_fee_ppm", -1),
        *(("bound_ppm", ppm) for ppm in (100_000, 0, 1_000_000)),
        ("bound_ppm", 1_000_001),
        *(("orders_max", most) for most in (10_000, 10_000, 3)),
        ("orders_max", 0),
        *(("value_min", text(units, value_decimals)) for units in (0, 1, 30)),
        *(("value_max", text(units, value_decimals)) for units in (0, 10, 40_000 * place.middle)),
        ("price_min", text(1, market.price_decimals)),
        ("price_min", text(max(1, place.middle - 4), market.price_decimals)),
        ("price_max", text(place.middle * 3 + 10, market.price_decimals)),
        ("price_max", "0"),
        ("amount_min", text(1, market.amount_decimals)),
        ("amount_min", text(3, market.amount_decimals)),
        ("amount_max", text(5_000, market.amount_decimals)),
        ("amount_max", text(1, market.amount_decimals + 1)),
        ("state", "ajar"),
        ("self_trade", "allow"),
    ]


_SORTS: tuple[Callable[[Story, Dice], Command | None], ...] = (
    *[Story.nothing] * 1,
    *[Story.place] * 38,
    *[Story.say_again] * 3,
    *[Story.cancel] * 7,
    *[Story.cancel_all] * 1,
    *[Story.find] * 3,
    *[Story.deposit] * 4,
    *[Story.change_market] * 2,
    *[Story.restrict] * 1,
    *[Story.lift] * 4,
)


def text(units: int, decimals: int) -> str:
    """Write a count of 10^-decimals as plain decimal text."""
    if not decimals:
        return str(units)
    digits = str(units).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
