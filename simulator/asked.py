"""A batch as the model sees it: what each part of it must come to, whatever goes wrong with it."""

from collections.abc import Sequence
from typing import Any

from simulator import compare
from simulator.books import Books
from simulator.calls import Call
from simulator.deeds import Deed
from simulator.disk import COPYING_BACK, Fault
from simulator.world import BUSY, UNKNOWN, Instant, Outcome, Said, Waiting, World


class Asked:
    """A batch as one world sees it: what each part of it must come to."""

    def __init__(self, world: World, deeds: Sequence[Deed], calls: Sequence[Call], at: Instant) -> None:
        self.world = world
        self.changes = False
        self._said: list[Said | None] = [None] * len(calls)
        self._outcomes: list[Outcome | None] = [None] * len(deeds)
        self._queue: list[tuple[Deed | Waiting, int]] = [(deed, at) for at, deed in enumerate(deeds)]
        writes: list[tuple[Deed | Waiting, int]] = []
        for number, call in enumerate(calls):
            said = world.front(call, at)
            if isinstance(said, Waiting):
                writes.append((said, number))
            else:
                self._said[number] = said
            for (user, address), kind, began, until in world.pace.begun:
                subject = f"user:{user}@{address}" if user else f"address:{address}"
                args = {"subject": subject, "kind": kind, "began": began, "until": until}
                self._queue.append((Deed("record_ban", args), -1))
            world.pace.begun.clear()
        self._queue += writes

    def decide(self, at: Instant) -> None:
        """Let the world carry out what goes to the writer."""
        said, self.changes = self.world.decide([one for one, _ in self._queue], at.now)
        self._place(said)

    def _place(self, said: Sequence[Said | Outcome]) -> None:
        for (one, number), words in zip(self._queue, said, strict=True):
            if isinstance(words, Said):
                self._said[number] = words
            elif number >= 0 and isinstance(one, Deed):
                self._outcomes[number] = words

    def fates(self, met: Fault | None, before: Books, *, read_only: bool) -> list["Asked"]:
        """Return what may have become of the batch, after what went wrong with it."""
        if read_only:
            self._fail_all(BUSY, before)
            return [self]
        if met is None or met.kind in {COPYING_BACK, "fate unknown, there"}:
            return [self]
        if met.kind in {"not committed", "disk full", "fate unknown, not there"}:
            self._fail_all(BUSY, before)
            return [self]
        if met == Fault("power cut in the commit", 1_000_000):  # every byte of it stayed
            return [self]
        if met.kind.startswith("power cut") and met.part > 0:
            other = Asked(self.world.fork(), [], [], Instant(0, 0))
            other.world.books = before
            return [self, other]
        if met.kind in {"killed after the commit", "sync failed, all written", "head unreadable, there"}:
            self._fail_all(UNKNOWN, self.world.books)
        else:
            self._fail_all(UNKNOWN, before)
        return [self]

    def _fail_all(self, code: tuple[str, str], books: Books) -> None:
        self.world.books = books
        self._place([self.world.failed(one, code) for one, _ in self._queue])

    def carried_out(self, deed: int) -> bool:
        """Return whether the deed at this place was done: its batch is there, and it was not refused in it."""
        outcome = self._outcomes[deed]
        return outcome is not None and outcome.kind == "done"

    def contradicted(
        self, outcomes: Sequence[Any], replies: Sequence[Any], lost: Sequence[bool], *, killed: bool
    ) -> str:
        """Return in words what was answered otherwise than this world says."""
        if killed:
            return ""
        for said, reply, gone in zip(self._said, replies, lost, strict=True):
            if said is not None and not gone:
                found = compare.reply(said, reply)
                if found:
                    return found
        for expected, outcome in zip(self._outcomes, outcomes, strict=True):
            if expected is not None:
                found = compare.outcome(expected, outcome)
                if found:
                    return found
        return ""
