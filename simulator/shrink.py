"""Making a failing story short: steps are left out, in halves, quarters and so on, as long as it still fails."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from simulator import words
from simulator.run import Failed, Run
from simulator.step import Step

Numbered = tuple[int, Step]
SECONDS_MAX = 90.0
LINES_MAX = 60


class Story(NamedTuple):
    """A failing story: its steps, what came of them, and why it fails."""

    steps: list[Numbered]
    log: dict[int, str]
    why: str

    def told(self) -> str:
        """Return it in words, a line a step."""
        lines = []
        if len(self.steps) > LINES_MAX:
            lines.append(f"        … {len(self.steps) - LINES_MAX} steps before these")
        for number, step in self.steps[-LINES_MAX:]:
            came = f" -- {self.log[number]}" if number in self.log else ""
            lines.append(f"{number + 1:>6}. {words.of_step(step)}{came}")
        return "\n".join([*lines, f"        {self.why}"])


def attempt(seed: int, steps: Sequence[Numbered], *, crashes: bool) -> Story | None:
    """Tell these steps; return the story when it fails."""
    with folder() as name:
        run = Run(seed, Path(name), crashes=crashes)
        try:
            run.tell(0, steps)
        except Failed as failed:
            return Story(list(steps), dict(run.log), failed.why)
        except Exception as fault:  # noqa: BLE001  (whatever ends a run is its failure, and is to be made small too)
            return Story(list(steps), dict(run.log), f"{type(fault).__name__}: {fault}")
    return None


def folder() -> TemporaryDirectory[str]:
    """Return a folder for a run's books: in memory, where there is such a place."""
    shared = Path("/dev/shm")  # a file system in memory
    return TemporaryDirectory(dir=shared if shared.is_dir() else None, prefix="spotbook-simulator-")


def shrink(story: Story, again: Callable[[Sequence[Numbered]], Story | None]) -> Story:
    """Return the shortest story that was found in a bounded time."""
    until = time.monotonic() + SECONDS_MAX
    parts = 2
    while len(story.steps) > 1 and time.monotonic() < until:
        size = -(-len(story.steps) // parts)
        for at in range(0, len(story.steps), size):
            shorter = again([*story.steps[:at], *story.steps[at + size :]])
            if shorter is not None:
                story = shorter
                parts = max(parts - 1, 2)
                break
            if time.monotonic() > until:
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(story.steps))
    return story
