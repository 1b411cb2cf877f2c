"""The real exchange, in one thread: opened as `serve` opens it, asked below the socket, stepped by hand.

What is not real: the event loop, which here runs what is due and nothing else; the writer's thread, whose turns are
taken when the simulator says so; the clocks.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any

from simulator.calls import Call, Reply, reply, request
from simulator.deeds import Deed
from simulator.disk import Disk, FaultyStore
from simulator.world import Instant
from spotbook.app import bans
from spotbook.app.board import Board
from spotbook.app.engine import Busy, Engine
from spotbook.app.keys import KEY_COMMANDS, KeyRing, Keys, check_master_key
from spotbook.app.ports import SealedSecret
from spotbook.app.readers import Readers
from spotbook.app.writer import Commit, Done, NotDone, Outcome, Submission, Writer
from spotbook.domain import commands as c
from spotbook.domain.credentials import Actor, House, Operator
from spotbook.domain.pacing import Pacer
from spotbook.server.freshness import Commits
from spotbook.server.metrics import Metrics
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.waiting import Calls
from spotbook.server.wire_app import wire_app
from spotbook.settings import Settings
from spotbook.store.vault import AesVault

HOUSE = House("simulator")
REASON = "so it was drawn"


class Clocks:
    """The time of day, which may jump, and the limiter's, which goes on from where a process found it."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.passed = 0
        self._anchor = now

    def wall(self) -> int:
        """Return the time of day in ms."""
        return self.now

    def steady(self) -> int:
        """Return the limiter's time in ms."""
        return self._anchor + self.passed

    def anchor(self) -> None:
        """A process starts."""
        self._anchor, self.passed = self.now, 0

    def advance(self, ms: int) -> None:
        """Let time pass."""
        self.now += ms
        self.passed += ms


class Turns:
    """An event loop that knows no time and no sockets: `run` carries out what is due, in sequence."""

    def __init__(self) -> None:
        self._due: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        self._due.append((callback, args))

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        self._due.append((callback, args))

    def time(self) -> float:
        return time.monotonic()  # a turn is always on time

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin to carry out, up to where it waits."""
        Calls(self, set()).carry_on(work)  # type: ignore[arg-type]  # (nothing here waits but for the writer)

    def run(self) -> None:
        """Carry out what is due, and what that makes due."""
        while self._due:
            callback, args = self._due.popleft()
            callback(*args)


class SteppedEngine(Engine):
    """The engine without its thread: its turns are taken by `step`."""

    writer: Writer
    overloaded = False

    def recover(self) -> None:
        """Do what the thread does first."""
        self.writer = self._make_writer()
        self._show(self.writer)

    def behind(self, more: int = 0, *, pressed: bool = False) -> bool:
        """Whether clients are sent away: that follows from how quick this machine is, so here it is drawn."""
        return self.overloaded

    def step(self) -> None:
        """Carry out what is queued."""
        while self._queue and self.writer.condition != "broken":
            self._batch(self.writer)
            self._show(self.writer)
        if self.writer.condition == "broken":
            self.condition = "ended"
            left, self._queue = list(self._queue), deque()
            for submission in left:
                self._answer(submission, NotDone("the writer has ended"))

    def execute(
        self, command: c.Command, actor: Actor, *, secrets: tuple[SealedSecret, ...] = (), gives_free: bool = False
    ) -> Outcome:
        """Carry a command out at once."""
        fate: list[Outcome] = []
        try:
            self.submit(command, actor, fate.append, secrets=secrets, gives_free=gives_free)
        except Busy as busy:
            return NotDone(str(busy))
        self.step()
        return fate[0]

    def probe(self) -> None:
        """Try to leave ``read_only``, as the thread does once a second."""
        self.writer.probe()
        self._show(self.writer)


class Exchange:
    """One life of the process."""

    def __init__(self, disk: Disk, settings: Settings, clocks: Clocks, vault: AesVault) -> None:
        self.alarms: list[str] = []
        self.disk = disk
        self.clocks = clocks
        self._vault = vault
        clocks.anchor()
        self.loop = Turns()
        self.store: FaultyStore = disk.open()
        self.reader = self.store.reader()
        check_master_key(self.reader.master_key_check(), vault)
        self.board = Board()
        self.engine = SteppedEngine(self._writer, alarm=self._alarm)
        self.parts = self._parts(settings, vault)
        self.engine.recover()
        self.parts.ring.note(self.parts.reader.head().number)
        loop: Any = self.loop
        self._app = wire_app(self.parts, Commits(loop), Moment(loop, self.parts.reader))

    def _writer(self) -> Writer:
        return Writer(
            self.store, self.clocks.wall, alarm=self._alarm, committed=self._committed, depths=self.board.publish
        )

    def _parts(self, settings: Settings, vault: AesVault) -> Parts:
        clocks, reader = self.clocks, self.reader
        pacer = Pacer(settings.limits)
        pacer.restore(bans.restore_list(reader), clocks.steady())
        return Parts(
            settings=settings,
            clock=clocks.wall,
            pace_clock=clocks.steady,
            engine=self.engine,
            readers=Readers(self.store.reader),
            board=self.board,
            reader=reader,
            ring=KeyRing(reader, vault, lambda key: self._alarm(f"a key of account {key.account} is shut", None)),
            keys=Keys(self.engine, vault, clocks.wall),
            pacer=pacer,
            metrics=Metrics(),
            alarm=self._alarm,
        )

    def _alarm(self, words: str, fault: BaseException | None) -> None:
        self.alarms.append(words if fault is None else f"{words}: {fault!r}")

    def _committed(self, commit: Commit) -> None:
        if not KEY_COMMANDS.isdisjoint(commit.commands):
            self.parts.ring.note(commit.batch.number)

    def instant(self) -> Instant:
        """Return what both clocks say."""
        return Instant(self.clocks.wall(), self.clocks.steady())

    # --- being asked ------------------------------------------------------------------------------------------------

    def batch(self, deeds: Sequence[Deed], calls: Sequence[Call]) -> tuple[list[Outcome | None], list[Reply | None]]:
        """Let all of this arrive in one turn; return what became of each."""
        outcomes: list[Outcome | None] = [None] * len(deeds)
        replies: list[Reply | None] = [None] * len(calls)
        asyncio._set_running_loop(self.loop)  # type: ignore[arg-type]  # noqa: SLF001  (how a loop of one's own begins)
        try:
            for at, deed in enumerate(deeds):
                self._submit(deed, outcomes, at)
            for at, call in enumerate(calls):
                self.loop.start(self._carried(call, replies, at))
            self.loop.run()
            self.engine.step()
            self.loop.run()
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001
        return outcomes, replies

    def _submit(self, deed: Deed, outcomes: list[Outcome | None], at: int) -> None:
        def answer(outcome: Outcome) -> None:
            outcomes[at] = outcome

        if deed.kind in {"make_key", "revoke_key"}:
            self._submit_key(deed, answer)
        else:
            self._queue(command_of(deed), actor_of(deed), (), answer)

    def _queue(
        self, command: c.Command, actor: Actor, secrets: tuple[SealedSecret, ...], answer: Callable[[Outcome], None]
    ) -> None:
        submission = Submission(command, actor, secrets, answer)
        self.engine.submit_all([(submission, True)], lambda one, busy: one.answer(NotDone(str(busy))))

    def _submit_key(self, deed: Deed, answer: Callable[[Outcome], None]) -> None:
        """Make or revoke a key by the use case that seals its secret, yet without waiting for its batch."""
        args, actor = dict(deed.args), actor_of(deed)
        later = _Later(self._queue, answer)
        keys = Keys(later, self._vault, self.clocks.wall)  # type: ignore[arg-type]  # (`execute` is all it asks of one)
        if deed.kind == "revoke_key":
            said = keys.revoke(actor, args["account"], args["api_key"], self.reader)
        else:
            allow = args.pop("allow")
            args["allow"] = (allow,) if allow else ()
            said, _ = keys.make(actor, args.pop("account"), args.pop("permissions"), **args)
        if said is not WAITS:
            answer(said)

    async def _carried(self, call: Call, replies: list[Reply | None], at: int) -> None:
        scope, body = request(call)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        replies[at] = reply(*sent)

    def lift_ban(self, deed: Deed) -> Outcome:
        """Lift a ban as the Admin API does: in the books, and then in the limiter's memory."""
        outcome = self.engine.execute(command_of(deed), actor_of(deed))
        subject = bans.subject_of(deed.args["subject"])
        if subject is not None and isinstance(outcome, Done):
            self.parts.pacer.lift(subject, self.clocks.steady())
        return outcome

    def end(self) -> None:
        """Close what this life had open. After a kill the disk has copied the files by then."""
        self.parts.readers.close()
        self.reader.close()
        self.store.close()


WAITS = NotDone("its batch is still to come")


class _Later:
    """What stands for the engine where a use case would wait: the command is queued, its outcome comes later."""

    def __init__(self, queue: Callable[..., None], answer: Callable[[Outcome], None]) -> None:
        self._queue = queue
        self._answer = answer

    def execute(
        self, command: c.Command, actor: Actor, *, secrets: tuple[SealedSecret, ...] = (), gives_free: bool = False
    ) -> Outcome:
        """Queue a command."""
        self._queue(command, actor, secrets, self._answer)
        return WAITS


def actor_of(deed: Deed) -> Actor:
    """Return who acts."""
    if deed.actor is None:
        return House("limiter") if deed.kind == "record_ban" else HOUSE
    token, role = deed.actor
    return Operator(token, role)  # type: ignore[arg-type]  # (a role is drawn from the three)


def command_of(deed: Deed) -> c.Command:
    """Return the command that a deed is."""
    return _COMMANDS[deed.kind](**deed.args)


_COMMANDS: dict[str, Callable[..., c.Command]] = {
    "found": c.FoundBooks,
    "freeze": lambda account, frozen: c.FreezeAccount(account, frozen, REASON),
    "make_token": lambda name, roles: c.MakeToken(name, "0" * 64, roles),
    "halt": lambda: c.Halt(REASON),
    "stop": lambda: c.StopWriter(REASON),
    "resume": lambda: c.Resume(REASON),
    "make_asset": c.MakeAsset,
    "make_market": c.MakeMarket,
    "change_market": c.ChangeMarket,
    "open_account": c.OpenAccount,
    "open_wealth": c.OpenWealth,
    "deposit": c.Deposit,
    "revoke_token": c.RevokeToken,
    "lift_ban": c.LiftBan,
}
