"""Fuzzing that minds coverage: inputs that reach lines which none before them reached are kept, and changed further.

One seed makes one sequence of inputs as long as the code under test is the same. SPOTBOOK_FUZZ_SECONDS says for how
long each target is fuzzed; `make fuzz SECONDS=…` sets it.
"""

import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType, ModuleType
from typing import Any

from support.seeds import FUZZED, SEED

CHANGES_MAX = 4
INPUT_BYTES_MAX = 8_192


def seconds(usual: float) -> float:
    """Return how long to fuzz: as the environment says, or as usual."""
    return float(os.environ.get("SPOTBOOK_FUZZ_SECONDS") or usual)


class Lines:
    """The steps from line to line that were made in some modules."""

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self._files = {module.__file__ for module in modules}
        self._codes: dict[CodeType, bool] = {}
        self.seen: set[tuple[CodeType, int, int]] = set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note the steps that this thread makes."""
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        ours = self._codes.get(code)
        if ours is None:
            ours = self._codes[code] = code.co_filename in self._files
        if not ours:
            return None
        last, seen = 0, self.seen

        def step(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                line = frame.f_lineno
                seen.add((code, last, line))
                last = line
            return step

        return step


class Inputs:
    """A stream of inputs from one seed. `words` are pieces that mean something to what is fuzzed."""

    def __init__(self, name: str, kept: Sequence[bytes], words: Sequence[bytes]) -> None:
        self.dice = random.Random(f"{SEED} {name}")
        self.kept = list(kept)
        self._words = list(words)
        self._first = iter(kept)

    def next(self) -> bytes:
        """Return the next input: first those that were given, then changed ones."""
        for given in self._first:
            return given
        raw = bytearray(self.dice.choice(self.kept))
        for _ in range(self.dice.randint(1, CHANGES_MAX)):
            self._change(raw)
        return bytes(raw[:INPUT_BYTES_MAX])

    def _change(self, raw: bytearray) -> None:
        dice = self.dice
        begin = dice.randint(0, len(raw))
        end = min(len(raw), begin + dice.choice((1, 1, 2, 4, 16, 64)))
        match dice.randrange(9):
            case 0:
                raw[begin:end] = b""
            case 1:
                raw[begin:begin] = raw[begin:end] * dice.choice((1, 2, 10, 100))
            case 2:
                raw[begin:begin] = dice.choice(self._words)
            case 3:
                raw[begin:end] = dice.choice(self._words)
            case 4:
                raw[begin:end] = dice.randbytes(end - begin)
            case 5 if end > begin:
                raw[begin] ^= 1 << dice.randrange(8)
            case 6:
                del raw[begin:]
            case 7:
                other = dice.choice(self.kept)
                raw[begin:] = other[dice.randint(0, len(other)) :]
            case _:
                there = dice.randint(0, len(raw))
                raw[there:there] = raw[begin:end]


async def fuzz(
    name: str,
    inputs: Inputs,
    modules: Sequence[ModuleType],
    attempt: Callable[[bytes], Awaitable[None]],
    usual_seconds: float,
) -> None:
    """Try inputs until the time is over. Whatever `attempt` raises is a finding: the input is told with it."""
    lines, tried, size = Lines(modules), 0, 0
    end = time.monotonic() + seconds(usual_seconds)
    while time.monotonic() < end:
        raw, known = inputs.next(), len(lines.seen)
        try:
            with lines.watched():
                await attempt(raw)
        except BaseException as finding:
            finding.add_note(f"fuzzing {name}, SPOTBOOK_SEED={SEED}, input {tried}: {raw!r}")
            raise
        if len(lines.seen) > known:
            inputs.kept.append(raw)
        tried, size = tried + 1, size + len(raw)
    FUZZED[name] = f"{tried:,} inputs, {size:,} bytes, {len(inputs.kept):,} kept, {len(lines.seen):,} steps reached"
