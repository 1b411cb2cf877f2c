"""An exchange so plain that it can be read in one go: what the real one is measured against.

It shares no code with the domain, and none of its ways. Amounts are fractions of whole coins, not counts of units.
Orders are one list, searched from its beginning to its end for every question. A refusal is named as the domain's is.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

WORLD, FEES = 1, 2
NONE = Fraction(0)
LARGEST = 2**62 - 1
"""The most smallest units that any amount can have."""

Key = tuple[int, str]
"""An account and an asset's name."""


class No(Exception):
    """Refused: the name of the refusal, and of the parameter if it is about one."""

    def __init__(self, kind: str, about: str = "") -> None:
        super().__init__(kind, about)
        self.kind, self.about = kind, about


@dataclass
class Market:
    """A market and its rules; fees and bound are parts of one."""

    symbol: str
    base: str
    quote: str
    price_decimals: int
    amount_decimals: int
    value_min: Fraction
    value_max: Fraction
    price_min: Fraction
    price_max: Fraction
    amount_min: Fraction
    amount_max: Fraction
    maker_fee: Fraction
    taker_fee: Fraction
    self_trade: str
    state: str
    orders_max: int
    bound: Fraction


@dataclass
class Order:
    """An order, open or closed."""

    account: int
    id: int
    market: str
    side: str
    kind: str
    price: Fraction
    amount: Fraction
    funds: Fraction
    reference: str
    placed_at: int
    changed_at: int
    filled: Fraction = NONE
    value: Fraction = NONE
    fee: Fraction = NONE
    status: str = "open"

    @property
    def open(self) -> bool:
        return self.status in {"open", "partly_filled"}

    @property
    def rest(self) -> Fraction:
        return self.amount - self.filled

    @property
    def holds(self) -> Fraction:
        """What it keeps frozen, in what it pays with."""
        if not self.open:
            return NONE
        return self.price * self.rest if self.side == "buy" else self.rest

    def asked(self) -> tuple[Any, ...]:
        return self.market, self.side, self.kind, self.price, self.amount, self.funds

    def shown(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class Fill:
    """One fill, and what each side paid of it to the house."""

    market: str
    side: str
    price: Fraction
    amount: Fraction
    value: Fraction
    maker: tuple[int, int]
    maker_fee: Fraction
    taker: tuple[int, int]
    taker_fee: Fraction
    made_at: int


@dataclass
class Plan:
    """What an order would meet: (resting order, amount) for each fill, who gives way, and why it ends."""

    fills: list[tuple[Order, Fraction]]
    gives_way: list[Order]
    ending: str


class NaiveExchange:
    """Every command of the real one, one step at a time. `touched` gathers the balances that were written."""

    def __init__(self, fills_max: int) -> None:
        self.fills_max = fills_max
        self.scales: dict[str, int] = {}
        self.supplies: dict[str, Fraction] = {}
        self.markets: dict[str, Market] = {}
        self.frozen_accounts: dict[int, bool] = {}
        self.free: dict[Key, Fraction] = defaultdict(Fraction)
        self.held: dict[Key, Fraction] = defaultdict(Fraction)
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.references: dict[tuple[int, str], Order | None] = {}
        self.halted = False
        self.touched: set[Key] = set()

    # --- balances -------------------------------------------------------------------------------

    def give(self, account: int, asset: str, amount: Fraction) -> None:
        """Add to what is available; take away when `amount` is below zero."""
        self.free[account, asset] += amount
        self.touched.add((account, asset))
        assert self.free[account, asset] >= 0 or account == WORLD

    def hold(self, account: int, asset: str, amount: Fraction) -> None:
        """Add to what is frozen, or take away."""
        self.held[account, asset] += amount
        self.touched.add((account, asset))
        assert self.held[account, asset] >= 0

    def deposit(self, account: int, asset: str, text: str) -> bool:
        amount = positive(text, self.scales[asset], "amount")
        if amount - self.free[WORLD, asset] > self.supplies[asset]:
            raise No("SupplyExceeded")
        self.give(WORLD, asset, -amount)
        self.give(account, asset, amount)
        return True

    # --- the operator's -------------------------------------------------------------------------

    def freeze(self, account: int, frozen: bool) -> bool:
        changes = self.frozen_accounts[account] != frozen
        self.frozen_accounts[account] = frozen
        return changes

    def halt(self, halted: bool) -> bool:
        changes = self.halted != halted
        self.halted = halted
        return changes

    def change_market(self, symbol: str, **given: Any) -> bool:
        """Change a market's rules: amounts as text, fees and bound in millionths."""
        before = self.markets.get(symbol)
        if before is None:
            raise No("UnknownMarket")
        after = Market(**vars(before))
        for name, value in given.items():
            setattr(after, *self.rule(before, name, value))
        check_rules(after)
        self.markets[symbol] = after
        return after != before

    def rule(self, market: Market, name: str, value: Any) -> tuple[str, Any]:
        if name.startswith("value"):
            return name, number(value, self.scales[market.quote], name)
        if name.startswith("price"):
            return name, number(value, market.price_decimals, name)
        if name.startswith("amount"):
            number(value, market.amount_decimals, name)
            return name, number(value, self.scales[market.base], name)
        if name.endswith("_ppm"):
            return name.removesuffix("_ppm"), Fraction(value, 1_000_000)
        return name, value

    # --- orders ---------------------------------------------------------------------------------

    def place(  # noqa: PLR0917  (as the command has them)
        self,
        account: int,
        symbol: str,
        side: str,
        kind: str,
        price: str,
        amount: str,
        funds: str,
        reference: str,
        now: int,
    ) -> tuple[bool, Order]:
        """Return whether a new order was made, and the order."""
        market = self.markets.get(symbol)
        if market is None:
            raise No("UnknownMarket")
        if kind == "market" and (amount == "") == (funds == ""):
            raise No("Invalid", "amount")
        if kind != "market" and funds != "":
            raise No("Invalid", "funds")
        order = Order(
            account,
            len(self.orders) + 1,
            symbol,
            side,
            kind,
            positive(price, market.price_decimals, "price") if kind != "market" else NONE,
            positive(amount, market.amount_decimals, "amount") if funds == "" else NONE,
            positive(funds, self.scales[market.quote], "funds") if funds != "" else NONE,
            reference,
            now,
            now,
        )
        if (account, reference) in self.references:
            first = self.references[account, reference]
            if first is None or first.asked() != order.asked():
                raise No("OutTradeNoTaken")
            return False, first
        if self.halted:
            raise No("Halted")
        if account not in self.frozen_accounts:
            raise No("NotAUser" if account in {WORLD, FEES} else "UnknownAccount")
        if self.frozen_accounts[account]:
            raise No("AccountIsFrozen")
        if market.state != "on":
            raise No("MarketClosed")
        if kind == "market":
            self.place_market(market, order)
        else:
            self.place_limit(market, order)
        self.orders.append(order)
        if reference:
            self.references[account, reference] = order
        return True, order

    def place_limit(self, market: Market, order: Order) -> None:
        within("price", order.price, market.price_min, market.price_max)
        within("amount", order.amount, market.amount_min, market.amount_max)
        self.check_value(market, order.price * order.amount)
        if sum(1 for other in self.orders if other.open and other.account == order.account) >= market.orders_max:
            raise No("TooManyOrders")
        if order.kind == "post_only" and any(reaches(order.side, order.price, other) for other in self.others(order)):
            raise No("WouldCross")
        paid, _ = assets(market, order)
        if self.free[order.account, paid] < order.holds:
            raise No("InsufficientBalance")
        plan = self.plan(market, order, order.price)
        self.give(order.account, paid, -order.holds)
        self.hold(order.account, paid, order.holds)
        self.carry_out(market, order, plan)
        if order.filled == order.amount:
            order.status = "filled"
        elif plan.ending in {"own order", "too many fills"}:
            self.close(order, order.changed_at)
        elif order.filled:
            order.status = "partly_filled"

    def place_market(self, market: Market, order: Order) -> None:
        if order.funds:
            within("funds", order.funds, market.value_min, market.value_max or Fraction(LARGEST))
        else:
            within("amount", order.amount, market.amount_min, market.amount_max)
        standing = self.others(order)
        if not standing:
            raise No("NoLiquidity")
        plan = self.plan(market, order, self.farthest(market, order.side, standing[0].price))
        if not plan.fills:
            raise No("NoLiquidity")
        value = sum((maker.price * amount for maker, amount in plan.fills), NONE)
        if not order.funds:
            self.check_value(market, value)
        paid, _ = assets(market, order)
        needed = (order.funds or value) if order.side == "buy" else sum((amount for _, amount in plan.fills), NONE)
        if self.free[order.account, paid] < needed:
            raise No("InsufficientBalance")
        self.carry_out(market, order, plan)
        full = plan.ending == "nothing left" if order.funds else order.filled == order.amount
        order.status = "filled" if full else "cancelled"

    def farthest(self, market: Market, side: str, best: Fraction) -> Fraction:
        """The worst price a market order takes, in whole price steps towards the best."""
        step = Fraction(1, 10**market.price_decimals)
        if side == "buy":
            return best * (1 + market.bound) // step * step
        return ceil(best * (1 - market.bound) / step) * step

    def check_value(self, market: Market, value: Fraction) -> None:
        largest = Fraction(LARGEST, 10 ** self.scales[market.quote])
        within("amount", value, market.value_min, market.value_max or largest)

    def others(self, order: Order) -> list[Order]:
        """All that stands on the other side, in the sequence in which it is served."""
        found = [other for other in self.orders if other.open and other.market == order.market]
        return self.sequence([other for other in found if other.side != order.side])

    @staticmethod
    def sequence(orders: list[Order]) -> list[Order]:
        """Cheapest ask or dearest bid first; of one price, the older first."""
        return sorted(orders, key=lambda order: (order.price if order.side == "sell" else -order.price, order.id))

    def plan(self, market: Market, order: Order, farthest: Fraction) -> Plan:
        plan = Plan([], [], "book")
        step = Fraction(1, 10**market.amount_decimals)
        amount, funds = order.amount, order.funds
        for other in self.others(order):
            if not reaches(order.side, farthest, other):
                plan.ending = "price"
                break
            wanted = funds // (other.price * step) * step if order.funds else amount
            if not wanted:
                plan.ending = "nothing left"
                break
            own = other.account == order.account
            if own and market.self_trade == "cancel_newest":
                plan.ending = "own order"
                break
            if len(plan.fills) + len(plan.gives_way) == self.fills_max:
                plan.ending = "too many fills"
                break
            if own:
                plan.gives_way.append(other)
                continue
            taken = min(wanted, other.rest)
            plan.fills.append((other, taken))
            amount -= taken
            funds -= other.price * taken
            if taken < other.rest or not (funds if order.funds else amount):
                plan.ending = "nothing left"  # whoever is better is never passed over, so this is the last step
                break
        return plan

    def carry_out(self, market: Market, order: Order, plan: Plan) -> None:
        for other in plan.gives_way:
            self.close(other, order.placed_at)
        for maker, amount in plan.fills:
            self.fill(market, order, maker, amount)

    def fill(self, market: Market, taker: Order, maker: Order, amount: Fraction) -> None:
        value = maker.price * amount
        for order in (taker, maker):
            paid, _ = assets(market, order)
            cost = value if order.side == "buy" else amount
            if order.kind == "market":
                self.give(order.account, paid, -cost)
                continue
            frozen = order.price * amount if order.side == "buy" else amount
            self.hold(order.account, paid, -frozen)
            self.give(order.account, paid, frozen - cost)
        maker_fee = self.receive(market, maker, amount, value, market.maker_fee)
        taker_fee = self.receive(market, taker, amount, value, market.taker_fee)
        maker.status = "partly_filled" if maker.rest else "filled"
        maker.changed_at = taker.placed_at
        self.fills.append(
            Fill(
                market.symbol,
                taker.side,
                maker.price,
                amount,
                value,
                (maker.account, maker.id),
                maker_fee,
                (taker.account, taker.id),
                taker_fee,
                taker.placed_at,
            )
        )

    def receive(self, market: Market, order: Order, amount: Fraction, value: Fraction, rate: Fraction) -> Fraction:
        _, received = assets(market, order)
        gross = amount if order.side == "buy" else value
        unit = Fraction(1, 10 ** self.scales[received])
        fee = ceil(gross * rate / unit) * unit
        assert 0 <= fee <= gross
        self.give(order.account, received, gross - fee)
        if fee:
            self.give(FEES, received, fee)
        order.filled += amount
        order.value += value
        order.fee += fee
        return fee

    def close(self, order: Order, now: int) -> None:
        """Cancel: give back what it holds."""
        paid, _ = assets(self.markets[order.market], order)
        held = order.holds
        self.hold(order.account, paid, -held)
        self.give(order.account, paid, held)
        order.status = "cancelled"
        order.changed_at = now

    def cancel(self, account: int, number: int, now: int) -> Order:
        for order in self.orders:
            if order.id == number and order.account == account:
                if not order.open:
                    raise No("OrderClosed")
                self.close(order, now)
                return order
        raise No("UnknownOrder")

    def cancel_all(self, account: int, symbol: str, now: int) -> bool:
        if symbol and symbol not in self.markets:
            raise No("UnknownMarket")
        cancelled = False
        for order in self.orders:
            if order.open and order.account == account and symbol in {"", order.market}:
                self.close(order, now)
                cancelled = True
        return cancelled

    def find(self, account: int, reference: str, fence: bool) -> tuple[bool, Order | None]:
        if (account, reference) in self.references:
            return False, self.references[account, reference]
        if fence:
            self.references[account, reference] = None
        return fence, None

    # --- what can be asked of all of it -------------------------------------------------------------

    def open_orders(self) -> Iterator[Order]:
        return (order for order in self.orders if order.open)

    def half(self, symbol: str, side: str) -> list[Order]:
        """One side of a book, in the sequence in which it is served."""
        return self.sequence([order for order in self.open_orders() if (order.market, order.side) == (symbol, side)])


def assets(market: Market, order: Order) -> tuple[str, str]:
    """What the order pays with, and what it receives."""
    return (market.quote, market.base) if order.side == "buy" else (market.base, market.quote)


def reaches(side: str, price: Fraction, other: Order) -> bool:
    return other.price <= price if side == "buy" else other.price >= price


def within(about: str, value: Fraction, least: Fraction, most: Fraction) -> None:
    if value < least or value > most:
        raise No("Invalid", about)


def check_rules(market: Market) -> None:
    for about, wrong in (
        ("price_min", market.price_min <= 0),
        ("price_max", market.price_max < market.price_min),
        ("amount_min", market.amount_min <= 0),
        ("amount_max", market.amount_max < market.amount_min),
        ("maker_fee_ppm", not 0 <= market.maker_fee <= 1),
        ("taker_fee_ppm", not 0 <= market.taker_fee <= 1),
        ("value_max", market.value_max and market.value_max < market.value_min),
        ("orders_max", not 1 <= market.orders_max <= 10_000),
        ("bound_ppm", not 0 <= market.bound <= 1),
        ("self_trade", market.self_trade not in {"cancel_newest", "cancel_oldest"}),
        ("state", market.state not in {"on", "cancel_only", "off"}),
    ):
        if wrong:
            raise No("Invalid", about)


def number(text: str, decimals: int, about: str) -> Fraction:
    """Read plain decimal text, one character after the other."""
    whole, point, part = text.partition(".")
    plain = all(character in "0123456789" for character in whole + part)
    if not plain or not whole or (point and not part) or (whole[0] == "0" and whole != "0") or len(text) > 64:
        raise No("AmountMalformed", about)
    value = Fraction(int(whole + part), 10 ** len(part))
    steps = value * 10**decimals
    if steps.denominator != 1:
        raise No("AmountTooPrecise", about)
    if steps > LARGEST:
        raise No("AmountTooLarge", about)
    return value


def positive(text: str, decimals: int, about: str) -> Fraction:
    if text == "":
        raise No("Invalid", about)
    value = number(text, decimals, about)
    if not value:
        raise No("Invalid", about)
    return value
