"""Opening and freezing accounts."""

import pytest

from spotbook.domain.account import FEES, WORLD, Account
from spotbook.domain.accounts import user_account
from spotbook.domain.commands import FoundBooks, FreezeAccount, OpenAccount, OpenWealth
from spotbook.domain.errors import BooksFounded, Invalid, NotAUser, UnknownAccount
from spotbook.domain.events import AccountFrozen
from spotbook.limits import ID_MAX
from support.books import Bench, bench
from support.clock import NOW
from support.commands import USER


@pytest.fixture
def books() -> Bench:
    return bench()


def test_founding_opens_world_and_fees() -> None:
    books = Bench()
    books.do(FoundBooks())
    assert books.state.accounts.get(WORLD) == Account(WORLD, "world", "world", 0, frozen=False, opened_at=NOW)
    assert books.state.accounts.get(FEES) == Account(FEES, "fees", "fees", 0, frozen=False, opened_at=NOW)


def test_books_are_founded_once(books: Bench) -> None:
    with pytest.raises(BooksFounded) as refused:
        books.decide(FoundBooks())
    assert (refused.value.named, refused.value.first) == ("account", books.state.accounts.get(WORLD))


def test_the_first_user_is_number_1001(books: Bench) -> None:
    account = books.state.accounts.get(USER)
    assert account == Account(1_001, "user", "user", 0, frozen=False, opened_at=NOW)


def test_accounts_are_numbered_without_gaps_and_may_share_a_name(books: Bench) -> None:
    assert [books.do(OpenAccount("user")).id for _ in range(3)] == [1_002, 1_003, 1_004]


@pytest.mark.parametrize("name", ["a", "Ann-Marie d'Été", "x" * 64, "名前"])
def test_printable_words_name_an_account(books: Bench, name: str) -> None:
    assert books.do(OpenAccount(name)).name == name


@pytest.mark.parametrize("name", ["", "x" * 65, " a", "a ", "a\nb", "a\x00", "\u200b", "\ud800"])
def test_other_text_does_not(books: Bench, name: str) -> None:
    with pytest.raises(Invalid, match=r"^name: write 1 to 64 printable characters, with no space at either end$"):
        books.decide(OpenAccount(name))


def test_a_wealth_account_belongs_to_its_user(books: Bench) -> None:
    books.now += 7
    wealth = books.do(OpenWealth(USER))
    assert wealth == Account(1_002, "wealth", "user", USER, frozen=False, opened_at=NOW + 7)


def test_a_user_has_one_wealth_account(books: Bench) -> None:
    first = books.do(OpenWealth(USER))
    assert books.decide(OpenWealth(USER)) == ([], first, False)


def test_users_and_wealth_accounts_share_one_sequence(books: Bench) -> None:
    books.do(OpenWealth(USER))
    assert books.do(OpenAccount("next")).id == 1_003


@pytest.mark.parametrize("number", [0, -1, 3, 1_002, 2**53, 2**64, -(2**64)])
def test_an_account_that_does_not_exist_is_unknown(books: Bench, number: int) -> None:
    with pytest.raises(UnknownAccount) as refused:
        user_account(books.state, number)
    assert refused.value.named == number


@pytest.mark.parametrize("number", [WORLD, FEES])
def test_the_houses_accounts_are_no_users(books: Bench, number: int) -> None:
    with pytest.raises(NotAUser) as refused:
        user_account(books.state, number)
    assert refused.value.account == number


def test_the_largest_number_of_all_is_looked_for(books: Bench) -> None:
    account = Account(ID_MAX, "user", "last", 0, frozen=False, opened_at=NOW)
    books.state.accounts.put(ID_MAX, account)
    books.state.accounts.put(ID_MAX + 1, account)
    assert user_account(books.state, ID_MAX) == account
    with pytest.raises(UnknownAccount):
        user_account(books.state, ID_MAX + 1)


def test_a_wealth_account_is_no_user(books: Bench) -> None:
    wealth = books.do(OpenWealth(USER))
    with pytest.raises(NotAUser):
        books.decide(OpenWealth(wealth.id))


def test_the_operator_freezes_an_account_and_says_why(books: Bench) -> None:
    decision = books.decide(FreezeAccount(USER, True, "court order 7"))
    account = Account(USER, "user", "user", 0, frozen=True, opened_at=NOW)
    assert decision == ([AccountFrozen(*account, "court order 7")], account, True)


def test_a_frozen_account_can_be_thawed(books: Bench) -> None:
    books.do(FreezeAccount(USER, True, "why"))
    books.do(FreezeAccount(USER, False, "because"))
    assert not user_account(books.state, USER).frozen


@pytest.mark.parametrize("frozen", [True, False])
def test_freezing_or_thawing_again_changes_nothing(books: Bench, frozen: bool) -> None:
    books.do(FreezeAccount(USER, not frozen, "first"))
    books.do(FreezeAccount(USER, frozen, "then"))
    decision = books.decide(FreezeAccount(USER, frozen, "again"))
    assert (decision.events, decision.fresh, decision.result.frozen) == ([], False, frozen)


@pytest.mark.parametrize("reason", ["", "x" * 201, "a\nb"])
def test_freezing_needs_a_reason(books: Bench, reason: str) -> None:
    with pytest.raises(Invalid, match=r"^reason: write 1 to 200 printable characters, with no space at either end$"):
        books.decide(FreezeAccount(USER, True, reason))


@pytest.mark.parametrize("number", [WORLD, FEES])
def test_the_houses_accounts_are_not_frozen(books: Bench, number: int) -> None:
    with pytest.raises(NotAUser):
        books.decide(FreezeAccount(number, True, "why"))
