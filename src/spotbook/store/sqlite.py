"""The books in one SQLite file: the embedded default.

The writer has a connection of its own (WAL, synchronous=FULL: a commit returns when the disk has confirmed it) and is
the only one to copy the log back into the file. Readers are `query_only`, fetch all rows of a statement at once, and
see each commit as soon as it is made.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from spotbook.app import journal
from spotbook.app.ports import (
    BooksExist,
    Changes,
    Deposed,
    FateUnknown,
    Head,
    NoBooks,
    OtherSchema,
    Row,
    SealedKey,
    SealedSecret,
    Sheet,
    StoredBatch,
)
from spotbook.app.projection import TABLES
from spotbook.limits import CHECKPOINT_ROWS, LOG_PAGES_MAX
from spotbook.store import file, migrate
from spotbook.store.file import APPLICATION_ID, FILE, translated
from spotbook.store.statements import STATEMENTS

BUSY_MS = 5_000

FOUND_TOGETHER_MAX = 512
"""Keys that one statement looks for: beyond, it gets no cheaper."""

DAMAGE_MAX = 20
"""Places of damage that are told: beyond, a file is to be given up anyway."""

WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA cache_size = -131072",  # 128 MiB: accounts are met at random, so the pages of many are wanted again
    "PRAGMA temp_store = MEMORY",
)
READER_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA cache_size = -65536", "PRAGMA mmap_size = 1073741824")
UNMAPPED_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA cache_size = -4096", "PRAGMA mmap_size = 0")
"""For reading everything once: nothing to keep, and a disk that cannot be read is an error, not a signal."""


_KEEP_SEALED = "INSERT INTO key_secret VALUES (?, ?) ON CONFLICT (api_key) DO UPDATE SET sealed = excluded.sealed"

_HEAD = "SELECT number, time, hash FROM head"
_BALANCES = "SELECT asset, available, frozen, version FROM balance WHERE account = ? ORDER BY asset"

_KEYS_OF = (
    f"SELECT {', '.join(TABLES['api_key'].columns)} FROM api_key"  # noqa: S608
    " WHERE account = ? AND (made_at, api_key) > (?, ?) ORDER BY made_at, api_key LIMIT ?"
)


def exists(folder: Path) -> bool:
    """Whether there are books in the folder."""
    return (folder / FILE).exists()


def create(folder: Path) -> None:
    """Make empty books in a folder, which is made too if missing. Raises BooksExist, a StoreError or OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target, draft = folder / FILE, folder / f".{FILE}.{secrets.token_hex(4)}"
    if target.exists():
        raise BooksExist(f"there are books in {folder} already")
    log = folder / f"{FILE}-wal"
    if log.exists():  # SQLite would take it for the new file's, and show what the old one held
        raise BooksExist(f"{log} is left of other books: move it away")
    steps = migrate.migrations("sqlite")
    # Made under another name and moved into place whole: a crash leaves no half-made books behind.
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with translated():
            _draw_up(draft, steps)
        os.link(draft, target)
    except FileExistsError:
        raise BooksExist(f"there are books in {folder} already") from None
    finally:
        draft.unlink()
    file.sync(folder)


def _draw_up(draft: Path, steps: list[migrate.Migration]) -> None:
    """Make empty books in an empty file."""
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        for step in steps:
            connection.executescript(step.sql)
        connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, 0)", journal.START)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("migrations", migrate.applied_lines(steps)), ("books", secrets.token_hex(16)), ("probe", "0")],
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _connect(folder: Path, pragmas: Sequence[str]) -> tuple[sqlite3.Connection, str]:
    """Return a connection to the books of a folder, which must have every step of the schema, and their id."""
    connection, books, _, missing = file.connect(folder, pragmas, BUSY_MS)
    if missing:
        connection.close()
        raise OtherSchema(
            f"these books lack the schema step {missing[0].number:04} {missing[0].name}: "
            f"bring them up to date with `spotbook migrate --data {folder}`"
        )
    return connection, books


class SqliteReader:
    """The Reader port over one connection. See `spotbook.app.ports.Reader`."""

    def __init__(self, folder: Path, *, mapped: bool = True) -> None:
        self._connection, self.books = _connect(folder, READER_PRAGMAS if mapped else UNMAPPED_PRAGMAS)
        self._execute = self._connection.execute
        self._held: Head | None = None
        self._held_change: int | None = None

    def head(self) -> Head:
        if self._held is not None:
            return self._held
        return Head(*self._execute(_HEAD).fetchall()[0])

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
            self._held = Head(*self._execute(_HEAD).fetchall()[0])
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


class SqliteStore:
    """The Store port over one file. See `spotbook.app.ports.Store`."""

    def __init__(self, folder: Path) -> None:
        """Open the books for writing. Raises OpenRefused: NoBooks, ForeignFile, OtherSchema or WriterActive."""
        if not exists(folder):
            raise NoBooks(f"there are no books in {folder}: make some with `spotbook init`")
        self._folder = folder
        self._lock = file.lock(folder)
        try:
            self._connection, self.books = _connect(folder, WRITER_PRAGMAS)
        except BaseException:
            os.close(self._lock)
            raise
        self._execute = self._connection.execute
        self._found = self._connection.cursor().execute  # finds are many: to make a cursor for each is dear
        self._data_version = -1
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
            return Head(*self._execute(_HEAD).fetchall()[0])

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
            self._rows_since_checkpoint += len(rows)

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
        if self._rows_since_checkpoint < CHECKPOINT_ROWS:
            return
        self._rows_since_checkpoint = 0
        with translated():
            _, self.log_pages, _ = self._execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0]
            if self.log_pages >= LOG_PAGES_MAX:
                self._execute("PRAGMA busy_timeout = 50")
                try:
                    self._execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                finally:
                    self._execute(f"PRAGMA busy_timeout = {BUSY_MS}")

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
