"""The shelf that is all in memory."""

from spotbook.domain.state import DictShelf


def test_a_shelf_gives_what_was_put_last() -> None:
    shelf: DictShelf[str, int] = DictShelf()
    assert shelf.get("a") is None
    shelf.put("a", 1)
    shelf.put("a", 2)
    assert shelf.get("a") == 2


def test_what_is_dropped_is_gone_and_what_is_not_there_may_be_dropped() -> None:
    shelf: DictShelf[str, int] = DictShelf()
    shelf.put("a", 1)
    shelf.drop("a")
    shelf.drop("a")
    assert shelf.get("a") is None
