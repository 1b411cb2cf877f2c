"""The whole exchange against a naive one that shares no code with it.

Several accounts trade in several markets of random decimals, fees and rules, through the real writer: in batches of
any size, over a store whose commits fail now and then, with restarts in between. After every command its outcome, the
balances that it touched and the journal's entries are compared with what the naive exchange says; after every forty,
everything there is. SPOTBOOK_SEED tells the stories of a seed again; Hypothesis says how to replay one that fails.
"""

import pickle
from collections import defaultdict, deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from spotbook.app import journal
from spotbook.app.books import Books
from spotbook.app.journal import Transaction
from spotbook.app.ports import Head
from spotbook.app.writer import Done, NotDone, Outcome, Refused, Unknown, Writer
from spotbook.domain import commands as c
from spotbook.domain import matching
from spotbook.domain.book import Depth
from spotbook.domain.events import Entry, HoldChanged
from spotbook.domain.order import Order
from spotbook.domain.trading import OrderAt
from support.checks import check_books, check_legs
from support.clock import StandingClock
from support.dice import Dice
from support.disks import MemoryDisk
from support.exchange_stories import ASSETS, SYMBOLS, USERS, Story
from support.naive_exchange import FEES, WORLD, Market, NaiveExchange, No
from support.naive_exchange import Order as NaiveOrder
from support.seeds import SEED, STEPS
from support.stores import FAULTS, Crashed, Fault, FaultyStore
from support.writers import submission

STEPS_MIN = 100_000
COMMANDS = 40
"""Commands of one rule, of eight bytes each."""
RULES = 20
"""Rules of one story: as many as fit into what Hypothesis draws for one."""
NUMBER_BYTES = 8
BOUND = "FILLS_MAX"
"""What `matching` bounds fills by: in some stories it is so low that it is met."""

NUMBERS = st.binary(min_size=COMMANDS * NUMBER_BYTES, max_size=COMMANDS * NUMBER_BYTES).map(
    lambda drawn: [int.from_bytes(drawn[at : at + NUMBER_BYTES], "little") for at in range(0, len(drawn), NUMBER_BYTES)]
)
PASSING: tuple[Fault, ...] = ("unknown, batch there", "unheard of, batch there")
ENDING: tuple[Fault, ...] = ("disk broken", "disk broken, batch there", "deposed")


class Expected(NamedTuple):
    """What the naive exchange says of one command: refused by what, or done, and what is so then."""

    command: c.Command
    refusal: tuple[str, str] | None
    fresh: bool
    order: dict[str, Any] | None
    touched: dict[tuple[int, str], tuple[Fraction, Fraction]]


class ExchangeMachine(RuleBasedStateMachine):
    """Stories of commands; the journal is followed entry by entry, in `balances`, `versions` and `holds`."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = MemoryDisk()
        self.clock = StandingClock()
        self.depths: dict[str, Depth] = {}
        self.pending: list[Expected] = []
        self.before: bytes | None = None
        self.fault: Fault | None = None
        self.head: Head = journal.START
        self.balances: dict[tuple[int, int], tuple[int, int, int]] = {}
        self.versions: dict[int, int] = defaultdict(int)
        self.holds: dict[tuple[int, int, int], int] = {}
        self.said: dict[tuple[int, str], tuple[Fraction, Fraction]] = {}
        self.frozen: dict[int, int] = defaultdict(int)
        self.unfrozen: dict[int, int] = defaultdict(int)
        self.received: dict[int, int] = defaultdict(int)
        self.fees: dict[int, int] = defaultdict(int)
        self.looked_at = 0
        self.fills_max = getattr(matching, BOUND)
        self.open()

    def open(self) -> None:
        """Recover, as a process that starts does; so little is kept in memory that most is read again and again."""
        self.store = FaultyStore(self.disk.open())
        self.writer = Writer(self.store, self.clock, alarm=lambda *_: None, depths=self.depths.update)
        self.writer.books = Books(self.store, rows_max=4)

    def reopen(self) -> None:
        self.store.close()
        self.open()

    @initialize(number=st.integers(0, 2**96 - 1))
    def found(self, number: int) -> None:
        """Make assets, markets and users, and give everybody something to trade with."""
        self.story = Story(number)
        setattr(matching, BOUND, self.story.fills_max)
        users = [c.OpenAccount(f"user {user}") for user in USERS]
        founding = [c.FoundBooks(), *self.story.founding, *users]
        for command in founding:
            note(f"{command}")
        outcomes = self.carry_out(founding)
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        self.model.frozen_accounts.update(dict.fromkeys(USERS, False))
        for command in self.story.founding:
            if isinstance(command, c.MakeAsset):
                self.model.supplies[command.name] = Fraction(command.supply_max)
            if isinstance(command, c.MakeMarket):
                self.model.markets[command.symbol] = market_of(command)
        self.follow(self.transactions())
        for deposit in self.story.endow():
            self.ask(deposit)
        self.settle()

    @property
    def model(self) -> NaiveExchange:
        return self.story.model

    # --- telling a story ------------------------------------------------------------------------

    @rule(numbers=NUMBERS)
    def trade(self, numbers: list[int]) -> None:
        """Forty commands, in batches of any size; now and then a restart, or a commit that fails."""
        for number in numbers:
            dice = Dice(number)
            ends, restarts, fails = dice.seldom(3), dice.seldom(100), dice.seldom(40)
            if restarts:
                self.settle()
                self.reopen()
            if fails:
                self.settle()
                self.fault = dice.one_of(sorted(FAULTS))
                self.before = pickle.dumps(self.model)
            command = self.story.command(dice)
            if command is not None:
                self.ask(command)
            if ends:
                self.settle()
        self.settle()

    def ask(self, command: c.Command) -> None:
        """Ask the naive exchange; the real one is asked when the batch is full."""
        note(f"{self.clock.now}: {command}")
        model, refusal, fresh, order = self.model, None, False, None
        model.touched.clear()
        try:
            fresh, order = told(model, command, self.clock.now)
        except No as no:
            refusal = no.kind, no.about
        if fresh and order and isinstance(command, c.PlaceOrder):
            self.nobody_was_passed_over(order)
        touched = {key: (model.free[key], model.held[key]) for key in model.touched}
        self.pending.append(Expected(command, refusal, fresh, order.shown() if order else None, touched))

    def nobody_was_passed_over(self, taker: NaiveOrder) -> None:
        """A law that neither exchange is built by: who stands at a better price than the worst of its fills is gone."""
        prices = [fill.price for fill in self.model.fills[-self.model.fills_max :] if fill.taker[1] == taker.id]
        standing = self.model.half(taker.market, "sell" if taker.side == "buy" else "buy")
        if prices and standing:
            assert max(prices) <= standing[0].price if taker.side == "buy" else min(prices) >= standing[0].price

    def settle(self) -> None:
        """Let the real exchange carry out the batch, and compare."""
        pending, fault, before = self.pending, self.fault, self.before
        self.pending, self.fault, self.before = [], None, None
        if not pending:
            return
        changes = any(expected.fresh for expected in pending)
        if fault and changes:
            note(f"the commit fails: {fault}")
            self.store.faults.append(fault)
        try:
            outcomes = self.carry_out([expected.command for expected in pending])
        except Crashed:
            self.disk.crash()
            self.open()
            outcomes = []
        self.clock.now += len(pending) % 3  # some batches are of the same millisecond
        if not fault or not changes or fault in PASSING:
            self.compare(pending, outcomes)
        elif FAULTS[fault][0]:
            self.compare_entries(pending)  # nobody was told, and all of it is there
        else:
            assert before is not None
            self.story.model = pickle.loads(before)
        if fault and changes and fault not in PASSING:
            self.recover(fault, outcomes)
        STEPS["exchange"] = STEPS.get("exchange", 0) + len(pending)

    def carry_out(self, commands: Sequence[c.Command]) -> list[Outcome]:
        queue = deque(submission(command) for command in commands)
        answers = self.writer.carry_out(queue)
        assert not queue
        return [outcome for _, outcome in answers]

    def recover(self, fault: Fault, outcomes: Sequence[Outcome]) -> None:
        """What was said of a batch that failed, and how it goes on."""
        if fault in ENDING:
            assert all(isinstance(outcome, Unknown) for outcome in outcomes)
            assert self.writer.condition == "broken"
            self.reopen()
        else:
            assert all(isinstance(outcome, NotDone) for outcome in outcomes)
            assert self.writer.probe()
        assert self.transactions() == []

    # --- comparing each command -----------------------------------------------------------------

    def compare(self, pending: Sequence[Expected], outcomes: Sequence[Outcome]) -> None:
        """Compare what was answered, and then what was done."""
        for expected, outcome in zip(pending, outcomes, strict=True):
            if expected.refusal:
                assert isinstance(outcome, Refused), (expected, outcome)
                refusal = outcome.refusal
                assert (type(refusal).__name__, getattr(refusal, "name", "")) == expected.refusal, (expected, refusal)
            else:
                assert isinstance(outcome, Done), (expected, outcome)
                assert outcome.fresh == expected.fresh, (expected, outcome)
                if isinstance(outcome.result, OrderAt):
                    found = outcome.result.order
                    assert (self.shown(found) if found else None) == expected.order, (expected, found)
        versions = self.compare_entries(pending)
        for outcome, version in zip(outcomes, versions, strict=True):
            if isinstance(outcome, Done) and isinstance(outcome.result, OrderAt):
                assert outcome.result.version == version

    def compare_entries(self, pending: Sequence[Expected]) -> list[int]:
        """Follow the journal command by command; return the version of each one's account after it."""
        transactions = iter(self.transactions())
        versions = []
        for expected in pending:
            moved: set[tuple[int, str]] = set()
            if expected.fresh:
                transaction = next(transactions)
                assert transaction.command == type(expected.command).__name__
                moved = self.follow([transaction])
            self.said.update(expected.touched)
            for key in moved | expected.touched.keys():
                assert self.balance(*key) == self.said[key], (expected, key)
            versions.append(self.versions[getattr(expected.command, "account", 0)])
        assert next(transactions, None) is None
        return versions

    def transactions(self) -> list[Transaction]:
        """Return what was journalled since this was last asked; invariant 7: the chain goes on."""
        found: list[Transaction] = []
        for batch in self.disk.books.batches[self.head.number :]:
            time, transactions = journal.read(batch.body)
            assert batch == journal.chained(self.head, time, batch.body)
            assert time >= self.head.time
            self.head = Head(batch.number, batch.time, batch.hash)
            found += transactions
        return found

    def follow(self, transactions: Sequence[Transaction]) -> set[tuple[int, str]]:
        """Invariants 2, 3 and 6, entry by entry; return the balances that were moved."""
        moved = set()
        for transaction in transactions:
            check_legs(transaction)
            for event in transaction.events:
                if isinstance(event, Entry):
                    self.follow_entry(event)
                    moved.add((event.account, ASSETS[event.asset - 1]))
                elif isinstance(event, HoldChanged):
                    key = event.account, event.asset, event.id
                    assert event.before == self.holds.pop(key, 0)
                    if event.after:
                        self.holds[key] = event.after
        return moved

    def follow_entry(self, entry: Entry) -> None:
        key = entry.account, entry.asset
        assert self.balances.get(key, (0, 0, 0))[:2] == (entry.available_before, entry.frozen_before)
        assert entry.version == self.versions[entry.account] + 1
        assert entry.available_after >= 0 or entry.account == WORLD
        assert entry.frozen_after >= 0
        assert entry.frozen_after == 0 or entry.account != WORLD
        self.versions[entry.account] = entry.version
        self.balances[key] = entry.available_after, entry.frozen_after, entry.version
        gained, frozen = entry.available_after - entry.available_before, entry.frozen_after - entry.frozen_before
        if entry.why == "placed":
            self.frozen[entry.ref] += frozen
        elif entry.why in {"improvement", "cancelled", "paid"}:
            self.unfrozen[entry.ref] -= frozen
        elif entry.why == "received":
            self.received[entry.ref] += gained
        elif entry.why == "fee":
            assert entry.account == FEES
            self.fees[entry.ref] += gained
        else:
            assert entry.why == "deposit"

    def balance(self, account: int, asset: str) -> tuple[Fraction, Fraction]:
        available, frozen, _ = self.balances.get((account, ASSETS.index(asset) + 1), (0, 0, 0))
        return self.coins(asset, available), self.coins(asset, frozen)

    def coins(self, asset: str, units: int) -> Fraction:
        return Fraction(units, 10 ** self.model.scales[asset])

    def shown(self, order: Order) -> dict[str, Any]:
        """Return an order of the real exchange as the naive one shows its own."""
        market = self.model.markets[SYMBOLS[order.market - 1]]
        return NaiveOrder(
            account=order.account,
            id=order.id,
            market=market.symbol,
            side=order.side,
            kind=order.kind,
            price=Fraction(order.price, 10**market.price_decimals),
            amount=self.coins(market.base, order.amount),
            funds=self.coins(market.quote, order.funds),
            reference=order.out_trade_no,
            placed_at=order.placed_at,
            changed_at=order.changed_at,
            filled=self.coins(market.base, order.filled),
            value=self.coins(market.quote, order.value),
            fee=self.coins(market.base if order.side == "buy" else market.quote, order.fee),
            status=order.status,
        ).shown()

    # --- comparing everything -------------------------------------------------------------------

    def table(self, name: str) -> list[Any]:
        return list(self.disk.books.tables[name].values())

    @invariant()
    def balances_are_what_the_naive_exchange_has(self) -> None:
        found = {(row[0], row[1]): row[2:] for row in self.table("balance")}
        assert found == self.balances
        for account in (WORLD, FEES, *USERS):
            for asset in ASSETS:
                said = self.model.free[account, asset], self.model.held[account, asset]
                assert self.balance(account, asset) == said

    @invariant()
    def invariant_1_world_is_everybody_elses_negative(self) -> None:
        totals: dict[int, int] = defaultdict(int)
        for _, asset, available, frozen, _ in self.table("balance"):
            totals[asset] += available + frozen
        assert not any(totals.values())

    @invariant()
    def invariant_4_frozen_is_the_holds_of_open_orders(self) -> None:
        holds = {(account, asset, order): amount for account, asset, _, order, amount in self.table("hold")}
        assert holds == self.holds
        said = {}
        for order in self.model.open_orders():
            market = self.model.markets[order.market]
            said[order.account, market.quote if order.side == "buy" else market.base, order.id] = order.holds
        assert {
            (account, ASSETS[asset - 1], order): self.coins(ASSETS[asset - 1], amount)
            for (account, asset, order), amount in holds.items()
        } == said
        sums: dict[tuple[int, int], int] = defaultdict(int)
        for (account, asset, _), amount in holds.items():
            sums[account, asset] += amount
        assert sums == {key: frozen for key, (_, frozen, _) in self.balances.items() if frozen}

    @invariant()
    def invariant_5_a_closed_order_holds_nothing_and_what_it_froze_is_accounted_for(self) -> None:
        held = {order for _, _, order in self.holds}
        for row in self.table("closed_order")[self.looked_at :]:
            order = Order(*row[:-1])
            assert self.shown(order) == self.model.orders[order.id - 1].shown()
            assert order.id not in held
            gross = order.filled if order.side == "buy" else order.value
            assert gross == self.received[order.id] + order.fee
            assert self.fees[order.id] == order.fee
            if order.kind != "market":
                assert self.frozen[order.id] == self.unfrozen[order.id] > 0
        self.looked_at = len(self.table("closed_order"))
        assert self.looked_at == sum(1 for order in self.model.orders if not order.open)

    @invariant()
    def open_orders_stand_in_the_same_sequence(self) -> None:
        stored = {row[1]: self.shown(Order(*row)) for row in self.table("open_order")}
        assert stored == {order.id: order.shown() for order in self.model.open_orders()}
        standing = self.writer.books.state.open_orders
        for user in USERS:
            mine = [order.id for order in self.model.open_orders() if order.account == user]
            assert list(standing.of(user)) == mine
        for number, book in standing.books.items():
            for side, half in book.halves.items():
                found = [order for _, level in half.from_best() for order in level.orders.values()]
                assert [order.id for order in found] == [order.id for order in self.half(number, side)]
                assert [self.shown(order) for order in found] == [stored[order.id] for order in found]

    def half(self, number: int, side: str) -> list[NaiveOrder]:
        return self.model.half(SYMBOLS[number - 1], side)

    @invariant()
    def no_book_is_crossed(self) -> None:
        for symbol in self.model.markets:
            asks, bids = self.model.half(symbol, "sell"), self.model.half(symbol, "buy")
            assert not asks or not bids or bids[0].price < asks[0].price

    @invariant()
    def the_board_shows_the_books(self) -> None:
        for symbol, market in self.model.markets.items():
            for side, levels in (("sell", self.depths[symbol].asks), ("buy", self.depths[symbol].bids)):
                said: dict[Fraction, Fraction] = {}
                for order in self.model.half(symbol, side):
                    said[order.price] = said.get(order.price, Fraction(0)) + order.rest
                found = [
                    (Fraction(price, 10**market.price_decimals), self.coins(market.base, amount))
                    for price, amount in levels
                ]
                assert found == list(said.items())[:20]

    @invariant()
    def fills_are_the_same_to_both_sides(self) -> None:
        trades = self.table("trade")
        assert len(trades) == len(self.model.fills)
        for number, fill in list(enumerate(self.model.fills, 1))[-COMMANDS:]:
            market = self.model.markets[fill.market]
            row = self.disk.books.tables["trade"][SYMBOLS.index(fill.market) + 1, number]
            assert row[2] == fill.side
            assert row[6] == fill.made_at
            for role, (account, order), fee in (
                ("maker", fill.maker, fill.maker_fee),
                ("taker", fill.taker, fill.taker_fee),
            ):
                mine = dict(zip(FILL, self.disk.books.tables["fill"][account, number], strict=True))
                assert (mine["order"], mine["role"], mine["made_at"]) == (order, role, fill.made_at)
                assert (mine["side"] == fill.side) == (role == "taker")
                assert mine["price"] == row[3] == fill.price * 10**market.price_decimals
                assert mine["amount"] == row[4] == fill.amount * 10 ** self.model.scales[market.base]
                assert mine["value"] == row[5] == fill.value * 10 ** self.model.scales[market.quote]
                received = market.base if mine["side"] == "buy" else market.quote
                assert self.coins(received, int(mine["fee"])) == fee

    @invariant()
    def invariant_9_references_are_bound_to_the_same_orders(self) -> None:
        said = {key: order.id if order else 0 for key, order in self.model.references.items()}
        assert {(row[0], row[1]): row[2] for row in self.table("out_trade_no")} == said

    def check_invariants(self, *args: Any) -> None:
        if hasattr(self, "story"):
            super().check_invariants(*args)

    def teardown(self) -> None:
        setattr(matching, BOUND, self.fills_max)
        try:
            check_books(self.disk.reader())
        finally:
            self.store.close()


FILL = ("account", "id", "order", "market", "side", "role", "price", "amount", "value", "fee", "made_at", "batch")


def told(model: NaiveExchange, command: c.Command, now: int) -> tuple[bool, NaiveOrder | None]:
    """Let the naive exchange do as it is told; return whether anything changed, and the order that is answered."""
    match command:
        case c.PlaceOrder():
            return model.place(*command, now)
        case c.CancelOrder(account, number):
            return True, model.cancel(account, number, now)
        case c.CancelAllOrders(account, symbol):
            return model.cancel_all(account, symbol, now), None
        case c.FindOrder(account, reference, fence):
            return model.find(account, reference, fence)
        case c.Deposit(account, asset, amount):
            return model.deposit(account, asset, amount), None
        case c.FreezeAccount(account, frozen):
            return model.freeze(account, frozen), None
        case c.ChangeMarket(symbol):
            given = {name: value for name, value in command._asdict().items() if value not in {None, ""}}
            del given["symbol"]
            return model.change_market(symbol, **given), None
        case c.Halt():
            return model.halt(True), None
        case _:
            assert isinstance(command, c.Resume)
            return model.halt(False), None


def market_of(command: c.MakeMarket) -> Market:
    """Return the naive exchange's market that is made as this one is."""
    base, quote = command.symbol.split("_")
    return Market(
        command.symbol,
        base,
        quote,
        command.price_decimals,
        command.amount_decimals,
        Fraction(command.value_min),
        Fraction(command.value_max or 0),
        Fraction(command.price_min),
        Fraction(command.price_max),
        Fraction(command.amount_min),
        Fraction(command.amount_max),
        Fraction(command.maker_fee_ppm, 10**6),
        Fraction(command.taker_fee_ppm, 10**6),
        command.self_trade,
        command.state,
        command.orders_max,
        Fraction(command.bound_ppm, 10**6),
    )


@pytest.mark.timeout(3_600)
def test_it_does_what_the_naive_exchange_does_for_100_000_steps() -> None:
    """Stories of eight hundred commands, in rounds until there are enough; each round has a seed of its own."""
    STEPS["exchange"] = 0
    rounds = 0
    while STEPS["exchange"] < STEPS_MIN and rounds < 100:
        run_state_machine_as_test(
            seed(SEED + rounds)(ExchangeMachine),
            settings=settings(
                max_examples=10,
                stateful_step_count=RULES,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
        rounds += 1
    print(f"the exchange machine: {STEPS['exchange']} steps in {rounds} rounds, SPOTBOOK_SEED={SEED}")
    assert STEPS["exchange"] >= STEPS_MIN
