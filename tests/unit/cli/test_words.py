"""How answers of the Admin API are told, to people and to programs."""

import json
from typing import Any

import pytest

from spotbook.cli.admin.words import tell


@pytest.mark.parametrize("answer", [{"id": 1001, "roles": ["view", "money"]}, {"a": [{"b": None}], "next": None}])
def test_programs_get_the_answer_itself(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tell(answer, as_json=True)
    assert json.loads(capsys.readouterr().out) == answer


def told(answer: Any, capsys: pytest.CaptureFixture[str]) -> list[str]:
    tell(answer, as_json=False)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_an_object_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"id": 1, "roles": ["view", "money"], "reason": None, "frozen": False, "head": {"number": 0}, "allow": []}
    assert told(answer, capsys) == [
        "id           1",
        "roles        view, money",
        "reason",
        "frozen       no",
        "head.number  0",
        "allow        none",
    ]


def test_rows_are_told_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told({"version": 2, "balances": {"BTC": {"available": "0.1"}, "[b]": {"available": "2"}}}, capsys)
    assert lines[:3] == ["version  2", "", "balances"]
    assert [line.split() for line in (lines[3], *lines[5:])] == [["available"], ["BTC", "0.1"], ["[b]", "2"]]


def test_no_cell_is_ever_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert told({"rows": [{"a": "x" * 300, "b": 1}]}, capsys)[-1] == "x" * 300 + "   1"


def test_what_is_within_a_row_has_a_column_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told({"entries": [{"version": 1, "available": {"before": "0", "after": "1"}}, {"version": 2}]}, capsys)
    assert lines[0].split() == ["version", "available.before", "available.after"]
    assert [line.split() for line in lines[2:]] == [["1", "0", "1"], ["2"]]


def test_of_several_tables_each_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told({"commands": {"a": {"calls": 5}}, "public": {"b": {"calls": 80}}}, capsys)
    assert [line for line in lines if line in ("commands", "public")] == ["commands", "public"]


def test_a_page_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert told({"rows": [{"a": 1}], "next": 7}, capsys)[-1] == "more with --after 7"
    assert told({"rows": [], "next": None}, capsys) == ["rows  none"]
    assert told({"balances": {}}, capsys) == ["balances  none"]
