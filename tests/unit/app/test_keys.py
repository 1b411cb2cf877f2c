"""Keys with their secrets: what is bound to a secret, and when the ring sees a change."""

from collections.abc import Iterator

import pytest

from spotbook.app.engine import Engine
from spotbook.app.keys import (
    CHECK_KEY,
    KeyRing,
    Keys,
    MasterKeyWrong,
    OpenKey,
    bound,
    check_master_key,
    first_seal,
    reseal,
)
from spotbook.app.ports import SealedKey, SealedSecret
from spotbook.app.writer import Done, Refused, Writer
from spotbook.domain.credentials import Key, Operator
from spotbook.domain.errors import Invalid, KeyExists, TokenNotLive, UnknownKey
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from spotbook.store.vault import AesVault, new_master_key
from support.clock import NOW, StandingClock
from support.commands import HOUSE, USER, deposit
from support.writers import Desk

VAULT = AesVault("00" * 32)


class Office:
    """Founded books in memory with an engine, and a ring of one reader over them."""

    def __init__(self) -> None:
        self.disk = MemoryBooks()
        founding = MemoryStore(self.disk)
        Desk(founding).found()
        founding.close()
        self.clock = StandingClock()
        self.store = MemoryStore(self.disk)
        self.engine = Engine(lambda: Writer(self.store, self.clock, alarm=lambda *_: None), alarm=lambda *_: None)
        self.keys = Keys(self.engine, VAULT, self.clock)
        self.reader = MemoryReader(self.disk)
        self.tampered: list[str] = []
        self.ring = self.new_ring()

    def new_ring(self, vault: AesVault = VAULT, keys_max: int = 100) -> KeyRing:
        return KeyRing(MemoryReader(self.disk), vault, lambda key: self.tampered.append(key.api_key), keys_max)

    def make(self, api_key: str = "key-1", *, allow: tuple[str, ...] = (), expires_at: int = 0) -> str:
        """Make a key with every permission; return its secret."""
        permissions = ("read", "trade", "withdraw")
        outcome, secret = self.keys.make(
            HOUSE, USER, permissions, allow=allow, expires_at=expires_at, api_key=api_key, label="bot"
        )
        assert isinstance(outcome, Done)
        return secret

    def change(self, column: int, value: int | str) -> None:
        """Change the key's row in the file, as somebody might who can write to it."""
        row = list(self.disk.tables["api_key"][("key-1",)])
        row[column] = value
        self.disk.tables["api_key"][("key-1",)] = tuple(row)
        self.disk.commits += 1


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    made.engine.start()
    made.engine.recovered.wait()
    yield made
    made.engine.drain()


def test_a_key_is_made_with_a_secret_that_the_ring_finds(office: Office) -> None:
    secret = office.make(allow=("10.0.0.0/8",), expires_at=NOW + 1)
    found = office.ring.find("key-1")
    assert isinstance(found, OpenKey)
    assert found.secret == secret.encode()
    assert found.key == Key("key-1", USER, ("read", "trade", "withdraw"), ("10.0.0.0/8",), "bot", NOW, NOW + 1, 0)


def test_texts_are_chosen_at_random_unless_they_are_given(office: Office) -> None:
    made = [office.keys.make(HOUSE, USER, ("read",)) for _ in range(3)]
    assert len({secret for _, secret in made}) == 3
    assert len({outcome.result.api_key for outcome, _ in made if isinstance(outcome, Done)}) == 3


def test_a_given_secret_is_kept(office: Office) -> None:
    _, secret = office.keys.make(HOUSE, USER, ("read",), api_key="k", secret="GIVEN")
    found = office.ring.find("k")
    assert found
    assert (secret, found.secret) == ("GIVEN", b"GIVEN")


def test_a_refused_key_leaves_no_secret_behind(office: Office) -> None:
    outcome, _ = office.keys.make(HOUSE, 9, ("read",), api_key="k")
    assert isinstance(outcome, Refused)
    assert "k" not in office.disk.secrets


def test_a_second_key_of_the_same_text_does_not_touch_the_first(office: Office) -> None:
    secret = office.make()
    outcome, _ = office.keys.make(HOUSE, USER, ("read",), api_key="key-1")
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.refusal, KeyExists)
    found = office.ring.find("key-1")
    assert found
    assert found.secret == secret.encode()


def test_a_malformed_allow_list_is_refused_before_anything_is_asked(office: Office) -> None:
    with pytest.raises(Invalid, match=r"^allow: "):
        office.keys.make(HOUSE, USER, ("read",), allow=("10.0.0.0/33",))


def test_an_allow_list_lets_in_whom_it_names(office: Office) -> None:
    office.make(allow=("10.0.0.0/8", "192.0.2.7"))
    found = office.ring.find("key-1")
    assert found
    assert [found.lets_in(address) for address in ("10.1.2.3", "192.0.2.7", "192.0.2.8")] == [True, True, False]


def test_without_one_everybody_is_let_in(office: Office) -> None:
    office.make()
    found = office.ring.find("key-1")
    assert found
    assert found.lets_in("203.0.113.9")


def test_the_secret_is_not_in_the_journal(office: Office) -> None:
    secret = office.make()
    assert not any(secret.encode() in batch.body for batch in office.disk.batches)


# --- what is bound to the secret ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [(1, USER + 1), (2, "read"), (3, ""), (3, "10.0.0.0/7"), (3, "no range"), (6, 0), (6, NOW + 2), (7, NOW)],
    ids=["account", "permissions", "allow", "allow wider", "allow malformed", "expires", "expires later", "revoked"],
)
def test_a_key_whose_row_was_changed_in_the_file_is_as_good_as_unknown(
    office: Office, column: int, value: int | str
) -> None:
    office.make(allow=("10.0.0.0/8",), expires_at=NOW + 1)
    office.change(column, value)
    assert office.ring.find("key-1") is None
    assert office.tampered == ["key-1"]


def test_a_key_whose_row_was_given_another_name_is_as_good_as_unknown(office: Office) -> None:
    office.make()
    row = office.disk.tables["api_key"][("key-1",)]
    office.disk.tables["api_key"][("key-2",)] = ("key-2", *row[1:])
    office.disk.secrets["key-2"] = office.disk.secrets["key-1"]
    assert office.ring.find("key-2") is None


def test_a_revocation_undone_in_the_file_opens_nothing(office: Office) -> None:
    office.make()
    office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    office.change(7, 0)
    assert office.ring.find("key-1") is None


def test_a_label_has_no_power_and_is_not_bound(office: Office) -> None:
    office.make()
    office.change(4, "renamed")
    found = office.ring.find("key-1")
    assert found
    assert found.key.label == "renamed"


def test_a_key_without_a_sealed_secret_is_unknown(office: Office) -> None:
    office.make()
    del office.disk.secrets["key-1"]
    assert office.ring.find("key-1") is None


def test_a_changed_row_is_told_once_for_each_change(office: Office) -> None:
    office.make()
    office.change(2, "read")
    for _ in range(3):
        office.ring.find("key-1")
        office.disk.commits += 1
    assert office.tampered == ["key-1"]


def test_every_field_but_the_label_and_the_time_of_making_is_bound() -> None:
    key = Key("k", USER, ("read",), (), "bot", NOW, 0, 0)
    assert bound(key) == bound(key._replace(label="x", made_at=1))
    others = [
        key._replace(api_key="l"),
        key._replace(account=1),
        key._replace(permissions=("trade",)),
        key._replace(allow=("10.0.0.0/8",)),
        key._replace(expires_at=1),
        key._replace(revoked_at=1),
        key._replace(strict=True),
    ]
    assert len({bound(other) for other in [key, *others]}) == 8


def test_secrets_that_were_sealed_before_there_were_strict_keys_still_open() -> None:
    key = Key("k", USER, ("read", "trade"), ("10.0.0.0/8",), "bot", NOW, 5, 0)
    assert bound(key) == b'["k",1001,["read","trade"],["10.0.0.0/8"],5,0]'
    assert bound(key._replace(strict=True)) == b'["k",1001,["read","trade"],["10.0.0.0/8"],5,0,"strict"]'


@pytest.mark.parametrize("strict", [True, False])
def test_a_key_that_is_made_strict_or_lax_in_the_file_opens_nothing(office: Office, *, strict: bool) -> None:
    office.keys.make(HOUSE, USER, ("read",), strict=strict, api_key="key-1")
    assert office.ring.find("key-1")
    office.change(8, int(not strict))
    assert office.ring.find("key-1") is None
    assert office.tampered == ["key-1"]


def test_a_strict_key_stays_strict_when_it_is_revoked(office: Office) -> None:
    _, secret = office.keys.make(HOUSE, USER, ("read",), strict=True, api_key="key-1")
    assert isinstance(office.keys.revoke(HOUSE, USER, "key-1", office.reader), Done)
    found = office.ring.find("key-1")
    assert found
    assert (found.key.strict, found.key.revoked_at, found.secret) == (True, NOW, secret.encode())


# --- revoking -----------------------------------------------------------------------------------


def test_a_revoked_key_is_found_as_revoked(office: Office) -> None:
    secret = office.make()
    office.clock.now += 5
    assert isinstance(office.keys.revoke(HOUSE, USER, "key-1", office.reader), Done)
    found = office.ring.find("key-1")
    assert found
    assert (found.key.revoked_at, found.secret) == (NOW + 5, secret.encode())


def test_revoking_again_keeps_the_first_time(office: Office) -> None:
    office.make()
    office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    office.clock.now += 5
    outcome = office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    assert isinstance(outcome, Done)
    assert (outcome.fresh, outcome.result.revoked_at) == (False, NOW)
    found = office.ring.find("key-1")
    assert found
    assert found.key.revoked_at == NOW


def test_a_key_that_never_was_cannot_be_revoked(office: Office) -> None:
    outcome = office.keys.revoke(HOUSE, USER, "nothing", office.reader)
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.refusal, UnknownKey)
    assert outcome.batch == office.reader.head().number


def test_who_may_not_act_is_not_told_whether_there_is_such_a_key(office: Office) -> None:
    office.make()
    for api_key in ("key-1", "nothing"):
        outcome = office.keys.revoke(Operator("a-token-revoked-meanwhile", "money"), USER, api_key, office.reader)
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.refusal, TokenNotLive)


def test_another_accounts_key_is_not_revoked_and_goes_on(office: Office) -> None:
    office.make()
    assert isinstance(office.keys.revoke(HOUSE, USER + 1, "key-1", office.reader), Refused)
    found = office.ring.find("key-1")
    assert found
    assert not found.key.revoked_at


def test_a_key_without_a_secret_can_be_revoked_and_stays_shut(office: Office) -> None:
    office.make()
    del office.disk.secrets["key-1"]  # as in books that were made from a journal
    outcome = office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    assert isinstance(outcome, Done)
    assert outcome.result.revoked_at
    assert office.new_ring().find("key-1") is None


def test_a_key_whose_row_was_changed_can_be_revoked_and_stays_shut(office: Office) -> None:
    office.make()
    office.change(2, "read")
    assert isinstance(office.keys.revoke(HOUSE, USER, "key-1", office.reader), Done)
    assert office.disk.tables["api_key"][("key-1",)][7] == NOW
    assert office.ring.find("key-1") is None


# --- the ring -----------------------------------------------------------------------------------


def test_an_unknown_key_is_none_and_is_found_once_it_is_made(office: Office) -> None:
    assert office.ring.find("key-1") is None
    office.make()
    assert office.ring.find("key-1")


def test_a_kept_key_is_not_unsealed_again_while_nothing_was_committed(office: Office) -> None:
    office.make()
    first = office.ring.find("key-1")
    assert office.ring.find("key-1") is first


def test_nor_after_a_commit_that_did_not_touch_it(office: Office) -> None:
    office.make()
    first = office.ring.find("key-1")
    office.engine.execute(deposit(), HOUSE)
    assert office.ring.find("key-1") is first


def test_a_revocation_is_seen_by_the_very_next_find(office: Office) -> None:
    office.make()
    assert office.ring.find("key-1")
    office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    found = office.ring.find("key-1")
    assert found
    assert found.key.revoked_at


class Watched(MemoryReader):
    """A reader that counts how often a key's row was looked at."""

    looked = 0

    def sealed_key(self, api_key: str) -> SealedKey | None:
        self.looked += 1
        return super().sealed_key(api_key)


def told_ring(office: Office) -> tuple[KeyRing, Watched]:
    """Return a ring that the writer tells of keys that change, as in a running server, and its reader."""
    reader = Watched(office.disk)
    ring = KeyRing(reader, VAULT, lambda key: office.tampered.append(key.api_key))
    ring.note(reader.head().number)
    return ring, reader


def test_a_key_is_not_looked_at_again_for_batches_that_changed_no_key(office: Office) -> None:
    office.make()
    ring, reader = told_ring(office)
    first = ring.find("key-1")
    for number in range(5):
        office.engine.execute(deposit(f"tx-{number}"), HOUSE)
        assert ring.find("key-1") is first
    assert reader.looked == 1


def test_a_key_is_looked_at_again_after_a_batch_that_changed_one(office: Office) -> None:
    office.make()
    ring, _ = told_ring(office)
    assert ring.find("key-1")
    office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    ring.note(office.reader.head().number)
    found = ring.find("key-1")
    assert found
    assert found.key.revoked_at


def test_what_was_read_before_the_batch_that_changed_a_key_is_not_kept_for_good(office: Office) -> None:
    """The writer may say so before the moment that the ring reads has got there."""
    office.make()
    ring, reader = told_ring(office)
    ring.note(reader.head().number + 1)
    assert ring.find("key-1")
    office.keys.revoke(HOUSE, USER, "key-1", office.reader)
    found = ring.find("key-1")
    assert found
    assert found.key.revoked_at


def test_a_row_that_was_changed_behind_the_writers_back_is_seen_at_once_or_within_a_second(office: Office) -> None:
    office.make()
    ring, _ = told_ring(office)
    assert ring.find("key-1")
    office.change(1, USER + 1)
    assert ring.find("key-1") is None
    office.change(1, USER)
    assert ring.find("key-1")
    office.change(1, USER + 1)
    office.engine.execute(deposit("tx-1"), HOUSE)
    office.clock.now += 1_000
    office.engine.execute(deposit("tx-2"), HOUSE)
    assert ring.find("key-1") is None


def test_a_key_is_not_looked_at_again_for_as_long_as_the_writer_vouches_that_nobody_else_wrote(office: Office) -> None:
    office.make()
    ring, reader = told_ring(office)
    first = ring.find("key-1")
    for number in range(5):
        office.clock.now += 1_000
        office.engine.execute(deposit(f"tx-{number}"), HOUSE)
        ring.vouch(reader.head().time)
        assert ring.find("key-1") is first
    assert reader.looked == 1
    office.change(1, USER + 1)
    office.engine.execute(deposit("noted"), HOUSE)
    ring.note(reader.head().number)
    ring.vouch(reader.head().time)
    assert ring.find("key-1") is None
    office.change(1, USER)
    office.engine.execute(deposit("alone"), HOUSE)
    office.clock.now += 1_000
    office.engine.execute(deposit("a-second-later"), HOUSE)
    assert ring.find("key-1")


def test_a_key_that_is_gone_from_the_file_is_forgotten(office: Office) -> None:
    office.make()
    office.ring.find("key-1")
    del office.disk.tables["api_key"][("key-1",)]
    office.disk.commits += 1
    assert office.ring.find("key-1") is None
    assert len(office.ring._kept) == 0


def test_the_ring_keeps_no_more_keys_than_its_bound(office: Office) -> None:
    for number in range(6):
        office.make(f"key-{number}")
    ring = office.new_ring(keys_max=3)
    for _ in range(2):
        for number in range(6):
            assert ring.find(f"key-{number}")
            assert len(ring._kept) <= 3


# --- the master key -----------------------------------------------------------------------------


def test_the_master_key_of_the_books_fits(office: Office) -> None:
    check_master_key(first_seal(VAULT).sealed, VAULT)


def test_another_one_does_not() -> None:
    with pytest.raises(MasterKeyWrong):
        check_master_key(first_seal(VAULT).sealed, AesVault(new_master_key()))


def test_books_that_have_no_seal_fit_none() -> None:
    with pytest.raises(MasterKeyWrong):
        check_master_key(None, VAULT)


def test_a_seal_of_something_else_does_not_fit() -> None:
    with pytest.raises(MasterKeyWrong):
        check_master_key(VAULT.seal("other books", b""), VAULT)


def test_with_another_master_key_no_key_opens(office: Office) -> None:
    office.make()
    assert office.new_ring(AesVault(new_master_key())).find("key-1") is None


def test_sealed_anew_every_key_opens_with_the_new_master_key_and_none_with_the_old(office: Office) -> None:
    secrets = {name: office.make(name).encode() for name in ("a", "b", "c")}
    office.keys.revoke(HOUSE, USER, "b", office.reader)
    new = AesVault(new_master_key())
    assert reseal(office.store, VAULT, new) == 3
    ring = office.new_ring(new)
    assert {name: found.secret for name in secrets if (found := ring.find(name))} == secrets
    assert [office.new_ring().find(name) for name in secrets] == [None] * 3


def test_the_books_know_their_new_master_key(office: Office) -> None:
    office.store.reseal([first_seal(VAULT)])
    new = AesVault(new_master_key())
    reseal(office.store, VAULT, new)
    check_master_key(office.reader.master_key_check(), new)
    with pytest.raises(MasterKeyWrong):
        check_master_key(office.reader.master_key_check(), VAULT)


def test_a_key_whose_row_was_changed_stays_shut_when_all_are_sealed_anew(office: Office) -> None:
    office.make()
    office.change(2, "read")
    new = AesVault(new_master_key())
    assert reseal(office.store, VAULT, new) == 0
    assert office.new_ring(new).find("key-1") is None


def test_more_keys_than_one_page_are_sealed_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotbook.app.keys.PAGE_ROWS_MAX", 2)
    for number in range(5):
        office.make(f"key-{number}")
    assert reseal(office.store, VAULT, AesVault(new_master_key())) == 5


def test_the_seal_of_the_books_is_no_keys(office: Office) -> None:
    office.store.reseal([first_seal(VAULT)])
    assert office.ring.find(CHECK_KEY) is None
    assert isinstance(first_seal(VAULT), SealedSecret)
