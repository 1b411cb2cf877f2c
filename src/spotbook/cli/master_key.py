"""The master key comes from the environment or a file, never from an argument: arguments are seen by everybody."""

import os
from collections.abc import Mapping
from pathlib import Path

from spotbook.cli.founding import write_secret
from spotbook.cli.refusals import Refused
from spotbook.store.vault import AesVault, new_master_key

VARIABLE = "SPOTBOOK_MASTER_KEY"
FILE_VARIABLE = "SPOTBOOK_MASTER_KEY_FILE"


def master_key(environment: Mapping[str, str] = os.environ) -> str:
    """Return the master key of the environment. Raises Refused when there is none, or one too many; OSError."""
    text, file = environment.get(VARIABLE, "").strip(), environment.get(FILE_VARIABLE, "").strip()
    if text and file:
        raise Refused(f"{VARIABLE} and {FILE_VARIABLE} are both set: which one is meant?")
    if file:
        text = read_master_key(Path(file))
    if not text:
        raise Refused(f"there is no master key: set {VARIABLE}, or {FILE_VARIABLE} to a file that holds it")
    return text


def read_master_key(file: Path) -> str:
    """Return the master key that a file holds. OSError when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise Refused(f"{file} holds no master key, which is 64 hex digits") from None


def master_key_of_new_books(file: Path | None) -> str:
    """Return the key of the file, or a new one, which is on disk before it seals anything. MasterKeyMalformed."""
    if file is not None and file.exists():
        key = read_master_key(file)
        AesVault(key)
        return key
    key = new_master_key()
    if file is not None:
        write_secret(file, key + "\n")
    return key
