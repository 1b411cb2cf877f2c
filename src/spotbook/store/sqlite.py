"""The books in one SQLite file: the embedded default.

The writer has a connection of its own (WAL, synchronous=FULL: a commit returns when the disk has confirmed it) and is
the only one to copy the log back into the file. `sqlite_reader.py` reads beside it.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from spotbook.app.ports import Changes, Deposed, FateUnknown, Head, NoBooks, Row, SealedSecret, StoredBatch
from spotbook.limits import CHECKPOINT_BATCHES, CHECKPOINT_ROWS, CHECKPOINT_ROWS_MIN, LOG_PAGES_MAX
from spotbook.store import file
from spotbook.store.file import translated
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.statements import HEAD, STATEMENTS

FOUND_TOGETHER_MAX = 512
"""Keys that one statement looks for: beyond, it gets no cheaper."""

_KEEP_SEALED = "INSERT INTO key_secret VALUES (?, ?) ON CONFLICT (api_key) DO UPDATE SET sealed = excluded.sealed"


class SqliteStore:
    """The Store port over one file. See `spotbook.app.ports.Store`."""

    def __init__(self, folder: Path) -> None:
        """Open the books for writing. Raises OpenRefused: NoBooks, ForeignFile, OtherSchema or WriterActive."""
        if not file.exists(folder):
            raise NoBooks(f"there are no books in {folder}: make some with `spotbook init`")
        self._folder = folder
        self._lock = file.lock(folder)
        try:
            self._connection, self.books = file.connect_current(folder, file.WRITER_PRAGMAS)
        except BaseException:
            os.close(self._lock)
            raise
        self._execute = self._connection.execute
        self._found = self._connection.cursor().execute  # finds are many: to make a cursor for each is dear
        self._data_version = -1
        self._rows_written = 0
        self._rows_since_checkpoint = 0
        self.log_pages = 0
        """Pages in the write-ahead log when it was last copied back."""
        try:
            self._epoch = self._take_over()
        except BaseException:
            self.close()
            raise

    def _take_over(self) -> int:
        """Make this the only writer whose commits the books take; return its epoch."""
        with translated(), self._transaction():
            self._execute("UPDATE head SET epoch = epoch + 1")
            epoch: int = self._execute("SELECT epoch FROM head").fetchall()[0][0]
        return epoch

    def head(self) -> Head:
        if self._connection.in_transaction:  # what a failed commit left open would be read as if it were there
            raise FateUnknown("a transaction is open that could not be rolled back")
        with translated():
            return Head(*self._execute(HEAD).fetchall()[0])

    def begin(self) -> None:
        # A read outside a transaction takes the file's lock and gives it back, which costs more than the read itself.
        with suppress(sqlite3.Error):
            self._execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._execute("ROLLBACK")

    def commit(self, batch: StoredBatch, changes: Changes, secrets: Sequence[SealedSecret]) -> None:
        with translated(), self._transaction():
            moved = self._execute(
                "UPDATE head SET number = ?, time = ?, hash = ? WHERE epoch = ? AND number = ?",
                (batch.number, batch.time, batch.hash, self._epoch, batch.number - 1),
            )
            if moved.rowcount != 1:
                raise Deposed("another writer has taken over these books")
            self._execute("INSERT INTO batch (number, time, hash, body) VALUES (?, ?, ?, ?)", batch)
            self._write(changes)
            self._connection.executemany(_KEEP_SEALED, secrets)

    def _write(self, changes: Changes) -> None:
        for table, keys in changes.removed.items():
            self._connection.executemany(STATEMENTS[table].remove, keys)
        for table, rows in changes.rows.items():
            self._connection.executemany(STATEMENTS[table].put, rows)
        self._rows_written = sum(map(len, changes.rows.values()))
        self._rows_since_checkpoint += self._rows_written

    def find(self, table: str, key: Row) -> Row | None:
        rows = self._found(STATEMENTS[table].find, key).fetchall()
        return rows[0] if rows else None

    def find_all(self, table: str, keys: Sequence[Row]) -> list[Row]:
        found: dict[Row, None] = {}
        for start in range(0, len(keys), FOUND_TOGETHER_MAX):
            asked = keys[start : start + FOUND_TOGETHER_MAX]
            # As many as the next power of two, the last key over again: so there are a few statements, not hundreds.
            count = 1 << (len(asked) - 1).bit_length()
            values = [value for key in asked for value in key] + [*asked[-1]] * (count - len(asked))
            found.update(dict.fromkeys(self._found(STATEMENTS[table].find_all(count), values).fetchall()))
        return list(found)

    def rows(self, table: str) -> list[Row]:
        return self._execute(STATEMENTS[table].rows).fetchall()

    def last_version(self, account: int) -> int:
        rows = self._execute("SELECT max(version) FROM entry WHERE account = ?", (account,)).fetchall()
        return rows[0][0] or 0

    def keys_of(self, account: int) -> list[str]:
        rows = self._execute(
            "SELECT api_key FROM api_key WHERE account = ? AND revoked_at = 0 ORDER BY made_at, api_key", (account,)
        ).fetchall()
        return [row[0] for row in rows]

    def tidy(self) -> None:
        """Copy the log back once enough rows were written; it waits for readers only when the log has grown large."""
        enough = max(CHECKPOINT_ROWS_MIN, CHECKPOINT_BATCHES * self._rows_written)
        if self._rows_since_checkpoint < min(enough, CHECKPOINT_ROWS):
            return
        self._rows_since_checkpoint = 0
        with translated():
            _, self.log_pages, _ = self._execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0]
            if self.log_pages >= LOG_PAGES_MAX:
                self._execute("PRAGMA busy_timeout = 50")
                try:
                    self._execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                finally:
                    self._execute(f"PRAGMA busy_timeout = {file.BUSY_MS}")

    def disturbed(self) -> bool:
        """Return whether anybody else has written to the file since this was last asked, or may have before."""
        before = self._data_version
        with translated():
            self._data_version = self._execute("PRAGMA data_version").fetchall()[0][0]
        return before != self._data_version

    def probe(self) -> None:
        with translated(), self._transaction():
            self._execute("UPDATE meta SET value = value + 1 WHERE name = 'probe'")

    def rebuild(self, changes: Iterator[Changes]) -> None:
        with translated(), self._transaction():
            for statements in STATEMENTS.values():
                self._execute(statements.empty)
            for change in changes:
                self._write(change)

    def reseal(self, secrets: Sequence[SealedSecret]) -> None:
        with translated():
            # What is replaced is overwritten: after a rotation the old master key shall open nothing in this file.
            self._execute("PRAGMA secure_delete = ON")
            with self._transaction():
                self._connection.executemany(_KEEP_SEALED, secrets)
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._execute("PRAGMA secure_delete = OFF")

    def reader(self) -> SqliteReader:
        return SqliteReader(self._folder)

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._execute("PRAGMA busy_timeout = 0")  # what a reader still holds is copied back by the next writer
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        os.close(self._lock)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if not self._connection.in_transaction:  # else `begin` began it
            self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            # Some failures have ended the transaction already; a rollback that fails leaves it to the next open.
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._execute("ROLLBACK")
            raise
