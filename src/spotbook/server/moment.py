"""One snapshot for all reads of one turn of the event loop.

Most of what a small read costs is beginning it. The calls that are answered in one turn of the loop had all arrived
before the turn began, so whatever their clients knew of was committed by then, and one snapshot, taken in that turn and
given back at its end, is as current for them as one each.
"""

import asyncio

from spotbook.app.ports import Reader


class Moment:
    """Holds the loop's reader at one moment, at most for one turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reader: Reader) -> None:
        self._loop = loop
        self._reader = reader
        self._held = False

    def enter(self) -> None:
        """Call before reading, and again after every `await`."""
        if not self._held:
            self._reader.hold()
            self._held = True
            self._loop.call_soon(self._leave)

    def _leave(self) -> None:
        self._held = False
        self._reader.release()
