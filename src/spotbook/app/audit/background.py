"""The audit that never sleeps: rounds in a thread of their own, which take a small share of one core.

The thread shares the interpreter with the event loop and the writer, so it works in slices of some milliseconds and
pauses after each for as long as its share asks, which is a smaller one while the writer is pressed. A slice ends with a
step of `Rounds`, which is bounded by rows.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from spotbook.app.audit.report import Finding
from spotbook.app.audit.rounds import ReadLater, RoundEnds, Rounds, TooLarge
from spotbook.app.ports import Reader
from spotbook.limits import AUDIT_FINDINGS_MAX, AUDIT_PRESSED_PART, AUDIT_ROWS_MAX, AUDIT_SHARE

SLICE_SECONDS = 0.002
"""Short beside what a call may wait for."""

ROUND_PAUSE_SECONDS = 1.0
"""Small books are read in no time: no need to do it all the time."""

IDLE_REST = 4
"""After a round in which nothing was committed it rests for so many times what the round took: the next one can only
find what was changed behind the writer's back, and who reads meanwhile waits for the same interpreter."""

IDLE_REST_SECONDS_MAX = 60.0

RETRY_SECONDS = 5.0
"""After a round that did not come to its end."""

CLOSE_SECONDS_MAX = 10.0

State = Literal["off", "running", "too_large", "ended"]


class Progress(NamedTuple):
    """How far the background audit is.

    `batch` is the last that it replayed, `rounds` how many it finished, `findings` how many contradictions it knows of
    (0 again when a whole round found none), `round_seconds` how long the last round took.
    """

    state: State
    batch: int
    rounds: int
    findings: int
    round_seconds: float


OFF = Progress("off", 0, 0, 0, 0.0)


class BackgroundAudit:
    """Audits until it is closed. `make_reader` gives a reader for each round, in the audit's thread.

    `found` gets what is found, as soon as it is, and again in every round; `alarm` what an operator must see, once.
    `pressed` is asked at the end of each slice whether others need the processor more: it pauses for longer then, but
    never stops.
    """

    def __init__(
        self,
        make_reader: Callable[[], Reader],
        *,
        found: Callable[[Sequence[Finding]], None],
        alarm: Callable[[str, BaseException | None], None],
        passing: Callable[[Exception], bool] = lambda _: False,
        share: float = AUDIT_SHARE,
        pressed: Callable[[], bool] = lambda: False,
        rows_max: int = AUDIT_ROWS_MAX,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._make_reader = make_reader
        self._found = found
        self._alarm = alarm
        self._passing = passing
        self._share = share
        self._pressed = pressed
        self._rows_max = rows_max
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._thread = threading.Thread(target=self.run, name="background audit", daemon=True)
        self._books = ""
        self._known: set[Finding] = set()
        self._trouble = ""
        self._found_now = 0
        self.progress = OFF

    def start(self) -> None:
        """Begin, from the first batch."""
        self._thread.start()

    def close(self) -> None:
        """End it within a step."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_SECONDS_MAX)

    def run(self) -> None:
        """Audit until closed, in this thread."""
        self._show(state="running")
        while not self._stop.is_set():
            rounds = Rounds(passing=self._passing, rows_max=self._rows_max)
            try:
                self._keep_on(rounds)
            except TooLarge as large:
                self._alarm(f"the background audit ends: {large}", None)
                self._show(state="too_large")
                return
            except Exception as fault:  # noqa: BLE001  (whatever it is, the audit must not end silently)
                self._report(rounds.drain())
                self._alarm("the background audit begins anew", fault)
                self._pause(RETRY_SECONDS)
        self._show(state="ended")

    def _keep_on(self, rounds: Rounds) -> None:
        while not self._stop.is_set():
            began, before, rest = time.monotonic(), rounds.batch, ROUND_PAUSE_SECONDS
            try:
                whole = self._round(rounds)
            except ReadLater as trouble:
                self._say_once(str(trouble), trouble)
                self._pause(RETRY_SECONDS)
                continue
            if whole:
                if not self._found_now:
                    self._known.clear()
                self._trouble = ""
                seconds = time.monotonic() - began
                self._show(rounds=self.progress.rounds + 1, findings=len(self._known), round_seconds=seconds)
                if rounds.batch == before:
                    rest = max(rest, min(IDLE_REST * seconds, IDLE_REST_SECONDS_MAX))
            self._pause(rest)

    def _round(self, rounds: Rounds) -> bool:
        """Make one round; return whether it was a whole one. A reader of its own sees the file as it is by now."""
        try:
            reader = self._make_reader()
        except Exception as fault:
            raise ReadLater("the background audit cannot open the books") from fault
        self._found_now = 0
        try:
            if reader.books != (self._books or reader.books):
                words = "the file of the books was replaced by other books"
                self._report((Finding("head", None, None, None, None, words),))
                return False
            self._books = reader.books
            return self._in_slices(rounds, reader)
        finally:
            reader.close()

    def _in_slices(self, rounds: Rounds, reader: Reader) -> bool:
        steps = rounds.round(reader)
        began = time.thread_time()
        while not self._stop.is_set():
            try:
                next(steps)
            except StopIteration as end:
                self._after_step(rounds)
                return bool(end.value)
            self._after_step(rounds)
            used = time.thread_time() - began
            if used >= SLICE_SECONDS:
                self._pause(used * (1 / self._share_now() - 1))
                began = time.thread_time()
        return False

    def _share_now(self) -> float:
        return self._share * AUDIT_PRESSED_PART if self._pressed() else self._share

    def _after_step(self, rounds: Rounds) -> None:
        self._report(rounds.drain())
        if rounds.batch != self.progress.batch:
            self._show(batch=rounds.batch)

    def _report(self, findings: Sequence[Finding]) -> None:
        if not findings:
            return
        self._found_now += len(findings)
        new = [finding for finding in findings if finding not in self._known]
        if new:
            more = f", and {len(new) - 1} more" if len(new) > 1 else ""
            self._alarm(f"the background audit found: {new[0].message}{more}", None)
            self._known.update(new[: max(0, AUDIT_FINDINGS_MAX - len(self._known))])
            self._show(findings=len(self._known))
        self._found(findings)

    def _say_once(self, trouble: str, fault: RoundEnds) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._alarm(trouble, fault.__cause__)

    def _show(self, **changes: object) -> None:
        self.progress = self.progress._replace(**changes)  # type: ignore[arg-type]
