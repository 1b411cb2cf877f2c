"""The board: the best levels of every book, as they stood after the last batch that changed them.

The writer's thread publishes after each commit, before the answers of the batch leave, so that whoever was told of an
order finds it here. Everybody else reads.
"""

from collections.abc import Mapping

from spotbook.domain.book import Depth

EMPTY = Depth((), ())


class Board:
    """Depths by the market's symbol."""

    def __init__(self) -> None:
        self._depths: dict[str, Depth] = {}

    def publish(self, depths: Mapping[str, Depth]) -> None:
        """Show these depths from now on; those of other markets stay."""
        self._depths.update(depths)

    def depth(self, symbol: str) -> Depth:
        """Return the depth of a market; an empty one when nothing was published of it."""
        return self._depths.get(symbol, EMPTY)
