"""Readers lent to threads that come and go."""

import pytest

from spotbook.app.ports import Reader
from spotbook.app.readers import Readers
from spotbook.store.memory import MemoryBooks, MemoryReader


class Shop:
    """Lends readers, and counts them."""

    def __init__(self) -> None:
        self.made: list[MemoryReader] = []
        self.readers = Readers(self.make)

    def make(self) -> Reader:
        reader = MemoryReader(MemoryBooks())
        self.made.append(reader)
        return reader


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_reader_that_came_back_is_lent_again(shop: Shop) -> None:
    with shop.readers.reader() as first:
        pass
    with shop.readers.reader() as again:
        assert again is first
    assert len(shop.made) == 1


def test_two_at_a_time_get_two(shop: Shop) -> None:
    with shop.readers.reader() as one, shop.readers.reader() as other:
        assert one is not other


def test_a_reader_comes_back_from_a_read_that_failed(shop: Shop) -> None:
    with pytest.raises(KeyError), shop.readers.reader():
        raise KeyError
    with shop.readers.reader():
        assert len(shop.made) == 1


def test_closing_closes_those_that_are_free(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[MemoryReader] = []

    def close(reader: MemoryReader) -> None:
        closed.append(reader)

    monkeypatch.setattr(MemoryReader, "close", close)
    with shop.readers.reader():
        pass
    shop.readers.close()
    assert closed == shop.made
