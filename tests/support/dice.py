"""A number taken apart into choices, so that a whole story of commands is a few bytes, and fewer when it shrinks."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices from one number: of zero, every choice is the first."""

    def __init__(self, number: int) -> None:
        self._number = number

    def roll(self, sides: int) -> int:
        """Return 0 to `sides` - 1."""
        self._number, face = divmod(self._number, sides)
        return face

    def one_of(self, things: Sequence[T]) -> T:
        return things[self.roll(len(things))]

    def seldom(self, times: int) -> bool:
        """Return True once in so many times."""
        return self.roll(times) == times - 1
