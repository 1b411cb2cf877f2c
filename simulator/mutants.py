"""``python -m simulator.mutants``: plant each mutant of `mutants.toml` in a copy of the sources, and see it found.

Prints a table, and exits 1 when one survives. `--only WORDS` plants those whose names hold these words.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
LIST = Path(__file__).with_name("mutants.toml")
SEED = 5_000
RUNS_MAX = 40
STEPS = 3_000
SECONDS_MAX = 600


class Mutant(NamedTuple):
    """A fault to be planted: `old` stands once in the file, and becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    why: str
    by: str


class Caught(NamedTuple):
    """What became of a mutant: found or not, after how many steps and seconds, and by what words."""

    found: bool
    steps: int
    seconds: float
    words: str


def mutants() -> list[Mutant]:
    """Return the list."""
    return [Mutant(**each) for each in tomllib.loads(LIST.read_text())["mutant"]]


def plant(mutant: Mutant, folder: Path) -> Path:
    """Copy the sources into a folder, plant one mutant; return where Python finds them."""
    sources = folder / "src"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    path = sources / "spotbook" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new))
    return sources


def catch(mutant: Mutant, *, seed: int = SEED, runs: int = RUNS_MAX) -> Caught:
    """Plant a mutant and let what is to find it run."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="spotbook-mutant-") as folder:
        sources = plant(mutant, Path(folder))
        environment = {**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = _sync() if mutant.by == "sync" else _simulation(seed, runs)
        try:
            ended = subprocess.run(
                command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
            )
        except subprocess.TimeoutExpired:
            return Caught(found=True, steps=0, seconds=SECONDS_MAX, words="it never ends")
    return Caught(ended.returncode != 0, _steps(ended.stdout), time.monotonic() - began, _words(ended))


def _simulation(seed: int, runs: int) -> list[str]:
    asked = ["--seed", str(seed), "--runs", str(runs), "--steps", str(STEPS), "--no-shrink"]
    return [sys.executable, "-m", "simulator", *asked]


def _sync() -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-x", "--timeout", "300", "tests/e2e/test_sync.py"]


def _steps(said: str) -> int:
    found = re.search(r"runs, (\d+) steps", said)
    return int(found.group(1)) if found else 0


def _words(ended: subprocess.CompletedProcess[str]) -> str:
    lines = (ended.stderr or ended.stdout).strip().splitlines()
    return lines[-1].strip() if lines else ""


def main() -> int:
    """Read the arguments, plant, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m simulator.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="plant those whose names hold these words")
    parser.add_argument("--seed", type=int, default=SEED, help=f"the first seed ({SEED})")
    asked = parser.parse_args()
    survived = planted = 0
    for mutant in mutants():
        if asked.only not in mutant.name:
            continue
        planted += 1
        caught = catch(mutant, seed=asked.seed)
        survived += not caught.found
        came = "found" if caught.found else "SURVIVES"
        figures = f"{caught.steps:>6} steps {caught.seconds:>6.1f} s"
        print(f"{came:<9}{mutant.by:<10}{figures}  {mutant.name}: {caught.words[:150]}", flush=True)
    print(f"{planted} planted, {planted - survived} found")
    return survived > 0 or not planted


if __name__ == "__main__":
    sys.exit(main())
