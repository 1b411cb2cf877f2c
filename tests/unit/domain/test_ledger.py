"""Transactions drawn up on a draft."""

import pytest

from spotbook.domain.account import WORLD
from spotbook.domain.commands import OpenAccount
from spotbook.domain.errors import InsufficientBalance, InvariantBroken
from spotbook.domain.events import Entry, HoldChanged
from spotbook.domain.ledger import Draft
from spotbook.domain.state import NOTHING, Balance, HoldKey
from spotbook.limits import UNITS_MAX
from support.books import Bench, bench
from support.commands import USER, deposit

OTHER = USER + 1
HOLD = HoldKey(USER, 1, "order", 7)
ONE = 100_000_000


@pytest.fixture
def books() -> Bench:
    made = bench()
    made.do(OpenAccount("other"))
    made.do(deposit("tx", "1"))
    return made


def frozen(books: Bench, amount: int, hold: HoldKey = HOLD) -> None:
    draft = Draft(books.state)
    draft.freeze(hold, amount, why="place")
    books.apply(*draft.close())


def test_a_draft_reads_the_state_and_does_not_change_it(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-5, why="transfer", ref=1)
    assert draft.balance(USER, 1) == Balance(ONE - 5, 0, 2)
    assert books.state.balances.get((USER, 1)) == Balance(ONE, 0, 1)


def test_a_balance_that_the_draft_has_not_moved_is_as_the_state_has_it(books: Bench) -> None:
    assert Draft(books.state).balance(USER, 1) == books.state.balances.get((USER, 1)) != NOTHING


def test_a_balance_that_was_never_touched_is_nothing(books: Bench) -> None:
    assert Draft(books.state).balance(OTHER, 2) == NOTHING


def test_legs_that_sum_to_zero_close(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-40, why="transfer", ref=3)
    draft.move(OTHER, 1, available=40, why="transfer", ref=3)
    assert draft.close() == [
        Entry(USER, 2, 1, ONE, ONE - 40, 0, 0, "transfer", 3),
        Entry(OTHER, 1, 1, 0, 40, 0, 0, "transfer", 3),
    ]


@pytest.mark.parametrize("received", [39, 41])
def test_legs_that_do_not_sum_to_zero_never_close(books: Bench, received: int) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-40, why="transfer", ref=3)
    draft.move(OTHER, 1, available=received, why="transfer", ref=3)
    with pytest.raises(InvariantBroken, match="legs of asset 1 sum to"):
        draft.close()


def test_each_asset_sums_to_zero_by_itself(books: Bench) -> None:
    books.do(deposit("usdt", "1", asset="USDT"))
    draft = Draft(books.state)
    draft.move(USER, 1, available=-40, why="trade", ref=3)
    draft.move(OTHER, 2, available=40, why="trade", ref=3)
    with pytest.raises(InvariantBroken):
        draft.close()


def test_more_than_is_available_is_refused_with_the_figures(books: Bench) -> None:
    with pytest.raises(InsufficientBalance) as refused:
        Draft(books.state).move(USER, 1, available=-ONE - 1, why="transfer", ref=1)
    assert (refused.value.needed, refused.value.available) == (ONE + 1, ONE)
    assert (refused.value.account, refused.value.asset) == (USER, 1)


def test_all_that_is_available_may_go(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-ONE, why="transfer", ref=1)
    assert draft.balance(USER, 1).available == 0


def test_what_is_frozen_is_not_available(books: Bench) -> None:
    frozen(books, 60)
    with pytest.raises(InsufficientBalance):
        Draft(books.state).move(USER, 1, available=-ONE + 59, why="transfer", ref=1)


def test_what_an_earlier_leg_took_is_not_there_for_a_later_one(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-ONE, why="transfer", ref=1)
    with pytest.raises(InsufficientBalance) as refused:
        draft.move(USER, 1, available=-1, why="transfer", ref=1)
    assert refused.value.available == 0


def test_a_balance_touched_twice_is_one_chain(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-40, why="a", ref=1)
    draft.move(OTHER, 1, available=40, why="a", ref=1)
    draft.move(USER, 1, available=-2, why="b", ref=1)
    draft.move(OTHER, 1, available=2, why="b", ref=1)
    assert draft.close() == [
        Entry(USER, 2, 1, ONE, ONE - 40, 0, 0, "a", 1),
        Entry(OTHER, 1, 1, 0, 40, 0, 0, "a", 1),
        Entry(USER, 3, 1, ONE - 40, ONE - 42, 0, 0, "b", 1),
        Entry(OTHER, 2, 1, 40, 42, 0, 0, "b", 1),
    ]


def test_an_accounts_version_counts_over_its_assets(books: Bench) -> None:
    draft = Draft(books.state)
    assert draft.move(USER, 2, available=5, why="x", ref=1) == 2
    assert draft.move(USER, 1, available=-5, why="x", ref=1) == 3
    assert draft.balance(USER, 2).version == 2


def test_a_hold_owns_what_is_frozen_for_it(books: Bench) -> None:
    draft = Draft(books.state)
    assert draft.freeze(HOLD, 60, why="place") == 2
    assert draft.close() == [
        Entry(USER, 2, 1, ONE, ONE - 60, 0, 60, "place", 7),
        HoldChanged(*HOLD, 0, 60),
    ]


def test_what_became_of_a_hold_is_told_once_after_the_entries(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.spend(HOLD, 20, why="fill")
    draft.move(OTHER, 1, available=20, why="fill", ref=7)
    draft.release(HOLD, 10, why="improvement")
    assert draft.close() == [
        Entry(USER, 3, 1, ONE - 60, ONE - 60, 60, 40, "fill", 7),
        Entry(OTHER, 1, 1, 0, 20, 0, 0, "fill", 7),
        Entry(USER, 4, 1, ONE - 60, ONE - 50, 40, 30, "improvement", 7),
        HoldChanged(*HOLD, 60, 30),
    ]


def test_each_hold_is_told_of_by_itself(books: Bench) -> None:
    other = HOLD._replace(id=8)
    draft = Draft(books.state)
    draft.freeze(HOLD, 60, why="place")
    draft.freeze(other, 5, why="place")
    draft.freeze(HOLD, 1, why="place")
    assert draft.close()[3:] == [HoldChanged(*HOLD, 0, 61), HoldChanged(*other, 0, 5)]


def test_a_hold_that_came_and_went_in_one_draft_is_not_told_of(books: Bench) -> None:
    draft = Draft(books.state)
    draft.freeze(HOLD, 60, why="place", new=True)
    draft.release(HOLD, 60, why="cancel")
    events = draft.close()
    assert [type(event) for event in events] == [Entry, Entry]
    books.apply(*events)
    assert books.state.holds.get(HOLD) is None


def test_a_hold_that_ends_as_it_began_is_not_told_of(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.release(HOLD, 5, why="cancel")
    draft.freeze(HOLD, 5, why="place")
    assert not [event for event in draft.close() if isinstance(event, HoldChanged)]


def test_a_new_hold_is_not_looked_for(books: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number has just been given out, so the store need not be asked for it."""

    def never(hold: HoldKey) -> int:
        raise AssertionError(hold)

    monkeypatch.setattr(books.state.holds, "get", never)
    draft = Draft(books.state)
    draft.freeze(HOLD, 60, why="place", new=True)
    assert draft.close()[-1] == HoldChanged(*HOLD, 0, 60)


def test_freezing_more_than_is_available_is_refused(books: Bench) -> None:
    with pytest.raises(InsufficientBalance):
        Draft(books.state).freeze(HOLD, ONE + 1, why="place")


def test_a_release_gives_back(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.release(HOLD, 25, why="cancel")
    books.apply(*draft.close())
    assert books.state.holds.get(HOLD) == 35
    assert books.state.balances.get((USER, 1)) == Balance(ONE - 35, 35, 3)


def test_a_hold_that_gave_everything_back_is_gone(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.release(HOLD, 60, why="cancel")
    books.apply(*draft.close())
    assert books.state.holds.get(HOLD) is None


def test_what_is_spent_must_be_received(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.spend(HOLD, 60, why="fill")
    with pytest.raises(InvariantBroken, match="sum to -60"):
        draft.close()


def test_a_fill_spends_and_releases_in_one_transaction(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.spend(HOLD, 50, why="fill")
    draft.move(OTHER, 1, available=50, why="fill", ref=7)
    draft.release(HOLD, 10, why="improvement")
    books.apply(*draft.close())
    assert books.state.balances.get((USER, 1)) == Balance(ONE - 50, 0, 4)
    assert books.state.balances.get((OTHER, 1)) == Balance(50, 0, 1)


@pytest.mark.parametrize("what", ["release", "spend"])
def test_a_hold_never_gives_more_than_it_owns(books: Bench, what: str) -> None:
    frozen(books, 60)
    frozen(books, 100, HOLD._replace(id=8))
    with pytest.raises(InvariantBroken, match="would own -1"):
        getattr(Draft(books.state), what)(HOLD, 61, why="fill")


def test_a_hold_never_gives_more_than_it_owns_over_two_legs(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    draft.release(HOLD, 60, why="cancel")
    with pytest.raises(InvariantBroken):
        draft.release(HOLD, 1, why="cancel")


def test_a_hold_that_was_emptied_in_the_draft_is_empty_there(books: Bench) -> None:
    """Nothing owned is a fact of the draft; the state, which still shows 60, must not be asked again."""
    frozen(books, 60)
    frozen(books, 60, HOLD._replace(id=8))
    draft = Draft(books.state)
    draft.spend(HOLD, 60, why="fill")
    with pytest.raises(InvariantBroken):
        draft.spend(HOLD, 60, why="fill")


def test_nothing_is_frozen_without_a_hold(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-5, frozen=5, why="place", ref=1)
    with pytest.raises(InvariantBroken, match="without a hold"):
        draft.close()


def test_nor_does_a_hold_beside_it_explain_it(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=-5, frozen=5, why="place", ref=1)
    draft.freeze(HoldKey(USER, 1, "order", 1), 7, why="place", new=True)
    with pytest.raises(InvariantBroken, match="5 of asset 1 frozen on account 1001 without a hold"):
        draft.close()


def test_a_frozen_side_below_zero_breaks_the_books(books: Bench) -> None:
    before = Draft(books.state).balance(USER, 1).available
    with pytest.raises(InvariantBroken, match=rf"^account 1001 would hold {before + 5}\+-5 of asset 1$"):
        Draft(books.state).move(USER, 1, available=5, frozen=-5, why="cancel", ref=1)
    with pytest.raises(InvariantBroken, match=r"^account 1001 would hold 0\+-5 of asset 2$"):
        Draft(books.state).move(USER, 2, frozen=-5, why="cancel", ref=1)


def test_no_account_holds_more_than_an_amount_can_be(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(USER, 1, available=UNITS_MAX - ONE, why="x", ref=1)
    with pytest.raises(InvariantBroken):
        draft.move(USER, 1, available=1, why="x", ref=1)


def test_both_sides_count_towards_that(books: Bench) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    with pytest.raises(InvariantBroken):
        draft.move(USER, 1, available=UNITS_MAX - ONE + 1, why="x", ref=1)


def test_world_may_go_below_zero(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(WORLD, 1, available=-5, why="deposit", ref=1)
    assert draft.balance(WORLD, 1).available == -ONE - 5


def test_world_may_come_back_to_zero(books: Bench) -> None:
    draft = Draft(books.state)
    owed = -draft.balance(WORLD, 1).available
    assert owed > 0
    draft.move(WORLD, 1, available=owed, why="withdrawal", ref=1)
    assert draft.balance(WORLD, 1).available == 0


def test_world_never_holds_more_than_zero(books: Bench) -> None:
    with pytest.raises(InvariantBroken, match="world"):
        Draft(books.state).move(WORLD, 1, available=ONE + 1, why="withdrawal", ref=1)


def test_world_never_owes_more_than_an_amount_can_be(books: Bench) -> None:
    draft = Draft(books.state)
    draft.move(WORLD, 1, available=-UNITS_MAX + ONE, why="deposit", ref=1)
    with pytest.raises(InvariantBroken, match="world"):
        draft.move(WORLD, 1, available=-1, why="deposit", ref=1)


def test_nothing_of_world_is_ever_frozen(books: Bench) -> None:
    with pytest.raises(InvariantBroken, match="world"):
        Draft(books.state).move(WORLD, 1, available=-5, frozen=5, why="x", ref=1)


def test_an_empty_draft_closes(books: Bench) -> None:
    assert Draft(books.state).close() == []


@pytest.mark.parametrize("amount", [0, -1])
@pytest.mark.parametrize("verb", ["freeze", "release", "spend"])
def test_nothing_and_less_is_neither_frozen_released_nor_spent(books: Bench, verb: str, amount: int) -> None:
    frozen(books, 60)
    draft = Draft(books.state)
    with pytest.raises(InvariantBroken, match="was to be"):
        getattr(draft, verb)(HOLD, amount, why="place")
    assert draft.close() == []
