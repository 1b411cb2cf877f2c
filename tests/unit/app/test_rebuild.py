"""Rebuilding the projections from the journal."""

import sqlite3
from pathlib import Path

import pytest

from spotbook.app.rebuild import ChainBroken, rebuild
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryStore
from spotbook.store.sqlite import SqliteStore
from support.checks import check_books, tables_of
from support.commands import deposit, make_key, make_token
from support.writers import Desk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path)
    store = SqliteStore(tmp_path)
    desk = Desk(store)
    desk.found()
    desk.batch(deposit("a"), make_key(), make_token())
    desk.batch(deposit("b"))
    store.close()
    return tmp_path


def change(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_whatever_was_done_to_the_tables_is_undone(folder: Path) -> None:
    change(folder, "DELETE FROM entry", "UPDATE balance SET available = 0", "DELETE FROM token", "DELETE FROM account")
    store = SqliteStore(folder)
    head = rebuild(store)
    assert head == store.head()
    check_books(store.reader())
    assert Desk(store).do(deposit("c"))
    check_books(store.reader())
    store.close()


def test_books_in_memory_are_rebuilt_alike() -> None:
    store = MemoryStore(MemoryBooks())
    desk = Desk(store)
    desk.found()
    desk.batch(deposit("a"), make_key())
    before = tables_of(store.reader())
    rebuild(store)
    assert tables_of(store.reader()) == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM batch WHERE number = 2",
        "DELETE FROM batch WHERE number = 3",
        "UPDATE batch SET hash = zeroblob(32) WHERE number = 2",
        "UPDATE batch SET body = x'00' WHERE number = 3",
        "UPDATE batch SET time = time - 1 WHERE number = 3",
        "UPDATE batch SET time = time + 1 WHERE number = 3",
        "UPDATE head SET hash = zeroblob(32)",
        "UPDATE head SET number = 2, hash = (SELECT hash FROM batch WHERE number = 2)",
    ],
)
def test_a_broken_chain_is_refused_and_nothing_changed(folder: Path, statement: str) -> None:
    change(folder, statement)
    store = SqliteStore(folder)
    before = tables_of(store.reader())
    with pytest.raises(ChainBroken):
        rebuild(store)
    assert tables_of(store.reader()) == before
    store.close()
