"""Secrets at rest."""

import pytest

from spotbook.store.vault import AesVault, MasterKeyMalformed, new_master_key

KEY = "0123456789abcdef" * 4
BOUND = b"key-1 of account 1001"


@pytest.fixture
def vault() -> AesVault:
    return AesVault(KEY)


def test_what_was_sealed_opens_with_what_was_bound_to_it(vault: AesVault) -> None:
    assert vault.unseal(vault.seal("SECRET", BOUND), BOUND) == "SECRET"


def test_another_vault_with_the_same_master_key_opens_it(vault: AesVault) -> None:
    assert AesVault(KEY.upper()).unseal(vault.seal("SECRET", BOUND), BOUND) == "SECRET"


def test_with_anything_else_bound_it_does_not_open(vault: AesVault) -> None:
    assert vault.unseal(vault.seal("SECRET", BOUND), BOUND + b" ") is None


def test_with_another_master_key_it_does_not_open(vault: AesVault) -> None:
    assert AesVault(new_master_key()).unseal(vault.seal("SECRET", BOUND), BOUND) is None


def test_no_changed_byte_opens(vault: AesVault) -> None:
    sealed = vault.seal("SECRET", BOUND)
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert vault.unseal(changed, BOUND) is None


@pytest.mark.parametrize("length", [0, 1, 5, 16, 17, 18, 33])
def test_a_cut_secret_does_not_open(vault: AesVault, length: int) -> None:
    assert vault.unseal(vault.seal("SECRET", BOUND)[:length], BOUND) is None


def test_the_secret_is_not_to_be_seen_in_it(vault: AesVault) -> None:
    assert b"SECRET" not in vault.seal("SECRET", BOUND)


def test_the_same_secret_is_never_sealed_to_the_same_bytes(vault: AesVault) -> None:
    assert len({vault.seal("SECRET", BOUND) for _ in range(50)}) == 50


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "0g" * 32, " " * 64, "00 " * 21 + "0", "é" * 64])
def test_a_master_key_is_64_hex_digits(text: str) -> None:
    with pytest.raises(MasterKeyMalformed):
        AesVault(text)


def test_a_new_master_key_is_one_and_is_new() -> None:
    keys = {new_master_key() for _ in range(50)}
    assert len(keys) == 50
    for key in keys:
        AesVault(key)
