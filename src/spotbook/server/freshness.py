"""Reads that wait for a version: the header ``X-Min-Version: N`` or ``X-Min-Version: BOOKS:N``.

A client that has been told a version, by this server or another, asks for nothing older. A read that is not there yet
waits for the next commit, up to a second in all.
"""

import asyncio
from typing import NamedTuple

_DIGITS_MAX = 16


class MinVersion(NamedTuple):
    """What the header asks for: a version, and the id of the books it is of, or ``""``."""

    books: str
    version: int


def min_version(header: bytes) -> MinVersion | None:
    """Return what the header asks for, or None when it is malformed."""
    text = header.decode("latin-1").strip()
    books, colon, digits = text.rpartition(":")
    if (colon and not books) or not digits.isascii() or not digits.isdigit() or len(digits) > _DIGITS_MAX:
        return None
    return MinVersion(books, int(digits))


class Commits:
    """Wakes those who wait for the next commit. `note` may be called from any thread, the rest from the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[asyncio.Future[None]] = set()

    def note(self) -> None:
        """A batch was committed."""
        if self._waiting:
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self, seconds: float) -> None:
        """Return at the next commit, or when the time is over.

        A commit between the caller's last look and this call is not missed for long: the wait is cut into short ones.
        """
        future = self._loop.create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait((future,), timeout=min(seconds, 0.05))
        finally:
            self._waiting.discard(future)

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
