"""The nonce window against a naive model that remembers all that was ever taken, across restarts and clock jumps."""

from hypothesis import given
from hypothesis import strategies as st

from spotbook.domain.nonces import SPAN_MS, Nonces
from support.clock import NOW

KEYS = st.sampled_from(["k", "l"])
NONCES = st.sampled_from([b"a", b"b", b"c", b"d"])
OFFSETS = st.integers(-SPAN_MS - 2, SPAN_MS + 2) | st.sampled_from([-SPAN_MS, 0, SPAN_MS])
TICKS = st.integers(0, 3_000) | st.sampled_from([1, SPAN_MS, SPAN_MS + 1, 2 * SPAN_MS, 2 * SPAN_MS + 1])
JUMPS = st.integers(-20_000, 20_000) | st.sampled_from([-3_600_000, 3_600_000])
CALL = st.tuples(st.just("call"), KEYS, NONCES, OFFSETS)
AGAIN = st.tuples(st.just("again"), st.integers(0, 1_000))
TICK = st.tuples(st.just("tick"), TICKS)
RESTART = st.tuples(st.just("restart"), TICKS)
JUMP = st.tuples(st.just("jump"), JUMPS)
Steps = list[tuple[object, ...]]


class Node:
    """A node and its clock, restarted as it may be: `head` is the time of the last batch."""

    def __init__(self, *, most: int = 1_000, every_call_writes: bool) -> None:
        self.clock = self.head = NOW
        self.most = most
        self.writes = every_call_writes
        self.nonces = Nonces(NOW - 2 * SPAN_MS - 1, most)
        self.calls: list[tuple[str, bytes, int]] = []
        self.taken: set[tuple[str, bytes, int]] = set()

    @property
    def now(self) -> int:
        return max(self.clock, self.head)

    def call(self, key: str, nonce: bytes, stamp: int) -> None:
        call, now = (key, nonce, stamp), self.now
        self.calls.append(call)
        judged = self.nonces.take(key, nonce, stamp, now)
        if judged.why == "taken":
            assert call not in self.taken, "taken twice"
            assert abs(stamp - now) <= SPAN_MS
            self.taken.add(call)
            if self.writes:
                self.head = now
        else:
            assert judged.why != "used" or any(taken[:2] == call[:2] for taken in self.taken)

    def take(self, steps: Steps) -> None:
        for kind, *what in steps:
            if kind == "call":
                key, nonce, offset = what
                self.call(str(key), bytes(nonce), self.now + int(str(offset)))  # type: ignore[call-overload]
            elif kind == "again" and self.calls:
                self.call(*self.calls[int(str(what[0])) % len(self.calls)])
            elif kind in {"tick", "jump"}:
                self.clock += int(str(what[0]))
            elif kind == "restart":
                self.clock += int(str(what[0]))
                self.nonces = Nonces(self.now, self.most)


@given(st.lists(CALL | AGAIN | TICK | RESTART, max_size=80))
def test_no_call_is_taken_twice_across_restarts(steps: Steps) -> None:
    Node(every_call_writes=False).take(steps)


@given(st.lists(CALL | AGAIN | TICK | JUMP, max_size=80))
def test_nor_across_jumps_of_the_clock(steps: Steps) -> None:
    Node(every_call_writes=False).take(steps)


@given(st.lists(CALL | AGAIN | TICK | JUMP | RESTART, max_size=80))
def test_what_wrote_something_is_not_taken_twice_across_both(steps: Steps) -> None:
    Node(every_call_writes=True).take(steps)


@given(st.lists(CALL | AGAIN | TICK | JUMP, max_size=80), st.integers(1, 3))
def test_nor_when_there_is_room_for_few_nonces(steps: Steps, most: int) -> None:
    Node(most=most, every_call_writes=False).take(steps)


@given(st.lists(CALL | TICK, max_size=60))
def test_with_a_clock_that_behaves_it_does_as_a_list_of_all_that_was_taken(steps: Steps) -> None:
    nonces, clock = Nonces(NOW - 2 * SPAN_MS - 1), NOW
    taken: list[tuple[object, object, int]] = []
    for kind, *what in steps:
        if kind == "tick":
            clock += int(str(what[0]))
            continue
        key, nonce, offset = what
        stamp = clock + int(str(offset))
        fresh = abs(stamp - clock) <= SPAN_MS
        used = any(past[:2] == (key, nonce) and past[2] >= clock - SPAN_MS for past in taken)
        judged = nonces.take(str(key), bytes(nonce), stamp, clock)  # type: ignore[call-overload]
        assert (judged.why == "taken") == (fresh and not used)
        if judged.why == "taken":
            taken.append((key, nonce, stamp))
