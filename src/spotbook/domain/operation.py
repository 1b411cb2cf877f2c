"""What the operator and the program itself set: halts, the writer's stop, bans."""

from spotbook.domain.account import check_words
from spotbook.domain.commands import Halt, LiftBan, RecordBan, Resume, StopWriter
from spotbook.domain.decision import Decision
from spotbook.domain.events import BanBegun, BanLifted, StandingChanged
from spotbook.domain.state import RUNNING, State
from spotbook.limits import REASON_CHARACTERS_MAX


def change_standing(state: State, command: Halt | StopWriter | Resume, now: int) -> Decision:
    """Decide `Halt`, `StopWriter` and `Resume`; the result is the StandingChanged, or None when it was so before."""
    check_words("reason", command.reason, REASON_CHARACTERS_MAX)
    before = (state.standing.get("") or RUNNING).standing
    after = {Halt: "halted", StopWriter: "stopped", Resume: "running"}[type(command)]
    # A stopped writer is not made to go on by a mere halt.
    if before == after or (before, after) == ("stopped", "halted"):
        return Decision([], None, fresh=False)
    changed = StandingChanged(after, command.reason, now)
    return Decision([changed], changed)


def record_ban(state: State, command: RecordBan, now: int) -> Decision:  # noqa: ARG001  (one shape for all)
    """Decide `RecordBan`; the result is the BanBegun."""
    begun = BanBegun(*command)
    return Decision([begun], begun)


def lift_ban(state: State, command: LiftBan, now: int) -> Decision:  # noqa: ARG001
    """Decide `LiftBan`; the result is the BanLifted."""
    check_words("subject", command.subject, REASON_CHARACTERS_MAX)
    lifted = BanLifted(command.subject, command.lifted_at)
    return Decision([lifted], lifted)
