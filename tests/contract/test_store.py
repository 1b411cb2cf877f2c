"""What every store does, through the ports alone: one body, over each of them."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from spotbook.app.ports import (
    Changes,
    Deposed,
    Head,
    Reader,
    Row,
    Scalar,
    SealedKey,
    SealedSecret,
    Sheet,
    Store,
    StoredBatch,
    WriterActive,
)
from spotbook.app.projection import TABLES
from support.clock import NOW
from support.commits import commit
from support.disks import Disk

ALL = 1_000

ROWS: dict[str, list[Row]] = {
    "counter": [("asset", 2), ("deposit", 7)],
    "standing": [(1, "halted", "audit", NOW)],
    "asset": [(1, "BTC", 8, 2**62 - 1), (2, "USDT", 0, 1)],
    "market": [(1, "BTC_USDT", 1, 2, 2, 6, 5, 1, 9, 1, 2**62 - 1, 0, 1_000_000, "cancel_newest", "on", 0, 10_000, 1)],
    "account": [(1, "world", "world", 0, 0, NOW), (1001, "user", "Ann Été 名前", 0, 1, NOW)],
    "wealth_account": [(1001, 1002)],
    "balance": [(1, 1, -(2**62) + 1, 0, 3), (1001, 1, 5, 2**62 - 6, 2), (1001, 2, 7, 0, 9)],
    "entry": [(1001, 1, 1, 0, 5, 0, 0, "deposit", 1, 1), (1001, 2, 1, 5, 0, 0, 5, "place", 2, 1)],
    "hold": [(1001, 1, "order", 9, 2), (1001, 1, "withdrawal", 9, 3)],
    "deposit": [(1001, 1, 1, 5, "0xAB", 3, "ETH", 1, NOW, 1)],
    "deposit_identity": [(1, "", "~" * 128, 2**31 - 1, 1001, 1), (1, "ETH", "0xAB", 3, 1001, 1)],
    "open_order": [
        (1001, 4, 1, "buy", "limit", 3_000_000, 5, 0, 4, 2**62 - 1, 7, "partly_filled", "bot-1", NOW, NOW + 1),
        (1001, 2**53 - 1, 1, "sell", "post_only", 2**62 - 1, 2**62 - 1, 0, 0, 0, 0, "open", "", NOW, NOW),
    ],
    "closed_order": [
        (1001, 5, 1, "buy", "market", 0, 0, 2**62 - 1, 5, 9, 1, "cancelled", "", NOW, NOW, 1),
        (1001, 6, 1, "sell", "limit", 3, 5, 0, 5, 15, 0, "filled", "bot-2", NOW, NOW, 1),
    ],
    "out_trade_no": [(1001, "BOT-1", 5, 1), (1001, "bot-1", 4, 1), (1001, "late", 0, 1), (1002, "bot-1", 9, 1)],
    "fill": [
        (1001, 1, 4, 1, "buy", "maker", 3_000_000, 4, 2**62 - 1, 7, NOW, 1),
        (1002, 1, 6, 1, "sell", "taker", 3_000_000, 4, 2**62 - 1, 0, NOW, 1),
    ],
    "trade": [(1, 1, "sell", 3_000_000, 4, 2**62 - 1, NOW, 1), (1, 2, "buy", 1, 1, 1, NOW, 1)],
    "candle": [(1, 60, NOW, 5, 9, 3, 4, 2**61, 7), (1, 3_600, NOW, 5, 5, 5, 5, 1, 1)],
    "api_key": [("a", 1001, "read,trade", "10.0.0.0/8,::1/128", "bot", NOW, 0, 0, 1)],
    "token": [("ops", 1, "0" * 64, "view,money", NOW, 0)],
    "ban": [("10.0.0.1", 1, "ban", 5), ("10.0.0.1", 7, "blacklist", 9)],
    "ban_lift": [("10.0.0.1", 8)],
}
"""For each table some rows in key order, values at the ends of their ranges among them."""

MERGED = [table.name for table in TABLES.values() if table.merges]


# --- the journal --------------------------------------------------------------------------------


def test_new_books_begin_with_an_empty_journal(store: Store, reader: Reader) -> None:
    assert store.head() == reader.head() == Head(0, 0, bytes(32))
    assert reader.batches(0, ALL) == []


def test_what_is_committed_is_read_by_everybody(store: Store, reader: Reader, disk: Disk) -> None:
    batch = commit(store, body=b"\x00\xff{}")
    other = disk.reader()
    assert store.head() == reader.head() == other.head() == Head(1, NOW, batch.hash)
    assert reader.batches(0, ALL) == other.batches(0, ALL) == [batch]
    other.close()


def test_batches_come_in_order_from_where_one_left_off(store: Store, reader: Reader) -> None:
    made = [commit(store) for _ in range(5)]
    assert reader.batches(0, 2) == made[:2]
    assert reader.batches(2, 2) == made[2:4]
    assert reader.batches(4, 2) == made[4:]
    assert reader.batches(5, 2) == []


def test_the_journal_is_there_when_the_books_are_opened_again(disk: Disk) -> None:
    store = disk.open()
    batch = commit(store, {"counter": [("asset", 1)]})
    store.close()
    again = disk.open()
    assert again.head() == Head(1, NOW, batch.hash)
    assert again.rows("counter") == [("asset", 1)]
    again.close()


def test_the_books_keep_their_id(disk: Disk) -> None:
    store = disk.open()
    books = store.books
    reader = disk.reader()
    store.close()
    again = disk.open()
    assert again.books == books == reader.books
    assert len(books) == 32
    reader.close()
    again.close()


# --- the tables ---------------------------------------------------------------------------------


def test_every_table_has_its_example_here() -> None:
    assert set(ROWS) == set(TABLES)


@pytest.mark.parametrize("table", ROWS)
def test_rows_are_read_back_to_the_unit(store: Store, reader: Reader, table: str) -> None:
    commit(store, {table: ROWS[table]})
    assert store.rows(table) == reader.page(table, (), (), ALL) == ROWS[table]


@pytest.mark.parametrize("table", ROWS)
def test_a_row_is_found_by_its_key(store: Store, reader: Reader, table: str) -> None:
    commit(store, {table: ROWS[table]})
    for row in ROWS[table]:
        key = row[: TABLES[table].keys]
        assert store.find(table, key) == reader.find(table, key) == row


@pytest.mark.parametrize("table", ROWS)
def test_a_key_that_is_not_there_finds_nothing(store: Store, reader: Reader, table: str) -> None:
    key = tuple("?" if isinstance(value, str) else 404 for value in ROWS[table][0][: TABLES[table].keys])
    commit(store, {table: ROWS[table]})
    assert store.find(table, key) is None
    assert reader.find(table, key) is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 600])
@pytest.mark.parametrize("table", ROWS)
def test_of_many_keys_those_that_are_there_are_found_each_once(store: Store, table: str, count: int) -> None:
    keys = [row[: TABLES[table].keys] for row in ROWS[table]]
    missing = [tuple(f"?{n}" if isinstance(value, str) else 10_000 + n for value in keys[0]) for n in range(count)]
    commit(store, {table: ROWS[table]})
    assert sorted(store.find_all(table, [*missing, *keys, *keys])) == ROWS[table]
    assert store.find_all(table, missing) == []


@pytest.mark.parametrize("table", [table for table in ROWS if not TABLES[table].grows and table not in MERGED])
def test_a_row_that_is_set_again_is_replaced(store: Store, table: str) -> None:
    row = ROWS[table][0]
    last = 0 if table == "api_key" else 77  # a flag
    changed: Scalar = {"standing": "running"}.get(table, row[-1] if isinstance(row[-1], str) else last)
    after = (*row[:-1], changed) if table != "standing" else (1, changed, "because", NOW + 1)
    commit(store, {table: ROWS[table]})
    commit(store, {table: [after]})
    assert store.find(table, row[: TABLES[table].keys]) == after
    assert len(store.rows(table)) == len(ROWS[table])


def test_a_row_that_is_removed_is_gone(store: Store, reader: Reader) -> None:
    commit(store, {"hold": ROWS["hold"]})
    commit(store, removed={"hold": [(1001, 1, "order", 9), (1001, 1, "order", 404)]})
    assert store.rows("hold") == reader.page("hold", (), (), ALL) == ROWS["hold"][1:]


def test_a_row_may_be_removed_and_set_in_different_batches(store: Store) -> None:
    commit(store, {"hold": ROWS["hold"]})
    commit(store, removed={"hold": [(1001, 1, "order", 9)]})
    commit(store, {"hold": [(1001, 1, "order", 9, 8)]})
    assert store.find("hold", (1001, 1, "order", 9)) == (1001, 1, "order", 9, 8)


def test_pages_follow_one_another_in_key_order(store: Store, reader: Reader) -> None:
    rows: list[Row] = [(account, 1, account, 0, 1) for account in range(1, 8)]
    commit(store, {"balance": list(reversed(rows))})
    first = reader.page("balance", (), (), 3)
    second = reader.page("balance", (), first[-1][:2], 3)
    third = reader.page("balance", (), second[-1][:2], 3)
    assert (first, second, third) == (rows[:3], rows[3:6], rows[6:])
    assert reader.page("balance", (), third[-1][:2], 3) == []


def test_the_rows_of_a_table_are_counted(store: Store, reader: Reader) -> None:
    assert reader.count("balance") == 0
    commit(store, {"balance": [(account, 1, account, 0, 1) for account in range(1, 8)]})
    assert reader.count("balance") == 7


def test_a_page_keeps_to_its_prefix(store: Store, reader: Reader) -> None:
    rows: list[Row] = [(account, version, 1, 0, 0, 0, 0, "x", 1, 1) for account in (1, 2, 3) for version in range(1, 5)]
    commit(store, {"entry": rows})
    assert [row[:2] for row in reader.page("entry", (2,), (), ALL)] == [(2, 1), (2, 2), (2, 3), (2, 4)]
    assert [row[:2] for row in reader.page("entry", (2,), (2,), 1)] == [(2, 3)]
    assert reader.page("entry", (2,), (4,), ALL) == []
    assert reader.page("entry", (9,), (), ALL) == []


def test_a_longer_prefix_keeps_to_it_too(store: Store, reader: Reader) -> None:
    rows: list[Row] = [
        (1001, asset, kind, number, 5) for asset in (1, 2) for kind in ("order", "withdrawal") for number in (1, 2, 3)
    ]
    commit(store, {"hold": rows})
    assert reader.page("hold", (1001, 2), ("order", 2), 2) == [rows[8], rows[9]]
    assert reader.page("hold", (1001, 2, "withdrawal"), (1,), ALL) == rows[10:]


def test_text_keys_come_in_the_order_of_their_characters(store: Store, reader: Reader) -> None:
    names = ["B", "a", "b", "é", "名", "\U0001f600"]
    rows: list[Row] = [(name, 1, "00", "view", NOW, 0) for name in names]
    commit(store, {"token": list(reversed(rows))})
    assert store.rows("token") == rows
    assert reader.page("token", (), ("b",), ALL) == rows[3:]


# --- a batch is whole or is not -----------------------------------------------------------------


def test_a_batch_that_does_not_follow_the_head_is_not_taken(store: Store) -> None:
    first = commit(store, {"counter": [("asset", 1)]})
    for number in (0, 1, 3):
        batch = StoredBatch(number, NOW, first.hash, b"{}")
        with pytest.raises(Deposed):
            store.commit(batch, Changes({"counter": [("asset", 9)]}, {}), [SealedSecret("k", b"s")])
    assert store.rows("counter") == [("asset", 1)]
    assert store.head() == Head(1, NOW, first.hash)


def test_a_deposed_writer_cannot_commit(disk: Disk, store: Store, reader: Reader) -> None:
    commit(store, {"counter": [("asset", 1)]})
    disk.depose()
    with pytest.raises(Deposed):
        commit(store, {"counter": [("asset", 9)]}, secrets=(SealedSecret("k", b"s"),))
    assert reader.head().number == 1
    assert reader.page("counter", (), (), ALL) == [("asset", 1)]


def test_books_have_one_writer_at_a_time(disk: Disk, store: Store) -> None:
    with pytest.raises(WriterActive):
        disk.open()


def test_a_closed_store_makes_room_for_another_writer(disk: Disk) -> None:
    for number in (1, 2, 3):
        store = disk.open()
        assert commit(store).number == number
        store.close()


def test_readers_are_welcome_while_somebody_writes(disk: Disk, store: Store) -> None:
    readers = [disk.reader() for _ in range(5)]
    commit(store)
    assert [reader.head().number for reader in readers] == [1] * 5
    for reader in readers:
        reader.close()


# --- balances and holds -------------------------------------------------------------------------


def test_a_sheet_is_all_balances_of_one_account_in_the_assets_sequence(store: Store, reader: Reader) -> None:
    commit(store, {"balance": [(1001, 2, 7, 0, 9), (1002, 1, 1, 1, 1), (1001, 1, 5, 3, 2)]})
    assert reader.sheet(1001) == Sheet(9, 1, NOW, [(1, 5, 3, 2), (2, 7, 0, 9)])


def test_an_account_that_has_nothing_has_an_empty_sheet_of_version_zero(store: Store, reader: Reader) -> None:
    commit(store)
    assert reader.sheet(1001) == Sheet(0, 1, NOW, [])


def test_a_sheet_before_the_first_batch_is_of_batch_zero(reader: Reader) -> None:
    assert reader.sheet(1001) == Sheet(0, 0, 0, [])


def test_holds_come_with_the_accounts_version(store: Store, reader: Reader) -> None:
    others: list[Row] = [(1002, 1, "order", 9, 1)]
    commit(store, {"hold": [*ROWS["hold"], *others], "entry": ROWS["entry"], "balance": [(1001, 1, 0, 5, 2)]})
    assert reader.holds(1001) == (2, ROWS["hold"])
    assert reader.holds(404) == (0, [])


def test_the_last_version_is_that_of_the_newest_entry(store: Store) -> None:
    commit(store, {"entry": ROWS["entry"], "balance": [(1001, 1, 0, 5, 2)]})
    assert (store.last_version(1001), store.last_version(404)) == (2, 0)


# --- keys ---------------------------------------------------------------------------------------


def key(api_key: str, *, account: int = 1001, made_at: int = NOW, revoked_at: int = 0) -> Row:
    return (api_key, account, "read", "", "", made_at, 0, revoked_at, 0)


def test_a_key_comes_with_its_sealed_secret(store: Store, reader: Reader) -> None:
    commit(store, {"api_key": [key("a"), key("b")]}, secrets=(SealedSecret("a", b"\x00sealed"),))
    assert reader.sealed_key("a") == SealedKey(key("a"), b"\x00sealed")
    assert reader.sealed_key("b") is None
    assert reader.sealed_key("c") is None


def test_a_key_keeps_whether_it_is_strict(store: Store, reader: Reader) -> None:
    strict = (*key("s")[:-1], 1)
    commit(store, {"api_key": [strict, key("t", made_at=NOW + 1)]}, secrets=(SealedSecret("s", b"one"),))
    assert reader.sealed_key("s") == SealedKey(strict, b"one")
    assert reader.keys_of(1001, (), ALL) == [strict, key("t", made_at=NOW + 1)]
    assert store.find("api_key", ("s",)) == strict


def test_a_secret_that_is_set_again_is_replaced(store: Store, reader: Reader) -> None:
    commit(store, {"api_key": [key("a")]}, secrets=(SealedSecret("a", b"one"),))
    commit(store, secrets=(SealedSecret("a", b"two"),))
    assert reader.sealed_key("a") == SealedKey(key("a"), b"two")


def test_all_secrets_are_sealed_anew_without_a_batch(store: Store, reader: Reader) -> None:
    commit(store, {"api_key": [key("a")]}, secrets=(SealedSecret("a", b"one"),))
    store.reseal([SealedSecret("a", b"two"), SealedSecret("", b"check")])
    assert reader.sealed_key("a") == SealedKey(key("a"), b"two")
    assert reader.master_key_check() == b"check"
    assert reader.head().number == 1


def test_new_books_have_no_master_key_yet(reader: Reader) -> None:
    assert reader.master_key_check() is None


def test_the_live_keys_of_an_account_come_in_the_order_in_which_they_were_made(store: Store) -> None:
    rows = [
        key("z", made_at=NOW),
        key("b", made_at=NOW + 1),
        key("a", made_at=NOW + 1),
        key("y", made_at=NOW - 1),
        key("x", revoked_at=NOW),
        key("w", account=1002),
    ]
    commit(store, {"api_key": rows})
    assert store.keys_of(1001) == ["y", "z", "a", "b"]
    assert store.keys_of(404) == []


def test_all_keys_of_an_account_are_read_page_by_page_revoked_ones_too(store: Store, reader: Reader) -> None:
    rows = [
        key("y", made_at=NOW - 1),
        key("z", made_at=NOW),
        key("a", made_at=NOW + 1, revoked_at=NOW + 2),
        key("b", made_at=NOW + 1),
    ]
    commit(store, {"api_key": [*reversed(rows), key("w", account=1002)]})
    assert reader.keys_of(1001, (), ALL) == rows
    assert reader.keys_of(1001, (), 2) == rows[:2]
    assert reader.keys_of(1001, (NOW, "z"), 1) == rows[2:3]
    assert reader.keys_of(1001, (NOW + 1, "a"), ALL) == rows[3:]
    assert reader.keys_of(1001, (NOW + 1, "b"), ALL) == []
    assert reader.keys_of(404, (), ALL) == []


# --- seeing changes -----------------------------------------------------------------------------


def test_a_commit_is_a_change_and_a_read_is_none(store: Store, reader: Reader) -> None:
    before = reader.changed()
    reader.sheet(1001)
    assert reader.changed() == before
    commit(store)
    after = reader.changed()
    assert after != before
    assert reader.changed() == after


def test_sealing_anew_and_rebuilding_are_changes(store: Store, reader: Reader) -> None:
    seen = [reader.changed()]
    store.reseal([SealedSecret("", b"check")])
    seen.append(reader.changed())
    store.rebuild(iter([Changes({"counter": [("asset", 1)]}, {})]))
    seen.append(reader.changed())
    assert len(set(seen)) == 3


def test_a_read_sees_a_commit_at_once(store: Store, reader: Reader) -> None:
    for number in range(1, 6):
        commit(store, {"counter": [("asset", number)]})
        assert reader.find("counter", ("asset",)) == ("asset", number)
        assert reader.head().number == number


def test_reads_inside_a_snapshot_are_reads_like_any_other(store: Store, reader: Reader) -> None:
    commit(store, {"balance": [(1001, 1, 5, 0, 1)], "entry": ROWS["entry"][:1], "hold": ROWS["hold"][:1]})
    with reader.snapshot(), reader.snapshot():
        changed = reader.changed()
        assert reader.head().number == 1
        assert reader.sheet(1001) == Sheet(1, 1, NOW, [(1, 5, 0, 1)])
        assert reader.holds(1001) == (1, ROWS["hold"][:1])
        assert reader.find("balance", (1001, 1)) == (1001, 1, 5, 0, 1)
        assert reader.changed() == changed
    commit(store)
    assert reader.head().number == 2
    assert reader.changed() != changed


def test_a_moment_can_be_held_and_let_go_of_as_often_as_one_likes(store: Store, reader: Reader) -> None:
    for number in range(1, 4):
        commit(store)
        reader.hold()
        assert (reader.head().number, reader.sheet(1001).batch) == (number, number)
        reader.release()


def test_a_snapshot_ends_when_what_was_read_in_it_failed(store: Store, reader: Reader) -> None:
    with suppress(KeyError), reader.snapshot():
        reader.head()
        raise KeyError
    commit(store)
    assert reader.head().number == 1


# --- rebuilding ---------------------------------------------------------------------------------


def test_a_rebuild_makes_every_table_anew_and_leaves_the_journal(store: Store, reader: Reader) -> None:
    batch = commit(store, ROWS, secrets=(SealedSecret("a", b"sealed"),))
    store.rebuild(
        iter(
            [
                Changes({"counter": [("asset", 1)], "hold": ROWS["hold"]}, {}),
                Changes({"counter": [("asset", 5)]}, {"hold": [(1001, 1, "order", 9)]}),
            ]
        )
    )
    made = {table: reader.page(table, (), (), ALL) for table in TABLES}
    assert {table: rows for table, rows in made.items() if rows} == {
        "counter": [("asset", 5)],
        "hold": ROWS["hold"][1:],
    }
    assert reader.batches(0, ALL) == [batch]
    assert reader.head() == Head(1, NOW, batch.hash)


def test_a_rebuild_that_fails_leaves_everything_as_it_was(store: Store, reader: Reader) -> None:
    def half() -> Iterator[Changes]:
        yield Changes({"counter": [("asset", 1)]}, {})
        raise KeyError

    commit(store, {"counter": [("asset", 9)]})
    with pytest.raises(KeyError):
        store.rebuild(half())
    assert reader.page("counter", (), (), ALL) == [("asset", 9)]
    commit(store, {"counter": [("asset", 10)]})


def test_a_rebuild_leaves_the_sealed_secrets(store: Store, reader: Reader) -> None:
    commit(store, {"api_key": [key("a")]}, secrets=(SealedSecret("a", b"sealed"),))
    store.rebuild(iter([Changes({"api_key": [key("a")]}, {})]))
    assert reader.sealed_key("a") == SealedKey(key("a"), b"sealed")


def test_tidying_and_probing_change_nothing_that_is_read(store: Store, reader: Reader) -> None:
    batch = commit(store, {"counter": [("asset", 1)]})
    for _ in range(3):
        store.tidy()
        store.probe()
    assert reader.head() == Head(1, NOW, batch.hash)
    assert reader.page("counter", (), (), ALL) == [("asset", 1)]
    assert commit(store).number == 2
