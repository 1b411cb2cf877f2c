"""The writer over stores that fail in every way they can, and crash: what it said is so, and the books are whole.

Acknowledged is there for ever; said not to be done is not there; of what nobody was told, a batch is wholly there or
wholly not. And after every step the journal's chain holds, the tables are what the journal makes of them, versions
have no gap and the books sum to zero.

Beside it an untroubled writer gets just the batches that are there: whatever failed in between, the other one must come
to the same answers, journal, tables and books of orders, level by level in the sequence of service.
"""

import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from spotbook.app import journal, projection
from spotbook.app.books import Books, order_of
from spotbook.app.writer import Done, NotDone, Outcome, Refused, Submission, Unknown
from spotbook.domain import decide as decide_module
from spotbook.domain import errors
from spotbook.domain.apply import APPLICATIONS
from spotbook.domain.book import Depth
from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    Command,
    Deposit,
    FindOrder,
    Halt,
    LiftBan,
    OpenAccount,
    RecordBan,
    Resume,
    RevokeKey,
    StopWriter,
)
from spotbook.domain.credentials import House
from spotbook.domain.events import DepositMade
from spotbook.domain.order import Side
from spotbook.domain.state import State
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.checks import check_books, rebuilt, tables_of
from support.clock import NOW, StandingClock
from support.commands import BTC_USDT, USER, deposit, limit, make_key, market
from support.disks import Disk, MemoryDisk, SqliteDisk
from support.open_orders import books_of, check_open_orders
from support.stores import FAULTS, Crashed, FaultyStore
from support.writers import Desk, submission

Made = dict[str, int]
"""Deposits by txid: units."""

TRADERS = (USER + 1, USER + 2)
"""Two users who only trade, so that what `USER` has is what was deposited."""

PRICES = st.sampled_from(["98", "99", "100", "100.01", "101", "102"])
AMOUNTS = st.sampled_from(["0.1", "0.25", "1", "2.5", "7"])
SIDES = st.sampled_from(["buy", "sell"])
REFERENCES = st.sampled_from(["", "", "", "one", "two", "three"])
WHO = st.sampled_from(TRADERS)

LEVELS: list[tuple[Side, str]] = [("sell", "101"), ("sell", "102"), ("buy", "98"), ("buy", "99")]

STANDING = [limit(side, price, "3", account=who) for side, price in LEVELS for who in (*TRADERS, *TRADERS)]
"""Orders 1 to 16, by which the books begin: four on each level."""

PLACING = st.one_of(
    st.builds(
        lambda who, side, price, amount, reference, kind: limit(
            side, price, amount, account=who, out_trade_no=reference, kind=kind
        ),
        *(WHO, SIDES, PRICES, AMOUNTS, REFERENCES, st.sampled_from(["limit", "limit", "limit", "post_only"])),
    ),
    st.builds(
        lambda who, side, amount, reference: market(side, amount, account=who, out_trade_no=reference),
        *(WHO, SIDES, AMOUNTS, REFERENCES),
    ),
    st.builds(lambda who, funds: market("buy", funds=funds, account=who), WHO, st.sampled_from(["5", "77.7", "300"])),
)

CANCELLING = st.one_of(
    st.builds(CancelOrder, WHO, st.integers(0, 20)),
    st.builds(CancelOrder, WHO, st.integers(1, 100)),
    st.builds(CancelAllOrders, WHO, st.sampled_from(["", "BTC_USDT"])),
)

RULING = st.one_of(
    st.builds(FindOrder, WHO, st.sampled_from(["one", "two", "three", "four"]), st.booleans()),
    st.builds(
        lambda rule: ChangeMarket("BTC_USDT", self_trade=rule), st.sampled_from(["cancel_newest", "cancel_oldest"])
    ),
    st.builds(lambda state: ChangeMarket("BTC_USDT", state=state), st.sampled_from(["on", "on", "cancel_only", "off"])),
)

OTHERS = st.one_of(
    st.builds(lambda number, units: deposit(f"tx-{number}", f"{units}"), st.integers(0, 30), st.integers(1, 3)),
    st.builds(lambda number: deposit(f"tx-{number}", "1", asset="USDT"), st.integers(0, 5)),
    st.just(deposit(account=9)),
    st.just(deposit(amount="1e5")),
    st.just(OpenAccount("next")),
    st.builds(lambda number: make_key(f"key-{number}"), st.integers(0, 4)),
    st.builds(lambda number: RevokeKey(USER, f"key-{number}", NOW), st.integers(0, 4)),
    st.builds(lambda number: RecordBan("10.0.0.1", "ban", number, number + 9), st.integers(0, 4)),
    st.just(LiftBan("10.0.0.1", NOW)),
    st.sampled_from([Halt("audit"), Resume("checked"), Resume("checked")]),
)

COMMANDS = st.one_of(OTHERS, *[PLACING] * 6, *[CANCELLING] * 3, RULING)


class Poisoned(Exception):
    """A fault of the program."""


class WriterMachine(RuleBasedStateMachine):
    """Batches, faults and crashes. `known` are the deposits that are there; `doubtful` is a batch nobody knows of."""

    disk: Disk
    store: FaultyStore
    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.disk = self.make_disk()
        self.clock = StandingClock()
        self.known: Made = {}
        self.stopped = False
        self.untroubled = Desk(MemoryStore(MemoryBooks()), self.clock)
        self.open()

    def make_disk(self) -> Disk:
        raise NotImplementedError

    @initialize()
    def found(self) -> None:
        seeds = [
            deposit(f"seed-{who}", amount, account=who, asset=asset)
            for who in TRADERS
            for asset, amount in (("BTC", "60"), ("USDT", "6000"))
        ]
        for desk in (self.desk, self.untroubled):
            desk.found()
            outcomes = desk.batch(BTC_USDT, OpenAccount("one"), OpenAccount("two"), *seeds, *STANDING)
            assert {type(outcome) for outcome in outcomes} == {Done}

    def open(self) -> None:
        """Recover, as a process that starts does."""
        self.store = FaultyStore(self.disk.open())
        self.desk = Desk(self.store, self.clock)
        self.desk.writer.books = Books(self.store, rows_max=3)  # so small that most is read again and again

    def reopen(self) -> None:
        self.store.close()
        self.open()

    # --- what was said and what is so -----------------------------------------------------------

    def batch(self, commands: Sequence[Command]) -> list[tuple[Submission, Outcome]] | None:
        """Hand the commands in as one batch; return what was said of them, None when the machine went dark."""
        pending = deque(submission(command) for command in commands)
        try:
            answers = self.desk.writer.carry_out(pending)
        except Crashed:
            self.disk.crash()
            self.open()
            return None
        assert len(answers) + len(pending) == len(commands)
        return answers

    def take_down(self, answers: Sequence[tuple[Submission, Outcome]]) -> None:
        """Remember what was acknowledged; the untroubled writer must say the same."""
        self.follow([asked.command for asked, _ in answers], [outcome for _, outcome in answers])
        for asked, outcome in answers:
            if isinstance(outcome, Done) and isinstance(asked.command, Deposit):
                made = outcome.result
                assert outcome.fresh == (name(asked.command) not in self.known)
                assert self.known.setdefault(name(asked.command), made.amount) == made.amount

    def follow(self, commands: Sequence[Command], said: Sequence[Outcome] | None = None) -> None:
        """Let the untroubled writer carry out a batch that is there."""
        outcomes = self.untroubled.batch(*commands)
        assert said is None or [told(outcome) for outcome in outcomes] == [told(outcome) for outcome in said]

    def settle(self, commands: Sequence[Command], *, there: bool | None = None) -> None:
        """Look what became of a batch of which nobody was told; it must be whole, or whole as `there` says."""
        new: Made = {}
        deposits = [command for command in commands if isinstance(command, Deposit)]
        for asked in deposits:
            if asked.account == USER and asked.amount != "1e5" and name(asked) not in self.known:
                new.setdefault(name(asked), int(asked.amount) * 10**8)
        if self.head() != self.untroubled.writer.head.number:
            self.follow(commands)
            assert there is not False
        else:
            assert there is not True
        found = self.deposits()
        arrived = {txid: units for txid, units in found.items() if txid not in self.known}
        if there is None:
            assert arrived in ({}, new)
        else:
            assert arrived == (new if there else {})
        self.known.update(arrived)

    def deposits(self) -> Made:
        with closing(self.disk.reader()) as reader:
            return {f"{row[2]!s}:{row[4]!s}": int(row[3]) for row in reader.page("deposit", (USER,), (), 10**6)}

    def head(self) -> int:
        with closing(self.disk.reader()) as reader:
            return reader.head().number

    # --- rules ----------------------------------------------------------------------------------

    @precondition(lambda self: not self.stopped)
    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=8))
    def carry_out(self, commands: list[Command]) -> None:
        answers = self.batch(commands)
        assert answers is not None
        assert all(isinstance(outcome, Done | Refused) for _, outcome in answers)
        self.take_down(answers)

    @precondition(lambda self: not self.stopped)
    @rule(commands=st.lists(st.one_of(PLACING, CANCELLING), min_size=4, max_size=8))
    def trade(self, commands: list[Command]) -> None:
        """Trading goes on, and nothing else."""
        self.carry_out([Resume("checked"), ChangeMarket("BTC_USDT", state="on"), *commands])

    @precondition(lambda self: not self.stopped)
    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=8), fault=st.sampled_from(sorted(FAULTS)))
    def carry_out_and_fail(self, commands: list[Command], fault: str) -> None:
        """The commit fails. A batch that changes nothing is not committed, and does not meet the fault."""
        there, _ = FAULTS[fault]  # type: ignore[index]
        self.store.faults.append(fault)  # type: ignore[arg-type]
        commits = len(self.store.commits)
        answers = self.batch(commands)
        if answers is None:
            self.settle(commands, there=there)
            return
        self.store.faults.clear()
        kinds = {type(outcome) for _, outcome in answers}
        if len(self.store.commits) == commits or fault in {"unknown, batch there", "unheard of, batch there"}:
            assert kinds <= {Done, Refused}
            self.take_down(answers)
        elif fault in {"disk broken", "disk broken, batch there", "deposed"}:
            assert kinds == {Unknown}
            assert self.desk.writer.condition == "broken"
            self.reopen()
            self.settle(commands)
        else:
            assert kinds == {NotDone}
            assert self.desk.writer.condition == ("read_only" if fault == "disk full" else "sound")
            assert self.desk.writer.probe()
            self.settle(commands, there=False)

    @precondition(lambda self: not self.stopped)
    @rule(commands=st.lists(COMMANDS, max_size=4), later=st.lists(COMMANDS, max_size=4))
    def carry_out_with_a_fault_of_one(self, commands: list[Command], later: list[Command]) -> None:
        """A decision fails as no program should: that command is not done, and its neighbours live."""
        poison = deposit("poison")
        decision = decide_module.DECISIONS[Deposit]

        def poisoned(state: State, command: Deposit, now: int) -> object:
            if command is poison:
                raise Poisoned
            return decision(state, command, now)

        decide_module.DECISIONS[Deposit] = poisoned  # type: ignore[assignment]
        try:
            answers = self.batch([*commands, poison, *later])
        finally:
            decide_module.DECISIONS[Deposit] = decision
        assert answers is not None
        kinds = [type(outcome) for _, outcome in answers]
        assert kinds[len(commands)] is NotDone
        assert set(kinds[: len(commands)] + kinds[len(commands) + 1 :]) <= {Done, Refused}
        self.take_down([*answers[: len(commands)], *answers[len(commands) + 1 :]])

    @precondition(lambda self: not self.stopped)
    @rule(commands=st.lists(COMMANDS, max_size=4), later=st.lists(COMMANDS, max_size=4))
    def break_an_invariant(self, commands: list[Command], later: list[Command]) -> None:
        """An event cannot be applied: the whole batch is undone, and the writer is stopped, for ever if need be."""
        application = APPLICATIONS[DepositMade]

        def poisoned(state: State, event: DepositMade) -> None:
            if event.txid == "poison":
                raise Poisoned
            application(state, event)

        APPLICATIONS[DepositMade] = poisoned
        try:
            answers = self.batch([*commands, deposit("poison"), *later])
        finally:
            APPLICATIONS[DepositMade] = application
        assert answers is not None
        assert len(answers) == len(commands) + 1
        assert {type(outcome) for _, outcome in answers} == {NotDone}
        standing = self.desk.writer.books.state.standing.get("")
        assert standing is not None
        assert isinstance(self.untroubled.do(StopWriter(standing.reason), House("writer")), Done)
        self.settle([*commands, *later], there=False)
        self.stopped = True

    @precondition(lambda self: self.stopped)
    @rule(commands=st.lists(COMMANDS.filter(lambda command: not isinstance(command, Resume)), min_size=1, max_size=4))
    def ask_while_stopped(self, commands: list[Command]) -> None:
        answers = self.batch(commands)
        assert answers is not None
        for _, outcome in answers:
            assert isinstance(outcome, Refused)
            assert isinstance(outcome.refusal, errors.WriterStopped)

    @precondition(lambda self: self.stopped)
    @rule()
    def resume(self) -> None:
        outcome = self.desk.do(Resume("checked"))
        assert isinstance(outcome, Done)
        self.follow([Resume("checked")], [outcome])
        self.stopped = False

    @rule()
    def restart(self) -> None:
        self.reopen()

    @rule()
    def go_dark(self) -> None:
        self.disk.crash()
        self.open()

    @rule(milliseconds=st.integers(-1_000, 1_000))
    def move_the_clock(self, milliseconds: int) -> None:
        """Forth and back: the journal's time must not follow it back."""
        self.clock.now += milliseconds

    @rule()
    def rebuild(self) -> None:
        """Make every table anew from the journal; the invariant compares them."""
        with closing(self.disk.reader()) as reader:
            batches = reader.batches(0, 10**6)
            before = tables_of(reader)
        self.store.rebuild(projection.changes_of(batch.number, journal.read(batch.body)[1]) for batch in batches)
        with closing(self.disk.reader()) as reader:
            assert tables_of(reader) == before

    # --- invariants -----------------------------------------------------------------------------

    @invariant()
    def what_was_acknowledged_is_there_and_nothing_else_is(self) -> None:
        assert self.deposits() == self.known

    @invariant()
    def the_balances_are_the_deposits(self) -> None:
        totals: dict[str, int] = {}
        for txid, units in self.known.items():
            asset = txid.partition(":")[0]
            totals[asset] = totals.get(asset, 0) + units
        with closing(self.disk.reader()) as reader:
            assert {f"{asset}": available for asset, available, _, _ in reader.sheet(USER).balances} == totals

    @invariant()
    def the_books_are_whole(self) -> None:
        with closing(self.disk.reader()) as reader:
            check_books(reader)
            assert tables_of(reader) == rebuilt(reader)
            assert reader.head() == self.desk.writer.head

    @invariant()
    def the_books_of_orders_are_the_stored_ones(self) -> None:
        """Level by level, in the sequence of service; and the board shows no other."""
        orders = self.desk.writer.books.state.open_orders
        check_open_orders(orders, map(order_of, self.store.rows("open_order")))
        shown: dict[str, Depth] = {}
        for depths in self.desk.depths:
            shown.update(depths)
        assert shown == {book.market.symbol: book.depth() for book in orders.books.values()}

    @invariant()
    def what_failed_in_between_is_nowhere_to_be_seen(self) -> None:
        untroubled = self.untroubled.writer
        assert books_of(self.desk.writer.books.state.open_orders) == books_of(untroubled.books.state.open_orders)
        assert self.desk.writer.head == untroubled.head
        with closing(self.disk.reader()) as reader:
            assert tables_of(reader) == tables_of(untroubled._store.reader())

    def teardown(self) -> None:
        self.store.close()


def told(outcome: Outcome) -> object:
    """Return an outcome as something that compares: a refusal by its kind and its words."""
    if isinstance(outcome, Refused):
        return type(outcome.refusal), str(outcome.refusal), outcome.batch, outcome.batch_time
    return outcome


def name(command: Deposit) -> str:
    """Return how `known` calls the deposit: number of its asset, and txid."""
    return f"{1 if command.asset == 'BTC' else 2}:{command.txid}"


class MemoryWriterMachine(WriterMachine):
    """Over books in memory."""

    def make_disk(self) -> Disk:
        return MemoryDisk()


class SqliteWriterMachine(WriterMachine):
    """Over books in a file; a crash leaves the file and its log as they were."""

    def make_disk(self) -> Disk:
        self.folder = tempfile.TemporaryDirectory(prefix="spotbook-")
        return SqliteDisk(Path(self.folder.name))

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestMemoryWriterMachine = MemoryWriterMachine.TestCase
TestMemoryWriterMachine.settings = settings(max_examples=100, stateful_step_count=25)
TestSqliteWriterMachine = SqliteWriterMachine.TestCase
TestSqliteWriterMachine.settings = settings(max_examples=25, stateful_step_count=20)
