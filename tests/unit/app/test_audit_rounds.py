"""Rounds of the background audit: what is wrong is found within one, nothing false under load, in bounded steps."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spotbook.app import journal
from spotbook.app.audit import rounds as rounds_module
from spotbook.app.audit.replay import Replay
from spotbook.app.audit.report import Finding, Findings
from spotbook.app.audit.rounds import JournalBack, ReadLater, ReplayFailed, Rounds, TooLarge
from spotbook.app.journal import Transaction
from spotbook.app.ports import Head, Row, StoredBatch
from spotbook.app.projection import TABLES
from spotbook.domain.commands import CancelAllOrders, CancelOrder, ChangeMarket, Command, OpenAccount
from spotbook.store.create import create
from spotbook.store.file import FILE
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from support.commands import OTHER, USER, deposit, limit, make_key, make_token, market
from support.rounds import taken
from support.trading_story import tell
from support.writers import Desk

Tables = dict[str, dict[Row, Row]]
FIRST_DEPOSITS = 2
"""The batch of the story in which everybody's first deposits are."""


class Books:
    """Books in memory with a story of trading, and a background audit over them that has made one clean round."""

    def __init__(self, **options: Any) -> None:
        self.disk = MemoryBooks()
        self.desk = Desk(MemoryStore(self.disk))
        tell(self.desk)
        self.desk.batch(make_key(), make_token())
        self.rounds = Rounds(**options)
        assert taken(self.rounds, self.reader) == ()

    @property
    def reader(self) -> MemoryReader:
        return MemoryReader(self.disk)

    def round(self, between: Callable[[int], object] = lambda _: None) -> list[str]:
        """Make a round; return the checks and messages of what was found."""
        return [f"{finding.check}: {finding.message}" for finding in taken(self.rounds, self.reader, between)]


def changed(row: Row) -> Row:
    """Return the row with its last number another, and no column of the key."""
    place = max(place for place in range(len(row)) if isinstance(row[place], int))
    return (*row[:place], int(row[place]) + 1, *row[place + 1 :])


@pytest.fixture
def books() -> Books:
    return Books()


def test_clean_books_stay_clean(books: Books) -> None:
    assert books.rounds.batch == books.disk.head.number
    assert books.round() == []


TABLES_WITH_ROWS = [name for name in TABLES if name not in {"standing", "wealth_account", "ban", "ban_lift"}]


@pytest.mark.parametrize("table", TABLES_WITH_ROWS)
@pytest.mark.parametrize("deed", ["changed", "removed", "added"])
def test_a_wrong_row_of_any_table_is_found_within_one_round(books: Books, table: str, deed: str) -> None:
    rows = books.disk.tables[table]
    key, row = min(rows.items())
    if deed == "changed":
        # Before the column of the batch, if there is one: a row of a batch to come is another test's.
        rows[key] = (*changed(row[:-1]), row[-1]) if TABLES[table].grows else changed(row)
        if TABLES[table].keys >= len(row) - 1:
            rows[key] = (*row[:-1], row[-2])
    elif deed == "removed":
        del rows[key]
    else:
        other = tuple(part + 1_000 if isinstance(part, int) else part + "z" for part in key)  # type: ignore[operator]
        rows[other] = (*other, *row[len(key) :])
    assert any(f"tables: {table} " in found for found in books.round())


def test_a_finding_names_its_place(books: Books) -> None:
    entry = books.disk.tables["entry"][USER, 1]
    books.disk.tables["entry"][USER, 1] = (*entry[:4], 7, *entry[5:])
    balance = books.disk.tables["balance"][USER, 1]
    books.disk.tables["balance"][USER, 1] = (*balance[:2], int(balance[2]) + 1, *balance[3:])
    found = taken(books.rounds, books.reader)
    places = {(one.batch, one.entry, one.account, one.asset) for one in found if " is " in one.message and one.account}
    assert {(FIRST_DEPOSITS, 1, USER, "BTC")} < places
    assert any(place[1] == balance[4] for place in places)


def test_it_is_found_again_in_each_round_and_no_more_once_it_is_repaired(books: Books) -> None:
    kept = dict(books.disk.tables["balance"])
    books.disk.tables["balance"][USER, 1] = changed(kept[USER, 1])
    assert books.round()
    assert books.round()
    books.disk.tables["balance"] = kept
    assert books.round() == []


def test_no_batch_is_replayed_twice(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed: list[int] = []
    take = rounds_module.Rounds._take

    def noted(self: Rounds, batch: StoredBatch) -> Any:
        replayed.append(batch.number)
        return take(self, batch)

    monkeypatch.setattr(rounds_module.Rounds, "_take", noted)
    before = books.disk.head.number
    books.desk.do(deposit("more"))
    assert books.round() == []
    assert books.round() == []
    assert replayed == [before + 1]


# --- the journal ------------------------------------------------------------------------------------


def replace_batch(disk: MemoryBooks, number: int, **changes: Any) -> None:
    disk.batches[number - 1] = disk.batches[number - 1]._replace(**changes)


def test_a_batch_that_is_changed_after_it_was_replayed_is_found(books: Books) -> None:
    replace_batch(books.disk, 3, body=books.disk.batches[2].body + b" ")
    assert books.round() == ["chain: the hash of batch 3 is not that of its bytes and the batch before it"]


def test_a_batch_that_is_removed_after_it_was_replayed_is_found(books: Books) -> None:
    last = books.disk.head.number
    books.disk.batches.pop()
    assert books.round() == [f"numbers: batches {last} to {last} are missing from the journal"]


def test_a_journal_that_is_written_anew_as_a_whole_is_found(books: Books) -> None:
    other = Desk(MemoryStore(disk := MemoryBooks()))
    while disk.head.number < books.disk.head.number:
        other.do(OpenAccount("x")) if disk.head.number else other.found()
    books.disk.batches = disk.batches
    found = books.round()
    assert found == [f"chain: the journal up to batch {disk.head.number} was written anew since it was replayed"]


def test_a_batch_before_the_first_is_found(tmp_path: Path) -> None:
    create(tmp_path)
    store = SqliteStore(tmp_path)
    tell(Desk(store))
    store.close()
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    connection.execute("INSERT INTO batch VALUES (0, 0, zeroblob(32), x'00')")
    connection.close()
    reader = SqliteReader(tmp_path, mapped=False)
    found = taken(Rounds(), reader)
    reader.close()
    assert [(one.check, one.batch) for one in found] == [("numbers", 0)]


def test_a_new_batch_that_does_not_fit_is_found(books: Books) -> None:
    books.desk.do(deposit("more"))
    replace_batch(books.disk, books.disk.head.number, hash=bytes(32))
    assert any("is not that of its bytes" in found for found in books.round())


def test_a_new_batch_that_is_not_there_is_found_once(books: Books) -> None:
    books.desk.do(deposit("more"))
    books.disk.batches.pop()
    number = books.disk.head.number
    assert f"numbers: batches {number} to {number} are missing from the journal" in books.round()


def test_a_head_that_is_no_batchs_is_found(books: Books) -> None:
    books.disk.head = books.disk.head._replace(hash=bytes(32))
    assert books.round()[0] == f"head: the head of the journal is not its last batch, {books.disk.head.number}"


def test_a_batch_beyond_the_head_is_found(books: Books) -> None:
    books.desk.do(deposit("more"))
    books.disk.head = Head(*books.disk.batches[-2][:3])
    assert any("lies beyond the head" in found for found in books.round())


def test_a_journal_that_went_back_ends_the_rounds(books: Books) -> None:
    books.disk.batches.pop()
    books.disk.head = Head(*books.disk.batches[-1][:3])
    with pytest.raises(JournalBack):
        books.round()
    assert [finding.check for finding in books.rounds.drain()] == ["head"]


# --- reads that fail --------------------------------------------------------------------------------


class FailingReader(MemoryReader):
    """Fails with `error` on the next `times` reads of `method` of which `of` is the first word."""

    def __init__(self, disk: MemoryBooks, error: Exception, method: str, of: object, times: int) -> None:
        super().__init__(disk)
        self._error, self._method, self._of, self._times = error, method, of, times

    def _fail(self, method: str, of: object) -> None:
        if self._times and (method, of) == (self._method, self._of):
            self._times -= 1
            raise self._error

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        self._fail("page", table)
        return super().page(table, prefix, after, limit)

    def batches(self, after: int, limit: int) -> list[StoredBatch]:
        self._fail("batches", after)
        return super().batches(after, limit)

    def head(self) -> Head:
        self._fail("head", None)
        return super().head()


class Malformed(Exception):
    """The disk has other bytes than were written."""


class Busy(Exception):
    """It may do better later."""


def patient(**options: Any) -> Books:
    return Books(passing=lambda error: isinstance(error, Busy), **options)


@pytest.mark.parametrize("table", ["balance", "entry", "candle"])
def test_a_table_that_cannot_be_read_is_found_and_the_others_are_read(table: str) -> None:
    books = patient()
    books.disk.tables["token"].clear()
    found = taken(books.rounds, FailingReader(books.disk, Malformed("page 7"), "page", table, 2))
    assert f"table {table} cannot be read: page 7" in [one.message for one in found]
    assert any("token" in one.message for one in found)


@pytest.mark.parametrize("table", ["balance", "entry"])
def test_a_table_that_can_be_read_the_second_time_is_no_finding(table: str) -> None:
    books = patient()
    assert taken(books.rounds, FailingReader(books.disk, Malformed("page 7"), "page", table, 1)) == ()


@pytest.mark.parametrize(("method", "of"), [("page", "balance"), ("page", "entry"), ("batches", 0), ("head", None)])
def test_a_read_that_may_do_better_later_is_no_finding(method: str, of: object) -> None:
    books = patient()
    for _ in range(3):
        with pytest.raises(ReadLater):
            taken(books.rounds, FailingReader(books.disk, Busy(), method, of, 1))
    assert books.round() == []


@pytest.mark.parametrize(("method", "of", "check"), [("batches", 0, "numbers"), ("head", None, "head")])
def test_a_journal_that_cannot_be_read_twice_is_found(method: str, of: object, check: str) -> None:
    books = patient()
    reader = FailingReader(books.disk, Malformed("page 7"), method, of, 2)
    with pytest.raises(ReadLater):
        taken(books.rounds, FailingReader(books.disk, Busy(), method, of, 1))
    with pytest.raises(ReadLater):
        taken(books.rounds, reader)
    assert [(one.check, "page 7" in one.message) for one in taken(books.rounds, reader)] == [(check, True)]
    assert books.round() == []


def test_a_fault_of_the_program_is_no_finding(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> Any:
        raise RuntimeError("a fault")

    books.desk.do(deposit("more"))
    monkeypatch.setattr("spotbook.app.audit.transaction.Checks.transaction", fault)
    with pytest.raises(ReplayFailed):
        books.round()
    assert books.rounds.drain() == ()


def test_more_rows_than_may_be_kept_end_the_rounds() -> None:
    disk = MemoryBooks()
    tell(Desk(MemoryStore(disk)))
    with pytest.raises(TooLarge, match="spotbook audit"):
        taken(Rounds(rows_max=10), MemoryReader(disk))


# --- beside a writer --------------------------------------------------------------------------------


def dealings(dice: random.Random) -> list[Command]:
    """Return a batch of commands of two traders."""
    deeds: list[Callable[[], Command]] = [
        lambda: limit(dice.choice(["buy", "sell"]), str(dice.randint(97, 103)), str(dice.randint(1, 5)), account=who),
        lambda: limit(dice.choice(["buy", "sell"]), str(dice.randint(97, 103)), str(dice.randint(1, 5)), account=who),
        lambda: market(dice.choice(["buy", "sell"]), str(dice.randint(1, 4)), account=who),
        lambda: CancelOrder(who, dice.randint(1, 200)),
        lambda: CancelAllOrders(who, ""),
        lambda: deposit(f"tx-{dice.randint(0, 10**9)}", str(dice.randint(1, 9)), account=who),
        lambda: OpenAccount("new"),
        lambda: ChangeMarket("BTC_USDT", taker_fee_ppm=dice.randint(0, 3_000)),
    ]
    commands = []
    for _ in range(dice.randint(1, 6)):
        who = dice.choice([USER, OTHER])
        commands.append(dice.choice(deeds)())
    return commands


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_while_trading_goes_on_between_all_steps(seed: int) -> None:
    dice = random.Random(seed)
    disk = MemoryBooks()
    desk = Desk(MemoryStore(disk))
    desk.found()
    desk.open_market()
    rounds = Rounds(slice_rows=dice.choice([2, 5, 11]))
    batches_min = 120 + disk.head.number

    def trade(_: int) -> None:
        if dice.random() < 0.4 and disk.head.number < batches_min * 2:
            desk.clock.now += dice.choice([0, 1, 30_000])
            desk.batch(*dealings(dice))

    while disk.head.number < batches_min:
        assert taken(rounds, MemoryReader(disk), trade) == ()
    assert taken(rounds, MemoryReader(disk)) == ()
    assert rounds.batch == disk.head.number
    assert disk.tables["fill"]
    assert disk.tables["closed_order"]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_wrong_is_found_within_one_round_while_trading_goes_on(seed: int) -> None:
    dice = random.Random(seed)
    disk = MemoryBooks()
    desk = Desk(MemoryStore(disk))
    desk.found()
    desk.open_market()
    desk.do(OpenAccount("idle"))
    desk.do(deposit("idle", "5", account=OTHER + 1))
    for _ in range(30):
        desk.batch(*dealings(dice))
    rounds = Rounds(slice_rows=5)
    assert taken(rounds, MemoryReader(disk)) == ()

    def trade(_: int) -> None:
        if dice.random() < 0.3 and disk.head.number < 120:
            desk.batch(*dealings(dice))

    table = dice.choice(["balance", "entry", "deposit", "account"])
    keys: dict[str, Row] = {"balance": (OTHER + 1, 1), "entry": (OTHER + 1, 1), "account": (OTHER + 1,)}
    rows = disk.tables[table]
    key = keys.get(table) or next(key for key in rows if key[0] == OTHER + 1)
    if dice.random() < 0.5:
        del rows[key]
    else:
        rows[key] = (*rows[key][: len(key)], *changed(rows[key][len(key) : -1]), rows[key][-1])
    found = taken(rounds, MemoryReader(disk), trade)
    assert any(one.check == "tables" for one in found)
    assert all(one.account in {None, OTHER + 1} for one in found), found


class CountingReader(MemoryReader):
    """Counts the rows and events that were read since it was last asked."""

    def __init__(self, disk: MemoryBooks) -> None:
        super().__init__(disk)
        self.rows = 0

    def page(self, table: str, prefix: Row, after: Row, limit: int) -> list[Row]:
        rows = super().page(table, prefix, after, limit)
        self.rows += len(rows)
        return rows

    def find(self, table: str, key: Row) -> Row | None:
        self.rows += 1
        return super().find(table, key)

    def batches(self, after: int, limit: int) -> list[StoredBatch]:
        batches = super().batches(after, limit)
        self.rows += len(batches)
        return batches


def test_a_step_is_bounded_by_rows(books: Books) -> None:
    books.desk.batch(*(deposit(f"many-{number}") for number in range(1_000)))
    for key in list(books.disk.tables["balance"]):
        books.disk.tables["balance"][key] = changed(books.disk.tables["balance"][key])
    for key in list(books.disk.tables["entry"])[:500]:
        del books.disk.tables["entry"][key]
    rounds, reader, most = Rounds(slice_rows=16), CountingReader(books.disk), 0
    for _ in rounds.round(reader):
        most, reader.rows = max(most, reader.rows), 0
    assert rounds.drain()
    # A page, the same rows again in one moment, the entry that each names, a batch or two.
    assert most <= 4 * 16


def test_a_large_batch_is_taken_in_many_steps(books: Books) -> None:
    before = books.rounds.batch
    books.desk.batch(*(deposit(f"many-{number}") for number in range(1_000)))
    steps, taken_in = books.rounds.round(books.reader), 0
    while books.rounds.batch == before:
        next(steps)
        taken_in += 1
    for _ in steps:
        taken_in += 1
    assert taken_in > 4 * 3 * 1_000 / 128


def test_a_large_batch_is_read_in_steps_that_are_bounded_by_events(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counting(raw: Any) -> Transaction:
        transaction = transaction_of(raw)
        read.append(len(transaction.events))
        return transaction

    transaction_of = journal._transaction
    monkeypatch.setattr(journal, "_transaction", counting)
    books.desk.batch(*(deposit(f"many-{number}") for number in range(1_000)))
    most, every = 0, 0
    for _ in books.rounds.round(books.reader):
        most, every = max(most, sum(read)), every + sum(read)
        read.clear()
    assert every == 3 * 1_000
    assert most <= 128 + 3


def test_of_a_batch_whose_last_transaction_is_wrong_nothing_is_taken(books: Books) -> None:
    books.desk.batch(*(deposit(f"many-{number}") for number in range(200)))
    *good, last = books.disk.batches
    place = last.body.rindex(b'"command":') + len(b'"command":')
    findings = Findings()
    replay = Replay(findings, bytes(16))
    for batch in good:
        replay.take(batch)
    tables = {table: dict(rows) for table, rows in replay.tables.items()}
    sums = {table: list(tally.sums) for table, tally in replay.tallies.items()}
    entries = replay.checks.entries
    wrong = journal.chained(replay.head, last.time, last.body[:place] + b" " + last.body[place:])
    for _ in replay.steps(wrong, 16):
        assert replay.tables == tables
    assert findings.all() == (
        Finding(
            "bytes",
            wrong.number,
            None,
            None,
            None,
            f"the bytes of batch {wrong.number} are not what the writer writes: "
            "the bytes are not in their canonical form",
        ),
    )
    assert (replay.tables, replay.checks.entries) == (tables, entries)
    assert {table: tally.sums for table, tally in replay.tallies.items()} == sums


def test_a_batch_of_another_time_than_its_row_says_is_one_finding_and_nothing_is_taken(books: Books) -> None:
    *good, last = books.disk.batches
    findings = Findings()
    replay = Replay(findings, bytes(16))
    for batch in good:
        replay.take(batch)
    tables = {table: dict(rows) for table, rows in replay.tables.items()}
    replay.take(journal.chained(replay.head, last.time + 1, last.body))
    assert [(finding.check, finding.message.partition(": ")[2]) for finding in findings.all()] == [
        ("bytes", f"they give the time {last.time}, the row says {last.time + 1}")
    ]
    assert replay.tables == tables


# --- over a file ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path)
    store = SqliteStore(tmp_path)
    tell(Desk(store))
    store.close()
    return tmp_path


def test_a_flipped_page_is_found_within_one_round(folder: Path) -> None:
    rounds, reader = Rounds(), SqliteReader(folder, mapped=False)
    assert taken(rounds, reader) == ()
    reader.close()
    connection = sqlite3.connect(folder / FILE)
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'balance'").fetchone()[0]
    connection.close()
    with (folder / FILE).open("r+b") as file:
        file.seek((root - 1) * size)
        page = file.read(size)
        file.seek((root - 1) * size)
        file.write(bytes(byte ^ 0xFF for byte in page))
    reader = SqliteReader(folder, mapped=False)
    found = taken(rounds, reader)
    reader.close()
    assert [(one.check, one.message.startswith("table balance cannot be read")) for one in found] == [("tables", True)]


def test_a_truncated_file_is_found_and_no_signal(folder: Path) -> None:
    rounds, reader = Rounds(), SqliteReader(folder, mapped=False)
    assert taken(rounds, reader) == ()
    reader.close()
    reader = SqliteReader(folder, mapped=False)
    size = (folder / FILE).stat().st_size
    with (folder / FILE).open("r+b") as file:
        file.truncate(size // 2)
    with pytest.raises(ReadLater):
        taken(rounds, reader)
    found = taken(rounds, reader)
    reader.close()
    assert found
