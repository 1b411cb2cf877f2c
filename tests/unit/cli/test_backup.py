"""``spotbook backup``, ``restore`` and ``state-hash``: what they print, and where they refuse."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spotbook.app.state_hash import state_hash
from spotbook.cli.commands import spotbook
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.commands import deposit
from support.writers import Desk


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(spotbook, [str(arg) for arg in args])


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    create(folder)
    with closing(SqliteStore(folder)) as store:
        desk = Desk(store)
        desk.found()
        desk.do(deposit())
    return folder


@pytest.fixture
def backup(books: Path, tmp_path: Path) -> Path:
    assert run("backup", "--data", books, tmp_path / "backup").exit_code == 0
    return tmp_path / "backup"


def figures(folder: Path) -> tuple[str, str]:
    """Return the head and the state hash of books."""
    with closing(SqliteReader(folder)) as reader:
        found = state_hash(reader)
    return f"{found.head.number}:{found.head.hash.hex()}", found.hash.hex()


def test_the_state_hash_is_printed_with_its_batch(books: Path) -> None:
    head, state = figures(books)
    assert run("state-hash", "--data", books).stdout == f"{state}  batch {head}\n"
    number, digest = head.split(":")
    assert json.loads(run("state-hash", "--data", books, "--json").stdout) == {
        "batch": int(number),
        "hash": digest,
        "state_hash": state,
    }


def test_a_backup_names_its_batch_and_its_state_hash(books: Path, tmp_path: Path) -> None:
    head, state = figures(books)
    file = tmp_path / "backup"
    printed = run("backup", "--data", books, file)
    assert printed.stdout == (
        f"backed up in {file}, audited: nothing was found\nbatch       {head}\nstate hash  {state}\n"
    )
    assert file.exists()


def test_programs_are_told_the_same(books: Path, tmp_path: Path) -> None:
    (number, digest), state = figures(books)[0].split(":"), figures(books)[1]
    said = {"batch": int(number), "hash": digest, "state_hash": state, "entries": 2}
    file, folder = tmp_path / "backup", tmp_path / "new"
    assert json.loads(run("backup", "--data", books, file, "--json").stdout) == {"file": str(file), **said}
    assert json.loads(run("restore", file, folder, "--json").stdout) == {"data": str(folder), **said}


def test_restored_books_have_the_same_state_hash(books: Path, backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    printed = run("restore", backup, folder)
    head, state = figures(books)
    assert printed.stdout == (
        f"restored in {folder}, audited: nothing was found\nbatch       {head}\nstate hash  {state}\n"
    )
    assert figures(folder) == figures(books)
    assert [entry.name for entry in folder.iterdir()] == [FILE]


def test_an_empty_folder_will_do_and_what_a_crash_left_of_a_making(backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    (folder / ".making.killed").mkdir(parents=True)
    (folder / "lost+found").mkdir()
    assert run("restore", backup, folder).exit_code == 0
    assert sorted(entry.name for entry in folder.iterdir()) == [FILE, "lost+found"]


def test_books_that_are_there_stay(books: Path, backup: Path) -> None:
    before = figures(books)
    result = run("restore", backup, books)
    assert result.exit_code == 1
    assert figures(books) == before


@pytest.mark.parametrize("name", [f"{FILE}-wal", f"{FILE}-shm", "writer.lock", "demo.json", "anything"])
def test_a_folder_that_holds_anything_is_refused(
    backup: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / name).write_text("of others")
    result = run("restore", backup, folder)
    assert result.exit_code == 1
    assert f"holds something else ({name})" in result.stderr + capsys.readouterr().err
    assert [(entry.name, entry.read_text()) for entry in folder.iterdir()] == [(name, "of others")]


def test_where_restoring_fails_nothing_is_left(backup: Path, tmp_path: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:8_192])
    empty, missing = tmp_path / "empty", tmp_path / "missing"
    empty.mkdir()
    assert run("restore", backup, empty).exit_code == 1
    assert run("restore", backup, missing).exit_code == 1
    assert list(empty.iterdir()) == []
    assert not missing.exists()
    assert run("restore", tmp_path / "no backup", missing).exit_code == 1
    assert not missing.exists()


def test_a_file_that_is_there_stays(books: Path, backup: Path) -> None:
    before = backup.read_bytes()
    assert run("backup", "--data", books, backup).exit_code == 1
    assert backup.read_bytes() == before
