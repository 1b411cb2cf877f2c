"""``python -m simulator``: runs of the simulator, from one seed or for so many minutes. Exits 1 when a run fails."""

import argparse
import secrets
import sys
import time
from collections.abc import Iterator

from simulator.campaign import STEPS, Campaign, first_failure


def main() -> int:
    """Read the arguments, run, and print what came about."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed (drawn if not given)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps of each run ({STEPS})")
    parser.add_argument("--runs", type=int, default=1, help="runs, with seeds that follow each other (1)")
    parser.add_argument("--minutes", type=float, help="run fresh seeds for so long instead")
    parser.add_argument(
        "--crashes", action=argparse.BooleanOptionalAction, default=None, help="with crashes, or without (half each)"
    )
    parser.add_argument("--shrink", action=argparse.BooleanOptionalAction, default=True, help="make a story short")
    asked = parser.parse_args()
    seed = secrets.randbits(32) if asked.seed is None else asked.seed
    campaign = Campaign()
    began = time.process_time()
    failure = first_failure(campaign, _seeds(seed, asked), asked.steps, short=asked.shrink)
    seconds = time.process_time() - began
    print(f"first seed {seed}")
    print(campaign.told())
    print(f"{campaign.total.steps / seconds:.0f} steps a second of this process's own time")
    if failure is not None:
        print(failure.told(), file=sys.stderr)
    return failure is not None


def _seeds(first: int, asked: argparse.Namespace) -> Iterator[tuple[int, bool]]:
    until = time.monotonic() + 60 * (asked.minutes or 0)
    run = 0
    while time.monotonic() < until if asked.minutes else run < asked.runs:
        crashes = (first + run) % 2 == 1 if asked.crashes is None else asked.crashes
        yield first + run, crashes
        run += 1


if __name__ == "__main__":
    sys.exit(main())
