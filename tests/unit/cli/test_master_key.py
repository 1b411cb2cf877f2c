"""Where the master key comes from: one place, and only one."""

from pathlib import Path

import pytest

from spotbook.cli.master_key import master_key
from spotbook.cli.refusals import Refused


def test_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("ab\n")
    assert master_key({"SPOTBOOK_MASTER_KEY": " ab "}) == "ab"
    assert master_key({"SPOTBOOK_MASTER_KEY_FILE": str(file), "SPOTBOOK_MASTER_KEY": ""}) == "ab"


def test_none_two_and_one_that_is_not_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="no master key"):
        master_key({})
    with pytest.raises(Refused, match="both"):
        master_key({"SPOTBOOK_MASTER_KEY": "ab", "SPOTBOOK_MASTER_KEY_FILE": str(file)})
    with pytest.raises(Refused, match="64 hex digits"):
        master_key({"SPOTBOOK_MASTER_KEY_FILE": str(file)})
    file.write_text("")
    with pytest.raises(Refused, match="no master key"):
        master_key({"SPOTBOOK_MASTER_KEY_FILE": str(file)})
    with pytest.raises(FileNotFoundError):
        master_key({"SPOTBOOK_MASTER_KEY_FILE": str(tmp_path / "none")})
