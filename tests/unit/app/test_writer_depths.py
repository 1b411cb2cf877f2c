"""What the writer shows of the books: all of them at once, then those that a committed batch changed."""

from collections import deque
from collections.abc import Mapping

import pytest

from spotbook.app.writer import Commit, Writer
from spotbook.domain.apply import APPLICATIONS
from spotbook.domain.book import Depth
from spotbook.domain.commands import CancelAllOrders, CancelOrder, ChangeMarket, MakeAsset
from spotbook.domain.events import DepositMade
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.clock import StandingClock
from support.commands import BTC_USDT, OTHER, USER, deposit, limit
from support.stores import FaultyStore, Odd
from support.writers import Desk, kinds, submission

ONE = 10**8
ETH = MakeAsset("ETH", 8, "1000000")
ETH_USDT = BTC_USDT._replace(symbol="ETH_USDT")
EMPTY = Depth((), ())


class Shop:
    """Two markets, in the first of which one order rests, over a store that fails as told."""

    def __init__(self) -> None:
        self.disk = MemoryBooks()
        self.store = FaultyStore(MemoryStore(self.disk))
        self.desk = Desk(self.store)
        self.desk.found()
        self.desk.open_market()
        self.desk.batch(ETH, ETH_USDT, deposit("eth", "100", asset="ETH"), limit("sell", "100", "2"))
        self.desk.depths.clear()

    @property
    def depths(self) -> list[Mapping[str, Depth]]:
        return self.desk.depths


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_all_books_are_shown_at_recovery(shop: Shop) -> None:
    shop.store.close()
    desk = Desk(MemoryStore(shop.disk))
    assert desk.depths == [{"BTC_USDT": Depth(((10_000, 2 * ONE),), ()), "ETH_USDT": EMPTY}]


def test_new_books_are_shown_to_have_none() -> None:
    assert Desk(MemoryStore(MemoryBooks())).depths == [{}]


def test_only_the_books_that_a_batch_changed_are_shown_once(shop: Shop) -> None:
    shop.desk.batch(limit("sell", "10", "3", symbol="ETH_USDT"), limit("sell", "11", "4", symbol="ETH_USDT"))
    assert shop.depths == [{"ETH_USDT": Depth(((1_000, 3 * ONE), (1_100, 4 * ONE)), ())}]


def test_those_of_several_markets_are_shown_together(shop: Shop) -> None:
    shop.desk.batch(limit("sell", "10", "3", symbol="ETH_USDT"), CancelAllOrders(USER, ""), limit("buy", "9", "1"))
    assert shop.depths == [{"ETH_USDT": EMPTY, "BTC_USDT": Depth((), ((900, ONE),))}]


def test_a_fill_a_cancel_and_a_placing_each_change_a_book(shop: Shop) -> None:
    shop.desk.do(limit("buy", "100", "0.5", account=OTHER))
    shop.desk.do(limit("buy", "99", "1", account=OTHER))
    shop.desk.do(CancelOrder(USER, 1))
    asks = ((10_000, 150_000_000),)
    assert [depths["BTC_USDT"] for depths in shop.depths] == [
        Depth(asks, ()),
        Depth(asks, ((9_900, ONE),)),
        Depth((), ((9_900, ONE),)),
    ]


def test_a_new_market_is_shown_empty(shop: Shop) -> None:
    shop.desk.batch(MakeAsset("SOL", 8, "1000"), BTC_USDT._replace(symbol="SOL_USDT"))
    assert shop.depths == [{"SOL_USDT": EMPTY}]


def test_a_batch_that_changes_no_book_shows_none(shop: Shop) -> None:
    shop.desk.batch(deposit("a"), ChangeMarket("BTC_USDT", state="cancel_only"), limit("buy", "99", "1"))
    assert shop.depths == []


def test_a_refusal_and_a_repeat_show_none(shop: Shop) -> None:
    order = limit("buy", "10", "1", out_trade_no="one")
    shop.desk.do(order)
    shop.depths.clear()
    assert kinds(shop.desk.batch(order, CancelOrder(USER, 404))) == ["Done", "Refused"]
    assert shop.depths == []


def test_the_depths_are_shown_after_the_commit_and_before_the_batch(shop: Shop) -> None:
    shop.store.close()
    told: list[tuple[str, int]] = []
    disk = shop.disk

    def depths(changed: Mapping[str, Depth]) -> None:
        told.append((" ".join(sorted(changed)), disk.head.number))

    def committed(commit: Commit) -> None:
        told.append(("committed", commit.batch.number))

    def alarm(words: str, cause: BaseException | None) -> None:
        raise AssertionError(words)

    start = disk.head.number
    writer = Writer(MemoryStore(disk), StandingClock(), alarm=alarm, committed=committed, depths=depths)
    assert told == [("BTC_USDT ETH_USDT", start)]
    writer.carry_out(deque([submission(limit("sell", "101", "1"))]))
    writer.carry_out(deque([submission(deposit("a"))]))
    assert told[1:] == [("BTC_USDT", start + 1), ("committed", start + 1), ("committed", start + 2)]


@pytest.mark.parametrize("fault", ["not committed", "unknown, batch not there", "disk full", "disk broken", "deposed"])
def test_a_batch_that_failed_shows_nothing(shop: Shop, fault: str) -> None:
    shop.store.faults.append(fault)  # type: ignore[arg-type]
    shop.desk.batch(CancelOrder(USER, 1), limit("sell", "10", "1", symbol="ETH_USDT"))
    assert shop.depths == []


def test_after_it_the_books_are_shown_as_if_it_had_not_been(shop: Shop) -> None:
    shop.store.faults.append("not committed")
    shop.desk.batch(CancelOrder(USER, 1), limit("sell", "10", "1", symbol="ETH_USDT"))
    shop.desk.do(limit("sell", "101", "1"))
    assert shop.depths[-1]["BTC_USDT"] == Depth(((10_000, 2 * ONE), (10_100, ONE)), ())
    assert shop.depths[-1].get("ETH_USDT", EMPTY) == EMPTY


def test_a_market_that_was_lost_is_not_shown(shop: Shop) -> None:
    shop.store.faults.append("not committed")
    shop.desk.batch(MakeAsset("SOL", 8, "1000"), BTC_USDT._replace(symbol="SOL_USDT"))
    shop.desk.do(limit("sell", "101", "1"))
    assert [set(depths) for depths in shop.depths] == [{"BTC_USDT"}]


@pytest.mark.parametrize("fault", ["unknown, batch there", "unheard of, batch there"])
def test_a_batch_that_is_there_after_all_is_shown(shop: Shop, fault: str) -> None:
    shop.store.faults.append(fault)  # type: ignore[arg-type]
    shop.desk.do(CancelOrder(USER, 1))
    assert shop.depths == [{"BTC_USDT": EMPTY}]


def test_a_batch_that_broke_an_invariant_shows_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(*_: object) -> None:
        raise Odd("cannot be applied")

    monkeypatch.setitem(APPLICATIONS, DepositMade, poisoned)
    assert kinds(shop.desk.batch(CancelOrder(USER, 1), deposit("bad"))) == ["NotDone"] * 2
    shown = [depths["BTC_USDT"] for depths in shop.depths]  # the stop is a batch, and may show what is so
    assert shown in ([], [Depth(((10_000, 2 * ONE),), ())])


def test_what_cannot_be_shown_undoes_no_batch(shop: Shop) -> None:
    def broken(_: Mapping[str, Depth]) -> None:
        raise Odd("no room on the board")

    shop.desk.writer._depths = broken
    assert kinds([shop.desk.do(CancelOrder(USER, 1))]) == ["Done"]
    assert shop.desk.alarms == ["a committed batch could not be shown to those who watch"]
    assert shop.disk.head.number == shop.desk.writer.head.number
