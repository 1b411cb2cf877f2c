"""The page of the schema, and the separate verifier, know every table, column and event that there is."""

import hashlib
import re
import runpy
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spotbook.app import journal
from spotbook.app.projection import CANDLE_SECONDS, TABLES
from spotbook.store.create import create
from spotbook.store.file import APPLICATION_ID, FILE
from spotbook.store.migrate import migrations
from spotbook.store.sqlite import SqliteStore
from support.trading_story import tell
from support.verifier import VERIFIER
from support.writers import Desk

PAGE = (Path(__file__).parents[2] / "docs/reference/schema.md").read_text(encoding="utf-8")
TOOL: dict[str, Any] = runpy.run_path(str(VERIFIER))
COLUMN = re.compile(r"^\| `(\w+)` \| (INTEGER|TEXT|BLOB) \| (\d?) ?\| (.+) \|$", re.MULTILINE)
EVENT = re.compile(r"^\| `(\w+)` \| ([a-z_, ]+) \|$", re.MULTILINE)

Columns = list[tuple[str, str, int]]


def columns_of(section: str) -> Columns:
    """Return name, type and place in the key of the columns that a section of the page lists."""
    return [(name, kind, int(place or 0)) for name, kind, place, _ in COLUMN.findall(section)]


SECTIONS = {part.split("`")[1]: part for part in PAGE.split("\n### ")[1:]}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A file of books in which something happened."""
    folder = tmp_path_factory.mktemp("books")
    create(folder)
    store = SqliteStore(folder)
    tell(Desk(store))
    store.close()
    with closing(sqlite3.connect(folder / FILE)) as made:
        yield made


def schema(connection: sqlite3.Connection) -> dict[str, Columns]:
    """Return the columns of every table that is there."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {
        name: [(row[1], row[2], row[5]) for row in connection.execute(f"PRAGMA table_info({name})")] for name in names
    }


def test_the_page_has_every_table_and_column(connection: sqlite3.Connection) -> None:
    assert {name: columns_of(section) for name, section in SECTIONS.items()} == schema(connection)


def test_the_page_has_every_event_and_its_fields() -> None:
    listed = {name: tuple(fields.split(", ")) for name, fields in EVENT.findall(PAGE.split("## The tables")[0])}
    assert listed == {name: kind._fields for name, kind in journal.KINDS.items()}


def test_the_statements_of_the_page_run(connection: sqlite3.Connection) -> None:
    statements = [*re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL), *re.findall(r"`(SELECT .+?)`", PAGE)]
    assert len(statements) == 3
    assert [bool(connection.execute(statement).fetchall()) for statement in statements] == [True, True, False]


def test_the_chain_is_made_as_the_page_says(connection: sqlite3.Connection) -> None:
    (code,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    known = {"hashlib": hashlib, "connection": connection}
    exec(code, known)
    assert known["digest"] == connection.execute("SELECT hash FROM head").fetchone()[0]


def test_the_verifier_knows_every_event() -> None:
    assert {name: tuple(fields) for name, fields in TOOL["FIELDS"].items()} == {
        name: kind._fields for name, kind in journal.KINDS.items()
    }


def test_the_verifier_knows_what_older_events_lack() -> None:
    defaults = {name: tuple(kind._field_defaults.values()) for name, kind in journal.KINDS.items()}
    assert TOOL["ADDED_LATER"] == {name: values for name, values in defaults.items() if values}


def test_the_verifier_knows_every_table(connection: sqlite3.Connection) -> None:
    derived = {name: (tuple(columns), TOOL["KEYS"][name]) for name, columns in TOOL["COLUMNS"].items()}
    assert derived == {name: (table.columns, table.keys) for name, table in TABLES.items()}
    beside = {name: text.split() for name, text in {**TOOL["JOURNAL"], **TOOL["BESIDE"]}.items()}
    there = {name: [column for column, _, _ in columns] for name, columns in schema(connection).items()}
    assert beside == {name: columns for name, columns in there.items() if name not in derived}


def test_the_verifier_is_made_for_this_schema() -> None:
    assert len(migrations("sqlite")) == TOOL["SCHEMA"]
    assert TOOL["APPLICATION_ID"] == APPLICATION_ID
    assert TOOL["CANDLE_SECONDS"] == CANDLE_SECONDS


def test_the_verifier_shares_no_code() -> None:
    imported = re.findall(r"^(?:from|import) (\w+)", VERIFIER.read_text(encoding="utf-8"), re.MULTILINE)
    assert imported
    assert "spotbook" not in imported
