"""Books of values alone: decide and apply on a state in memory, without writer or store."""

from typing import Any

from spotbook.domain.apply import apply
from spotbook.domain.commands import Command, FoundBooks, OpenAccount
from spotbook.domain.credentials import Actor
from spotbook.domain.decide import decide
from spotbook.domain.decision import Decision
from spotbook.domain.events import Event
from spotbook.domain.state import empty_state
from support.clock import NOW
from support.commands import BTC, HOUSE, USDT


class Bench:
    """A state, and all events that made it."""

    def __init__(self) -> None:
        self.state = empty_state()
        self.now = NOW
        self.events: list[Event] = []

    def decide(self, command: Command, actor: Actor = HOUSE) -> Decision:
        """Decide without applying."""
        return decide(self.state, command, actor, self.now)

    def apply(self, *events: Event) -> None:
        apply(self.state, list(events))
        self.events += events

    def do(self, command: Command, actor: Actor = HOUSE) -> Any:
        """Decide and apply; return the result."""
        decision = self.decide(command, actor)
        self.apply(*decision.events)
        return decision.result


def bench() -> Bench:
    """Return founded books with the assets BTC (1) and USDT (2) and one user, `commands.USER`."""
    made = Bench()
    for command in (FoundBooks(), BTC, USDT, OpenAccount("user")):
        made.do(command)
    return made
