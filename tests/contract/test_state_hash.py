"""The state hash is the same over every store, whatever way the books came there."""

from contextlib import closing

from spotbook.app.rebuild import rebuild
from spotbook.app.state_hash import state_hash
from spotbook.domain.commands import CancelAllOrders, ChangeMarket, Command, Halt, OpenAccount
from support.clock import StandingClock
from support.commands import deposit, make_key, make_token
from support.disks import Disk, MemoryDisk
from support.trading_story import OTHER, limit, tell
from support.writers import Desk

REST = [limit(OTHER, "buy", "1", "30"), limit(OTHER, "sell", "1", "70"), limit(OTHER, "buy", "1", "31")]

MOVES: tuple[Command, ...] = (
    deposit("more"),
    limit(OTHER, "buy", "1", "29"),
    ChangeMarket("BTC_USDT", maker_fee_ppm=5),
    CancelAllOrders(OTHER, ""),
    OpenAccount("newcomer"),
    make_token(),
)


def told(disk: Disk, clock: StandingClock | None = None) -> bytes:
    """Tell the story and leave orders; return the state hash."""
    with closing(disk.open()) as store:
        desk = Desk(store, clock)
        tell(desk)
        desk.batch(*REST)
    return hash_of(disk)


def hash_of(disk: Disk) -> bytes:
    with closing(disk.reader()) as reader:
        return state_hash(reader).hash


def test_the_same_commands_give_the_same_over_any_store(disk: Disk) -> None:
    assert told(disk) == told(MemoryDisk())


def test_neither_times_nor_batches_count(disk: Disk) -> None:
    first = told(MemoryDisk(), StandingClock(1_700_000_000_000))
    with closing(disk.open()) as store:
        desk = Desk(store)
        tell(desk)
        for command in REST:
            desk.do(command)
    assert hash_of(disk) == first


def test_it_is_the_same_after_a_crash_a_start_and_a_rebuild(disk: Disk) -> None:
    before = told(disk)
    disk.open()
    disk.crash()
    with closing(disk.open()) as store:
        rebuild(store)
    assert hash_of(disk) == before


def test_it_says_at_which_batch_it_was_so(disk: Disk) -> None:
    told(disk)
    with closing(disk.reader()) as reader:
        assert state_hash(reader).head == reader.head()


def test_whatever_moves_funds_changes_it(disk: Disk) -> None:
    seen = {told(disk)}
    with closing(disk.open()) as store:
        desk = Desk(store)
        for number, command in enumerate(MOVES, start=2):
            desk.do(command)
            seen.add(hash_of(disk))
            assert len(seen) == number, command


def test_what_moves_no_funds_and_takes_no_number_does_not(disk: Disk) -> None:
    before = told(disk)
    with closing(disk.open()) as store:
        desk = Desk(store)
        desk.batch(make_key(), Halt("asked"))
    assert hash_of(disk) == before


def test_a_snapshot_that_is_held_already_is_used(disk: Disk) -> None:
    told(disk)
    with closing(disk.reader()) as reader, reader.snapshot():
        assert state_hash(reader).hash == hash_of(disk)
        assert reader.head() == state_hash(reader).head
