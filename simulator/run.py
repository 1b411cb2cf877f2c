"""One run: steps drawn or given, told to the exchange and to the model, and everything compared."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import compare
from simulator.asked import Asked
from simulator.books import Books
from simulator.calls import Call
from simulator.deeds import Deed
from simulator.disk import CHECKPOINT, COPYING_BACK, ENDING, Disk, Fault, Killed
from simulator.exchange import Clocks, Exchange
from simulator.follow import Follower
from simulator.plan import BEGINS_AT, Plan
from simulator.step import Step
from simulator.steps import Drawer
from simulator.world import Instant, World, subject_of
from spotbook.app import audit
from spotbook.app.books import Books as WriterBooks
from spotbook.app.keys import first_seal
from spotbook.domain import matching
from spotbook.settings import Settings
from spotbook.store import sqlite
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.vault import AesVault

MASTER_KEY = "5a" * 32
VAULT = AesVault(MASTER_KEY)
FILLS = "FILLS_MAX"
QUIET_MS = 20_000
"""After so long every window is free."""


class Failed(Exception):
    """The exchange is not what the model says. `step` is the number of the step at which it showed."""

    def __init__(self, why: str, step: int) -> None:
        super().__init__(why)
        self.why, self.step = why, step


@dataclass
class Tally:
    """What came about in a run, or in many."""

    steps: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    incidents: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add another's."""
        self.steps += other.steps
        for name in ("commands", "deeds", "codes", "faults", "incidents"):
            getattr(self, name).update(getattr(other, name))


class Run:
    """A run of a seed: `tell` tells steps that are drawn, or that are given."""

    def __init__(self, seed: int, folder: Path, *, crashes: bool) -> None:
        self.plan = Plan(seed)
        self.tally = Tally()
        self.steps: list[Step] = []
        self.log: dict[int, str] = {}
        """What came of steps, in words, by their number."""
        self._drawer = Drawer(self.plan, crashes=crashes)
        self._folder = folder
        self._clocks = Clocks(BEGINS_AT)
        self._follow = Follower()
        self._orders = self._drawer.placed
        self._number = 0
        self._pending: list[tuple[int, Call | Deed, bool]] = []
        self._settings = Settings(data=folder, limits=self.plan.rules(), command_limits=self.plan.command_limits())

    # --- from the beginning to the end ------------------------------------------------------------------------------

    def tell(self, count: int, given: Sequence[tuple[int, Step]] | None = None) -> None:
        """Found, tell so many steps (or the `given` ones, by number), and compare everything. Raises Failed."""
        with bounds(self.plan):
            self._tell(count, given)

    def _tell(self, count: int, given: Sequence[tuple[int, Step]] | None) -> None:
        try:
            self._found()
            if given is None:
                while self.tally.steps < count:
                    self._number = len(self.steps)
                    step = self._drawer.next(
                        self._number, self._worlds[0], full_disk=self._exchange.engine.condition == "read_only"
                    )
                    self.steps.append(step)
                    self._take(step)
            for number, step in given or ():
                self._number = number
                self._take(step)
            self._number += 1
            self._end()
        finally:
            if hasattr(self, "_exchange"):
                self._exchange.end()

    def _found(self) -> None:
        template = self._folder / "template"
        _make_template(template)
        self._disk = Disk(None if self.plan.in_memory else self._folder, template)
        if self.plan.in_memory:
            store = self._disk.open()
            store.reseal([first_seal(VAULT)])
            store.close()
        self._disk.committed = self._follow.take
        self._worlds = [World(Books(self.plan.fills_max), self.plan.limits)]
        self._open()
        self._pending = [(-1, deed, False) for deed in self.plan.founding]
        self._flush()
        self._pending = [(-1, deed, False) for deed in self.plan.owners]
        self._flush()

    def _open(self) -> None:
        self._exchange = Exchange(self._disk, self._settings, self._clocks, VAULT)
        if self.plan.cached_rows < 100:
            writer = self._exchange.engine.writer
            writer.books = WriterBooks(self._exchange.store, rows_max=self.plan.cached_rows)
        for world in self._worlds:
            world.start(self._instant())
        self._follow.reload(self._exchange.reader)

    def _instant(self) -> Instant:
        return Instant(self._clocks.wall(), self._clocks.steady())

    def _end(self) -> None:
        """Compare everything there is: the tables, the wire after a restart without limits, the audit, a rebuild."""
        self._flush()
        self._disk.full = False
        self._check()
        self._audit()
        self._restart(kill=False)
        self._clocks.advance(QUIET_MS)
        for account in self.plan.accounts:
            found = compare.by_wire(self._exchange, self._worlds[0], account)
            if found:
                self._fail(found)
        found = compare.rebuilt(self._exchange)
        if found:
            self._fail(found)

    # --- steps ------------------------------------------------------------------------------------------------------

    def _take(self, step: Step) -> None:
        if not step.joins or step.kind not in {"call", "deed"} or len(self._pending) >= 200:
            self._flush()
            self._clocks.advance(step.ms)
        match step.kind:
            case "call":
                call = self._call(step.args)
                if call is not None:
                    self._pending.append((self._number, call, step.args["lost"]))
            case "deed":
                self._pending.append((self._number, Deed(**step.args), False))
            case "alone":
                self._flush()
                self._lift_ban(Deed(**step.args))
            case "jump":
                self._clocks.now = max(self._clocks.now + step.args["ms"], BEGINS_AT)
                self.tally.incidents["clock jumps " + ("back" if step.args["ms"] < 0 else "ahead")] += 1
            case "fault":
                self._disk.meet(Fault(**step.args))
            case "room":
                self._disk.full = False
            case "probe":
                self._probe()
            case "check":
                self._check()
            case _:
                self._restart(kill=step.kind == "kill")

    def _call(self, args: Mapping[str, Any]) -> Call | None:
        """Return the call of a step, None when it speaks of an order that there is none of."""
        params = dict(args["params"])
        empty = next((name for name in ("orderNumber", "id", "orderIds") if params.get(name) == ""), None)
        if empty is not None:
            self._flush()
            if args["order"] not in self._orders:
                return None
            params[empty] = str(self._orders[args["order"]])
        return Call(
            args["command"],
            params,
            args["address"],
            args["api_key"],
            args["secret"],
            args["signing"],
            max(self._clocks.wall(), self._worlds[0].books.batch_time) + args["stamp"],
            args["nonce"],
            args["style"],
            args["flaw"],
        )

    def _probe(self) -> None:
        self._exchange.engine.probe()
        condition = self._exchange.engine.condition
        expected = "read_only" if self._disk.full else "running"
        self.tally.incidents["probes that find the disk " + ("full" if self._disk.full else "free")] += 1
        if condition != expected:
            self._fail(f"after a probe the books are {condition}, the model expects {expected}")

    def _restart(self, *, kill: bool) -> None:
        """End this life, as a kill does or after all is done, and begin another by the recovery that `serve` makes."""
        self._flush()
        self.tally.incidents["kills between batches" if kill else "restarts"] += 1
        if kill:
            self._revive()
        else:
            self._exchange.end()
            self._disk.full = False
            self._open()
            self._settle()

    def _revive(self) -> None:
        """Begin again after this life ended by itself or by a kill."""
        self._disk.crash()
        self._exchange.end()
        self._disk.forget_former()
        self._open()
        self._settle()

    def _settle(self) -> None:
        """Keep the worlds that the books, read after a start, do not contradict."""
        self._drop([compare.after_start(self._exchange.reader, world.books) for world in self._worlds])

    # --- a batch ----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if not pending:
            return
        calls = [one for _, one, _ in pending if isinstance(one, Call)]
        deeds = [one for _, one, _ in pending if isinstance(one, Deed)]
        numbers = [number for number, one, _ in pending if isinstance(one, Call)]
        lost = [lost for _, one, lost in pending if isinstance(one, Call)]
        at = self._instant()
        read_only = self._exchange.engine.condition == "read_only"
        asked = [Asked(world, deeds, calls, at) for world in self._worlds]
        armed = self._disk.fault is not None and self._disk.fault.kind != COPYING_BACK
        before = [one.world.books.fork() if armed else one.world.books for one in asked]
        if not read_only:
            for one in asked:
                one.decide(at)
        killed = False
        try:
            outcomes, replies = self._exchange.batch(deeds, calls)
        except Killed:
            killed = True
            outcomes, replies = [None] * len(deeds), [None] * len(calls)
        met, self._disk.met = self._disk.met, None
        if met is not None:
            self.tally.faults[met.kind] += 1
            self.log[self._number] = met.kind
        self._count(calls, deeds, replies)
        worlds, wrong = [], []
        for one, kept in zip(asked, before, strict=True):
            for branch in one.fates(met, kept, read_only=read_only):
                worlds.append(branch.world)
                wrong.append(branch.contradicted(outcomes, replies, lost, killed=killed) or self._touched(branch, met))
        self._worlds = worlds
        self._drop(wrong, numbers)
        for number, call, reply in zip(numbers, calls, replies, strict=True):
            if reply is not None and call.command == "doTrade" and reply.code == "200":
                self._orders.setdefault(number, reply.data["orderNumber"])
        self._after(met, killed=killed)

    def _after(self, met: Fault | None, *, killed: bool) -> None:
        """Look at what holds after any batch; begin again when this life is over."""
        if self._follow.findings:
            self._fail("; ".join(self._follow.findings))
        if killed or (met is not None and met.kind in ENDING):
            if not killed and self._exchange.engine.condition != "ended":
                self._fail(f"the process goes on after: {met.kind if met else ''}")
            self._revive()
            return
        found = compare.crossed(self._exchange.board, self._worlds[0].books)
        if found:
            self._fail(found)
        if self._exchange.engine.condition == "ended":
            self._fail(f"the writer ended: {self._exchange.alarms[-1:]}")

    def _touched(self, branch: "Asked", met: Fault | None) -> str:
        """Compare the balances that the model moved with the rows that were written."""
        books = branch.world.books
        touched, books.touched = books.touched, set()
        if met is not None and met.kind not in {"not committed", "disk full", "fate unknown, there", COPYING_BACK}:
            return ""
        numbers = {name: number for number, name in enumerate(books.scales, 1)}
        for account, asset in touched:
            said = books.free[account, asset], books.held[account, asset]
            found = self._follow.balances.get((account, numbers[asset]), (0, 0, 0))[:2]
            if found != said:
                return (
                    f"account {account}, {asset}: the model expects {said[0]} available and {said[1]} frozen, "
                    f"the exchange says {found[0]} and {found[1]}"
                )
        for account in {account for account, _ in touched}:
            if books.versions[account] != self._follow.versions.get(account, 0):
                return (
                    f"account {account}: the model expects version {books.versions[account]}, "
                    f"the exchange says {self._follow.versions.get(account, 0)}"
                )
        return ""

    def _lift_ban(self, deed: Deed) -> None:
        """Lift a ban, which forgets it in memory too, in a batch by itself."""
        at = self._instant()
        read_only = self._exchange.engine.condition == "read_only"
        asked = [Asked(world, [deed], [], at) for world in self._worlds]
        before = [one.world.books.fork() for one in asked]
        if not read_only:
            for one in asked:
                one.decide(at)
        killed = False
        outcome = None
        try:
            outcome = self._exchange.lift_ban(deed)
        except Killed:
            killed = True
        met, self._disk.met = self._disk.met, None
        if met is not None:
            self.tally.faults[met.kind] += 1
            self.log[self._number] = met.kind
        self._count([], [deed], [])
        worlds, wrong = [], []
        for one, kept in zip(asked, before, strict=True):
            for branch in one.fates(met, kept, read_only=read_only):
                if not killed and branch.carried_out(0):
                    branch.world.pace.lift(subject_of(deed.args["subject"]))
                worlds.append(branch.world)
                wrong.append(branch.contradicted([outcome], [], [], killed=killed))
        self._worlds = worlds
        self._drop(wrong)
        self._after(met, killed=killed)

    def _count(self, calls: Sequence[Call], deeds: Sequence[Deed], replies: Sequence[Any]) -> None:
        self.tally.steps += len(calls) + len(deeds)
        self.tally.commands.update(call.command for call in calls)
        self.tally.deeds.update(deed.kind for deed in deeds)
        self.tally.codes.update(str(reply.code) for reply in replies if reply is not None)

    # --- what is found ----------------------------------------------------------------------------------------------

    def _drop(self, wrong: Sequence[str], numbers: Sequence[int] = ()) -> None:
        """Drop the worlds that are contradicted; when there is none left, the run has failed."""
        left = [world for world, why in zip(self._worlds, wrong, strict=True) if not why]
        if not left:
            self._fail(wrong[0])
        self._worlds = left

    def _check(self) -> None:
        """Compare every table with the model, and let the exchange audit itself."""
        self._flush()
        self.tally.incidents["looks at everything"] += 1
        self._drop([compare.whole(self._exchange.reader, world.books) for world in self._worlds])

    def _audit(self) -> None:
        """Let the exchange audit itself."""
        report = audit.audit(self._exchange.reader)
        if report.findings:
            self._fail(f"the audit finds: {report.findings[0].message}")

    def _fail(self, why: str) -> None:
        raise Failed(why, self._number)


@contextmanager
def bounds(plan: Plan) -> Iterator[None]:
    """Set the program's bounds as the plan has them: so low that they are met."""
    kept = getattr(matching, FILLS), getattr(sqlite, CHECKPOINT)
    setattr(matching, FILLS, plan.fills_max)
    setattr(sqlite, CHECKPOINT, plan.checkpoint_rows)
    try:
        yield
    finally:
        setattr(matching, FILLS, kept[0])
        setattr(sqlite, CHECKPOINT, kept[1])


def _make_template(folder: Path) -> None:
    """Make empty books: once for all runs of a process, since to write their bytes is quicker."""
    if not _EMPTY:
        create(folder)
        store = sqlite.SqliteStore(folder)
        store.reseal([first_seal(VAULT)])
        store.close()
        _EMPTY.append((folder / FILE).read_bytes())
        return
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(_EMPTY[0])


_EMPTY: list[bytes] = []
