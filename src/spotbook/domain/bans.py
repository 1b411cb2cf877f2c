"""Who stands where on the ladder: the ladders of all subjects of one node, in a table with a bound."""

from collections.abc import Iterable
from typing import NamedTuple

from spotbook.domain.ladder import BLANK, Ban, BanKind, Ladder, LadderRules, ban_in_force, refused, restored, settled

_PROBES = 8


class Subject(NamedTuple):
    """Whose ladder it is: a user at an address, or the address itself when `user` is None."""

    user: int | None
    address: str


class SubjectBan(NamedTuple):
    """A ban or blacklisting of one subject, in force during [began_ms, until_ms): what the caller stores."""

    subject: Subject
    kind: BanKind
    began_ms: int
    until_ms: int


class Ladders:
    """The ladders of at most `most` subjects. Those that are blank need no place here, which is nearly everybody.

    When the table is full, the subject refused longest ago makes room; one that has been banned lately is passed over
    for one that has not, and one that is banned now is never forgotten. If nothing but bans in force is found, the
    newcomer is not counted: its windows still refuse it, so what is lost is only the aggravation.

    `by_subject` is for looking up, in the order of the last refusal, the longest ago first.
    """

    def __init__(self, rules: LadderRules, most: int) -> None:
        self._rules = rules
        self._most = most
        self.by_subject: dict[tuple[int | None, str], Ladder] = {}

    def __len__(self) -> int:
        return len(self.by_subject)

    def count(self, subject: Subject, errors_max: int, now: int) -> SubjectBan | None:
        """Count a refusal of `subject`; return the ban that it began, if any."""
        ladder = self.by_subject.pop(subject, None)
        if ladder is None:
            if not self._make_room(now):
                return None
            ladder = BLANK
        self.by_subject[subject], ban = refused(ladder, self._rules, errors_max, now)
        return None if ban is None else _of(subject, ban)

    def restore(self, bans: Iterable[SubjectBan], now: int) -> None:
        """Put the subjects of the stored `bans` where these lead; bans that no longer matter may be among them."""
        by_subject: dict[Subject, list[Ban]] = {}
        for subject, kind, began_ms, until_ms in bans:
            by_subject.setdefault(subject, []).append(Ban(began_ms, until_ms, kind))
        for subject, own in by_subject.items():
            ladder = restored(own, self._rules, now)
            if not settled(ladder, self._rules, now) and (subject in self.by_subject or self._make_room(now)):
                self.by_subject[subject] = ladder

    def bans(self, now: int) -> list[SubjectBan]:
        """Return the bans in force."""
        found = ((subject, ban_in_force(ladder, now)) for subject, ladder in self.by_subject.items())
        return [_of(Subject(*subject), ban) for subject, ban in found if ban]

    def lift(self, subject: Subject, now: int) -> bool:
        """Pardon the subject: its ladder is blank again. Return whether a ban was in force."""
        ladder = self.by_subject.pop(subject, BLANK)
        return ban_in_force(ladder, now) is not None

    def _make_room(self, now: int) -> bool:
        ladders = self.by_subject
        if ladders and settled(next(iter(ladders.values())), self._rules, now):
            del ladders[next(iter(ladders))]  # so that the table shrinks again after a rush
        if len(ladders) < self._most:
            return True
        # A bounded search. Who is passed over goes to the back, so that the next search begins behind it.
        for probe in range(2 * _PROBES):
            subject = next(iter(ladders))
            ladder = ladders.pop(subject)
            if ban_in_force(ladder, now) is None and (not ladder.bans or probe >= _PROBES):
                return True
            ladders[subject] = ladder
        return False


def _of(subject: Subject, ban: Ban) -> SubjectBan:
    return SubjectBan(subject, ban.kind, ban.began_ms, ban.until_ms)
