"""The writer: decides commands in order, commits them as one batch, and says what became of each.

This is the whole path of a change, in one thread and without a queue, so that a test can run it from a seed. The queue
and the thread are in `engine.py`.

Nothing of an open batch is seen outside before its commit is settled: `carry_out` returns when the fate of the batch
is known, and only then are its answers given.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Literal, NamedTuple

from spotbook.app import journal, projection
from spotbook.app.books import Books
from spotbook.app.journal import Transaction
from spotbook.app.ports import (
    Changes,
    Clock,
    Deposed,
    DiskBroken,
    DiskFull,
    FateUnknown,
    Head,
    NotCommitted,
    SealedSecret,
    Store,
    StoredBatch,
    StoreError,
)
from spotbook.domain.apply import apply
from spotbook.domain.book import Depth
from spotbook.domain.commands import Command, StopWriter
from spotbook.domain.credentials import Actor, House, written
from spotbook.domain.decide import decide
from spotbook.domain.errors import InvariantBroken, Refusal, WriterStopped
from spotbook.domain.events import Event
from spotbook.limits import BATCH_COMMANDS_MAX, BATCH_EVENTS_MAX, REASON_CHARACTERS_MAX


class Submission(NamedTuple):
    """A command for the writer: who asks, the secrets to store if it is admitted, and who gets the answer."""

    command: Command
    actor: Actor
    secrets: tuple[SealedSecret, ...]
    answer: Callable[["Outcome"], None]


class Done(NamedTuple):
    """The command was carried out and is on disk. `fresh` is False when it had been carried out before."""

    result: Any
    fresh: bool
    batch: int
    batch_time: int


class Refused(NamedTuple):
    """The command was refused and changed nothing."""

    refusal: Refusal
    batch: int
    batch_time: int


class NotDone(NamedTuple):
    """The command was certainly not carried out; it may be sent again. `why` is for the operator's log."""

    why: str


class Unknown(NamedTuple):
    """Whether the command was carried out could not be told."""

    why: str


Outcome = Done | Refused | NotDone | Unknown


class Admitted(NamedTuple):
    """What a command that was not refused is answered with once its batch is on disk; see `Done`.

    Its events are not kept with it: the batch has them as bytes and rows, and what is given back at once is used again
    at once, while the processor has it at hand.
    """

    result: Any
    fresh: bool


Fate = Admitted | Refusal | NotDone
"""What was decided of a command, before the fate of its batch is known."""
Condition = Literal["sound", "read_only", "broken"]


class Commit(NamedTuple):
    """A batch that has just been committed, for whoever watches, and the names of the commands in it."""

    batch: StoredBatch
    commands: Sequence[str]


class OpenBatch:
    """What the commands of a batch have come to so far: their names, their events as bytes and rows, their secrets.

    Each is taken as soon as it was applied, while the processor still has at hand what it is made of.
    """

    def __init__(self, previous: Head, time: int) -> None:
        self.time = time
        self.commands: list[str] = []
        self.secrets: list[SealedSecret] = []
        self.events_count = 0
        self._previous = previous
        self._parts: list[bytes] = []
        self._fold = projection.Fold(previous.number + 1)

    def take(self, submission: Submission, events: list[Event]) -> None:
        """Take what a command was decided to come to; InvariantBroken when it cannot be written down."""
        transaction = Transaction(written(submission.actor), type(submission.command).__name__, events)
        try:
            self._parts.append(journal.part_of(transaction))
            self._fold.take(transaction)
        except Exception as fault:
            raise InvariantBroken(f"a batch could not be drawn up: {fault}") from fault
        self.commands.append(transaction.command)
        self.events_count += len(events)
        self.secrets += submission.secrets

    def close(self) -> tuple[StoredBatch, Changes]:
        """Return the batch that follows, and what it makes of the tables; InvariantBroken when there can be none."""
        try:
            batch = journal.chained(self._previous, self.time, journal.body_with(self.time, self._parts))
            return batch, self._fold.changes()
        except Exception as fault:
            raise InvariantBroken(f"a batch could not be drawn up: {fault}") from fault


class Writer:
    """Decides and commits. `condition` says whether it can: ``read_only`` may pass, ``broken`` ends the process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        alarm: Callable[[str, BaseException | None], None],
        committed: Callable[[Commit], None] = lambda _: None,
        depths: Callable[[Mapping[str, Depth]], None] = lambda _: None,
    ) -> None:
        """Recover: read the head, the small tables and the open orders.

        `alarm` gets what an operator must see, `committed` every batch before its answers leave. `depths` gets all
        books at once and then, just before `committed`, those that a batch changed, by their market's symbol.
        """
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._committed = committed
        self._depths = depths
        self.head = store.head()
        self.books = Books(store)
        self.condition: Condition = "sound"
        depths(self.books.depths())

    def carry_out(self, pending: deque[Submission]) -> list[tuple[Submission, Outcome]]:
        """Take one batch from the left of `pending`; return what became of each command taken."""
        taken: list[Submission] = []
        try:
            self._store.begin()
            return self._carry_out(pending, taken)
        except Exception as fault:  # noqa: BLE001  (whatever it is, nobody may be left waiting)
            unknown = self._break(f"a batch failed: {fault}", fault)
            return [(submission, unknown) for submission in taken]
        finally:
            self._store.end()

    def _carry_out(self, pending: deque[Submission], taken: list[Submission]) -> list[tuple[Submission, Outcome]]:
        now = max(self._clock(), self.head.time)  # the journal's time never runs backwards
        batch = OpenBatch(self.head, now)
        decided: list[tuple[Submission, Fate]] = []
        self._look_ahead(pending)
        try:
            while pending and len(decided) < BATCH_COMMANDS_MAX and batch.events_count < BATCH_EVENTS_MAX:
                submission = pending.popleft()
                taken.append(submission)
                decided.append((submission, self._decide(submission, batch)))
            return self._commit(batch, decided)
        except InvariantBroken as broken:
            return self._stop(taken, str(broken), broken)

    def _look_ahead(self, pending: deque[Submission]) -> None:
        """Let the books read in one go what the commands will ask for. If it fails, each asks by itself."""
        with suppress(Exception):
            # Others put commands behind these meanwhile; the copy is made in one step of the interpreter.
            self.books.expect([submission.command for submission in list(islice(pending, BATCH_COMMANDS_MAX))])

    def _decide(self, submission: Submission, batch: "OpenBatch") -> Fate:
        """Decide one command, apply it and let the batch take it. Only InvariantBroken leaves this place."""
        state = self.books.state
        try:
            decision = decide(state, submission.command, submission.actor, batch.time)
        except Refusal as refusal:
            return refusal
        except InvariantBroken:
            raise
        except Exception as fault:  # noqa: BLE001  (a fault in one decision must not touch its neighbours)
            self._alarm(f"deciding {type(submission.command).__name__} failed", fault)
            return NotDone("an internal fault; nothing was changed")
        if decision.events:
            try:
                apply(state, decision.events)
            except Exception as fault:
                raise InvariantBroken(f"applying {type(submission.command).__name__} failed: {fault}") from fault
            batch.take(submission, decision.events)
        return Admitted(decision.result, decision.fresh)

    def _commit(
        self, open_batch: "OpenBatch", decided: list[tuple[Submission, Fate]]
    ) -> list[tuple[Submission, Outcome]]:
        if open_batch.commands:
            batch, changes = open_batch.close()
            failure = self._write(batch, changes, open_batch.secrets)
            if failure is not None:
                self.books.forget()
                return [(submission, failure) for submission, _ in decided]
            self.head = Head(batch.number, batch.time, batch.hash)
            self._tell(Commit(batch, open_batch.commands))
        self.books.keep()  # also when nothing changed: what was read for refusals and repeats must not pile up
        number, time = self.head.number, self.head.time
        return [(submission, _outcome(fate, number, time)) for submission, fate in decided]

    def _tell(self, commit: Commit) -> None:
        try:
            changed = self.books.depths()
            if changed:
                self._depths(changed)
            self._committed(commit)
        except Exception as fault:  # noqa: BLE001  (the batch is on disk, whatever those who watch make of it)
            self._alarm("a committed batch could not be shown to those who watch", fault)

    def _write(self, batch: StoredBatch, changes: Changes, secrets: list[SealedSecret]) -> NotDone | Unknown | None:
        """Commit and settle: None when the batch is there, else what to tell everyone in it."""
        try:
            self._store.commit(batch, changes, secrets)
        except DiskFull as full:
            self._alarm("the disk takes no more: the books can only be read", full)
            self.condition = "read_only"
            return NotDone("the disk is full")
        except NotCommitted as failed:
            self._alarm("a batch was not committed", failed)
            return NotDone("the batch was not committed")
        except FateUnknown as failed:
            return self._settle(batch, failed)
        except (DiskBroken, Deposed) as failed:
            return self._break(str(failed), failed)
        except Exception as fault:  # noqa: BLE001  (a store that fails in a way it never said)
            return self._settle(batch, fault)
        return None

    def _settle(self, batch: StoredBatch, failed: Exception) -> NotDone | Unknown | None:
        """Learn from the chain's head whether the batch is there."""
        self._alarm("a commit failed; its fate is read from the journal's head", failed)
        try:
            head = self._store.head()
        except StoreError as unreadable:
            return self._break("the journal's head cannot be read", unreadable)
        if head == Head(batch.number, batch.time, batch.hash):
            return None
        if head == self.head:
            return NotDone("the batch was not committed")
        return self._break("the journal's head is another writer's", failed)

    def _break(self, why: str, cause: BaseException) -> Unknown:
        self.condition = "broken"
        self._alarm(f"the writer ends: {why}", cause)
        return Unknown(why)

    def _stop(self, taken: Sequence[Submission], why: str, cause: BaseException) -> list[tuple[Submission, Outcome]]:
        """An invariant broke: undo the batch, remember the stop in the journal, and carry nothing out any more."""
        self._alarm("an invariant broke: the writer stops", cause)
        self.books.forget()
        words = "".join(character if character.isprintable() else " " for character in why).strip()
        reason = words[:REASON_CHARACTERS_MAX].strip() or "an invariant broke"
        stop = Submission(StopWriter(reason), House("writer"), (), lambda _: None)
        batch = OpenBatch(self.head, max(self._clock(), self.head.time))
        try:
            fate = self._decide(stop, batch)
        except InvariantBroken as again:
            self._break("the stop itself could not be decided", again)
        else:
            [(_, outcome)] = self._commit(batch, [(stop, fate)])
            # A stop that stands already is refused. One that is not on disk would be forgotten: better end.
            stands = isinstance(outcome, Refused) and isinstance(outcome.refusal, WriterStopped)
            if not stands and not isinstance(outcome, Done):
                self._break("the stop could not be stored", cause)
        return [(submission, NotDone("the writer is stopped")) for submission in taken]

    def probe(self) -> bool:
        """Try to leave ``read_only``; return whether batches can be committed."""
        if self.condition == "read_only":
            try:
                self._store.probe()
            except (DiskFull, FateUnknown):  # full still, or somebody else holds the file for a moment
                return False
            except StoreError as failed:
                self._break(str(failed), failed)
                return False
            self.condition = "sound"
        return self.condition == "sound"

    def tidy(self) -> None:
        """Between batches: let the store keep itself quick. A disk that breaks here breaks the writer."""
        try:
            self._store.tidy()
        except DiskFull as full:
            # The log has no place to go back to. What is committed is safe in it, and reads go on.
            self._alarm("the disk takes no more: the books can only be read", full)
            self.condition = "read_only"
        except StoreError as failed:
            self._break(str(failed), failed)


def _outcome(fate: Fate, batch: int, time: int) -> Outcome:
    """Return what to tell of a command whose batch is settled; `batch` is the one from which on it is true."""
    if isinstance(fate, Admitted):
        return Done(fate.result, fate.fresh, batch, time)
    if isinstance(fate, Refusal):
        return Refused(fate, batch, time)
    return fate
