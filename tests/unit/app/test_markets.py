"""The markets as readers have them: looked up anew after every commit, and only then."""

import pytest

from spotbook.app.markets import Markets
from spotbook.app.ports import Row
from spotbook.domain.commands import ChangeMarket, MakeAsset
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from support.commands import BTC_USDT, deposit
from support.writers import Desk

ETH = MakeAsset("ETH", 8, "1000000")
ETH_USDT = BTC_USDT._replace(symbol="ETH_USDT")


class CountingReader(MemoryReader):
    """A reader that remembers how often a table was read."""

    reads = 0

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        self.reads += 1
        return super().page(table, prefix, after, limit)


class Hall:
    """Books with one market, and the markets as a reader of them has them."""

    def __init__(self) -> None:
        disk = MemoryBooks()
        self.desk = Desk(MemoryStore(disk))
        self.desk.found()
        self.desk.do(BTC_USDT)
        self.reader = CountingReader(disk)
        self.markets = Markets(self.reader)


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_market_is_found_by_symbol_and_by_number(hall: Hall) -> None:
    market = hall.markets.named("BTC_USDT")
    assert market is not None
    assert (market.id, market.symbol, market.value_min, market.orders_max) == (1, "BTC_USDT", 500_000_000, 10_000)
    assert hall.markets.of(1) == market
    assert hall.markets.all() == [market]


def test_one_that_is_not_there_is_none_by_symbol_and_an_error_by_number(hall: Hall) -> None:
    assert hall.markets.named("ETH_USDT") is None
    with pytest.raises(KeyError):
        hall.markets.of(2)


def test_books_without_markets_have_none() -> None:
    assert Markets(MemoryReader(MemoryBooks())).all() == []


def test_what_has_not_changed_is_not_read_again(hall: Hall) -> None:
    for _ in range(3):
        hall.markets.named("BTC_USDT")
        hall.markets.named("ETH_USDT")
        hall.markets.of(1)
        hall.markets.all()
    assert hall.reader.reads == 1


def test_a_changed_rule_is_seen_after_its_commit(hall: Hall) -> None:
    hall.markets.all()
    hall.desk.do(ChangeMarket("BTC_USDT", state="cancel_only", bound_ppm=5))
    market = hall.markets.named("BTC_USDT")
    assert market is not None
    assert (market.state, market.bound_ppm) == ("cancel_only", 5)
    assert hall.markets.of(1) == market


def test_a_new_market_is_found_by_its_number_at_once(hall: Hall) -> None:
    hall.markets.all()
    hall.desk.batch(ETH, ETH_USDT)
    assert hall.markets.of(2).symbol == "ETH_USDT"
    assert [market.symbol for market in hall.markets.all()] == ["BTC_USDT", "ETH_USDT"]


def test_a_commit_that_changes_no_market_costs_one_reading(hall: Hall) -> None:
    before = hall.markets.all()
    hall.desk.do(deposit())
    assert hall.markets.all() == hall.markets.all() == before
    assert hall.reader.reads == 2
