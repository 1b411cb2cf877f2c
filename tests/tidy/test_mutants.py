"""The list of mutants fits the sources, and what is on it is found: a few of them here, all by a command."""

import re
from pathlib import Path

import pytest
from simulator.mutants import SOURCES, Mutant, catch, mutants, plant

MUTANTS = mutants()
PLANTED = ("a fee rounded down", "state kept after a commit that failed", "a revoked key reads")
LEAST = 50


def by_name(mutant: Mutant) -> str:
    return mutant.name


def test_there_are_many_and_each_has_its_own_name() -> None:
    assert len(MUTANTS) >= LEAST
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.by for mutant in MUTANTS} == {"simulator", "sync"}
    assert {mutant.file.split("/")[0] for mutant in MUTANTS} >= {"domain", "app", "store", "server"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=by_name)
def test_its_text_stands_once_in_its_file_and_what_it_becomes_is_a_program(mutant: Mutant) -> None:
    text = (SOURCES / "spotbook" / mutant.file).read_text()
    assert text.count(mutant.old) == 1
    assert mutant.new != mutant.old
    assert mutant.why
    compile(text.replace(mutant.old, mutant.new), mutant.file, "exec")


def test_a_text_that_is_not_there_is_told(tmp_path: Path) -> None:
    lost = MUTANTS[0]._replace(old="no such text")
    with pytest.raises(ValueError, match=re.escape(f"{lost.name}: its text stands 0 times in {lost.file}")):
        plant(lost, tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PLANTED)
def test_one_that_is_planted_is_found(name: str) -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == name]
    caught = catch(mutant, runs=10)
    assert caught.found
    assert caught.steps > 0
    assert "the model expects" in caught.words


@pytest.mark.timeout(300)
def test_without_one_nothing_is_found() -> None:
    """Else the mutants would be found for a reason of their own."""
    same = MUTANTS[0]._replace(new=MUTANTS[0].old)
    caught = catch(same, runs=1)
    assert not caught.found, caught.words
