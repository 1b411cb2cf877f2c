"""The board: what everybody is shown of the books."""

from spotbook.app.board import Board
from spotbook.domain.book import Depth

ONE = Depth(((101, 5),), ((99, 4),))
TWO = Depth((), ((98, 1),))


def test_a_market_of_which_nothing_was_published_is_empty() -> None:
    assert Board().depth("BTC_USDT") == Depth((), ())


def test_what_was_published_is_shown() -> None:
    board = Board()
    board.publish({"BTC_USDT": ONE, "ETH_USDT": TWO})
    assert (board.depth("BTC_USDT"), board.depth("ETH_USDT")) == (ONE, TWO)


def test_the_last_of_a_market_is_shown_and_the_others_stay() -> None:
    board = Board()
    board.publish({"BTC_USDT": ONE, "ETH_USDT": ONE})
    board.publish({"BTC_USDT": TWO})
    assert (board.depth("BTC_USDT"), board.depth("ETH_USDT")) == (TWO, ONE)


def test_what_is_published_is_copied() -> None:
    board, depths = Board(), {"BTC_USDT": ONE}
    board.publish(depths)
    depths["BTC_USDT"] = TWO
    assert board.depth("BTC_USDT") == ONE


def test_nothing_published_changes_nothing() -> None:
    board = Board()
    board.publish({"BTC_USDT": ONE})
    board.publish({})
    assert board.depth("BTC_USDT") == ONE
