"""The simulator: seeds that are always the same, and fresh ones; and that it would notice.

A run that fails prints how to tell it again, and its story. SPOTBOOK_SEED gives the fresh seeds of a run again.
"""

import random
from pathlib import Path

import pytest
from simulator import reads, world
from simulator.campaign import Campaign, first_failure, run_seed
from simulator.disk import COPYING_BACK, IN_COMMIT, SECTOR, Fault, mixed, torn
from simulator.run import Run

from spotbook.domain import settling
from spotbook.domain.asset import PPM
from support.seeds import SEED, STEPS

FIXED = range(1, 9)
FRESH = 6
LENGTH = 1_500
FOUND = ((202611441, False), (202611369, True))
"""Seeds of long campaigns that found something, each with whether it has crashes."""
FOUND_LENGTH = 1_800

CODES = {
    *("200", "29001", "-3", "10002", "10003", "10004", "10006", "10007", "10008", "10009", "200005", "-200", "-201"),
}
DEEDS = {
    *("deposit", "make_key", "revoke_key", "make_token", "revoke_token", "change_market", "freeze"),
    *("open_account", "open_wealth", "halt", "stop", "resume", "lift_ban", "make_asset", "make_market"),
}
INCIDENTS = {
    *("restarts", "kills between batches", "looks at everything", "clock jumps back", "clock jumps ahead"),
    *("probes that find the disk full", "probes that find the disk free"),
}


@pytest.mark.timeout(600)
def test_what_is_said_and_kept_is_what_the_model_says_and_everything_comes_about() -> None:
    campaign = Campaign()
    failure = first_failure(campaign, ((seed, seed % 2 == 0) for seed in FIXED), LENGTH)
    assert failure is None, failure.told()
    total = campaign.total
    print(campaign.told())
    assert reads.PRIVATE.keys() | reads.PUBLIC.keys() | world.WRITES <= total.commands.keys()
    assert total.codes.keys() >= CODES
    assert total.deeds.keys() >= DEEDS
    assert total.incidents.keys() >= INCIDENTS
    assert total.faults.keys() == {*IN_COMMIT, COPYING_BACK}
    STEPS["simulator's fixed"] = total.steps


@pytest.mark.timeout(600)
def test_fresh_seeds() -> None:
    campaign = Campaign()
    failure = first_failure(campaign, ((SEED + run, run % 2 == 0) for run in range(FRESH)), LENGTH)
    assert failure is None, failure.told()
    STEPS["simulator's fresh"] = campaign.total.steps


@pytest.mark.timeout(600)
def test_seeds_that_found_something_once() -> None:
    failure = first_failure(Campaign(), iter(FOUND), FOUND_LENGTH)
    assert failure is None, failure.told()


def test_a_seed_tells_the_same_steps_again(tmp_path: Path) -> None:
    told = []
    for name in ("once", "again"):
        run = Run(11, tmp_path / name, crashes=False)
        run.tell(400)
        told.append((run.steps, run.tally))
    assert told[0] == told[1]


def test_a_failing_run_becomes_a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "fee_of", lambda gross, ppm: gross * ppm // PPM)
    failures = (run_seed(seed, 600, crashes=False)[1] for seed in range(20, 40))
    failure = next(failure for failure in failures if failure is not None)
    assert len(failure.story.steps) <= 8
    told = failure.told()
    assert f"--seed {failure.seed} --steps 600 --no-crashes" in told
    assert "calls doTrade(" in told
    assert "the model expects" in told


# --- what a power cut leaves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before_size", [0, 5_000, 20_000])
def test_of_a_log_being_written_any_beginning_may_stay(before_size: int) -> None:
    draw = random.Random(7)
    before = draw.randbytes(before_size)
    after = before[:4_000] + draw.randbytes(12_000) + before[16_000:]
    for part in (0, 1_000, 333_333, 999_999, 1_000_000):
        left = torn(before, after, Fault(IN_COMMIT[2], part))
        changed = [at for at in range(len(after)) if at >= len(before) or before[at] != after[at]]
        kept = sum(1 for at in changed if at < len(left) and left[at] == after[at])
        assert left[: changed[0]] == after[: changed[0]]
        assert kept <= len(changed)
        assert (left == after) == (part == 1_000_000)
        assert (left == before) == (part == 0)


def test_a_hole_leaves_one_sector_as_it_was() -> None:
    before, after = bytes(20_000), bytes([1]) * 20_000
    left = torn(before, after, Fault(IN_COMMIT[3], 500_000))
    assert left.count(0) == SECTOR
    hole = left.index(0)
    assert left[hole : hole + SECTOR] == bytes(SECTOR)


def test_a_file_being_copied_back_is_a_mixture_of_pages() -> None:
    before, after = bytes(40_960), bytes([1]) * 45_056
    left = mixed(before, after, 12_345)
    assert len(left) == len(after)
    pages = {left[at : at + 4_096] for at in range(0, len(left), 4_096)}
    assert pages == {bytes(4_096), bytes([1]) * 4_096}
