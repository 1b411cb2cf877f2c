"""Many runs, one after the other, and what came about in all of them."""

import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from simulator.run import Failed, Run, Tally
from simulator.shrink import Story, attempt, folder, shrink

STEPS = 4_000
"""Steps of one run: long enough for books with a history, short enough for many different plans."""


class Failure(NamedTuple):
    """A seed whose run failed, how to tell it again, and its story."""

    seed: int
    steps: int
    crashes: bool
    story: Story

    def told(self) -> str:
        """Return all that is to be said of it."""
        mode = "--crashes" if self.crashes else "--no-crashes"
        command = f"python -m simulator --seed {self.seed} --steps {self.steps} {mode}"
        return f"seed {self.seed} fails; again by: {command}\n{self.story.told()}"


@dataclass
class Campaign:
    """What came about."""

    total: Tally = field(default_factory=Tally)
    crashing: Tally = field(default_factory=Tally)
    seeds: list[int] = field(default_factory=list)

    def run(self, seed: int, steps: int, *, crashes: bool, short: bool = True) -> Failure | None:
        """Run a seed; return how it failed. `short`: make the story of a failure short."""
        self.seeds.append(seed)
        tally, failure = run_seed(seed, steps, crashes=crashes, short=short)
        self.total.add(tally)
        if crashes:
            self.crashing.add(tally)
        return failure

    def told(self) -> str:
        """Return what came about, in lines."""
        total = self.total
        lines = [
            f"{len(self.seeds)} runs, {total.steps} steps, {self.crashing.steps} of them in runs with crashes",
            f"seeds: {' '.join(map(str, self.seeds[:12]))}{' …' if len(self.seeds) > 12 else ''}",
        ]
        kinds = "commands", "deeds", "codes", "faults", "incidents"
        return "\n".join([*lines, *(f"{name}: {_counted(getattr(total, name))}" for name in kinds)])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def run_seed(seed: int, steps: int, *, crashes: bool, short: bool = True) -> tuple[Tally, Failure | None]:
    """Run one seed; return what came about, and how it failed."""
    with folder() as name:
        run = Run(seed, Path(name), crashes=crashes)
        try:
            run.tell(steps)
        except Failed as failed:
            why = failed.why
        except Exception as fault:  # noqa: BLE001  (whatever ends a run is its failure)
            traceback.print_exc(file=sys.stderr)
            why = f"{type(fault).__name__}: {fault}"
        else:
            return run.tally, None
        told = list(enumerate(run.steps))
        story = Story(told, dict(run.log), why)
    if short:
        story = shrink(story, lambda left: attempt(seed, left, crashes=crashes))
    return run.tally, Failure(seed, steps, crashes, story)


def first_failure(
    campaign: Campaign, seeds: Iterable[tuple[int, bool]], steps: int, *, short: bool = True
) -> Failure | None:
    """Run seeds, each with or without crashes, up to the first that fails."""
    for seed, crashes in seeds:
        failure = campaign.run(seed, steps, crashes=crashes, short=short)
        if failure is not None:
            return failure
    return None
