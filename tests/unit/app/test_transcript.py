"""The journal as lines: what is written is read again, and nothing else is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from spotbook.app import journal, transcript
from spotbook.app.ports import Head, StoredBatch
from spotbook.app.rebuild import ChainBroken
from spotbook.app.transcript import LineRefused
from spotbook.domain.commands import OpenAccount
from spotbook.store.memory import MemoryBooks, MemoryReader, MemoryStore
from support.commands import deposit
from support.writers import Desk

SCHEMA = 7


@pytest.fixture
def books() -> MemoryBooks:
    made = MemoryBooks()
    desk = Desk(MemoryStore(made))
    desk.found()
    for command in (deposit("a"), OpenAccount('"é" \\ "'), deposit("b")):
        desk.do(command)
    return made


@pytest.fixture
def lines(books: MemoryBooks) -> list[bytes]:
    return written(books)


def written(books: MemoryBooks, last: int | None = None) -> list[bytes]:
    return list(transcript.written(MemoryReader(books), SCHEMA, last))


def read(lines: list[bytes]) -> list[StoredBatch]:
    return list(transcript.read(lines, SCHEMA))


def changed(line: bytes, **fields: Any) -> bytes:
    """Return a line in the spelling of a transcript, with some fields changed."""
    return json.dumps(json.loads(line) | fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def test_what_is_written_is_read_again(books: MemoryBooks, lines: list[bytes]) -> None:
    assert read(lines) == books.batches
    assert len(lines) == 5


def test_the_first_line_says_what_it_is_and_where_it_ends(books: MemoryBooks, lines: list[bytes]) -> None:
    assert json.loads(lines[0]) == {
        "format": "spotbook journal",
        "version": 1,
        "schema": SCHEMA,
        "books": books.books,
        "batch": 4,
        "time": books.head.time,
        "hash": books.head.hash.hex(),
    }


def test_a_line_is_a_batch_with_its_text(books: MemoryBooks, lines: list[bytes]) -> None:
    batch = books.batches[1]
    assert json.loads(lines[2]) == {
        "number": 2,
        "time": batch.time,
        "hash": batch.hash.hex(),
        "body": batch.body.decode(),
    }


@pytest.mark.parametrize("last", [1, 3, 4])
def test_it_can_end_at_an_earlier_batch(books: MemoryBooks, last: int) -> None:
    assert read(written(books, last)) == books.batches[:last]


def test_a_batch_that_is_not_there_yet_is_no_end(books: MemoryBooks) -> None:
    with pytest.raises(ChainBroken, match="no batch 5 yet"):
        written(books, 5)


def test_an_empty_journal_is_a_transcript_too() -> None:
    assert read(written(MemoryBooks())) == []


def break_chain(books: MemoryBooks) -> None:
    books.batches[1] = books.batches[1]._replace(hash=bytes(32))


def break_text(books: MemoryBooks) -> None:
    first = books.batches[0]
    head = Head(first.number, first.time, first.hash)
    books.batches[1] = journal.chained(head, books.batches[1].time, b"\xff")


def cut(books: MemoryBooks) -> None:
    books.batches.pop()


def lose(books: MemoryBooks) -> None:
    del books.batches[1]


@pytest.mark.parametrize("harm", [break_chain, break_text, cut, lose])
def test_a_broken_journal_is_not_written_as_if_it_were_whole(
    books: MemoryBooks, harm: Callable[[MemoryBooks], None]
) -> None:
    harm(books)
    with pytest.raises(ChainBroken):
        written(books)


def test_a_last_batch_that_is_missing_is_no_end(books: MemoryBooks) -> None:
    del books.batches[2]
    with pytest.raises(ChainBroken, match="batch 3 is missing"):
        written(books, 3)


@pytest.mark.parametrize(
    ("number", "line", "words"),
    [
        (1, b"", "no transcript"),
        (1, b"{}\n", "no transcript"),
        (1, b'{"format":"x"}\n', "no transcript"),
        (1, b"\xff\xfe\n", "no transcript"),
        (1, b"[" * 100_000 + b"\n", "no transcript"),
        (2, b"", "no batch"),
        (2, b"\n", "no batch"),
        (2, b"null\n", "no batch"),
        (2, b"[" * 100_000 + b"\n", "no batch"),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(lines: list[bytes], number: int, line: bytes, words: str) -> None:
    lines[number - 1] = line
    with pytest.raises(LineRefused, match=f"^line {number}: .*{words}"):
        read(lines)


@pytest.mark.parametrize(
    ("number", "fields", "words"),
    [
        (1, {"format": "other"}, "the format is 'other' 1"),
        (1, {"version": 2}, "this version reads"),
        (1, {"schema": SCHEMA + 1}, "use a newer version"),
        (1, {"hash": "xyz"}, "no hash"),
        (1, {"hash": "00" * 32}, "line 6: it ends with batch 4"),
        (1, {"batch": 5}, "line 6: it ends with batch 4"),
        (1, {"batch": 3}, "line 6: it ends with batch 4"),
        (1, {"time": 1}, "line 6: it ends with batch 4"),
        (1, {"more": 1}, "no transcript"),
        (3, {"number": 3}, "it is batch 3, and batch 2 comes next"),
        (3, {"number": "2"}, "no batch"),
        (3, {"hash": "00" * 32}, "hash of batch 2"),
        (3, {"hash": "0"}, "none"),
        (3, {"time": 1}, "older"),
        (3, {"time": 2**61}, "the row says"),
        (3, {"body": "{}"}, "hash of batch 2"),
        (3, {"more": 1}, "no batch"),
    ],
)
def test_a_line_that_was_changed_is_refused_by_its_number(
    lines: list[bytes], number: int, fields: dict[str, Any], words: str
) -> None:
    lines[number - 1] = changed(lines[number - 1], **fields)
    with pytest.raises(LineRefused, match=words) as refused:
        read(lines)
    assert str(refused.value).startswith(f"line {number}: " if "line 6" not in words else "line 6: ")


def test_a_body_that_is_no_batch_is_refused_though_its_hash_is_right(lines: list[bytes], books: MemoryBooks) -> None:
    first = books.batches[0]
    odd = journal.chained(Head(first.number, first.time, first.hash), first.time, b'{"time":0,"transactions":[]} ')
    lines[2] = changed(lines[2], time=odd.time, hash=odd.hash.hex(), body=odd.body.decode())
    with pytest.raises(LineRefused, match="line 3: the body is not what the writer writes"):
        read(lines)


@pytest.mark.parametrize(
    "respelt",
    [
        lambda line: line.replace(b":", b": ", 1),
        lambda line: b" " + line,
        lambda line: line.rstrip(),
        lambda line: line.replace(b"\n", b"\r\n"),
        lambda line: line.replace(b"{", b'{"number":2,', 1),
        lambda line: line.replace(b'"number"', b'"num\\u0062er"', 1),
    ],
)
def test_another_spelling_of_the_same_is_refused(lines: list[bytes], respelt: Callable[[bytes], bytes]) -> None:
    lines[2] = respelt(lines[2])
    with pytest.raises(LineRefused, match="line 3: this is no batch"):
        read(lines)


def test_a_line_missing_is_refused(lines: list[bytes]) -> None:
    del lines[2]
    with pytest.raises(LineRefused, match="line 3: it is batch 3, and batch 2 comes next"):
        read(lines)


def test_lines_swapped_are_refused(lines: list[bytes]) -> None:
    lines[2], lines[3] = lines[3], lines[2]
    with pytest.raises(LineRefused, match="line 3: it is batch 3, and batch 2 comes next"):
        read(lines)


def test_a_line_twice_is_refused(lines: list[bytes]) -> None:
    lines.insert(3, lines[2])
    with pytest.raises(LineRefused, match="line 4: it is batch 2, and batch 3 comes next"):
        read(lines)


def test_a_tail_cut_off_is_refused(lines: list[bytes]) -> None:
    lines.pop()
    with pytest.raises(LineRefused, match="line 5: it ends with batch 3, and its first line says 4:"):
        read(lines)


def test_nothing_is_no_transcript() -> None:
    with pytest.raises(LineRefused, match=r"line 1: .*nothing in it"):
        read([])


def test_a_line_without_an_end_is_refused(lines: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "TRANSCRIPT_LINE_BYTES_MAX", len(lines[1]) - 1)
    with pytest.raises(LineRefused, match="line 2: it is longer than"):
        read(lines)


def test_batches_are_yielded_as_they_are_read(lines: list[bytes], books: MemoryBooks) -> None:
    coming = transcript.read(iter([*lines[:2], b"nonsense"]), SCHEMA)
    assert next(coming) == books.batches[0]
    with pytest.raises(LineRefused, match="line 3"):
        next(coming)
