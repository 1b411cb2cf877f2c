"""The model's books: plain numbers in dicts, changed command by command. Shares nothing with the exchange's domain.

Balances are counted in an asset's smallest units, amounts of an order in lots (steps of its market's amount), prices in
ticks. Open orders of a market are one list, searched from its beginning to its end. A refusal is a `No`: its kind, as
the exchange names it, and what it is about.
"""

import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WORLD, FEES = 1, 2
LARGEST = 2**62 - 1
MILLION = 1_000_000

Purse = tuple[int, str]
"""An account and an asset's name."""


class No(Exception):
    """Refused: the kind of refusal, and the parameter or state that it is about."""

    def __init__(self, kind: str, about: str = "") -> None:
        super().__init__(kind, about)
        self.kind, self.about = kind, about


class Market(NamedTuple):
    """A market. Amounts are lots, prices ticks, values the quote's smallest units; fees and bound are millionths."""

    number: int
    symbol: str
    base: str
    quote: str
    price_decimals: int
    amount_decimals: int
    value_min: int
    value_max: int
    price_min: int
    price_max: int
    amount_min: int
    amount_max: int
    maker_fee: int
    taker_fee: int
    self_trade: str
    state: str
    orders_max: int
    bound: int
    lot: int
    """Smallest units of the base in a lot."""
    tick: int
    """Smallest units of the quote that a lot costs at a price of one."""


@dataclass(slots=True)
class Order:
    """An order, open or closed; `filled` is in lots, `value` and `fee` in smallest units."""

    account: int
    number: int
    market: Market
    side: str
    kind: str
    price: int
    lots: int
    funds: int
    reference: str
    placed_at: int
    changed_at: int
    filled: int = 0
    value: int = 0
    fee: int = 0
    status: str = "open"

    @property
    def rest(self) -> int:
        """Lots that it still wants."""
        return self.lots - self.filled

    @property
    def pays(self) -> str:
        """The asset that it pays with."""
        return self.market.quote if self.side == "buy" else self.market.base

    @property
    def gets(self) -> str:
        """The asset that it receives."""
        return self.market.base if self.side == "buy" else self.market.quote

    def cost(self, price: int, lots: int) -> int:
        """What so many lots cost it at a price, in what it pays with."""
        return price * lots * self.market.tick if self.side == "buy" else lots * self.market.lot

    @property
    def holds(self) -> int:
        """What it keeps frozen."""
        return self.cost(self.price, self.rest) if self.status in {"open", "partly_filled"} else 0

    def twin(self) -> "Order":
        """Return one that goes on by itself from here."""
        return Order(
            self.account, self.number, self.market, self.side, self.kind, self.price, self.lots, self.funds,
            self.reference, self.placed_at, self.changed_at, self.filled, self.value, self.fee, self.status,
        )  # fmt: skip

    def asked(self) -> tuple[Any, ...]:
        """What makes two requests the same."""
        return self.market.symbol, self.side, self.kind, self.price, self.lots, self.funds


class Fill(NamedTuple):
    """A trade; `side` is the taker's."""

    number: int
    market: Market
    side: str
    price: int
    lots: int
    value: int
    maker: Order
    maker_fee: int
    taker: Order
    taker_fee: int
    made_at: int


@dataclass(slots=True)
class Key:
    """An API key, with its secret."""

    api_key: str
    secret: str
    account: int
    permissions: tuple[str, ...]
    allow: str
    expires_at: int
    strict: bool
    revoked: bool = False

    def live(self, now: int) -> bool:
        """Whether it may be used."""
        return not self.revoked and (self.expires_at == 0 or self.expires_at > now)


@dataclass
class Books:
    """Everything that lasts."""

    fills_max: int
    batch: int = 0
    batch_time: int = 0
    scales: dict[str, int] = field(default_factory=dict)
    supplies: dict[str, int] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    frozen: dict[int, bool] = field(default_factory=dict)
    wealth: dict[int, int] = field(default_factory=dict)
    accounts: int = 0
    free: dict[Purse, int] = field(default_factory=dict)
    held: dict[Purse, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    standing: dict[str, list[Order]] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    references: dict[tuple[int, str], int] = field(default_factory=dict)
    deposits: dict[tuple[str, str, str, int], tuple[int, int, int]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    tokens: dict[str, tuple[tuple[str, ...], bool]] = field(default_factory=dict)
    bans: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    lifts: dict[str, int] = field(default_factory=dict)
    halted: bool = False
    stopped: bool = False
    touched: set[Purse] = field(default_factory=set)
    shut: set[int] = field(default_factory=set)
    """Orders that were closed since this was last cleared."""

    def fork(self) -> "Books":
        """Return books that go on by themselves from here."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set):
                setattr(twin, name, value.copy())
        for symbol, standing in self.standing.items():
            twin.standing[symbol] = [order.twin() for order in standing]
            twin.orders.update((order.number, order) for order in twin.standing[symbol])
        twin.keys = {name: copy.copy(key) for name, key in self.keys.items()}
        return twin

    # --- balances ---------------------------------------------------------------------------------------------------

    def move(self, account: int, asset: str, free: int = 0, held: int = 0) -> None:
        """Make one entry."""
        purse = account, asset
        self.free[purse] = self.free.get(purse, 0) + free
        self.held[purse] = self.held.get(purse, 0) + held
        self.versions[account] = self.versions.get(account, 0) + 1
        self.touched.add(purse)
        if account != WORLD and (self.free[purse] < 0 or self.held[purse] < 0):
            raise AssertionError(f"the model itself would owe: account {account}, {asset}")

    def available(self, account: int, asset: str) -> int:
        """What an account can spend."""
        return self.free.get((account, asset), 0)

    # --- placing ----------------------------------------------------------------------------------------------------

    def check_open(self, market: Market, account: int) -> None:
        """Refuse what nobody, or not this account, may place now."""
        if self.halted:
            raise No("Halted")
        if self.frozen[account]:
            raise No("AccountIsFrozen")
        if market.state != "on":
            raise No("MarketClosed", market.state)

    def place(self, order: Order) -> tuple[bool, int]:
        """Return whether it is a new order, and the number of the order."""
        market, name = order.market, (order.account, order.reference)
        if order.reference and name in self.references:
            first = self.references[name]
            if first == 0 or self.orders[first].asked() != order.asked():
                raise No("OutTradeNoTaken")
            return False, first
        self.check_open(market, order.account)
        (self._place_market if order.kind == "market" else self._place_limit)(market, order)
        self.orders[order.number] = order
        if order.reference:
            self.references[name] = order.number
        if order.status in {"open", "partly_filled"}:
            self.standing[market.symbol].append(order)
        return True, order.number

    def _place_limit(self, market: Market, order: Order) -> None:
        _within("price", order.price, market.price_min, market.price_max)
        _within("amount", order.lots, market.amount_min, market.amount_max)
        self._check_value(market, order.price * order.lots * market.tick)
        if self.open_count(order.account) >= market.orders_max:
            raise No("TooManyOrders", str(market.orders_max))
        across = self.across(order)
        if order.kind == "post_only" and across and reaches(order.side, order.price, across[0].price):
            raise No("WouldCross")
        if self.available(order.account, order.pays) < order.holds:
            raise No("InsufficientBalance")
        self.move(order.account, order.pays, -order.holds, order.holds)
        ending = self._meet(order, across, order.price)
        if order.rest == 0:
            order.status = "filled"
        elif ending in {"own", "many"}:
            self._release(order, order.placed_at)
        elif order.filled:
            order.status = "partly_filled"

    def _place_market(self, market: Market, order: Order) -> None:
        if order.funds:
            _within("funds", order.funds, market.value_min, market.value_max or LARGEST)
        else:
            _within("amount", order.lots, market.amount_min, market.amount_max)
        across = self.across(order)
        if not across:
            raise No("NoLiquidity")
        best = across[0].price
        if order.side == "buy":
            farthest = best * (MILLION + market.bound) // MILLION
        else:
            farthest = (best * (MILLION - market.bound) + MILLION - 1) // MILLION
        plan, _, ending = self._plan(order, across, farthest)
        if not plan:
            raise No("NoLiquidity")
        value = sum(other.price * lots * market.tick for other, lots in plan)
        if not order.funds:
            self._check_value(market, value)
        lots = sum(lots for _, lots in plan)
        needed = (order.funds or value) if order.side == "buy" else lots * market.lot
        if self.available(order.account, order.pays) < needed:
            raise No("InsufficientBalance")
        self._meet(order, across, farthest)
        full = ending == "nothing left" if order.funds else order.filled == order.lots
        order.status = "filled" if full else "cancelled"

    @staticmethod
    def _check_value(market: Market, value: int) -> None:
        _within("amount", value, market.value_min, market.value_max or LARGEST)

    def open_count(self, account: int) -> int:
        """How many open orders an account has, in all markets."""
        return sum(1 for orders in self.standing.values() for order in orders if order.account == account)

    def across(self, order: Order) -> list[Order]:
        """What stands on the other side, in the sequence in which it is served."""
        found = [other for other in self.standing[order.market.symbol] if other.side != order.side]
        sign = 1 if order.side == "buy" else -1
        return sorted(found, key=lambda other: (sign * other.price, other.number))

    def _plan(
        self, order: Order, across: list[Order], farthest: int
    ) -> tuple[list[tuple[Order, int]], list[Order], str]:
        """Return what it would meet, whose orders give way, and why it ends."""
        market, lots, funds = order.market, order.lots, order.funds
        plan: list[tuple[Order, int]] = []
        gives_way: list[Order] = []
        for other in across:
            if not reaches(order.side, farthest, other.price):
                return plan, gives_way, "price"
            wanted = funds // (other.price * market.tick) if order.funds else lots
            if wanted == 0:
                return plan, gives_way, "nothing left"
            own = other.account == order.account
            if own and market.self_trade == "cancel_newest":
                return plan, gives_way, "own"
            if len(plan) + len(gives_way) == self.fills_max:
                return plan, gives_way, "many"
            if own:
                gives_way.append(other)
                continue
            taken = min(wanted, other.rest)
            plan.append((other, taken))
            lots -= taken
            funds -= other.price * taken * market.tick
            if taken < other.rest or (funds if order.funds else lots) == 0:
                return plan, gives_way, "nothing left"
        return plan, gives_way, "book"

    def _meet(self, order: Order, across: list[Order], farthest: int) -> str:
        plan, gives_way, ending = self._plan(order, across, farthest)
        for other in gives_way:
            self.close(other, order.placed_at)
        for maker, lots in plan:
            self._fill(order, maker, lots)
        return ending

    def _fill(self, taker: Order, maker: Order, lots: int) -> None:
        market, price = taker.market, maker.price
        value = price * lots * market.tick
        for order in (taker, maker):
            cost = order.cost(price, lots)
            if order.kind == "market":
                self.move(order.account, order.pays, -cost)
            else:
                self.move(order.account, order.pays, 0, -cost)
        taker_fee = self._receive(taker, lots, value, market.taker_fee)
        maker_fee = self._receive(maker, lots, value, market.maker_fee)
        if taker.kind != "market":
            better = taker.cost(taker.price, lots) - taker.cost(price, lots)
            if better:
                self.move(taker.account, taker.pays, better, -better)
        maker.changed_at = taker.placed_at
        maker.status = "partly_filled" if maker.rest else "filled"
        if not maker.rest:
            self.standing[market.symbol].remove(maker)
            self.shut.add(maker.number)
        fill = Fill(
            len(self.fills) + 1, market, taker.side, price, lots, value, maker, maker_fee, taker, taker_fee,
            taker.placed_at,
        )  # fmt: skip
        self.fills.append(fill)

    def _receive(self, order: Order, lots: int, value: int, rate: int) -> int:
        gross = lots * order.market.lot if order.side == "buy" else value
        fee, odd = divmod(gross * rate, MILLION)
        fee += odd > 0
        if gross > fee:
            self.move(order.account, order.gets, gross - fee)
        if fee:
            self.move(FEES, order.gets, fee)
        order.filled += lots
        order.value += value
        order.fee += fee
        return fee

    # --- cancelling and asking --------------------------------------------------------------------------------------

    def _release(self, order: Order, now: int) -> None:
        held = order.holds
        self.move(order.account, order.pays, held, -held)
        order.status = "cancelled"
        order.changed_at = now

    def close(self, order: Order, now: int) -> None:
        """Cancel an order that stands."""
        self._release(order, now)
        self.standing[order.market.symbol].remove(order)
        self.shut.add(order.number)

    def cancel(self, account: int, number: int, now: int) -> int:
        """Cancel one; return its number."""
        order = self.orders.get(number)
        if order is None or order.account != account:
            raise No("UnknownOrder")
        if order.status not in {"open", "partly_filled"}:
            raise No("OrderClosed")
        self.close(order, now)
        return number

    def cancel_all(self, account: int, symbol: str, now: int) -> bool:
        """Cancel all, in one market or in all; return whether there were any."""
        if symbol and symbol not in self.markets:
            raise No("UnknownMarket")
        mine = [
            order
            for name, orders in self.standing.items()
            for order in orders
            if order.account == account and symbol in {"", name}
        ]
        for order in mine:
            self.close(order, now)
        return bool(mine)

    def find(self, account: int, reference: str, *, fence: bool) -> tuple[bool, Order | None]:
        """Return whether that changed anything, and the order of a reference."""
        number = self.references.get((account, reference))
        if number is not None:
            return False, self.orders.get(number)
        if fence:
            self.references[account, reference] = 0
        return fence, None


def reaches(side: str, farthest: int, price: int) -> bool:
    """Whether who trades on this side takes that price."""
    return price <= farthest if side == "buy" else price >= farthest


def _within(about: str, value: int, least: int, most: int) -> None:
    if value < least or value > most:
        raise No("Invalid", about)
