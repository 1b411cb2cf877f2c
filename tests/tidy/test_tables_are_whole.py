"""Every command has its decision, every event its place in the journal, in the state and in the tables."""

from pathlib import Path
from typing import get_args

import spotbook.domain
from spotbook.app import journal, projection
from spotbook.domain import commands, errors, events
from spotbook.domain.apply import APPLICATIONS
from spotbook.domain.decide import DECISIONS

COMMANDS = set(get_args(commands.Command))
EVENTS = set(get_args(events.Event))


def test_every_command_has_a_decision() -> None:
    assert set(DECISIONS) == COMMANDS


def test_every_command_of_the_module_is_one() -> None:
    assert {kind for kind in vars(commands).values() if isinstance(kind, type) and hasattr(kind, "_fields")} == COMMANDS


def test_every_event_of_the_module_is_one() -> None:
    assert {kind for kind in vars(events).values() if isinstance(kind, type) and hasattr(kind, "_fields")} == EVENTS


def test_every_event_is_applied() -> None:
    assert set(APPLICATIONS) == EVENTS


def test_every_event_has_a_name_in_the_journal() -> None:
    assert set(journal.NAMES) == EVENTS


def test_no_two_events_share_a_name() -> None:
    assert len(set(journal.NAMES.values())) == len(EVENTS)


def test_every_event_is_folded_into_the_tables() -> None:
    assert set(projection._FOLDS) == EVENTS


def test_every_refusal_has_words_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Refusal)]
    assert all(kind.__doc__ for kind in kinds)
    assert len({kind.__doc__ for kind in kinds}) == len(kinds)


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert [kind.__name__ for kind in kinds if kind.__name__ not in drawn] == []


def test_the_domain_asserts_nothing() -> None:
    """`python -O` strips assertions, and with them what guards the money."""
    folder = Path(spotbook.domain.__file__).parent
    assert [file.name for file in folder.glob("*.py") if "\n    assert " in file.read_text()] == []
