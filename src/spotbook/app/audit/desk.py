"""The audit's desk: one pass at a time, in a thread of its own, and the last report at hand."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from spotbook.app.audit.report import Report
from spotbook.app.audit.run import Progress, audit
from spotbook.app.readers import Readers
from spotbook.limits import AUDIT_ENTRIES_MAX


class AuditClosed(Exception):
    """The desk was closed before the pass ended."""


class _Pass:
    """One pass: `whole` is its report; `soon` is that or, once it is seen to take long, the last report there is."""

    def __init__(self) -> None:
        self.whole: Future[Report] = Future()
        self.soon: Future[Report | None] = Future()
        for future in (self.whole, self.soon):
            future.set_running_or_notify_cancel()  # who waits may go away; the pass goes on

    def fail(self, fault: BaseException) -> None:
        self.whole.set_exception(fault)
        if not self.soon.done():
            self.soon.set_exception(fault)

    def end(self, report: Report) -> None:
        self.whole.set_result(report)
        if not self.soon.done():
            self.soon.set_result(report)


class AuditDesk:
    """Runs passes on demand. Whoever asks while one runs gets the next, which begins after they asked.

    `finished` gets every report in the audit's thread, before those who asked for it; `failed` what ended a pass
    without one, which is a fault of the program or of the disk.
    """

    def __init__(
        self,
        readers: Readers,
        *,
        finished: Callable[[Report], None] = lambda _: None,
        failed: Callable[[BaseException], None] = lambda _: None,
        entries_max: int = AUDIT_ENTRIES_MAX,
    ) -> None:
        self._readers = readers
        self._finished = finished
        self._failed = failed
        self._entries_max = entries_max
        self._lock = threading.Lock()
        self._running: _Pass | None = None
        self._next: _Pass | None = None
        self._closed = False
        self.last: Report | None = None

    def whole(self) -> Future[Report]:
        """Ask for a pass; the future is its report, however long it takes."""
        return self._ask().whole

    def soon(self) -> Future[Report | None]:
        """Ask for a report: a fresh one of books up to `entries_max` entries, beyond them the last one finished.

        The future is None when the books are beyond, and no pass over them has been finished yet; one is running then.
        """
        last = self.last
        if last is None or last.entries <= self._entries_max:
            return self._ask().soon
        if self._running is None:
            self._ask()
        at_hand: Future[Report | None] = Future()
        at_hand.set_result(last)
        return at_hand

    def close(self) -> None:
        """End the pass that runs, if any, at its next batch; begin none any more."""
        with self._lock:
            self._closed = True

    def _ask(self) -> _Pass:
        with self._lock:
            if self._running is None:
                self._running = _Pass()
                threading.Thread(target=self._run, args=(self._running,), name="audit", daemon=True).start()
                return self._running
            if self._next is None:
                self._next = _Pass()
            return self._next

    def _run(self, current: _Pass | None) -> None:
        while current is not None:
            try:
                with self._readers.reader() as reader:
                    report = audit(reader, progress=lambda progress, one=current: self._watch(one, progress))  # type: ignore[misc]
                self.last = report
                self._finished(report)
            except BaseException as fault:  # noqa: BLE001  (whoever asked must not be left waiting)
                if not isinstance(fault, AuditClosed):
                    self._failed(fault)
                current.fail(fault)
            else:
                current.end(report)
            with self._lock:
                current = self._running = self._next
                self._next = None

    def _watch(self, current: _Pass, progress: Progress) -> None:
        if self._closed:
            raise AuditClosed
        if progress.entries > self._entries_max and not current.soon.done():
            current.soon.set_result(self.last)
