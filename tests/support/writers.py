"""A writer without its thread, and what it says."""

from collections import deque
from collections.abc import Mapping, Sequence

from spotbook.app.ports import Store
from spotbook.app.writer import Commit, Done, Outcome, Submission, Writer
from spotbook.domain.book import Depth
from spotbook.domain.commands import Command, FoundBooks, OpenAccount
from spotbook.domain.credentials import Actor
from support.clock import StandingClock
from support.commands import BTC, BTC_USDT, HOUSE, OTHER, USDT, USER, deposit


class Desk:
    """A writer over a store, with a clock that stands; the alarms, the batches and the depths that it showed."""

    def __init__(self, store: Store, clock: StandingClock | None = None) -> None:
        self.clock = clock or StandingClock()
        self.alarms: list[str] = []
        self.shown: list[Commit] = []
        self.depths: list[Mapping[str, Depth]] = []
        self.writer = Writer(
            store, self.clock, alarm=self.alarm, committed=self.shown.append, depths=self.depths.append
        )

    def alarm(self, words: str, cause: BaseException | None) -> None:
        self.alarms.append(words)

    def batch(self, *commands: Command, actor: Actor = HOUSE) -> list[Outcome]:
        """Carry out the commands as one batch, as long as they fit one; return what became of each."""
        pending = deque(submission(command, actor) for command in commands)
        answers = self.writer.carry_out(pending)
        assert not pending
        return [outcome for _, outcome in answers]

    def do(self, command: Command, actor: Actor = HOUSE) -> Outcome:
        """Carry out one command in a batch of its own."""
        return self.batch(command, actor=actor)[0]

    def found(self) -> None:
        """Found the books, with the assets BTC (1) and USDT (2) and one user, `commands.USER`: one batch."""
        outcomes = self.batch(FoundBooks(), BTC, USDT, OpenAccount("user"))
        assert all(isinstance(outcome, Done) for outcome in outcomes)

    def open_market(self) -> None:
        """After `found`: the market BTC_USDT, a second user, `commands.OTHER`, and money for both: one batch."""
        outcomes = self.batch(BTC_USDT, OpenAccount("other"), *money())
        assert all(isinstance(outcome, Done) for outcome in outcomes)


def money() -> list[Command]:
    """Return deposits of 100 BTC and 1,000,000 USDT for each of the two users."""
    return [
        deposit(f"seed-{asset}-{account}", amount, account=account, asset=asset)
        for account in (USER, OTHER)
        for asset, amount in (("BTC", "100"), ("USDT", "1000000"))
    ]


def submission(command: Command, actor: Actor = HOUSE) -> Submission:
    """Return a submission whose answer nobody waits for."""
    return Submission(command, actor, (), lambda _: None)


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]
