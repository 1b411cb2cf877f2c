"""Books that are made appear whole or not at all; secrets in files are their owner's alone."""

import stat
from pathlib import Path

import pytest

from spotbook.app.ports import BooksExist, WriterActive
from spotbook.cli.founding import DRAFT, draft, making, write_secret
from spotbook.store import file
from spotbook.store.create import create
from spotbook.store.file import FILE, exists
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader


def make(folder: Path) -> None:
    create(folder)
    SqliteStore(folder).close()


def test_what_is_made_is_moved_into_place(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "books"
    with making(folder):
        with draft(folder) as made:
            make(made)
            assert not exists(folder)
        SqliteReader(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.name for entry in folder.iterdir()] == [FILE]


def test_the_names_of_new_folders_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could take the folder, and all that was acknowledged with it."""
    synced: list[Path] = []
    monkeypatch.setattr(file, "sync", synced.append)
    for _ in range(2):
        with making(tmp_path / "new" / "books"):
            pass
    assert synced == [tmp_path / "new", tmp_path, tmp_path / "new"]


def test_a_making_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with making(tmp_path), draft(tmp_path) as made:
            make(made)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_over_is_removed(tmp_path: Path) -> None:
    left_over = tmp_path / f"{DRAFT}dead"
    make(left_over)
    with making(tmp_path):
        assert not left_over.exists()


def test_books_that_exist_are_not_made_again(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(BooksExist), making(tmp_path), draft(tmp_path):
        pytest.fail("a draft was lent")


def test_books_that_were_not_closed_are_not_moved(tmp_path: Path) -> None:
    stores = []

    def leave_open() -> None:
        with making(tmp_path), draft(tmp_path) as made:
            create(made)
            stores.append(SqliteStore(made))

    with pytest.raises(RuntimeError, match="not closed"):
        leave_open()
    stores[0].close()
    assert not exists(tmp_path)


def test_one_at_a_time_makes_books_in_a_folder(tmp_path: Path) -> None:
    with making(tmp_path):
        with pytest.raises(WriterActive), making(tmp_path):
            pytest.fail("two are making books")
        with making(tmp_path / "other"):
            pass
    with making(tmp_path):
        pass


def test_a_secret_is_its_owners_alone_and_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_secret(file, "first\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_secret(file, "second\n")
    assert file.read_text() == "first\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]
