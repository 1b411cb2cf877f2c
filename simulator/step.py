"""A step of a run, as data."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Step(NamedTuple):
    """One thing that happens. `joins`: it arrives together with the step before it. `ms` pass before it.

    A step stands by itself: it names an order by the step that placed it, and holds all else as it is sent. So any
    part of a story can be told again; a step that speaks of what is not there is passed over.
    """

    kind: str
    args: Mapping[str, Any]
    joins: bool = False
    ms: int = 0
