"""Migrations: numbered files of plain SQL, one folder a dialect, each applied once and never edited after.

What was applied is kept in the books as one text of ``number name checksum`` lines, so that a file that was changed
after its release, or books from another version, are recognised before anything is written.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

from spotbook.app.ports import OtherSchema


class Migration(NamedTuple):
    """One step of the schema: its number (from 1, without gaps), name, SQL, and the SHA-256 of that SQL in hex."""

    number: int
    name: str
    sql: str
    checksum: str

    @property
    def line(self) -> str:
        """How the books remember it."""
        return f"{self.number:04} {self.name} {self.checksum}"


def migrations(dialect: str) -> list[Migration]:
    """Return the steps of a dialect, in order."""
    folder = resources.files("spotbook.store").joinpath("sql", dialect)
    found = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        number, _, name = file.name.removesuffix(".sql").partition("_")
        sql = file.read_text(encoding="utf-8")
        found.append(Migration(int(number), name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return found


def pending(dialect: str, applied: str) -> list[Migration]:
    """Return the steps that books with these lines still lack.

    Raises OtherSchema when they have one that this version does not know, or knows otherwise.
    """
    known = migrations(dialect)
    lines = applied.split("\n") if applied else []
    for line, migration in zip(lines, known, strict=False):
        if line != migration.line:
            raise OtherSchema(f"step {line[:40]!r} of these books is not the one that this version of Spotbook knows")
    if len(lines) > len(known):
        raise OtherSchema(
            f"these books are at schema {len(lines)} and this version of Spotbook knows {len(known)}: "
            "use the version that wrote them, or a newer one"
        )
    return known[len(lines) :]


def applied_lines(steps: list[Migration]) -> str:
    """Return what the books remember once these steps are applied."""
    return "\n".join(step.line for step in steps)


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a step one by one, each of which ends with its line."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in statement.splitlines()):
        raise ValueError(f"the step ends within a statement: {statement.strip()!r}")
