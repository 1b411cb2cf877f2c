"""The schema: every step as it was released, and all of them together what the program declares."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from spotbook.app.ports import OtherSchema
from spotbook.app.projection import TABLES, Table
from spotbook.store import migrate
from spotbook.store.migrate import Migration, applied_lines, migrations, pending

BESIDE = {"meta", "head", "batch", "key_secret"}
"""What is no projection: the journal, its head, the sealed secrets, and what the file says of itself."""

DIALECTS = ["sqlite"]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for step in migrations("sqlite"):
            made.executescript(step.sql)
        yield made


def columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, str, int]]:
    """Return name, type and place in the primary key (0 for none) of each column."""
    return [(row[1], row[2], row[5]) for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]


def tables(connection: sqlite3.Connection) -> dict[str, int]:
    """Return each table, and whether it is STRICT."""
    found = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    return {name: strict for name, strict in found if not name.startswith("sqlite_")}


def test_all_steps_together_make_the_declared_tables_and_no_others(connection: sqlite3.Connection) -> None:
    assert set(tables(connection)) == set(TABLES) | BESIDE


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_has_the_declared_columns(connection: sqlite3.Connection, table: Table) -> None:
    assert tuple(column for column, _, _ in columns(connection, table.name)) == table.columns


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_has_the_declared_primary_key(connection: sqlite3.Connection, table: Table) -> None:
    placed = sorted((place, column) for column, _, place in columns(connection, table.name) if place)
    assert tuple(column for _, column in placed) == table.columns[: table.keys]


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    assert [table for table, strict in tables(connection).items() if not strict] == []


def test_no_column_holds_a_float_or_anything_at_all(connection: sqlite3.Connection) -> None:
    types = {typ for table in tables(connection) for _, typ, _ in columns(connection, table)}
    assert types == {"INTEGER", "TEXT", "BLOB"}


def test_no_column_may_be_null(connection: sqlite3.Connection) -> None:
    rows = [
        (table, row[1])
        for table in tables(connection)
        for row in connection.execute(f"PRAGMA table_info({table})").fetchall()
        if not row[3]
    ]
    assert rows == []


def test_every_table_that_grows_leads_with_the_account_or_market_or_with_what_must_be_unique() -> None:
    leads = {table.name: table.columns[0] for table in TABLES.values() if table.grows}
    assert {table for table, column in leads.items() if column != "account"} == {"deposit_identity", "trade"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_steps_are_numbered_from_one_without_a_gap(dialect: str) -> None:
    assert [step.number for step in migrations(dialect)] == list(range(1, len(migrations(dialect)) + 1))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_step_is_known_by_the_checksum_of_its_sql(dialect: str) -> None:
    for step in migrations(dialect):
        assert step.checksum == hashlib.sha256(step.sql.encode()).hexdigest()


RELEASED = {
    "sqlite": [
        "0001 books bd690e14857849f0bd21c480b576370875216323e3fcbba4ab3c3ee1126284b0",
        "0002 trading bd8966e1133e56ad286406068522ee6c34f3c250504df070113507be9bfb697c",
        "0003 strict_keys e07c6005c5b5d80d67b1d339dcffa92375386d82708f607c3d117200070172b0",
        "0004 entries_as_they_come 72953da6a3adcc363ec67eeae7e82fab1feadb0c3d031e3ebb8dfafa32b6ff16",
    ]
}
"""The steps as books remember them. A line here is never changed: there are books that have it."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_step_is_never_edited(dialect: str) -> None:
    assert [step.line for step in migrations(dialect)] == RELEASED[dialect]


def test_books_that_have_every_step_lack_none() -> None:
    assert pending("sqlite", applied_lines(migrations("sqlite"))) == []


def test_new_books_lack_every_step() -> None:
    assert pending("sqlite", "") == migrations("sqlite")


THREE = [Migration(number, f"step_{number}", "SELECT 1;", f"{number}" * 64) for number in (1, 2, 3)]


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "migrations", lambda _: THREE)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_older_books_lack_the_steps_after_theirs(count: int) -> None:
    assert pending("sqlite", applied_lines(THREE[:count])) == THREE[count:]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("change", [{"checksum": "f" * 64}, {"name": "other"}, {"number": 9}], ids=str)
def test_a_step_that_was_another_is_refused(place: int, change: dict[str, object]) -> None:
    applied = [*THREE[:place], THREE[place]._replace(**change), *THREE[place + 1 :]]  # type: ignore[arg-type]
    with pytest.raises(OtherSchema, match="is not the one"):
        pending("sqlite", applied_lines(applied))


@pytest.mark.usefixtures("three")
def test_a_step_too_many_is_refused_with_what_to_do() -> None:
    with pytest.raises(OtherSchema, match=r"at schema 4 .* knows 3: use the version that wrote them"):
        pending("sqlite", applied_lines([*THREE, Migration(4, "later", "", "4" * 64)]))


@pytest.mark.usefixtures("three")
def test_a_missing_step_in_the_middle_is_refused() -> None:
    with pytest.raises(OtherSchema):
        pending("sqlite", applied_lines([THREE[0], THREE[2]]))
