"""The projections: what a batch makes of the tables."""

from collections.abc import Sequence
from typing import Any, get_args

from spotbook.app.journal import Transaction
from spotbook.app.ports import Changes
from spotbook.app.projection import TABLES, changes_of
from spotbook.domain import events as e
from spotbook.domain.events import Event

HASH = "AB" * 32


def changes(*events: Event) -> Changes:
    return changes_of(7, [Transaction("house:test", "Test", list(events))])


def rows(*events: Event) -> dict[str, Sequence[object]]:
    return {table: list(kept) for table, kept in changes(*events).rows.items() if kept}


def test_a_batch_of_nothing_changes_nothing() -> None:
    assert changes_of(7, []) == Changes({}, {})


def test_an_entry_is_kept_with_its_batch_and_makes_the_balance() -> None:
    assert rows(e.Entry(1001, 3, 1, 5, 2, 0, 3, "place", 9)) == {
        "entry": [(1001, 3, 1, 5, 2, 0, 3, "place", 9, 7)],
        "balance": [(1001, 1, 2, 3, 3)],
    }


def test_of_a_balance_that_changed_twice_the_last_remains_and_both_entries() -> None:
    made = rows(e.Entry(1001, 1, 1, 0, 5, 0, 0, "a", 1), e.Entry(1001, 2, 1, 5, 9, 0, 0, "b", 1))
    assert made["balance"] == [(1001, 1, 9, 0, 2)]
    assert len(made["entry"]) == 2


def test_of_a_balance_that_changed_in_two_transactions_the_last_remains() -> None:
    first = Transaction("a", "A", [e.Entry(1001, 1, 1, 0, 5, 0, 0, "a", 1)])
    second = Transaction("b", "B", [e.Entry(1001, 2, 1, 5, 9, 0, 0, "b", 1)])
    assert changes_of(7, [first, second]).rows["balance"] == [(1001, 1, 9, 0, 2)]


def test_a_deposit_is_kept_under_its_account_and_under_its_identity() -> None:
    assert rows(e.DepositMade(4, 1001, 2, 50, "0x" + HASH, 3, "ETH", 8, 99)) == {
        "deposit": [(1001, 4, 2, 50, "0x" + HASH, 3, "ETH", 8, 99, 7)],
        "deposit_identity": [(2, "ETH", HASH.lower(), 3, 1001, 4)],
        "counter": [("deposit", 4)],
    }


def test_a_hold_is_a_row_while_it_owns_something() -> None:
    assert rows(e.HoldChanged(1001, 1, "order", 9, 0, 5)) == {"hold": [(1001, 1, "order", 9, 5)]}


def test_a_hold_that_owns_nothing_any_more_is_removed() -> None:
    assert changes(e.HoldChanged(1001, 1, "order", 9, 5, 0)).removed == {"hold": [(1001, 1, "order", 9)]}


def test_a_hold_that_came_and_went_in_one_batch_is_no_row() -> None:
    made = changes(e.HoldChanged(1001, 1, "order", 9, 0, 5), e.HoldChanged(1001, 1, "order", 9, 5, 0))
    assert (made.rows["hold"], made.removed["hold"]) == ([], [(1001, 1, "order", 9)])


def test_a_hold_that_went_and_came_again_in_one_batch_is_a_row() -> None:
    made = changes(e.HoldChanged(1001, 1, "order", 9, 5, 0), e.HoldChanged(1001, 1, "order", 9, 0, 6))
    assert (made.rows["hold"], made.removed["hold"]) == ([(1001, 1, "order", 9, 6)], [])


def test_an_asset_and_a_market_move_their_counters() -> None:
    market = e.MarketMade(2, "A_B", 1, 2, 2, 6, 5, 1, 9, 1, 9, 0, 0, "cancel_newest", "on")
    assert rows(e.AssetMade(3, "A", 8, 100), market) == {
        "asset": [(3, "A", 8, 100)],
        "market": [market],
        "counter": [("asset", 3), ("market", 2)],
    }


def test_a_user_is_a_row_and_moves_the_counter() -> None:
    assert rows(e.AccountOpened(1001, "user", "Ann", 0, False, 5)) == {
        "account": [(1001, "user", "Ann", 0, 0, 5)],
        "counter": [("account", 1001)],
    }


def test_a_wealth_account_is_found_by_its_user() -> None:
    made = rows(e.AccountOpened(1002, "wealth", "Ann", 1001, False, 5))
    assert made["wealth_account"] == [(1001, 1002)]


def test_a_frozen_account_is_the_same_row_changed() -> None:
    made = rows(
        e.AccountOpened(1001, "user", "Ann", 0, False, 5), e.AccountFrozen(1001, "user", "Ann", 0, True, 5, "why")
    )
    assert made["account"] == [(1001, "user", "Ann", 0, 1, 5)]


def test_a_keys_lists_are_text_with_commas() -> None:
    made = rows(e.KeyMade("k", 1001, ("read", "trade"), ("10.0.0.0/8", "::1/128"), "bot", 1, 2, 0))
    assert made == {"api_key": [("k", 1001, "read,trade", "10.0.0.0/8,::1/128", "bot", 1, 2, 0)]}


def test_a_revoked_key_is_the_same_row_changed() -> None:
    made = rows(e.KeyMade("k", 1001, ("read",), (), "", 1, 0, 0), e.KeyRevoked("k", 1001, ("read",), (), "", 1, 0, 9))
    assert made == {"api_key": [("k", 1001, "read", "", "", 1, 0, 9)]}


def test_a_token_is_a_row_and_moves_the_counter_when_it_is_made() -> None:
    assert rows(e.TokenMade("ops", 3, "00", ("view", "money"), 1, 0)) == {
        "token": [("ops", 3, "00", "view,money", 1, 0)],
        "counter": [("token", 3)],
    }
    assert rows(e.TokenRevoked("ops", 3, "00", ("view",), 1, 9)) == {"token": [("ops", 3, "00", "view", 1, 9)]}


def test_bans_are_kept_by_subject_and_beginning_and_lifts_by_subject() -> None:
    made = rows(
        e.BanBegun("10.0.0.1", "ban", 1, 5), e.BanBegun("10.0.0.1", "blacklist", 7, 9), e.BanLifted("10.0.0.1", 8)
    )
    assert made == {
        "ban": [("10.0.0.1", 1, "ban", 5), ("10.0.0.1", 7, "blacklist", 9)],
        "ban_lift": [("10.0.0.1", 8)],
    }


def test_the_standing_is_one_row() -> None:
    made = rows(e.StandingChanged("halted", "a", 1), e.StandingChanged("stopped", "b", 2))
    assert made == {"standing": [(1, "stopped", "b", 2)]}


def test_every_row_has_the_columns_of_its_table() -> None:
    """The values do not matter here: only how many there are."""
    kinds: list[Any] = list(get_args(e.Event))
    made = changes(*(kind(*["1"] * len(kind._fields)) for kind in kinds)).rows
    assert {table: {len(row) for row in kept} for table, kept in made.items()} == {
        table: {len(TABLES[table].columns)} for table in made
    }
