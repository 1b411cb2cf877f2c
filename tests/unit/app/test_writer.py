"""The writer: one batch, one transaction, and what becomes of each command in it."""

from collections import deque

import pytest

from spotbook.app import journal
from spotbook.app import writer as writer_module
from spotbook.app.ports import Deposed, DiskBroken, DiskFull, FateUnknown, SealedSecret
from spotbook.app.writer import Done, NotDone, Outcome, Refused, Submission, Writer
from spotbook.domain import decide as decide_module
from spotbook.domain import errors
from spotbook.domain.apply import APPLICATIONS
from spotbook.domain.commands import Deposit, Halt, OpenAccount, Resume, RevokeToken
from spotbook.domain.credentials import Operator
from spotbook.domain.events import DepositMade
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.checks import check_books, tables_of
from support.clock import NOW, StandingClock
from support.commands import HOUSE, deposit, make_token
from support.stores import FaultyStore, Odd
from support.writers import Desk, kinds, submission


class Books:
    """Founded books in memory, and a desk over them whose store fails as told."""

    def __init__(self) -> None:
        self.disk = MemoryBooks()
        self.store = FaultyStore(MemoryStore(self.disk))
        self.desk = Desk(self.store)
        self.desk.found()
        self.store.commits.clear()
        self.desk.alarms.clear()

    def reopened(self) -> Desk:
        """Return a desk over a store that was opened anew, as after a restart."""
        self.store.close()
        return Desk(MemoryStore(self.disk))

    def deposits(self) -> set[str]:
        return {str(row[4]) for row in self.disk.tables["deposit"].values()}


@pytest.fixture
def books() -> Books:
    return Books()


# --- what is decided ----------------------------------------------------------------------------


def test_what_is_carried_out_is_on_disk_with_its_batch(books: Books) -> None:
    outcome = books.desk.do(deposit("a"))
    assert isinstance(outcome, Done)
    assert (outcome.fresh, outcome.batch, outcome.batch_time) == (True, 2, NOW)
    assert isinstance(outcome.result, DepositMade)
    assert books.deposits() == {"a"}


def test_many_commands_are_one_batch(books: Books) -> None:
    outcomes = books.desk.batch(*[deposit(f"{number}") for number in range(100)])
    assert {outcome.batch for outcome in outcomes if isinstance(outcome, Done)} == {2}
    assert len(books.store.commits) == 1


def test_a_command_sees_what_was_decided_before_it_in_the_batch(books: Books) -> None:
    first, again, differs = books.desk.batch(deposit("a", "1"), deposit("a", "1"), deposit("a", "2"))
    assert isinstance(first, Done)
    assert again == first._replace(fresh=False)
    assert isinstance(differs, Refused)


def test_a_refusal_says_why_and_up_to_which_batch_it_holds(books: Books) -> None:
    outcome = books.desk.do(deposit(account=9))
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.refusal, errors.UnknownAccount)
    assert (outcome.batch, outcome.batch_time) == (1, NOW)


def test_a_refusal_is_told_with_the_batch_of_its_neighbours(books: Books) -> None:
    outcomes = books.desk.batch(deposit("a"), deposit(account=9))
    assert [outcome.batch for outcome in outcomes if isinstance(outcome, Done | Refused)] == [2, 2]


def test_a_refused_command_writes_nothing(books: Books) -> None:
    before = books.disk.head, tables_of(books.store.reader())
    books.desk.do(deposit(account=9))
    assert (books.disk.head, tables_of(books.store.reader())) == before
    assert books.store.commits == []


def test_a_repeat_writes_nothing(books: Books) -> None:
    books.desk.do(deposit("a"))
    books.store.commits.clear()
    outcome = books.desk.do(deposit("a"))
    assert isinstance(outcome, Done)
    assert not outcome.fresh
    assert books.store.commits == []


def test_a_refused_command_touches_no_neighbour(books: Books) -> None:
    outcomes = books.desk.batch(deposit("a"), deposit("b", "1e5"), deposit("c"), deposit(account=9), deposit("d"))
    assert kinds(outcomes) == ["Done", "Refused", "Done", "Refused", "Done"]
    assert books.deposits() == {"a", "c", "d"}
    check_books(books.store.reader())


def test_who_may_not_is_refused_by_the_writer_itself(books: Books) -> None:
    """The token is revoked in the same batch, after the listener let the second deposit in."""
    books.desk.do(make_token())
    operator = Operator("ops", "money")
    pending = deque(
        [
            submission(deposit("a"), operator),
            submission(RevokeToken("ops")),
            submission(deposit("b"), operator),
        ]
    )
    outcomes = [outcome for _, outcome in books.desk.writer.carry_out(pending)]
    assert kinds(outcomes) == ["Done", "Done", "Refused"]
    assert books.deposits() == {"a"}


def test_the_journal_names_who_and_which_command(books: Books) -> None:
    books.desk.do(make_token())
    books.desk.do(deposit("a"), Operator("ops", "money"))
    _, [transaction] = journal.read(books.desk.shown[-1].batch.body)
    assert (transaction.by, transaction.command) == ("token:ops", "Deposit")
    assert books.desk.shown[-1].commands == ["Deposit"]


def test_secrets_are_stored_with_what_is_carried_out_and_not_with_what_is_not(books: Books) -> None:
    kept, lost, repeated = (SealedSecret(name, b"sealed") for name in ("kept", "lost", "repeated"))
    pending = deque(
        [
            Submission(deposit("a"), HOUSE, (kept,), lambda _: None),
            Submission(deposit(account=9), HOUSE, (lost,), lambda _: None),
            Submission(deposit("a"), HOUSE, (repeated,), lambda _: None),
        ]
    )
    books.desk.writer.carry_out(pending)
    assert set(books.disk.secrets) == {"kept"}


def test_a_batch_has_at_most_2048_commands(books: Books) -> None:
    pending = deque(submission(deposit(account=9)) for _ in range(2_500))
    assert len(books.desk.writer.carry_out(pending)) == 2_048
    assert len(pending) == 452


def test_a_batch_has_a_bound_of_events(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BATCH_EVENTS_MAX", 7)  # a deposit is three events
    pending = deque(submission(deposit(f"{number}")) for number in range(10))
    assert len(books.desk.writer.carry_out(pending)) == 3
    assert len(pending) == 7


# --- time ---------------------------------------------------------------------------------------


def test_the_journals_time_never_runs_backwards(books: Books) -> None:
    books.desk.clock.now = NOW - 60_000
    outcome = books.desk.do(deposit("a"))
    assert isinstance(outcome, Done)
    assert (outcome.batch_time, outcome.result.made_at) == (NOW, NOW)
    check_books(books.store.reader())


def test_nor_does_it_after_a_restart(books: Books) -> None:
    books.store.close()
    desk = Desk(MemoryStore(books.disk), StandingClock(NOW - 60_000))
    outcome = desk.do(deposit("a"))
    assert isinstance(outcome, Done)
    assert outcome.batch_time == NOW


# --- faults of one command ----------------------------------------------------------------------


def break_deciding(monkeypatch: pytest.MonkeyPatch, txid: str, fault: Exception) -> None:
    """Make the decision of the deposit `txid` raise."""
    decision = decide_module.DECISIONS[Deposit]

    def broken(state: object, command: Deposit, now: int) -> object:
        if command.txid == txid:
            raise fault
        return decision(state, command, now)  # type: ignore[arg-type]

    monkeypatch.setitem(decide_module.DECISIONS, Deposit, broken)


def break_applying(monkeypatch: pytest.MonkeyPatch, txid: str) -> None:
    """Make the deposit `txid` fail halfway through being applied, after its entries."""
    application = APPLICATIONS[DepositMade]

    def broken(state: object, event: DepositMade) -> None:
        if event.txid == txid:
            raise KeyError(txid)
        application(state, event)  # type: ignore[arg-type]

    monkeypatch.setitem(APPLICATIONS, DepositMade, broken)


def test_an_internal_fault_is_the_fate_of_that_command_only(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    break_deciding(monkeypatch, "bad", ZeroDivisionError())
    outcomes = books.desk.batch(deposit("a"), deposit("bad"), deposit("b"))
    assert kinds(outcomes) == ["Done", "NotDone", "Done"]
    assert books.deposits() == {"a", "b"}
    assert books.desk.alarms == ["deciding Deposit failed"]
    assert books.desk.writer.condition == "sound"


def test_a_row_that_cannot_be_read_is_such_a_fault(books: Books) -> None:
    books.store.read_fault = Odd("bad sector")
    assert kinds([books.desk.do(deposit("a"))]) == ["NotDone"]
    books.store.read_fault = None
    assert kinds([books.desk.do(deposit("a"))]) == ["Done"]


def test_a_broken_invariant_while_deciding_stops_the_writer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    break_deciding(monkeypatch, "bad", errors.InvariantBroken("does not add up"))
    outcomes = books.desk.batch(deposit("a"), deposit("bad"))
    assert kinds(outcomes) == ["NotDone", "NotDone"]
    assert stopped(books.desk) == "does not add up"


def test_a_fault_while_applying_rolls_the_whole_batch_back(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    break_applying(monkeypatch, "bad")
    outcomes = books.desk.batch(deposit("a"), deposit("bad"))
    assert kinds(outcomes) == ["NotDone", "NotDone"]
    assert books.deposits() == set()
    check_books(books.store.reader())


def test_what_comes_after_the_fault_is_told_by_the_next_batch(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    break_applying(monkeypatch, "bad")
    pending = deque(submission(deposit(txid)) for txid in ("a", "bad", "later"))
    assert len(books.desk.writer.carry_out(pending)) == 2
    assert kinds([outcome for _, outcome in books.desk.writer.carry_out(pending)]) == ["Refused"]


def stopped(desk: Desk) -> str:
    """Return why the desk's writer is stopped."""
    outcome = desk.do(deposit("another"))
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.refusal, errors.WriterStopped)
    return outcome.refusal.reason


def stop(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        break_applying(patch, "bad")
        books.desk.do(deposit("bad"))


def test_a_stop_is_stored(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(books, monkeypatch)
    standing = books.disk.tables["standing"][(1,)]
    assert standing == (1, "stopped", "applying Deposit failed: 'bad'", NOW)
    assert books.desk.alarms == ["an invariant broke: the writer stops"]


def test_a_stop_survives_a_restart(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(books, monkeypatch)
    assert stopped(books.reopened()) == "applying Deposit failed: 'bad'"


def test_the_operator_resumes_a_stopped_writer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(books, monkeypatch)
    desk = books.reopened()
    assert kinds([desk.do(Resume("fixed")), desk.do(deposit("a"))]) == ["Done", "Done"]
    assert kinds([books.reopened().do(deposit("b"))]) == ["Done"]
    check_books(books.store.reader())


def test_a_halt_survives_a_restart_and_admits_deposits(books: Books) -> None:
    books.desk.do(Halt("audit"))
    desk = books.reopened()
    assert kinds([desk.do(deposit("a"))]) == ["Done"]
    assert books.disk.tables["standing"][(1,)][1] == "halted"


def test_a_resume_that_fails_leaves_the_writer_stopped(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(books, monkeypatch)
    batches = len(books.disk.batches)
    break_deciding_resume(monkeypatch)
    assert kinds([books.desk.do(Resume("fixed"))]) == ["NotDone"]
    assert books.desk.writer.condition == "sound"
    assert len(books.disk.batches) == batches  # the stop stands already: nothing to write
    monkeypatch.undo()
    assert stopped(books.desk)


def break_deciding_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise errors.InvariantBroken("again")

    monkeypatch.setitem(decide_module.DECISIONS, Resume, broken)


@pytest.mark.parametrize("words", ["", "two\nlines\x00", "x" * 500, "é" * 300, " " * 199 + "x", "x" * 199 + " y"])
def test_a_stop_is_stored_whatever_the_fault_says(books: Books, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    with monkeypatch.context() as patch:
        break_deciding(patch, "bad", errors.InvariantBroken(words))
        books.desk.do(deposit("bad"))
    assert stopped(books.desk)
    assert books.disk.tables["standing"][(1,)][1] == "stopped"


@pytest.mark.parametrize("fault", ["not committed", "disk full", "disk broken", "unknown, batch not there"])
def test_a_stop_that_cannot_be_stored_ends_the_writer(
    books: Books, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Forgotten, it would let the writer go on with books that contradict themselves."""
    books.store.faults.append(fault)  # type: ignore[arg-type]
    break_applying(monkeypatch, "bad")
    assert kinds([books.desk.do(deposit("bad"))]) == ["NotDone"]
    assert books.desk.writer.condition == "broken"


def test_a_stop_that_cannot_be_decided_ends_the_writer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from spotbook.domain.commands import StopWriter

    def broken(*_: object) -> None:
        raise errors.InvariantBroken("again")

    monkeypatch.setitem(decide_module.DECISIONS, StopWriter, broken)
    break_applying(monkeypatch, "bad")
    assert kinds([books.desk.do(deposit("bad"))]) == ["NotDone"]
    assert books.desk.writer.condition == "broken"


def test_a_batch_that_cannot_be_drawn_up_stops_the_writer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    chained = journal.chained
    faults = deque([ValueError("no bytes")])

    def once(*given: object) -> object:
        if faults:
            raise faults.popleft()
        return chained(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "chained", once)
    assert kinds(books.desk.batch(deposit("a"), deposit(account=9))) == ["NotDone", "NotDone"]
    assert stopped(books.desk) == "a batch could not be drawn up: no bytes"


def test_whatever_fails_nobody_is_left_without_an_answer(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(journal, "chained", broken)  # not even the stop can be drawn up
    assert kinds(books.desk.batch(deposit("a"), deposit(account=9))) == ["Unknown", "Unknown"]
    assert books.desk.writer.condition == "broken"


def test_a_store_that_cannot_be_read_after_a_failed_commit_leaves_nobody_waiting(books: Books) -> None:
    books.store.faults.append("not committed")
    books.store.on_commit = lambda: setattr(books.store, "read_fault", Odd("bad sector"))
    assert kinds(books.desk.batch(deposit("a"), deposit("b"))) == ["Unknown", "Unknown"]
    assert books.desk.writer.condition == "broken"


def test_who_watches_cannot_undo_a_batch() -> None:
    disk = MemoryBooks()
    alarms: list[str] = []

    def watch(_: object) -> None:
        raise Odd("the watcher failed")

    writer = Writer(MemoryStore(disk), StandingClock(), alarm=lambda words, _: alarms.append(words), committed=watch)
    answers = writer.carry_out(deque([submission(OpenAccount("user"))]))
    assert kinds([outcome for _, outcome in answers]) == ["Done"]
    assert alarms == ["a committed batch could not be shown to those who watch"]
    assert disk.head.number == writer.head.number == 1


def test_who_watches_is_shown_each_batch_after_it_is_on_disk(books: Books) -> None:
    seen: list[int] = []
    books.desk.writer._committed = lambda commit: seen.append(commit.batch.number - books.disk.head.number)
    books.desk.do(deposit("a"))
    books.desk.do(deposit(account=9))
    assert seen == [0]


# --- commits that fail --------------------------------------------------------------------------


def failing(books: Books, fault: str) -> list[Outcome]:
    """Carry out a batch, refusal included, whose commit meets the fault."""
    books.store.faults.append(fault)  # type: ignore[arg-type]
    return books.desk.batch(deposit("a"), deposit(account=9), deposit("b"))


@pytest.mark.parametrize("fault", ["not committed", "unknown, batch not there", "unheard of, batch not there"])
def test_a_batch_that_is_not_there_was_not_done(books: Books, fault: str) -> None:
    assert failing(books, fault) == [NotDone("the batch was not committed")] * 3
    assert books.deposits() == set()


@pytest.mark.parametrize("fault", ["not committed", "unknown, batch not there", "unheard of, batch not there"])
def test_the_writer_goes_on_after_it_as_if_it_had_not_been(books: Books, fault: str) -> None:
    failing(books, fault)
    outcome = books.desk.do(deposit("a"))
    assert isinstance(outcome, Done)
    assert (outcome.fresh, outcome.batch, outcome.result.id, outcome.result.version) == (True, 2, 1, 1)
    check_books(books.store.reader())


@pytest.mark.parametrize("fault", ["unknown, batch there", "unheard of, batch there"])
def test_a_batch_that_is_there_is_answered_as_decided(books: Books, fault: str) -> None:
    assert kinds(failing(books, fault)) == ["Done", "Refused", "Done"]
    assert books.deposits() == {"a", "b"}
    assert books.desk.shown[-1].batch.number == 2


@pytest.mark.parametrize("fault", ["unknown, batch there", "unheard of, batch there"])
def test_the_writer_goes_on_after_it(books: Books, fault: str) -> None:
    failing(books, fault)
    assert books.desk.writer.condition == "sound"
    outcome = books.desk.do(deposit("c"))
    assert isinstance(outcome, Done)
    assert (outcome.batch, outcome.result.id) == (3, 3)
    check_books(books.store.reader())


@pytest.mark.parametrize("fault", ["disk broken", "disk broken, batch there", "deposed"])
def test_a_broken_disk_and_another_writer_leave_the_outcome_unknown(books: Books, fault: str) -> None:
    assert kinds(failing(books, fault)) == ["Unknown"] * 3
    assert books.desk.writer.condition == "broken"


@pytest.mark.parametrize("fault", [FateUnknown("busy"), DiskBroken("bad sector")])
def test_an_unreadable_head_leaves_the_outcome_unknown(books: Books, fault: Exception) -> None:
    books.store.head_fault = fault
    assert kinds(failing(books, "unknown, batch there")) == ["Unknown"] * 3
    assert books.desk.writer.condition == "broken"


def test_the_head_of_another_writer_leaves_the_outcome_unknown(books: Books) -> None:
    books.store.on_commit = lambda: setattr(books.disk, "head", books.disk.head._replace(number=7))
    assert kinds(failing(books, "unknown, batch not there")) == ["Unknown"] * 3
    assert books.desk.writer.condition == "broken"


@pytest.mark.parametrize("fault", ["not committed", "unknown, batch not there", "disk full", "disk broken"])
def test_each_failure_is_an_alarm(books: Books, fault: str) -> None:
    failing(books, fault)
    assert books.desk.alarms


# --- a full disk --------------------------------------------------------------------------------


def test_a_full_disk_makes_the_books_read_only(books: Books) -> None:
    assert failing(books, "disk full") == [NotDone("the disk is full")] * 3
    assert books.desk.writer.condition == "read_only"
    assert books.deposits() == set()


def test_a_probe_that_finds_no_room_leaves_them_so(books: Books) -> None:
    books.store.full = True
    failing(books, "disk full")
    assert not books.desk.writer.probe()
    assert books.desk.writer.condition == "read_only"


def test_a_probe_that_finds_room_makes_them_sound_again(books: Books) -> None:
    failing(books, "disk full")
    assert books.desk.writer.probe()
    assert books.desk.writer.condition == "sound"
    assert kinds([books.desk.do(deposit("a"))]) == ["Done"]
    check_books(books.store.reader())


@pytest.mark.parametrize("fault", [DiskBroken("bad sector"), Deposed("another")])
def test_a_probe_that_finds_worse_ends_the_writer(books: Books, fault: Exception) -> None:
    failing(books, "disk full")
    books.store.probe_fault = fault
    assert not books.desk.writer.probe()
    assert books.desk.writer.condition == "broken"


def test_a_sound_writer_does_not_probe(books: Books) -> None:
    books.store.probe_fault = DiskBroken("never asked")
    assert books.desk.writer.probe()


def test_a_disk_that_breaks_between_batches_ends_the_writer(books: Books) -> None:
    books.desk.writer.tidy()
    books.store.tidy_fault = DiskBroken("bad sector")
    books.desk.writer.tidy()
    assert books.desk.writer.condition == "broken"


def test_a_disk_that_fills_while_the_log_is_copied_back_leaves_the_books_readable(books: Books) -> None:
    books.store.tidy_fault = DiskFull("no room")
    books.desk.writer.tidy()
    assert books.desk.writer.condition == "read_only"
    books.store.tidy_fault = None
    assert books.desk.writer.probe()


def test_a_probe_that_meets_a_lock_is_no_end(books: Books) -> None:
    failing(books, "disk full")
    books.store.probe_fault = FateUnknown("locked")
    assert not books.desk.writer.probe()
    assert books.desk.writer.condition == "read_only"
