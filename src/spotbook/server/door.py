"""Who may hold a connection open: a bound over all of a listener's, and one for each address they come from."""

import resource
from typing import NamedTuple

from spotbook.domain.address import Networks, client_address, limit_subject
from spotbook.limits import (
    ADMIN_CONNECTIONS_MAX,
    CONNECTIONS_MAX,
    CONNECTIONS_MIN,
    DESCRIPTORS_RESERVED,
)


class TooFewDescriptors(OSError):
    """The process may not open enough files to serve anybody."""


class Room(NamedTuple):
    """How many connections each listener may hold."""

    wire: int
    admin: int


class Door:
    """Counts the connections of one listener. Belongs to its event loop.

    An address is counted as the limiter counts it: IPv4 by itself, IPv6 by its /64. A trusted proxy's address has no
    bound of its own: the connections of all clients come from it, so that a bound would let one of them shut out the
    others. Such a proxy must bound its clients itself; what it may hold is bounded by the listener's total.
    """

    def __init__(self, connections_max: int, per_address_max: int, trusted: Networks) -> None:
        self._connections_max = connections_max
        self._per_address_max = per_address_max
        self._trusted = trusted
        self._by_subject: dict[str, int] = {}
        self.open = 0
        self.refused = 0

    def another(self) -> "Door":
        """Return a door with the same bounds, which counts by itself."""
        return Door(self._connections_max, self._per_address_max, self._trusted)

    def enter(self, peer: str | None) -> str | None:
        """Let a connection in, and return what to give to `leave` at its end; None when it is one too many."""
        address = client_address(peer, (), self._trusted)
        subject = "" if self._trusted.holds(address) else limit_subject(address)
        held = self._by_subject.get(subject, 0)
        if self.open >= self._connections_max or (subject and held >= self._per_address_max):
            self.refused += 1
            return None
        self.open += 1
        self._by_subject[subject] = held + 1
        return subject

    def leave(self, subject: str) -> None:
        """Count a connection out."""
        self.open -= 1
        held = self._by_subject[subject] - 1
        if held:
            self._by_subject[subject] = held
        else:
            del self._by_subject[subject]  # the addresses that ever called must not pile up


def room_for(descriptors: int) -> Room:
    """Return how many connections a process that may open `descriptors` files has room for.

    The books, their readers and the libraries have theirs first. An eighth is the Admin API's own, so that an operator
    gets in when the wire API is full. Raises TooFewDescriptors when hardly any is left.
    """
    free = descriptors - DESCRIPTORS_RESERVED
    if free < CONNECTIONS_MIN:
        needed = DESCRIPTORS_RESERVED + CONNECTIONS_MIN
        raise TooFewDescriptors(f"this process may open {descriptors} files; it needs {needed}: raise `ulimit -n`")
    admin = min(ADMIN_CONNECTIONS_MAX, max(1, free // 8))
    return Room(min(CONNECTIONS_MAX, free - admin), admin)


def claim_descriptors() -> int:
    """Raise the soft limit of open files as far as it is of use and may be; return what this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_RESERVED + ADMIN_CONNECTIONS_MAX + CONNECTIONS_MAX
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    reached = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
    return reached
