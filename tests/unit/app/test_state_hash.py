"""The state hash: what it covers, what it leaves out, and how anybody can compute it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spotbook.app.projection import TABLES
from spotbook.app.state_hash import SECTIONS, StateHash, state_hash
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.trading_story import limit, tell
from support.writers import Desk

TIMES = {"placed_at", "changed_at"}


def told(store: MemoryStore | SqliteStore) -> None:
    """Tell the story, and leave orders behind on both sides, at several prices, with ties."""
    desk = Desk(store)
    tell(desk)
    for number, price in enumerate(("20", "21", "20", "19")):
        desk.do(limit(1_001, "buy", "1", price, out_trade_no=f'"{number}" / ünï'))
        desk.do(limit(1_002, "sell", "0.5", f"1{price}"))


@pytest.fixture
def books() -> MemoryBooks:
    made = MemoryBooks()
    told(MemoryStore(made))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    create(tmp_path)
    with closing(SqliteStore(tmp_path)) as store:
        told(store)
        yield tmp_path


def hash_of(books: MemoryBooks) -> StateHash:
    return state_hash(MemoryReader(books))


def computed(file: Path) -> str:
    """Return what the program prints that the reference gives to strangers: nothing of Spotbook's is in it."""
    page = (Path(__file__).parents[3] / "docs/reference/state-hash.md").read_text(encoding="utf-8")
    program: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], program)  # what we wrote ourselves
    said: str = program["state_hash"](file)
    return said


def test_anybody_can_compute_it(folder: Path) -> None:
    with closing(SqliteReader(folder)) as reader:
        assert state_hash(reader).hash.hex() == computed(folder / FILE)


def test_it_says_at_which_batch_it_was_so(books: MemoryBooks) -> None:
    assert hash_of(books).head == books.head


def test_of_each_table_it_has_all_but_times() -> None:
    for table, columns in SECTIONS.items():
        assert set(TABLES[table].columns) - TIMES == set(columns)
        assert len(columns) == len(set(columns))


@pytest.mark.parametrize("table", SECTIONS)
def test_every_table_counts(books: MemoryBooks, table: str) -> None:
    assert books.tables[table]
    before = hash_of(books).hash
    books.tables[table].popitem()
    assert hash_of(books).hash != before


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, row in SECTIONS.items() for column in row])
def test_every_column_counts(books: MemoryBooks, table: str, column: str) -> None:
    before = hash_of(books).hash
    place = TABLES[table].columns.index(column)
    key, row = next(iter(books.tables[table].items()))
    value = row[place]
    changed = value + 1 if isinstance(value, int) else f"{value!r}x"
    books.tables[table][key] = (*row[:place], changed, *row[place + 1 :])
    assert hash_of(books).hash != before


def test_times_and_other_tables_do_not_count(books: MemoryBooks) -> None:
    before = hash_of(books).hash
    for table, rows in books.tables.items():
        if table not in SECTIONS:
            rows.clear()
    orders, columns = books.tables["open_order"], TABLES["open_order"].columns
    for key, row in orders.items():
        orders[key] = tuple(0 if column in TIMES else value for column, value in zip(columns, row, strict=True))
    assert hash_of(books).hash == before


def test_orders_come_in_the_sequence_in_which_they_would_be_met(
    books: MemoryBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, int]] = []
    line: Callable[..., bytes] = state_hash.__globals__["_line"]

    def watched(values: tuple[object, ...]) -> bytes:
        if values[0] == "open_order":
            order = dict(zip(SECTIONS["open_order"], values[1:], strict=True))
            seen.append((str(order["side"]), int(str(order["price"])), int(str(order["id"]))))
        return line(values)

    monkeypatch.setitem(state_hash.__globals__, "_line", watched)
    hash_of(books)
    buys = [(price, number) for side, price, number in seen if side == "buy"]
    sells = [(price, number) for side, price, number in seen if side == "sell"]
    assert buys == [(2_100, 18), (2_000, 16), (2_000, 20), (1_900, 22)]
    assert sells == [(6_000, 14), (11_900, 23), (12_000, 17), (12_000, 21), (12_100, 19)]
    assert seen[: len(buys)] == [("buy", *order) for order in buys]
