"""Keys and tokens: making and revoking them, and whether who acts may."""

import pytest

from spotbook.domain.account import FEES, WORLD
from spotbook.domain.commands import OpenAccount, OpenWealth, RevokeKey, RevokeToken
from spotbook.domain.credentials import PERMISSIONS, ROLES, House, KeyHolder, Operator, written
from spotbook.domain.errors import (
    Invalid,
    KeyExists,
    KeyNotLive,
    NotAUser,
    PermissionMissing,
    TokenExists,
    TokenNotLive,
    TooMany,
    UnknownAccount,
    UnknownKey,
    UnknownToken,
)
from spotbook.limits import ID_MAX, KEYS_LIVE_MAX, TOKENS_MAX
from support.books import Bench, bench
from support.clock import NOW
from support.commands import USER, deposit, make_key, make_token


@pytest.fixture
def books() -> Bench:
    return bench()


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_is_made_as_asked(books: Bench) -> None:
    key = books.do(make_key(permissions=PERMISSIONS, allow=("10.0.0.0/8",), label="bot", expires_at=NOW + 1))
    assert key == ("key-1", USER, PERMISSIONS, ("10.0.0.0/8",), "bot", NOW, NOW + 1, 0, False)
    assert books.state.keys.get("key-1") == key
    assert books.state.keys_of.get(USER) == ("key-1",)


def test_a_strict_key_is_strict_for_ever(books: Bench) -> None:
    assert books.do(make_key(strict=True)).strict
    assert books.do(RevokeKey(USER, "key-1", NOW)).strict


@pytest.mark.parametrize("permissions", [("read",), ("read", "withdraw"), ("trade", "withdraw"), PERMISSIONS])
def test_permissions_are_a_set_in_one_spelling(books: Bench, permissions: tuple[str, ...]) -> None:
    assert books.do(make_key(permissions=permissions)).permissions == permissions


@pytest.mark.parametrize("permissions", [(), ("trade", "read"), ("read", "read"), ("all",), ("Read",)])
def test_no_other_spelling_is_taken(books: Bench, permissions: tuple[str, ...]) -> None:
    words = r"^permissions: are one or more of read, trade, withdraw, each once and in this sequence$"
    with pytest.raises(Invalid, match=words):
        books.decide(make_key(permissions=permissions))


@pytest.mark.parametrize("label", ["x" * 65, " a", "a\nb"])
def test_a_label_is_printable_words(books: Bench, label: str) -> None:
    with pytest.raises(Invalid, match=r"^label: "):
        books.decide(make_key(label=label))


def test_an_allow_list_has_at_most_64_ranges(books: Bench) -> None:
    books.do(make_key("a", allow=("10.0.0.1/32",) * 64))
    with pytest.raises(TooMany) as refused:
        books.decide(make_key("b", allow=("10.0.0.1/32",) * 65))
    assert (refused.value.what, refused.value.most) == ("address ranges in allow", 64)


@pytest.mark.parametrize("expires_at", [NOW, NOW - 1, -1])
def test_a_key_cannot_have_expired_before_it_is_made(books: Bench, expires_at: int) -> None:
    with pytest.raises(Invalid, match=r"^expires_at: is in the past"):
        books.decide(make_key(expires_at=expires_at))


def test_a_key_expires_within_what_the_stores_can_hold(books: Bench) -> None:
    books.do(make_key("a", expires_at=ID_MAX))
    with pytest.raises(Invalid, match=r"^expires_at: is at most"):
        books.decide(make_key("b", expires_at=ID_MAX + 1))


def test_the_text_of_a_key_is_used_once_over_all_accounts(books: Bench) -> None:
    first = books.do(make_key("a"))
    other = books.do(OpenAccount("other"))
    with pytest.raises(KeyExists) as refused:
        books.decide(make_key("a", account=other.id))
    assert (refused.value.named, refused.value.first) == ("a", first)


@pytest.mark.parametrize("account", [WORLD, FEES])
def test_the_houses_accounts_have_no_keys(books: Bench, account: int) -> None:
    with pytest.raises(NotAUser):
        books.decide(make_key(account=account))


def test_a_wealth_account_has_no_keys(books: Bench) -> None:
    wealth = books.do(OpenWealth(USER))
    with pytest.raises(NotAUser):
        books.decide(make_key(account=wealth.id))


def test_a_key_needs_an_account(books: Bench) -> None:
    with pytest.raises(UnknownAccount):
        books.decide(make_key(account=9))


def twenty_keys(books: Bench, *, expires_at: int = 0) -> None:
    for number in range(KEYS_LIVE_MAX):
        books.do(make_key(f"key-{number}", expires_at=expires_at))


def test_an_account_has_at_most_20_live_keys(books: Bench) -> None:
    twenty_keys(books)
    with pytest.raises(TooMany) as refused:
        books.decide(make_key("one more"))
    assert (refused.value.what, refused.value.most) == ("live API keys of one account", 20)


def test_another_accounts_keys_do_not_count(books: Bench) -> None:
    twenty_keys(books)
    other = books.do(OpenAccount("other"))
    books.do(make_key("one more", account=other.id))


def test_expired_keys_do_not_count(books: Bench) -> None:
    twenty_keys(books, expires_at=NOW + 1)
    books.now += 1
    books.do(make_key("one more", made_at=books.now))


def test_revoked_keys_do_not_count(books: Bench) -> None:
    twenty_keys(books)
    books.do(RevokeKey(USER, "key-7", NOW))
    books.do(make_key("one more"))
    with pytest.raises(TooMany):
        books.decide(make_key("two more"))


def test_a_key_whose_row_is_gone_does_not_count(books: Bench) -> None:
    twenty_keys(books)
    books.state.keys.drop("key-7")
    books.do(make_key("one more"))


def test_a_key_is_revoked_at_the_time_given(books: Bench) -> None:
    books.do(make_key())
    assert books.do(RevokeKey(USER, "key-1", NOW + 5)).revoked_at == NOW + 5
    assert books.state.keys_of.get(USER) == ()


def test_revoking_again_changes_nothing(books: Bench) -> None:
    books.do(make_key())
    first = books.do(RevokeKey(USER, "key-1", NOW))
    assert books.decide(RevokeKey(USER, "key-1", NOW + 1)) == ([], first, False)


def test_revoking_one_key_leaves_the_others(books: Bench) -> None:
    books.do(make_key("a"))
    books.do(make_key("b"))
    books.do(make_key("c"))
    books.do(RevokeKey(USER, "b", NOW))
    assert books.state.keys_of.get(USER) == ("a", "c")


def test_only_a_key_of_that_account_is_revoked(books: Bench) -> None:
    books.do(make_key())
    other = books.do(OpenAccount("other"))
    with pytest.raises(UnknownKey) as refused:
        books.decide(RevokeKey(other.id, "key-1", NOW))
    assert refused.value.named == "key-1"


def test_a_key_that_never_was_cannot_be_revoked(books: Bench) -> None:
    with pytest.raises(UnknownKey):
        books.decide(RevokeKey(USER, "nothing", NOW))


# --- tokens -------------------------------------------------------------------------------------


def test_a_token_is_made_as_asked(books: Bench) -> None:
    token = books.do(make_token("ops", ("view", "money")))
    assert token == ("ops", 1, "0" * 64, ("view", "money"), NOW, 0)
    assert books.state.tokens.get("ops") == token


def test_tokens_are_numbered(books: Bench) -> None:
    assert [books.do(make_token(name)).id for name in ("a", "b")] == [1, 2]


@pytest.mark.parametrize("roles", [(), ("money", "view"), ("admin",)])
def test_roles_are_a_set_in_one_spelling(books: Bench, roles: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match=r"^roles: are one or more of .*, each once and in this sequence$"):
        books.decide(make_token("ops", roles))


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_token_has_a_printable_name(books: Bench, name: str) -> None:
    with pytest.raises(Invalid, match=r"^name: "):
        books.decide(make_token(name))


def test_a_tokens_name_is_used_once_even_after_it_was_revoked(books: Bench) -> None:
    books.do(make_token("ops"))
    first = books.do(RevokeToken("ops"))
    with pytest.raises(TokenExists) as refused:
        books.decide(make_token("ops"))
    assert (refused.value.named, refused.value.first) == ("ops", first)


def test_there_are_at_most_1024_tokens_ever(books: Bench) -> None:
    books.state.counters.put("token", TOKENS_MAX - 1)
    books.do(make_token("last"))
    with pytest.raises(TooMany) as refused:
        books.decide(make_token("more"))
    assert (refused.value.what, refused.value.most) == ("tokens", 1_024)


def test_a_token_is_revoked_now(books: Bench) -> None:
    books.do(make_token())
    books.now += 7
    assert books.do(RevokeToken("ops")).revoked_at == NOW + 7


def test_revoking_a_token_again_changes_nothing(books: Bench) -> None:
    books.do(make_token())
    first = books.do(RevokeToken("ops"))
    books.now += 1
    assert books.decide(RevokeToken("ops")) == ([], first, False)


def test_a_token_that_never_was_cannot_be_revoked(books: Bench) -> None:
    with pytest.raises(UnknownToken) as refused:
        books.decide(RevokeToken("ops"))
    assert refused.value.named == "ops"


# --- who may ------------------------------------------------------------------------------------


def test_the_program_itself_may(books: Bench) -> None:
    books.decide(deposit(), House("test"))


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_live_key_with_the_permission_may(books: Bench, permission: str) -> None:
    books.do(make_key(permissions=(permission,)))
    books.decide(deposit(), KeyHolder("key-1", permission))  # type: ignore[arg-type]


@pytest.mark.parametrize("permission", ["trade", "withdraw"])
def test_a_key_without_the_permission_may_not(books: Bench, permission: str) -> None:
    books.do(make_key())
    with pytest.raises(PermissionMissing) as refused:
        books.decide(deposit(), KeyHolder("key-1", permission))  # type: ignore[arg-type]
    assert refused.value.needed == permission


def test_an_unknown_key_may_not(books: Bench) -> None:
    with pytest.raises(KeyNotLive):
        books.decide(deposit(), KeyHolder("nothing", "read"))


def test_a_revoked_key_may_not_from_that_very_moment(books: Bench) -> None:
    books.do(make_key())
    books.do(RevokeKey(USER, "key-1", NOW))
    with pytest.raises(KeyNotLive):
        books.decide(deposit(), KeyHolder("key-1", "read"))


def test_a_key_lives_until_the_millisecond_of_its_expiry(books: Bench) -> None:
    books.do(make_key(expires_at=NOW + 10))
    books.now = NOW + 9
    books.decide(deposit(), KeyHolder("key-1", "read"))
    books.now = NOW + 10
    with pytest.raises(KeyNotLive):
        books.decide(deposit(), KeyHolder("key-1", "read"))


@pytest.mark.parametrize("role", ROLES)
def test_a_token_with_the_role_may(books: Bench, role: str) -> None:
    books.do(make_token("ops", (role,)))
    books.decide(deposit(), Operator("ops", role))  # type: ignore[arg-type]


def test_a_token_without_the_role_may_not(books: Bench) -> None:
    books.do(make_token("ops", ("view",)))
    with pytest.raises(PermissionMissing) as refused:
        books.decide(deposit(), Operator("ops", "money"))
    assert refused.value.needed == "money"


def test_an_unknown_token_may_not(books: Bench) -> None:
    with pytest.raises(TokenNotLive):
        books.decide(deposit(), Operator("ops", "money"))


def test_a_revoked_token_may_not(books: Bench) -> None:
    books.do(make_token())
    books.do(RevokeToken("ops"))
    with pytest.raises(TokenNotLive):
        books.decide(deposit(), Operator("ops", "money"))


def test_who_may_not_learns_nothing_of_the_books(books: Bench) -> None:
    """What is wrong with a command is only said to who may give it."""
    with pytest.raises(TokenNotLive):
        books.decide(deposit(account=9), Operator("ops", "money"))


@pytest.mark.parametrize(
    ("actor", "text"),
    [(KeyHolder("k", "read"), "key:k"), (Operator("ops", "view"), "token:ops"), (House("demo"), "house:demo")],
)
def test_the_journal_names_who_acted(actor: KeyHolder | Operator | House, text: str) -> None:
    assert written(actor) == text
