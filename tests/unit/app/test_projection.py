"""The projections: what a batch makes of the tables."""

from collections.abc import Sequence
from typing import TypeVar, get_args, get_type_hints

import pytest

from spotbook.app.journal import Transaction
from spotbook.app.ports import Changes, Row
from spotbook.app.projection import CANDLE_SECONDS, TABLES, changes_of
from spotbook.domain import events as e
from spotbook.domain.events import Event

HASH = "AB" * 32

T = TypeVar("T")


def changes(*events: Event) -> Changes:
    return changes_of(7, [Transaction("house:test", "Test", list(events))])


def rows(*events: Event) -> dict[str, Sequence[Row]]:
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
    assert made == {"api_key": [("k", 1001, "read,trade", "10.0.0.0/8,::1/128", "bot", 1, 2, 0, 0)]}


def test_a_revoked_key_is_the_same_row_changed() -> None:
    made = rows(e.KeyMade("k", 1001, ("read",), (), "", 1, 0, 0), e.KeyRevoked("k", 1001, ("read",), (), "", 1, 0, 9))
    assert made == {"api_key": [("k", 1001, "read", "", "", 1, 0, 9, 0)]}


def test_whether_a_key_is_strict_is_a_number_in_its_row_and_stays_when_it_is_revoked() -> None:
    key = ("k", 1001, ("read",), (), "", 1, 0)
    assert rows(e.KeyMade(*key, 0, strict=True)) == {"api_key": [("k", 1001, "read", "", "", 1, 0, 0, 1)]}
    assert rows(e.KeyRevoked(*key, 9, strict=True)) == {"api_key": [("k", 1001, "read", "", "", 1, 0, 9, 1)]}


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


# --- trading ------------------------------------------------------------------------------------

ORDER = e.OrderPlaced(1001, 9, 2, "buy", "limit", 3, 10, 0, 0, 0, 0, "open", "", 5, 5)
AT = 60_000 * 7 + 5
TRADE = e.Traded(2, 4, "buy", 3, 10, 30, 1002, 8, 1, 1001, 9, 2, AT)


def changed(order: e.OrderPlaced, **changes: object) -> e.OrderChanged:
    return e.OrderChanged(*order._replace(**changes))  # type: ignore[arg-type]


def test_a_market_whose_rules_changed_is_the_same_row_changed() -> None:
    market = e.MarketMade(2, "A_B", 1, 2, 2, 6, 5, 1, 9, 1, 9, 0, 0, "cancel_newest", "on")
    after = e.MarketChanged(*market._replace(state="off", orders_max=7))
    assert rows(market, after) == {"market": [after], "counter": [("market", 2)]}
    assert rows(after) == {"market": [after]}


def test_an_open_order_is_a_row_and_moves_the_counter() -> None:
    assert rows(ORDER) == {"open_order": [ORDER], "counter": [("order", 9)]}


@pytest.mark.parametrize("status", ["open", "partly_filled"])
def test_an_order_is_open_while_it_wants_something(status: str) -> None:
    assert rows(ORDER._replace(status=status))["open_order"] == [ORDER._replace(status=status)]  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["filled", "cancelled"])
def test_an_order_that_closed_at_once_was_never_open(status: str) -> None:
    made = changes(ORDER._replace(status=status))  # type: ignore[arg-type]
    assert made.rows == {"closed_order": [(*ORDER._replace(status=status), 7)], "counter": [("order", 9)]}  # type: ignore[arg-type]
    assert made.removed == {}


def test_an_order_that_changed_twice_in_a_batch_is_its_last_row() -> None:
    last = changed(ORDER, status="partly_filled", filled=4)
    assert rows(changed(ORDER, status="partly_filled", filled=2), last) == {"open_order": [last]}


def test_an_order_of_an_earlier_batch_that_closes_is_removed() -> None:
    made = changes(changed(ORDER, status="filled"))
    assert made.rows == {"closed_order": [(*ORDER._replace(status="filled"), 7)]}
    assert made.removed == {"open_order": [(1001, 9)]}


def test_one_that_was_filled_before_in_the_same_batch_is_removed_too() -> None:
    made = changes(changed(ORDER, status="partly_filled", filled=4), changed(ORDER, status="cancelled", filled=4))
    assert made.rows["open_order"] == []
    assert made.removed == {"open_order": [(1001, 9)]}


def test_an_order_placed_and_closed_in_one_batch_leaves_nothing_to_remove() -> None:
    made = changes(ORDER, changed(ORDER, status="partly_filled", filled=4), changed(ORDER, status="filled", filled=10))
    assert made.rows["open_order"] == []
    assert made.rows["closed_order"] == [(*ORDER._replace(status="filled", filled=10), 7)]
    assert made.removed == {}


def test_so_it_is_when_two_transactions_of_the_batch_did_it() -> None:
    placing = Transaction("key:a", "PlaceOrder", [ORDER])
    cancelling = Transaction("key:a", "CancelOrder", [changed(ORDER, status="cancelled")])
    made = changes_of(7, [placing, cancelling])
    assert (made.rows["open_order"], made.removed) == ([], {})


def test_orders_of_two_accounts_do_not_meet() -> None:
    other = ORDER._replace(account=1002, id=10)
    made = changes(ORDER, changed(other, status="cancelled"))
    assert made.rows["open_order"] == [ORDER]
    assert made.removed == {"open_order": [(1002, 10)]}


def test_an_out_trade_no_is_bound_when_the_order_is_placed_and_once() -> None:
    order = ORDER._replace(out_trade_no="bot")
    made = rows(order, changed(order, status="filled"))
    assert made["out_trade_no"] == [(1001, "bot", 9, 7)]
    assert "out_trade_no" not in rows(changed(order, status="filled"))


def test_an_out_trade_no_that_was_closed_is_bound_to_no_order() -> None:
    assert rows(e.OutTradeNoClosed(1001, "late")) == {"out_trade_no": [(1001, "late", 0, 7)]}


def test_a_trade_is_one_row_for_the_public_and_a_fill_for_each_side() -> None:
    made = rows(TRADE)
    assert made["trade"] == [(2, 4, "buy", 3, 10, 30, AT, 7)]
    assert made["fill"] == [
        (1002, 4, 8, 2, "sell", "maker", 3, 10, 30, 1, AT, 7),
        (1001, 4, 9, 2, "buy", "taker", 3, 10, 30, 2, AT, 7),
    ]
    assert made["counter"] == [("trade", 4)]


def test_the_makers_side_is_the_other_one() -> None:
    fills = rows(TRADE._replace(side="sell"))["fill"]
    assert [row[4:6] for row in fills] == [("buy", "maker"), ("sell", "taker")]


def test_a_trade_opens_a_candle_of_each_length_at_its_beginning() -> None:
    assert rows(TRADE)["candle"] == [
        (2, seconds, opens_at, 3, 3, 3, 3, 10, 30) for seconds, opens_at in ((60, 420_000), (3_600, 0), (86_400, 0))
    ]


def test_trades_of_one_batch_make_one_row_of_each_candle() -> None:
    trades = [TRADE, TRADE._replace(price=9, value=1), TRADE._replace(price=2), TRADE._replace(price=5)]
    made = rows(*trades)["candle"]
    assert len(made) == len(CANDLE_SECONDS)
    assert {row[3:] for row in made} == {(3, 9, 2, 5, 40, 91)}


def test_a_batch_without_trades_touches_no_candle() -> None:
    assert "candle" not in changes(ORDER).rows


@pytest.mark.parametrize(
    ("length", "columns"), [(2, ("account", "id")), (3, ("account", "market", "id"))], ids=["by key", "by market"]
)
def test_a_table_is_read_in_the_sequence_of_its_key_or_its_other_one(length: int, columns: tuple[str, ...]) -> None:
    assert TABLES["fill"].sequence(length) == TABLES["closed_order"].sequence(length) == columns


@pytest.mark.parametrize("length", [0, 1, 4])
def test_and_in_no_other(length: int) -> None:
    with pytest.raises(ValueError, match=f"fill is not read by {length} columns"):
        TABLES["fill"].sequence(length)


def test_every_other_sequence_is_of_columns_and_ends_with_a_number_that_grows() -> None:
    for table in TABLES.values():
        assert set(table.ordered_by) <= set(table.columns)
        assert len(table.ordered_by) != table.keys
        assert not table.ordered_by or table.ordered_by[-1] == "id"


def test_only_columns_beside_the_key_are_merged() -> None:
    for table in TABLES.values():
        assert {column for column, _ in table.merges} <= set(table.columns[table.keys :])


def test_every_row_has_the_columns_of_its_table() -> None:
    """The values do not matter here: only how many there are."""
    made = changes(
        *(any_of(kind) for kind in get_args(e.Event)),
        any_of(e.AccountOpened)._replace(kind="wealth"),
        any_of(e.OrderPlaced)._replace(id=2, status="open"),
    ).rows
    assert {table: {len(row) for row in kept} for table, kept in made.items()} == {
        name: {len(table.columns)} for name, table in TABLES.items()
    }


def any_of(kind: type[T]) -> T:
    """Return an event of this kind with some value of the right type in each field."""
    some = {int: 1, str: "1", bool: False, tuple[str, ...]: ("1",)}
    return kind(*(some.get(hint, "1") for hint in get_type_hints(kind).values()))
