"""Halts, the writer's stop, and bans."""

import pytest

from spotbook.domain.commands import Halt, LiftBan, RecordBan, Resume, StopWriter
from spotbook.domain.errors import Invalid, WriterStopped
from spotbook.domain.events import BanBegun, BanLifted, StandingChanged
from spotbook.domain.state import Standing
from support.books import Bench, bench
from support.clock import NOW
from support.commands import deposit

HALT, STOP, RESUME = Halt("audit"), StopWriter("broke"), Resume("checked")


@pytest.fixture
def books() -> Bench:
    return bench()


def standing(books: Bench) -> str:
    found = books.state.standing.get("")
    return found.standing if found else "running"


@pytest.mark.parametrize(
    ("commands", "after"),
    [
        ([HALT], "halted"),
        ([STOP], "stopped"),
        ([HALT, STOP], "stopped"),
        ([HALT, RESUME], "running"),
        ([STOP, RESUME], "running"),
        ([HALT, STOP, RESUME], "running"),
    ],
    ids=str,
)
def test_a_halt_a_stop_and_their_end(books: Bench, commands: list[Halt | StopWriter | Resume], after: str) -> None:
    for command in commands:
        books.do(command)
    assert standing(books) == after


def test_what_changed_says_why_and_when(books: Bench) -> None:
    assert books.do(HALT) == StandingChanged("halted", "audit", NOW)
    assert books.state.standing.get("") == Standing("halted", "audit", NOW)


@pytest.mark.parametrize(("first", "again"), [(HALT, Halt("other")), (None, RESUME)])
def test_what_is_so_already_changes_nothing(books: Bench, first: Halt | None, again: Halt | Resume) -> None:
    if first:
        books.do(first)
    assert books.decide(again) == ([], None, False)


@pytest.mark.parametrize("command", [HALT, STOP, deposit()])
def test_a_stopped_writer_takes_no_command_but_resume(books: Bench, command: Halt) -> None:
    books.do(STOP)
    with pytest.raises(WriterStopped) as refused:
        books.decide(command)
    assert refused.value.reason == "broke"


def test_a_halt_does_not_lift_a_stop() -> None:
    """Asked of the decision itself, because a stopped writer does not get that far."""
    from spotbook.domain.operation import change_standing

    books = bench()
    books.do(STOP)
    assert change_standing(books.state, HALT, NOW) == ([], None, False)


def test_a_halt_admits_deposits(books: Bench) -> None:
    books.do(HALT)
    assert books.do(deposit()).version == 1


@pytest.mark.parametrize("kind", [Halt, StopWriter, Resume])
@pytest.mark.parametrize("reason", ["", "x" * 201, " a", "a\nb"])
def test_each_needs_a_reason(books: Bench, kind: type[Halt], reason: str) -> None:
    with pytest.raises(Invalid, match=r"^reason: "):
        books.decide(kind(reason))


def test_a_ban_is_remembered_as_the_limiter_began_it(books: Bench) -> None:
    assert books.do(RecordBan("1001@10.0.0.1", "ban", 5, 9)) == BanBegun("1001@10.0.0.1", "ban", 5, 9)


def test_a_ban_is_lifted_now(books: Bench) -> None:
    assert books.do(LiftBan("1001@10.0.0.1", NOW)) == BanLifted("1001@10.0.0.1", NOW)


@pytest.mark.parametrize("subject", ["", "x" * 201, "a\nb", "\ud800"])
def test_whose_ban_is_lifted_is_printable_text(books: Bench, subject: str) -> None:
    with pytest.raises(Invalid, match=r"^subject: "):
        books.decide(LiftBan(subject, NOW))
