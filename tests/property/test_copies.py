"""Whatever happened to books: restored from a backup, or made again from their journal, they are the same.

Invariant 10, over random histories of trading, with batches of any size.
"""

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotbook.app import transcript
from spotbook.app.audit import audit
from spotbook.app.ports import StoreError
from spotbook.app.state_hash import StateHash, state_hash
from spotbook.store import copies
from spotbook.store.create import create
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.checks import Tables, tables_of
from support.histories import history
from support.writers import Desk

SCHEMA = 1


@contextmanager
def books_with(number: int, batches: int) -> Iterator[tuple[Path, MemoryBooks]]:
    """Lend a folder with books of a history, and the same in memory."""
    memory = MemoryBooks()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "books"
        create(folder)
        with closing(SqliteStore(folder)) as store:
            desks = [Desk(store), Desk(MemoryStore(memory))]
            for desk in desks:
                desk.found()
                desk.open_market()
            for batch in history(random.Random(number), batches):
                said = []
                for desk in desks:
                    desk.clock.now += 1_000
                    said.append([type(outcome) for outcome in desk.batch(*batch)])
                assert said[0] == said[1]
        yield folder, memory


def figures(folder: Path) -> tuple[StateHash, Tables]:
    """Return what books come to, which are clean."""
    with closing(SqliteReader(folder)) as reader:
        assert audit(reader).findings == ()
        return state_hash(reader), tables_of(reader)


@settings(max_examples=8)
@given(number=st.integers(0, 2**32 - 1), batches=st.integers(0, 40))
@example(number=1, batches=60)
def test_restored_and_imported_books_are_the_same(number: int, batches: int) -> None:
    with books_with(number, batches) as (folder, memory):
        first = figures(folder)
        backed_up = copies.back_up(folder, folder.parent / "backup")
        restored, imported = folder.parent / "restored", folder.parent / "imported"
        restored.mkdir()
        assert copies.restore(folder.parent / "backup", restored) == backed_up
        with closing(SqliteReader(folder)) as reader:
            lines = transcript.written(reader, SCHEMA)
            made = copies.make_from(transcript.read(lines, SCHEMA), imported, Path("journal"))
        assert made == backed_up
        assert (backed_up.head, backed_up.state_hash) == first[0]
        assert figures(restored) == figures(imported) == first
        assert state_hash(MemoryReader(memory)) == first[0]


@settings(max_examples=6)
@given(number=st.integers(0, 2**32 - 1), data=st.data())
def test_books_of_any_earlier_batch_can_be_had_again(number: int, data: st.DataObject) -> None:
    """What the journal up to a batch makes is what the books came to when it was the last."""
    memory = MemoryBooks()
    desk = Desk(MemoryStore(memory))
    desk.found()
    desk.open_market()
    then = [state_hash(MemoryReader(memory))]
    for batch in history(random.Random(number), 20):
        desk.batch(*batch)
        then.append(state_hash(MemoryReader(memory)))
    wanted = data.draw(st.sampled_from(then))
    with tempfile.TemporaryDirectory() as root:
        lines = transcript.written(MemoryReader(memory), SCHEMA, wanted.head.number)
        made = copies.make_from(transcript.read(lines, SCHEMA), Path(root) / "books", Path("journal"))
    assert StateHash(made.head, made.state_hash) == wanted


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Tables]:
    """A backup's bytes, and the tables that it holds."""
    target = tmp_path_factory.mktemp("backed_up") / "backup"
    with books_with(1, 30) as (folder, _):
        copies.back_up(folder, target)
        return target.read_bytes(), figures(folder)[1]


@settings(max_examples=40)
@given(data=st.data())
def test_of_a_damaged_backup_nothing_is_restored_that_differs(
    backed_up: tuple[bytes, Tables], data: st.DataObject
) -> None:
    """Whatever bit is turned over: the backup is refused, or the bit bore nothing (there is free space in a page)."""
    content, tables = bytearray(backed_up[0]), backed_up[1]
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as root:
        backup, restored = Path(root) / "backup", Path(root) / "restored"
        backup.write_bytes(content)
        restored.mkdir()
        try:
            copies.restore(backup, restored)
        except StoreError:
            return
        assert figures(restored)[1] == tables
