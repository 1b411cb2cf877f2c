"""The page of what is covered says what is so."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from spotbook.wire.coinw.registry import PRIVATE, PUBLIC

ROOT = Path(__file__).parents[2]
TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools/coverage_page"))
COMMANDS: list[dict[str, Any]] = [command for group in TOOL["FACTS"]["group"] for command in group["command"]]
REGISTERED = {**PRIVATE, **PUBLIC}


def test_the_page_is_what_the_tool_prints() -> None:
    assert (ROOT / "docs/reference/coverage.md").read_text() == TOOL["page"]()


def test_every_command_that_is_served_is_listed_once() -> None:
    names = [command["name"] for command in COMMANDS]
    assert len(set(names)) == len(names)
    assert set(REGISTERED) <= set(names)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command["name"])
def test_a_command_is_shown_by_tests_that_call_it_or_is_not_served(command: dict[str, Any]) -> None:
    assert command["known_from"] in TOOL["FACTS"]["known_from"]
    if command["name"] not in REGISTERED:
        assert "tests" not in command
        return
    assert not {"permission", "limit"} & set(command)  # the registry has them
    assert command["tests"]
    for test in command["tests"]:
        assert command["name"] in (ROOT / "tests" / test).read_text()


def test_limits_are_whole_seconds_so_that_the_page_can_say_them() -> None:
    assert [name for name, command in REGISTERED.items() if command.limit.window_ms % 1_000] == []
