"""What each event makes of the state: one table.

Applying cannot refuse. It checks only that an event fits what is there, and stops the writer when it does not: the
event was decided on another state than this one.
"""

from collections.abc import Callable
from typing import Any

from spotbook.domain import events as e
from spotbook.domain.account import Account
from spotbook.domain.asset import Asset, Market
from spotbook.domain.book import Book
from spotbook.domain.credentials import Key, Token
from spotbook.domain.deposits import same_txid
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.order import OPEN
from spotbook.domain.state import NOTHING, Balance, DepositKey, HoldKey, Standing, State


def _asset_made(state: State, event: e.AssetMade) -> None:
    state.assets.put(event.id, Asset(*event))
    state.asset_ids.put(event.name, event.id)
    state.counters.put("asset", event.id)


def _market_made(state: State, event: e.MarketMade) -> None:
    state.counters.put("market", event.id)
    _market_changed(state, event)


def _market_changed(state: State, event: e.MarketMade | e.MarketChanged) -> None:
    market = Market(*event)
    state.markets.put(market.symbol, market)
    book = state.open_orders.books.get(market.id)
    if book is not None:
        book.market = market
        return
    base, quote = state.assets.get(market.base), state.assets.get(market.quote)
    if base is None or quote is None:
        raise InvariantBroken(f"market {market.symbol} is of assets that do not exist")
    state.open_orders.books[market.id] = Book(market, base, quote)
    state.open_orders.touched.add(market.id)


def _account_opened(state: State, event: e.AccountOpened) -> None:
    account = Account(*event)  # type: ignore[arg-type]
    state.accounts.put(account.id, account)
    state.counters.put("account", account.id)
    if account.kind == "wealth":
        state.wealth_of.put(account.parent, account.id)


def _account_frozen(state: State, event: e.AccountFrozen) -> None:
    state.accounts.put(event.id, Account(*event[:-1]))  # type: ignore[arg-type]


def _entry(state: State, event: e.Entry) -> None:
    account, version, asset, available_before, available, frozen_before, frozen, _, _ = event
    key = account, asset
    before = state.balances.get(key) or NOTHING
    last = state.versions.get(account) or 0
    if before[0] != available_before or before[1] != frozen_before or last + 1 != version:
        raise InvariantBroken(f"entry {event} does not follow {before} at version {last}")
    state.balances.put(key, tuple.__new__(Balance, (available, frozen, version)))  # quicker, see `ledger.Draft.move`
    state.versions.put(account, version)


def _hold_changed(state: State, event: e.HoldChanged) -> None:
    key = tuple.__new__(HoldKey, event[:4])
    # One that begins with nothing is a new order's, mostly: to look for it would be a read of the store for each order.
    if event.before and state.holds.get(key) != event.before:
        raise InvariantBroken(f"{event} does not follow what the hold owns")
    if event.after:
        state.holds.put(key, event.after)
    else:
        state.holds.drop(key)


def _deposit_made(state: State, event: e.DepositMade) -> None:
    key = DepositKey(event.asset, event.chain, same_txid(event.txid), event.txid_index)
    state.deposits.put(key, event)
    state.counters.put("deposit", event.id)


def _order_placed(state: State, order: e.OrderPlaced) -> None:
    state.counters.put("order", order.id)
    if order.out_trade_no:
        state.out_trade_nos.put((order.account, order.out_trade_no), order.id)
    if order.status in OPEN:
        state.open_orders.put(order)
    else:
        state.closed_orders.put((order.account, order.id), order)


def _order_changed(state: State, order: e.OrderChanged) -> None:
    if order.status in OPEN:
        state.open_orders.put(order)
    else:
        state.open_orders.drop(order.account, order.id)
        state.closed_orders.put((order.account, order.id), order)


def _traded(state: State, event: e.Traded) -> None:
    state.counters.put("trade", event.id)


def _out_trade_no_closed(state: State, event: e.OutTradeNoClosed) -> None:
    state.out_trade_nos.put((event.account, event.out_trade_no), 0)


def _key_made(state: State, event: e.KeyMade) -> None:
    state.keys.put(event.api_key, Key(*event))
    state.keys_of.put(event.account, (*(state.keys_of.get(event.account) or ()), event.api_key))


def _key_revoked(state: State, event: e.KeyRevoked) -> None:
    state.keys.put(event.api_key, Key(*event))
    others = tuple(held for held in state.keys_of.get(event.account) or () if held != event.api_key)
    state.keys_of.put(event.account, others)


def _token_made(state: State, event: e.TokenMade) -> None:
    state.tokens.put(event.name, Token(*event))
    state.counters.put("token", event.id)


def _token_revoked(state: State, event: e.TokenRevoked) -> None:
    state.tokens.put(event.name, Token(*event))


def _standing_changed(state: State, event: e.StandingChanged) -> None:
    state.standing.put("", Standing(*event))


def _nothing(state: State, event: e.BanBegun | e.BanLifted) -> None:
    """No decision asks for bans: the limiter keeps them in its own memory, and the store for a restart."""


APPLICATIONS: dict[type, Callable[[State, Any], None]] = {
    e.AssetMade: _asset_made,
    e.MarketMade: _market_made,
    e.MarketChanged: _market_changed,
    e.AccountOpened: _account_opened,
    e.AccountFrozen: _account_frozen,
    e.Entry: _entry,
    e.HoldChanged: _hold_changed,
    e.DepositMade: _deposit_made,
    e.OrderPlaced: _order_placed,
    e.OrderChanged: _order_changed,
    e.Traded: _traded,
    e.OutTradeNoClosed: _out_trade_no_closed,
    e.KeyMade: _key_made,
    e.KeyRevoked: _key_revoked,
    e.TokenMade: _token_made,
    e.TokenRevoked: _token_revoked,
    e.BanBegun: _nothing,
    e.BanLifted: _nothing,
    e.StandingChanged: _standing_changed,
}


def apply(state: State, events: list[e.Event]) -> None:
    """Make the state what the events say. InvariantBroken when they do not fit it."""
    applications = APPLICATIONS
    for event in events:
        applications[type(event)](state, event)
