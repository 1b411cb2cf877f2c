"""``spotbook export`` and ``import``: what they print, and where they refuse."""

import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spotbook.app.audit import audit
from spotbook.app.keys import check_master_key
from spotbook.app.ports import Head
from spotbook.app.state_hash import state_hash
from spotbook.cli import transcripts
from spotbook.cli.commands import spotbook
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import AesVault, new_master_key
from support.commands import deposit, make_key
from support.writers import Desk


def run(*args: str | Path, given: bytes | None = None) -> Result:
    return CliRunner().invoke(spotbook, [str(arg) for arg in args], input=given)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    create(folder)
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        desk.found()
        desk.open_market()
        for name in ("a", "b", "c"):
            desk.do(deposit(name))
        desk.do(make_key())
    return folder


@pytest.fixture
def file(books: Path, tmp_path: Path) -> Path:
    made = tmp_path / "journal.jsonl"
    result = run("export", "--data", books, made)
    assert (result.exit_code, result.output) == (0, "")
    return made


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


def figures(folder: Path) -> tuple[Head, bytes]:
    with closing(SqliteReader(folder)) as reader:
        assert audit(reader).ok
        found = state_hash(reader)
        return found.head, found.hash


def test_the_file_is_the_operators_alone(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in file.parent.iterdir()) == ["books", file.name]


def test_without_a_file_it_goes_to_standard_output(books: Path, file: Path) -> None:
    assert run("export", "--data", books).stdout_bytes == file.read_bytes()
    assert run("export", "--data", books, "-").stdout_bytes == file.read_bytes()


def test_a_file_that_is_there_is_not_written_over(books: Path, file: Path) -> None:
    before = file.read_bytes()
    assert run("export", "--data", books, file).exit_code == 1
    assert file.read_bytes() == before


def test_an_export_that_fails_leaves_nothing(books: Path, tmp_path: Path) -> None:
    result = run("export", "--data", books, tmp_path / "out", "--to", "99")
    assert result.exit_code == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["books"]


def test_the_same_books_are_made_again(books: Path, file: Path, new: Path) -> None:
    result = run("import", file, new, "--json")
    head, state = figures(books)
    said = json.loads(result.stdout)
    key = said.pop("master_key")
    assert said == {
        "data": str(new),
        "batch": head.number,
        "hash": head.hash.hex(),
        "state_hash": state.hex(),
        "entries": 14,
    }
    assert figures(new) == (head, state)
    with closing(SqliteReader(new)) as reader:
        check_master_key(reader.master_key_check(), AesVault(key))
        assert reader.sealed_key("key-1") is None
        assert reader.find("api_key", ("key-1",)) is not None
    assert [entry.name for entry in new.iterdir()] == [FILE]


def test_people_are_told_of_the_keys(books: Path, file: Path, new: Path) -> None:
    printed = run("import", file, new).stdout
    head, state = figures(books)
    assert printed.startswith(f"imported into {new}, audited: nothing was found\nbatch       {head.number}:")
    assert state.hex() in printed
    assert "no key of these books opens anything" in printed
    assert "(shown this once)" in printed


def test_from_standard_input_too(books: Path, file: Path, new: Path) -> None:
    assert run("import", "-", new, given=file.read_bytes()).exit_code == 0
    assert figures(new) == figures(books)


def test_up_to_an_earlier_batch(books: Path, new: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    assert run("export", "--data", books, earlier, "--to", "3").exit_code == 0
    assert run("import", earlier, new).exit_code == 0
    assert figures(new)[0].number == 3
    assert figures(new)[1] != figures(books)[1]


def test_what_is_exported_again_differs_in_the_id_of_the_books_alone(file: Path, new: Path) -> None:
    run("import", file, new)
    first, *rest = run("export", "--data", new).stdout_bytes.splitlines()
    before, *same = file.read_bytes().splitlines()
    assert rest == same
    ids = [json.loads(line).pop("books") for line in (first, before)]
    assert ids[0] != ids[1]


def test_the_master_key_of_a_file_is_taken_or_a_new_one_put_there(file: Path, tmp_path: Path) -> None:
    kept, key = tmp_path / "kept", new_master_key()
    kept.write_text(key)
    run("import", file, tmp_path / "one", "--master-key-file", kept)
    made = tmp_path / "made"
    said = json.loads(run("import", file, tmp_path / "two", "--master-key-file", made, "--json").stdout)
    assert said["master_key_file"] == str(made)
    assert "master_key" not in said
    for folder, fits in (("one", key), ("two", made.read_text().strip())):
        with closing(SqliteReader(tmp_path / folder)) as reader:
            check_master_key(reader.master_key_check(), AesVault(fits))


def test_a_malformed_master_key_is_refused(file: Path, new: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    assert run("import", file, new, "--master-key-file", tmp_path / "key").exit_code == 1
    assert not new.exists()


def without(lines: list[bytes]) -> None:
    del lines[3]


def swapped(lines: list[bytes]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def changed(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b"10000000", b"10000001")


def cut(lines: list[bytes]) -> None:
    lines[3:] = [lines[3][:-10]]


@pytest.mark.parametrize("harm", [without, swapped, changed, cut])
def test_a_line_that_is_not_right_is_named_and_nothing_left(
    file: Path,
    new: Path,
    tmp_path: Path,
    harm: Callable[[list[bytes]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    before = list(lines)
    harm(lines)
    assert lines != before
    key_file = tmp_path / "key"
    result = run("import", "-", new, "--master-key-file", key_file, given=b"".join(lines))
    assert result.exit_code == 1
    assert "line 4: " in result.stderr + capsys.readouterr().err
    assert not new.exists()
    assert not key_file.exists()


def test_books_that_are_there_stay(books: Path, file: Path) -> None:
    before = figures(books)
    assert run("import", file, books).exit_code == 1
    assert figures(books) == before


def test_of_a_line_that_never_ends_no_more_than_the_bound_is_read(
    new: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(transcripts, "TRANSCRIPT_LINE_BYTES_MAX", 1_000)
    monkeypatch.setattr("spotbook.app.transcript.TRANSCRIPT_LINE_BYTES_MAX", 1_000)
    result = run("import", "-", new, given=b"{" * 5_000)
    assert "line 1: it is longer than 1000 bytes" in result.stderr + capsys.readouterr().err
    assert result.exit_code == 1
