"""What the use cases need from outside, as protocols, and what can go wrong there.

::

    StoreError
    ├── OpenRefused         the books cannot be opened: the message says why and what to do
    │   ├── NoBooks, BooksExist, ForeignFile, OtherSchema, WriterActive, NotWritable
    ├── NotCommitted        the batch is certainly not there
    │   └── DiskFull        … and no batch will be until there is room: the books can be read only
    ├── FateUnknown         whether the batch is there could not be told: settle it by reading the head
    ├── DiskBroken          writing or syncing failed: nothing more is safe, the process must end
    └── Deposed             another writer has taken over

Every port ships with a fake that passes the same contract tests as the real ones: `spotbook.store.memory`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

Scalar = int | str | bytes
Row = tuple[Scalar, ...]
"""A row of a projection, key columns first; see `projection.TABLES`."""


class StoreError(Exception):
    """The store could not do what it was asked."""


class OpenRefused(StoreError):
    """The books cannot be opened."""


class NoBooks(OpenRefused):
    """There are no books at this place."""


class BooksExist(OpenRefused):
    """There are books at this place already."""


class ForeignFile(OpenRefused):
    """The file is no Spotbook database, or a damaged one."""


class OtherSchema(OpenRefused):
    """The books were made by another version of Spotbook."""


class WriterActive(OpenRefused):
    """Another process writes to these books."""


class NotWritable(OpenRefused):
    """The books, or their folder, can only be read."""


class NotCommitted(StoreError):
    """The batch is certainly not there."""


class DiskFull(NotCommitted):
    """The disk is full or read-only; nothing was written."""


class FateUnknown(StoreError):
    """Whether the batch is there could not be told."""


class DiskBroken(StoreError):
    """Writing to the disk, or its confirmation, failed."""


class Deposed(StoreError):
    """Another writer has taken over these books; this one must not write any more."""


class Head(NamedTuple):
    """The end of the journal: the last batch's number (0 for none), its time in ms, and its hash."""

    number: int
    time: int
    hash: bytes


class StoredBatch(NamedTuple):
    """A batch of the journal: canonical bytes, and the hash over the previous hash, the number and them."""

    number: int
    time: int
    hash: bytes
    body: bytes


class SealedSecret(NamedTuple):
    """A key's secret, encrypted. It stands beside the journal, not in it, so that it can be sealed anew."""

    api_key: str
    sealed: bytes


class Changes(NamedTuple):
    """What a batch makes of the projections: rows to set by table, keys of rows to remove by table."""

    rows: dict[str, list[Row]]
    removed: dict[str, list[Row]]


class Sheet(NamedTuple):
    """All balances of one account at one version: (asset, available, frozen, its version), in the assets' sequence."""

    version: int
    batch: int
    batch_time: int
    balances: list[tuple[int, int, int, int]]


class SealedKey(NamedTuple):
    """An API key's row (see the table ``api_key``) and its sealed secret."""

    row: Row
    sealed: bytes


class Reader(Protocol):
    """Reads what is committed. Not shared between threads at the same time. Holds no snapshot between calls."""

    books: str
    """The random id of these books, new at every restore."""

    def head(self) -> Head:
        """Return the end of the journal."""

    def changed(self) -> int:
        """Return a number that differs whenever another connection has committed since."""

    def damage(self) -> list[str]:
        """Return in words what is damaged in the store itself, indexes too. It may take as long as reading it whole."""

    def sheet(self, account: int) -> Sheet:
        """Return all balances of an account (no rows and version 0 when it has none)."""

    def holds(self, account: int) -> tuple[int, list[Row]]:
        """Return the account's version and the rows of its holds, of one moment."""

    def sealed_key(self, api_key: str) -> SealedKey | None:
        """Return a key and its sealed secret, or None."""

    def master_key_check(self) -> bytes | None:
        """Return the sealed secret that is no key's, by which a master key is known to fit; None before it is set."""

    def keys_of(self, account: int, after: Row, limit: int) -> list[Row]:
        """Return up to `limit` rows of ``api_key`` of an account, revoked ones too, in the order they were made.

        `after` is (made_at, api_key) of the row before the first, ``()`` to begin at the first.
        """

    def find(self, table: str, key: Row) -> Row | None:
        """Return the row of this primary key, or None."""

    def count(self, table: str) -> int:
        """Return how many rows a table has. It looks at them all: for tables that are known not to be too large."""

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        """Return up to `limit` rows whose key begins with `prefix`, in key order.

        `after` is the rest of the key of the row before the first, ``()`` to begin at the first.
        """

    def span(self, table: str, prefix: Row, above: int, below: int, limit: int, *, newest: bool = True) -> list[Row]:
        """Return up to `limit` rows that begin with `prefix` and whose next column lies between two numbers.

        `prefix` is all but the last column of the table's key, or of its `ordered_by`; `above` and `below` are no part
        of the span. The rows come from the largest number down, or, with `newest` false, from the smallest up.

        ValueError when the prefix is longer or shorter than that.
        """

    def batches(self, after: int, limit: int) -> list[StoredBatch]:
        """Return up to `limit` batches with numbers above `after`, in order."""

    def hold(self) -> None:
        """Make all reads see this moment until `release`. Keep it short: see `limits.READ_SECONDS_MAX`."""

    def release(self) -> None:
        """End what `hold` began."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Make all reads inside the `with` see one moment, by `hold` and `release`, unless one is held already."""

    def close(self) -> None:
        """Give the connection back."""


class Store(Protocol):
    """The writer's side of the books. One process at a time has it open; one thread uses it."""

    books: str

    def head(self) -> Head:
        """Return the end of the journal as the disk has it."""

    def begin(self) -> None:
        """Begin a batch, before its first command is decided: until `end` each `find` costs less.

        Raises nothing: whatever is the matter, `commit` will say.
        """

    def end(self) -> None:
        """End what `begin` began, if `commit` did not."""

    def commit(self, batch: StoredBatch, changes: Changes, secrets: Sequence[SealedSecret]) -> None:
        """Write the batch, its projections and its sealed secrets in one transaction, confirmed by the disk.

        Raises NotCommitted, DiskFull, FateUnknown, DiskBroken or Deposed; on return it is there.
        """

    def find(self, table: str, key: Row) -> Row | None:
        """Return the row of this primary key, or None."""

    def find_all(self, table: str, keys: Sequence[Row]) -> list[Row]:
        """Return the rows that there are of these primary keys, each once, in no sequence to count on."""

    def rows(self, table: str) -> list[Row]:
        """Return all rows of a small table, in key order."""

    def last_version(self, account: int) -> int:
        """Return the version of the account's newest entry, 0 when it has none."""

    def keys_of(self, account: int) -> list[str]:
        """Return the API keys of the account that are not revoked, in the order in which they were made."""

    def tidy(self) -> None:
        """Between batches: whatever keeps reading quick, bounded in time."""

    def probe(self) -> None:
        """Show by a real write that batches can be committed again; DiskFull when not."""

    def rebuild(self, changes: Iterator[Changes]) -> None:
        """Empty every projection and write these changes instead, in one transaction."""

    def reseal(self, secrets: Sequence[SealedSecret]) -> None:
        """Set these sealed secrets, in one transaction of its own."""

    def reader(self) -> Reader:
        """Return a new reader of these books."""

    def close(self) -> None:
        """Let go of the books."""


class Clock(Protocol):
    """The time of day."""

    def __call__(self) -> int:
        """Return milliseconds since 1970."""


class Vault(Protocol):
    """Keeps secrets readable to this program only."""

    def seal(self, secret: str, bound: bytes) -> bytes:
        """Encrypt `secret` so that it opens only together with the very bytes `bound`."""

    def unseal(self, sealed: bytes, bound: bytes) -> str | None:
        """Return the secret, or None when `sealed` or `bound` is not what was sealed."""
