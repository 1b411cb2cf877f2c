"""Readers for threads that come and go: each takes one that is free, or makes one, and gives it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spotbook.app.ports import Reader


class Readers:
    """Lends readers. As many exist as were ever in use at one time."""

    def __init__(self, make: Callable[[], Reader]) -> None:
        self._make = make
        self._free: list[Reader] = []

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Lend a reader to one thread."""
        try:
            reader = self._free.pop()
        except IndexError:
            reader = self._make()
        try:
            yield reader
        finally:
            self._free.append(reader)

    def close(self) -> None:
        """Close the readers that are free."""
        while self._free:
            self._free.pop().close()
