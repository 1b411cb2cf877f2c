"""What the listeners are given: the joined parts of one running Spotbook. `spotbook.bootstrap` makes it."""

from collections.abc import Callable
from dataclasses import dataclass

from spotbook.app.board import Board
from spotbook.app.engine import Engine
from spotbook.app.keys import KeyRing, Keys
from spotbook.app.ports import Clock, Reader
from spotbook.app.readers import Readers
from spotbook.domain.pacing import Pacer
from spotbook.server.metrics import Metrics
from spotbook.settings import Settings


@dataclass(frozen=True)
class Parts:
    """One running Spotbook.

    Both listeners run in one event loop. `reader`, `ring` and `pacer` belong to that loop's thread; any other thread
    borrows a reader from `readers`. `pace_clock` is in milliseconds like `clock`, and never jumps.
    """

    settings: Settings
    clock: Clock
    pace_clock: Clock
    engine: Engine
    readers: Readers
    board: Board
    reader: Reader
    ring: KeyRing
    keys: Keys
    pacer: Pacer
    metrics: Metrics
    alarm: Callable[[str, BaseException | None], None]
