"""What a decision is: the events that make it so, and what the one who asked is told."""

from typing import Any, NamedTuple

from spotbook.domain.events import Event


class Decision(NamedTuple):
    """The events of an admitted command (none when nothing changes) and its result.

    `fresh` is False when the command had been carried out before and the result is the first answer again.
    """

    events: list[Event]
    result: Any
    fresh: bool = True
