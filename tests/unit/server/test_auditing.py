"""When the background audit takes less: the writer is pressed."""

from typing import cast

import pytest

from spotbook.app.engine import Engine
from spotbook.limits import AUDIT_PRESSED_COMMANDS
from spotbook.server.auditing import PRESSURE_SECONDS, pressure


class Writing:
    """What is asked of an engine, told by the test, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.queued = 0
        self.commands = 7
        self.turned_away = 9
        self.pressed = pressure(cast("Engine", self), lambda: self.now)

    def go_on(self, seconds: float, commands: int, *, turned_away: int = 0) -> None:
        self.now += seconds
        self.commands += commands
        self.turned_away += turned_away


@pytest.fixture
def writing() -> Writing:
    return Writing()


def test_a_writer_without_anything_to_do_is_not_pressed(writing: Writing) -> None:
    assert not writing.pressed()
    writing.go_on(PRESSURE_SECONDS, 0)
    assert not writing.pressed()


def test_it_is_pressed_for_as_long_as_a_command_waits(writing: Writing) -> None:
    writing.queued = 1
    assert writing.pressed()
    writing.queued = 0
    assert not writing.pressed()


@pytest.mark.parametrize(("commands", "pressed"), [(AUDIT_PRESSED_COMMANDS - 1, False), (AUDIT_PRESSED_COMMANDS, True)])
def test_it_is_pressed_when_it_carried_out_many_a_second(writing: Writing, commands: int, pressed: bool) -> None:
    writing.go_on(1.0, commands)
    assert writing.pressed() == pressed
    writing.go_on(2.0, 2 * commands)
    assert writing.pressed() == pressed


def test_it_is_pressed_when_many_a_second_are_turned_away(writing: Writing) -> None:
    writing.go_on(1.0, 8, turned_away=AUDIT_PRESSED_COMMANDS - 9)
    assert not writing.pressed()
    writing.go_on(1.0, 8, turned_away=AUDIT_PRESSED_COMMANDS - 8)
    assert writing.pressed()


def test_between_two_batches_it_is_as_pressed_as_before(writing: Writing) -> None:
    writing.go_on(PRESSURE_SECONDS, 2 * AUDIT_PRESSED_COMMANDS)
    assert writing.pressed()
    writing.go_on(PRESSURE_SECONDS / 2, 0)
    assert writing.pressed()


def test_one_large_batch_after_a_long_rest_is_not_many_a_second(writing: Writing) -> None:
    writing.go_on(60.0, 2 * AUDIT_PRESSED_COMMANDS)
    assert not writing.pressed()


def test_it_is_pressed_no_more_once_the_load_has_ended(writing: Writing) -> None:
    writing.go_on(PRESSURE_SECONDS, 2 * AUDIT_PRESSED_COMMANDS)
    assert writing.pressed()
    writing.go_on(PRESSURE_SECONDS, 0)
    assert not writing.pressed()
