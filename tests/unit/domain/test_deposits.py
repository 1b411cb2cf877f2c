"""Deposits: credited once, and once only."""

import pytest

from spotbook.domain.account import FEES, WORLD
from spotbook.domain.commands import FreezeAccount, MakeAsset, OpenAccount, OpenWealth
from spotbook.domain.deposits import same_txid
from spotbook.domain.errors import (
    AmountMalformed,
    AmountTooLarge,
    AmountTooPrecise,
    DepositDiffers,
    Invalid,
    NotAUser,
    SupplyExceeded,
    UnknownAccount,
    UnknownAsset,
)
from spotbook.domain.events import DepositMade, Entry
from spotbook.domain.state import Balance
from support.books import Bench, bench
from support.clock import NOW
from support.commands import USER, deposit

HASH = "ab" * 32


@pytest.fixture
def books() -> Bench:
    return bench()


def test_a_deposit_moves_from_world_to_the_account(books: Bench) -> None:
    decision = books.decide(deposit("tx", "1.5"))
    assert decision.events == [
        Entry(WORLD, 1, 1, 0, -150_000_000, 0, 0, "deposit", 1),
        Entry(USER, 1, 1, 0, 150_000_000, 0, 0, "deposit", 1),
        DepositMade(1, USER, 1, 150_000_000, "tx", 0, "", 1, NOW),
    ]
    assert decision.result == decision.events[-1]


def test_deposits_are_numbered(books: Bench) -> None:
    assert [books.do(deposit(f"tx-{number}")).id for number in range(3)] == [1, 2, 3]


def test_deposits_add_up(books: Bench) -> None:
    books.do(deposit("a", "1"))
    books.do(deposit("b", "0.5"))
    assert books.state.balances.get((USER, 1)) == Balance(150_000_000, 0, 2)
    assert books.state.balances.get((WORLD, 1)) == Balance(-150_000_000, 0, 2)


def test_the_version_counts_entries_over_all_assets(books: Bench) -> None:
    books.do(deposit("a", "1"))
    assert books.do(deposit("b", "1", asset="USDT")).version == 2


def test_the_same_deposit_again_changes_nothing_and_answers_the_first(books: Bench) -> None:
    first = books.do(deposit("a", "1"))
    books.now += 1
    assert books.decide(deposit("a", "1")) == ([], first, False)


def test_an_amount_spelt_otherwise_is_the_same_deposit(books: Bench) -> None:
    first = books.do(deposit("a", "1"))
    assert books.decide(deposit("a", "1.000000000000")).result is first


@pytest.mark.parametrize("spelling", [HASH, HASH.upper(), "0x" + HASH, "0X" + HASH.upper(), "aB" * 32])
def test_a_hash_is_one_hash_however_it_is_written(books: Bench, spelling: str) -> None:
    first = books.do(deposit("0x" + HASH.upper()))
    assert books.decide(deposit(spelling)) == ([], first, False)


def test_a_hash_compares_in_small_letters_and_bare() -> None:
    assert same_txid(HASH) == same_txid(HASH.upper()) == same_txid("0X" + HASH.upper()) == HASH


def test_the_first_spelling_is_what_is_kept(books: Bench) -> None:
    assert books.do(deposit("0x" + HASH.upper())).txid == "0x" + HASH.upper()


@pytest.mark.parametrize("text", ["abc", "ABC", HASH[:-1], HASH + "a", "0x" + HASH[:-1], "g" * 64, "x" + HASH, ""])
def test_what_is_no_hash_compares_as_it_stands(text: str) -> None:
    assert same_txid(text) == text


def test_two_txids_that_differ_in_capitals_are_two_deposits(books: Bench) -> None:
    books.do(deposit("abc"))
    assert books.decide(deposit("ABC")).fresh


@pytest.mark.parametrize(
    "other",
    [deposit("b"), deposit("a", index=1), deposit("a", chain="TRX"), deposit("a", asset="USDT")],
    ids=["txid", "index", "chain", "asset"],
)
def test_asset_chain_txid_and_index_make_a_deposit_another(books: Bench, other: object) -> None:
    books.do(deposit("a"))
    assert books.decide(other).fresh  # type: ignore[arg-type]


def test_the_same_deposit_of_another_amount_is_refused_with_the_first(books: Bench) -> None:
    first = books.do(deposit("a", "1"))
    with pytest.raises(DepositDiffers) as refused:
        books.decide(deposit("a", "2"))
    assert (refused.value.named, refused.value.first) == ("a", first)


def test_the_same_deposit_for_another_account_is_refused_with_the_first(books: Bench) -> None:
    first = books.do(deposit("a", "1"))
    other = books.do(OpenAccount("other"))
    with pytest.raises(DepositDiffers) as refused:
        books.decide(deposit("a", "1", account=other.id))
    assert (refused.value.named, refused.value.first) == ("a", first)


def test_the_whole_supply_may_be_deposited(books: Bench) -> None:
    books.do(deposit("a", "20999999.99999999"))
    books.do(deposit("b", "0.00000001"))
    assert books.state.balances.get((USER, 1)) == Balance(2_100_000_000_000_000, 0, 2)


def test_a_unit_more_than_the_supply_is_refused(books: Bench) -> None:
    books.do(deposit("a", "21000000"))
    with pytest.raises(SupplyExceeded) as refused:
        books.decide(deposit("b", "0.00000001"))
    assert refused.value.asset == "BTC"


def test_the_supply_is_counted_over_all_accounts(books: Bench) -> None:
    other = books.do(OpenAccount("other"))
    books.do(deposit("a", "21000000"))
    with pytest.raises(SupplyExceeded):
        books.decide(deposit("b", "1", account=other.id))


def test_a_repeat_is_answered_even_when_the_supply_is_spent(books: Bench) -> None:
    first = books.do(deposit("a", "21000000"))
    assert books.decide(deposit("a", "21000000")).result == first


def test_the_largest_supply_of_all_fits(books: Bench) -> None:
    books.do(MakeAsset("MAX", 0, str(2**62 - 1)))
    books.do(deposit("a", str(2**62 - 1), asset="MAX"))
    assert books.state.balances.get((USER, 3)) == Balance(2**62 - 1, 0, 1)


def test_a_frozen_account_still_receives(books: Bench) -> None:
    books.do(FreezeAccount(USER, True, "why"))
    assert books.do(deposit("a")).version == 1


@pytest.mark.parametrize("account", [WORLD, FEES])
def test_the_houses_accounts_receive_no_deposits(books: Bench, account: int) -> None:
    with pytest.raises(NotAUser):
        books.decide(deposit(account=account))


def test_a_wealth_account_receives_no_deposits(books: Bench) -> None:
    wealth = books.do(OpenWealth(USER))
    with pytest.raises(NotAUser):
        books.decide(deposit(account=wealth.id))


def test_the_account_must_exist(books: Bench) -> None:
    with pytest.raises(UnknownAccount):
        books.decide(deposit(account=9))


def test_the_asset_must_exist(books: Bench) -> None:
    with pytest.raises(UnknownAsset) as refused:
        books.decide(deposit(asset="ETH"))
    assert refused.value.named == "ETH"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1e5", AmountMalformed),
        ("NaN", AmountMalformed),
        ("١", AmountMalformed),
        (" 1", AmountMalformed),
        ("-1", AmountMalformed),
        ("0.000000001", AmountTooPrecise),
        ("99999999999999999999", AmountTooLarge),
        ("0", Invalid),
        ("0.0", Invalid),
    ],
)
def test_a_bad_amount_is_refused_by_its_name(books: Bench, text: str, kind: type[Invalid]) -> None:
    with pytest.raises(kind, match=r"^amount: "):
        books.decide(deposit("a", text))


def test_nothing_is_no_deposit(books: Bench) -> None:
    with pytest.raises(Invalid, match=r"^amount: is more than zero$"):
        books.decide(deposit("a", "0"))


@pytest.mark.parametrize("txid", ["", "a b", "a\n", "é", "x" * 129, "\x7f"])
def test_a_txid_is_1_to_128_visible_ascii_characters(books: Bench, txid: str) -> None:
    with pytest.raises(Invalid, match=r"^txid: write 1 to 128 printable ASCII characters without spaces$"):
        books.decide(deposit(txid))


def test_a_txid_of_128_characters_is_taken(books: Bench) -> None:
    assert books.do(deposit("~" * 128)).txid == "~" * 128


@pytest.mark.parametrize("chain", ["a b", "é", "x" * 33])
def test_a_chain_is_up_to_32_visible_ascii_characters(books: Bench, chain: str) -> None:
    with pytest.raises(Invalid, match=r"^chain: write at most 32 printable ASCII characters without spaces$"):
        books.decide(deposit(chain=chain))


@pytest.mark.parametrize("index", [-1, 2**31])
def test_an_index_is_0_to_2_to_the_31_minus_1(books: Bench, index: int) -> None:
    with pytest.raises(Invalid, match=r"^index: is 0 to 2147483647$"):
        books.decide(deposit(index=index))


def test_a_txid_of_1_character_and_a_chain_of_32_are_taken(books: Bench) -> None:
    made = books.do(deposit("x", chain="!" * 32))
    assert (made.txid, made.chain) == ("x", "!" * 32)


def test_the_largest_index_is_taken(books: Bench) -> None:
    assert books.do(deposit(index=2**31 - 1)).txid_index == 2**31 - 1
