"""Orders: what must hold within a transaction, and between it and all before it.

The journal gives an order whole at each step. Here each step is told anew from the step before and from the fills of
its transaction, and so are the hold and the entries that belong to it. Only open orders are kept.
"""

from collections.abc import Iterable
from typing import NamedTuple, cast

from spotbook.app.audit import fills, life
from spotbook.app.audit.fills import Moves, OrderEvent
from spotbook.app.audit.markets import Markets, Rules
from spotbook.app.audit.report import Findings
from spotbook.app.ports import Row
from spotbook.domain.events import HoldChanged, OrderPlaced, Traded
from spotbook.domain.order import OPEN

Key = tuple[int, int]

_FIXED = ("market", "side", "kind", "price", "amount", "funds", "out_trade_no", "placed_at")


class Step(NamedTuple):
    """An order before a transaction, None for a new one, and after it."""

    before: OrderEvent | None
    order: OrderEvent


class Orders:
    """Checks what transactions do to orders, in their sequence.

    It keeps ``open_order`` as it is in the middle of a batch; `holds` is read as the transaction leaves it.
    """

    def __init__(self, expected: dict[str, dict[Row, Row]], findings: Findings, markets: Markets) -> None:
        # The fold puts nothing else than the events themselves there.
        self._open = cast("dict[Key, OrderEvent]", expected["open_order"])
        self._holds = expected["hold"]
        self._findings = findings
        self._rules = markets.rules
        self._last_order = self._last_trade = 0
        self._batch = self._time = 0

    def transaction(
        self,
        batch: int,
        time: int,
        events: Iterable[OrderEvent | Traded],
        holds: Iterable[HoldChanged],
        moves: Moves,
    ) -> None:
        """Check one transaction: its orders and fills, its changes of holds, and what its entries move."""
        self._batch, self._time = batch, time
        steps: dict[Key, Step] = {}
        trades: list[Traded] = []
        for event in events:
            if type(event) is Traded:
                trades.append(event)
            else:
                self._step(steps, cast("OrderEvent", event))
        due: Moves = {}
        sums: dict[Key, tuple[int, int, int]] = {}
        for trade in trades:
            self._fill(trade, steps, sums, due)
        for key, step in steps.items():
            self._order(step, sums.get(key, (0, 0, 0)), due)
        self._check_holds(steps, holds)
        if moves != due:
            self._explain(moves, due)

    def _note(self, check: str, words: str, *, account: int | None = None, asset: int | None = None) -> None:
        self._findings.add(check, words, batch=self._batch, account=account, asset=asset)

    def _step(self, steps: dict[Key, Step], order: OrderEvent) -> None:
        """Take what became of an order: a new one, or an open one that changes."""
        key = order.account, order.id
        before = self._open.get(key)
        if isinstance(order, OrderPlaced):
            if order.id <= self._last_order:
                words = f"{_named(order)} is placed after order {self._last_order}"
                self._note("orders", words, account=order.account)
            self._last_order = max(order.id, self._last_order)
            before = None
        elif before is None:
            self._note("orders", f"{_named(order)} changes, and is not open", account=order.account)
            return
        elif before[2:8] != order[2:8] or before[12:14] != order[12:14]:
            changed = [name for name in _FIXED if getattr(before, name) != getattr(order, name)]
            words = f"{_named(order)} changes in what is fixed: {', '.join(changed)}"
            self._note("orders", words, account=order.account)
        if order.status in OPEN:
            self._open[key] = order
        else:
            self._open.pop(key, None)
        first = steps.get(key)
        steps[key] = Step(first.before if first else before, order)

    def _fill(self, trade: Traded, steps: dict[Key, Step], sums: dict[Key, tuple[int, int, int]], due: Moves) -> None:
        """Check one fill, and add what it executes of its orders and moves of balances."""
        keys = (trade.maker_account, trade.maker_order), (trade.taker_account, trade.taker_order)
        if trade.id <= self._last_trade:
            self._note("fills", f"fill {trade.id} is made after fill {self._last_trade}")
        self._last_trade = max(trade.id, self._last_trade)
        if trade.made_at != self._time:
            self._note("fills", f"fill {trade.id} has another time than its batch")
        for key, fee in zip(keys, (trade.maker_fee, trade.taker_fee), strict=True):
            filled, value, fees = sums.get(key, (0, 0, 0))
            sums[key] = filled + trade.amount, value + trade.value, fees + fee
        rules = self._rules.get(trade.market)
        if rules is None:
            self._note("fills", f"fill {trade.id} is of market {trade.market}, which was never made")
            return
        maker, taker = (step.order if (step := steps.get(key)) else None for key in keys)
        for words in fills.faults(trade, rules, maker, taker):
            self._note("fills", f"fill {trade.id} of {rules.symbol}: {words}")
        fills.move(due, trade, rules, taker)

    def _order(self, step: Step, met: tuple[int, int, int], due: Moves) -> None:
        """Check one order against its fills, and add what it freezes and gives free."""
        before, order = step
        rules = self._rules.get(order.market)
        if rules is None:
            words = f"{_named(order)} is of market {order.market}, which was never made"
            self._note("orders", words, account=order.account)
            return
        for words in life.faults(before, order, rules, met, self._time):
            self._note("orders", f"{_named(order)} {words}", account=order.account)
        asset = _asset(rules, order)
        if before is None and order.kind != "market":
            held = _worth(rules, order, order.amount)
            fills.add(due, (order.account, asset, "placed", order.id), -held, held)
        if order.status == "cancelled" and order.kind != "market":
            rest = _worth(rules, order, order.amount - order.filled)
            fills.add(due, (order.account, asset, "cancelled", order.id), rest, -rest)
        should = _worth(rules, order, order.amount - order.filled) if order.status in OPEN else 0
        held = int(self._holds.get((order.account, asset, "order", order.id), (0,))[-1])
        if held != should:
            has, needs = self._findings.amount(asset, held), self._findings.amount(asset, should)
            words = f"{_named(order)} is {order.status} and holds {has}, not {needs}"
            self._note("holds", words, account=order.account, asset=asset)

    def _check_holds(self, steps: dict[Key, Step], holds: Iterable[HoldChanged]) -> None:
        for account, asset, kind, number, _, _ in holds:
            if kind != "order":
                continue
            step = steps.get((account, number))
            rules = self._rules.get(step.order.market) if step else None
            if step is None or rules is None or asset != _asset(rules, step.order):
                words = f"the hold of order {number} of account {account} changes, and no order accounts for it"
                self._note("holds", words, account=account, asset=asset)

    def _explain(self, moves: Moves, due: Moves) -> None:
        """Note where the entries of a transaction move something else than its orders and fills account for."""
        for key in {**moves, **due}:
            moved, should = moves.get(key, (0, 0)), due.get(key, (0, 0))
            if moved != should:
                account, asset, why, number = key
                of = "deposit" if why == "deposit" else "order"
                words = (
                    f"entries '{why}' for {of} {number} move {self._sides(asset, moved)} of account {account};"
                    f" its deposit, orders and fills move {self._sides(asset, should)}"
                )
                self._note("entries", words, account=account, asset=asset)

    def _sides(self, asset: int, sides: tuple[int, int]) -> str:
        amount = self._findings.amount
        return f"{amount(asset, sides[0])} available and {amount(asset, sides[1])} frozen"


def _named(order: OrderEvent) -> str:
    return f"order {order.id} of account {order.account}"


def _asset(rules: Rules, order: OrderEvent) -> int:
    return rules.quote if order.side == "buy" else rules.base


def _worth(rules: Rules, order: OrderEvent, amount: int) -> int:
    """Return what a limit order holds for an amount of the base."""
    return rules.value(order.price, amount) if order.side == "buy" else amount
