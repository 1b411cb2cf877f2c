"""Settling: the legs of one order's fills, drawn up as one transaction.

Each fill is settled at the resting order's price: who pays, the improvement that is given back at once, who receives,
and the fees, each a leg of its own.
"""

from spotbook.domain.account import FEES
from spotbook.domain.asset import PPM
from spotbook.domain.book import Book
from spotbook.domain.events import Event, OrderChanged, Traded
from spotbook.domain.ledger import Draft
from spotbook.domain.matching import Meeting
from spotbook.domain.order import Order, after
from spotbook.domain.state import HoldKey, State


def hold_of(book: Book, order: Order) -> HoldKey:
    """Return the key of what a limit order holds."""
    asset = book.market.quote if order.side == "buy" else book.market.base
    return HoldKey(order.account, asset, "order", order.id)


def release(draft: Draft, book: Book, order: Order) -> None:
    """Give back all that a limit order holds."""
    draft.release(hold_of(book, order), book.held(order), why="cancelled")


def fee_of(gross: int, ppm: int) -> int:
    """Return the fee on what one side of a fill receives: rounded up, once, and never more than that."""
    return -(-gross * ppm // PPM)


class Settlement:
    """The fills of one arriving order, `taker`, which has its id: drawn up on `draft`, and what they came to so far.

    `hold` is what the taker pays from, None for a market order, which pays from available.
    """

    __slots__ = ("_book", "_first_trade", "_hold", "_taker", "draft", "fee", "filled", "others", "trades", "value")

    def __init__(self, state: State, draft: Draft, book: Book, taker: Order, hold: HoldKey | None) -> None:
        self.draft = draft
        self.filled = self.value = self.fee = 0
        self.others: list[OrderChanged] = []
        self.trades: list[Traded] = []
        self._book = book
        self._taker = taker
        self._hold = hold
        self._first_trade = state.next_id("trade")

    def give_way(self, order: Order) -> None:
        """Cancel a resting order of the taker's own account."""
        release(self.draft, self._book, order)
        status = after(order.status, "cancel")
        self.others.append(OrderChanged(*order[:11], status, *order[12:14], self._taker.placed_at))

    def settle(self, meeting: Meeting) -> None:
        """Draw up one fill."""
        maker, price, units, value = meeting
        taker, market = self._taker, self._book.market
        if taker.side == "buy":
            maker_fee, taker_fee = self._exchange(maker, units, value, market.base, market.quote)
            if self._hold is not None and taker.price > price:
                surplus = self._book.value(taker.price - price, units)
                self.draft.release(self._hold, surplus, why="improvement")
        else:
            maker_fee, taker_fee = self._exchange(maker, value, units, market.quote, market.base)
        self.filled += units
        self.value += value
        self.fee += taker_fee
        self._change(maker, units, value, maker_fee)
        self.trades.append(
            Traded(
                market.id,
                self._first_trade + len(self.trades),
                taker.side,
                price,
                units,
                value,
                maker.account,
                maker.id,
                maker_fee,
                taker.account,
                taker.id,
                taker_fee,
                taker.placed_at,
            )
        )

    def _exchange(self, maker: Order, gives: int, gets: int, given: int, got: int) -> tuple[int, int]:
        """Let the maker give of one asset and get of the other; return both fees, the maker's first."""
        taker, draft, market = self._taker, self.draft, self._book.market
        if self._hold is None:
            draft.move(taker.account, got, available=-gets, why="paid", ref=taker.id)
        else:
            draft.spend(self._hold, gets, why="paid")
        draft.spend(HoldKey(maker.account, given, "order", maker.id), gives, why="paid")
        taker_fee = self._receive(taker, given, gives, market.taker_fee_ppm)
        maker_fee = self._receive(maker, got, gets, market.maker_fee_ppm)
        return maker_fee, taker_fee

    def _receive(self, order: Order, asset: int, gross: int, ppm: int) -> int:
        """Let an order's account receive what its side of a fill is worth, less the fee; return the fee."""
        fee = fee_of(gross, ppm)
        if gross > fee:
            self.draft.move(order.account, asset, available=gross - fee, why="received", ref=order.id)
        if fee:
            self.draft.move(FEES, asset, available=fee, why="fee", ref=order.id)
        return fee

    def _change(self, maker: Order, units: int, value: int, fee: int) -> None:
        filled = maker.filled + units
        status = after(maker.status, "fill_all" if filled == maker.amount else "fill_some")
        executed = filled, maker.value + value, maker.fee + fee
        self.others.append(OrderChanged(*maker[:8], *executed, status, *maker[12:14], self._taker.placed_at))

    def close(self, last: Event) -> list[Event]:
        """Return the events of the transaction, of which `last` is what became of the taker."""
        return [*self.draft.close(), *self.others, *self.trades, last]
