"""Reading books in a SQLite file, by a connection that cannot write.

All rows of a statement are fetched at once, and each commit is seen as soon as it is made.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotbook.app.ports import Head, Row, SealedKey, Sheet, StoredBatch
from spotbook.app.projection import TABLES
from spotbook.store import file
from spotbook.store.statements import HEAD, STATEMENTS

DAMAGE_MAX = 20
"""Places of damage that are told: beyond, a file is to be given up anyway."""

_BALANCES = "SELECT asset, available, frozen, version FROM balance WHERE account = ? ORDER BY asset"

_KEYS_OF = (
    f"SELECT {', '.join(TABLES['api_key'].columns)} FROM api_key"  # noqa: S608
    " WHERE account = ? AND (made_at, api_key) > (?, ?) ORDER BY made_at, api_key LIMIT ?"
)


class SqliteReader:
    """The Reader port over one connection. See `spotbook.app.ports.Reader`."""

    def __init__(self, folder: Path, *, mapped: bool = True) -> None:
        self._connection, self.books = file.connect_current(
            folder, file.READER_PRAGMAS if mapped else file.UNMAPPED_PRAGMAS
        )
        self._execute = self._connection.execute
        self._held: Head | None = None
        self._held_change: int | None = None

    def head(self) -> Head:
        if self._held is not None:
            return self._held
        return Head(*self._execute(HEAD).fetchall()[0])

    def changed(self) -> int:
        if self._held_change is not None:
            return self._held_change
        version: int = self._execute("PRAGMA data_version").fetchall()[0][0]
        if self._held is not None:
            self._held_change = version
        return version

    def damage(self) -> list[str]:
        try:
            rows = self._execute(f"PRAGMA integrity_check({DAMAGE_MAX})").fetchall()
        except sqlite3.Error as error:
            return [f"the file is damaged: {error}"]
        return [f"the file is damaged: {said}" for (said,) in rows if said != "ok"]

    def sheet(self, account: int) -> Sheet:
        if self._held is None:
            with self.snapshot():
                return self.sheet(account)
        rows = self._execute(_BALANCES, (account,)).fetchall()
        version = max([row[3] for row in rows]) if rows else 0
        return Sheet(version, self._held.number, self._held.time, rows)

    def holds(self, account: int) -> tuple[int, list[Row]]:
        with self.snapshot():
            version = self._execute("SELECT max(version) FROM entry WHERE account = ?", (account,)).fetchall()[0][0]
            rows = self._execute(
                "SELECT account, asset, kind, id, amount FROM hold WHERE account = ? ORDER BY asset, kind, id",
                (account,),
            ).fetchall()
        return version or 0, rows

    def sealed_key(self, api_key: str) -> SealedKey | None:
        rows = self._execute(
            f"SELECT {', '.join(f'k.{column}' for column in TABLES['api_key'].columns)}, s.sealed"  # noqa: S608
            " FROM api_key AS k JOIN key_secret AS s ON s.api_key = k.api_key WHERE k.api_key = ?",
            (api_key,),
        ).fetchall()
        return SealedKey(rows[0][:-1], rows[0][-1]) if rows else None

    def master_key_check(self) -> bytes | None:
        rows = self._execute("SELECT sealed FROM key_secret WHERE api_key = ''").fetchall()
        return rows[0][0] if rows else None

    def keys_of(self, account: int, after: Row, limit: int) -> list[Row]:
        return self._execute(_KEYS_OF, (account, *(after or (-1, "")), limit)).fetchall()

    def find(self, table: str, key: Row) -> Row | None:
        rows = self._execute(STATEMENTS[table].find, key).fetchall()
        return rows[0] if rows else None

    def count(self, table: str) -> int:
        count: int = self._execute(STATEMENTS[table].count).fetchall()[0][0]
        return count

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        first, later = STATEMENTS[table].pages[len(prefix)]
        return self._execute(later if after else first, (*prefix, *after, limit)).fetchall()

    def span(self, table: str, prefix: Row, above: int, below: int, limit: int, *, newest: bool = True) -> list[Row]:
        try:
            down, up = STATEMENTS[table].spans[len(prefix)]
        except KeyError:
            raise ValueError(f"{table} is not read by {len(prefix) + 1} columns") from None
        return self._execute(down if newest else up, (*prefix, above, below, limit)).fetchall()

    def batches(self, after: int, limit: int) -> list[StoredBatch]:
        rows = self._execute(
            "SELECT number, time, hash, body FROM batch WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        ).fetchall()
        return [StoredBatch(*row) for row in rows]

    def hold(self) -> None:
        self._execute("BEGIN")
        try:
            self._held = Head(*self._execute(HEAD).fetchall()[0])
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        self._held = self._held_change = None
        self._execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._held is not None:
            yield
            return
        self.hold()
        try:
            yield
        finally:
            self.release()

    def close(self) -> None:
        self._connection.close()
