"""``spotbook migrate``: what it prints, for people and for programs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spotbook.cli.commands import spotbook
from spotbook.store.create import create
from spotbook.store.file import FILE
from support.old_books import make_old


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(spotbook, [str(arg) for arg in args])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_old(tmp_path / "books")


def test_it_says_what_was_applied_and_where_the_copy_is(old: Path) -> None:
    result = run("migrate", "--data", old)
    assert result.exit_code == 0
    copy = old / f"{FILE}.schema-1"
    applied = "applied 0002 trading, 0003 strict_keys, 0004 entries_as_they_come"
    assert result.stdout == f"{applied}\nthe books as they were are in {copy}\n"
    assert copy.exists()


def test_programs_are_told_the_same(old: Path) -> None:
    result = run("migrate", "--data", old, "--json")
    assert json.loads(result.stdout) == {
        "steps": ["0002 trading", "0003 strict_keys", "0004 entries_as_they_come"],
        "copy": str(old / f"{FILE}.schema-1"),
    }


def test_a_second_time_there_is_nothing_to_do(old: Path) -> None:
    run("migrate", "--data", old)
    again = run("migrate", "--data", old)
    assert (again.exit_code, again.stdout) == (
        0,
        "these books have every step of the schema: there is nothing to do\n",
    )
    assert json.loads(run("migrate", "--data", old, "--json").stdout) == {"steps": [], "copy": None}


def test_new_books_need_nothing(tmp_path: Path) -> None:
    create(tmp_path)
    assert "nothing to do" in run("migrate", "--data", tmp_path).stdout


def test_where_there_are_no_books_it_is_refused(tmp_path: Path) -> None:
    assert run("migrate", "--data", tmp_path).exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("audit",), ("rebuild",)], ids=lambda command: command[0])
def test_other_commands_on_old_books_name_this_one(
    old: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(*command, "--data", old)
    assert result.exit_code == 1
    assert f"`spotbook migrate --data {old}`" in result.stderr + capsys.readouterr().err
    assert [entry.name for entry in old.iterdir() if entry.name.startswith(f"{FILE}.")] == []
