"""The journal: canonical bytes, chained by their hashes."""

import hashlib
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbook.app.journal import START, NotCanonical, Transaction, body_of, chained, hash_of, read, reading
from spotbook.app.ports import Head
from spotbook.domain import events as e

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**62), 2**62)
TUPLES = st.lists(TEXTS, max_size=3).map(tuple)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {int: NUMBERS, str: TEXTS, bool: st.booleans(), tuple[str, ...]: TUPLES}


def events() -> st.SearchStrategy[e.Event]:
    kinds: list[Any] = list(get_args(e.Event))
    return st.one_of([st.builds(kind, *map(values_of, get_type_hints(kind).values())) for kind in kinds])


def values_of(typ: Any) -> st.SearchStrategy[Any]:
    return BY_TYPE[typ] if typ in BY_TYPE else st.sampled_from(get_args(typ))  # one of some words


TRANSACTIONS = st.lists(st.builds(Transaction, TEXTS, TEXTS, st.lists(events(), max_size=4)), max_size=4)

ONE = Transaction("house:test", "LiftBan", [e.BanLifted("10.0.0.1", 7)])
BODY = b'{"time":5,"transactions":[{"by":"house:test","command":"LiftBan","events":[["ban_lifted","10.0.0.1",7]]}]}'


def test_a_batch_is_one_line_of_json_without_spaces() -> None:
    assert body_of(5, [ONE]) == BODY


def test_it_is_read_back_as_it_was() -> None:
    assert read(BODY) == (5, [ONE])


@given(NUMBERS, TRANSACTIONS)
def test_whatever_was_decided_is_read_back_as_it_was(time: int, transactions: list[Transaction]) -> None:
    assert read(body_of(time, transactions)) == (time, transactions)


def test_the_hash_is_over_the_previous_hash_the_number_and_the_bytes() -> None:
    expected = hashlib.sha256(b"\x01" * 32 + b"\0\0\0\0\0\0\0\x07" + BODY).digest()
    assert hash_of(b"\x01" * 32, 7, BODY) == expected


def test_the_chain_begins_with_zeros() -> None:
    assert (0, 0, bytes(32)) == START
    assert chained(START, 5, BODY).hash == hash_of(bytes(32), 1, BODY)


def test_a_batch_follows_the_head() -> None:
    batch = chained(Head(6, 1, b"\x01" * 32), 5, BODY)
    assert (batch.number, batch.time, batch.body) == (7, 5, BODY)


@pytest.mark.parametrize(
    ("previous", "number", "body"),
    [(b"\x02" * 32, 7, BODY), (b"\x01" * 32, 8, BODY), (b"\x01" * 32, 7, BODY + b" ")],
    ids=["hash", "number", "body"],
)
def test_another_previous_hash_number_or_body_is_another_hash(previous: bytes, number: int, body: bytes) -> None:
    assert hash_of(previous, number, body) != hash_of(b"\x01" * 32, 7, BODY)


NOT_A_BATCH = [
    b"",
    b"null",
    b"7",
    b"[]",
    b"{}",
    b"\xff",
    b"[" * 100_000,
    b'{"time":5}',
    b'{"transactions":[]}',
    b'{"time":5,"transactions":null}',
    b'{"time":5,"transactions":{}}',
    b'{"time":5,"transactions":[7]}',
    b'{"time":5,"transactions":[{}]}',
    b'{"time":"5","transactions":[]}',
    b'{"time":5.0,"transactions":[]}',
    b'{"time":true,"transactions":[]}',
    b'{"time":null,"transactions":[]}',
    b'{"transactions":[],"time":5}',
    b'{"time":5,"transactions":[],"more":1}',
    b'{"time":5, "transactions":[]}',
    b'{"time":5,"transactions":[]}\n',
    b'{"time":5,"time":5,"transactions":[]}',
    BODY.replace(b'"house:test"', b"7"),
    BODY.replace(b'"LiftBan"', b"null"),
    BODY.replace(b'"ban_lifted"', b'"nothing"'),
    BODY.replace(b'"ban_lifted"', b"[]"),
    BODY.replace(b'"ban_lifted"', b"{}"),
    BODY.replace(b",7]", b"]"),
    BODY.replace(b",7]", b",7,8]"),
    BODY.replace(b",7]", b',"7"]'),
    BODY.replace(b",7]", b",7.0]"),
    BODY.replace(b",7]", b",07]"),
    BODY.replace(b'["ban_lifted","10.0.0.1",7]', b"[]"),
    BODY.replace(b'["ban_lifted","10.0.0.1",7]', b"7"),
    BODY.replace(b'"10.0.0.1"', b'"10.0.0.\\u0031"'),
]


@pytest.mark.parametrize("body", NOT_A_BATCH, ids=lambda body: repr(body[:60]))
def test_bytes_that_this_program_would_not_have_written_are_no_batch(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        read(body)


ORDER = e.OrderPlaced(1001, 9, 2, "buy", "limit", 3, 10, 0, 4, 12, 0, "partly_filled", "bot", 5, 5)


def test_an_order_is_written_whole_and_in_the_sequence_of_its_fields() -> None:
    body = body_of(5, [Transaction("key:a", "PlaceOrder", [ORDER, e.OrderChanged(*ORDER)])])
    fields = b'1001,9,2,"buy","limit",3,10,0,4,12,0,"partly_filled","bot",5,5'
    assert body.endswith(b'"events":[["order",' + fields + b'],["order_changed",' + fields + b"]]}]}")
    [placed, changed] = read(body)[1][0].events
    assert (type(placed), type(changed)) == (e.OrderPlaced, e.OrderChanged)


@pytest.mark.parametrize(
    ("word", "other"), [(b'"buy"', b'"hold"'), (b'"limit"', b'"stop"'), (b'"partly_filled"', b'"new"')], ids=repr
)
def test_an_order_with_a_word_that_means_nothing_is_no_batch(word: bytes, other: bytes) -> None:
    body = body_of(5, [Transaction("key:a", "PlaceOrder", [ORDER])])
    with pytest.raises(NotCanonical):
        read(body.replace(word, other))


@given(st.integers(0, len(BODY) - 1), st.integers(0, 255))
def test_no_changed_byte_goes_unseen(place: int, byte: int) -> None:
    """Bytes that are another batch are told apart by the hash; all others are no batch at all."""
    changed = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    try:
        time, transactions = read(changed)
    except NotCanonical:
        return
    assert body_of(time, transactions) == changed
    assert (changed == BODY) == (hash_of(bytes(32), 1, changed) == hash_of(bytes(32), 1, BODY))


@given(st.binary(max_size=60) | st.recursive(st.none() | NUMBERS | TEXTS, st.lists).map(repr).map(str.encode))
def test_any_other_bytes_are_refused_in_one_way(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        read(body)


KEY = e.KeyMade("ab", 1001, ("read",), (), "mine", 1, 2, 3)
MARKET = e.MarketMade(1, "A_B", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "cancel_newest", "open")


@pytest.mark.parametrize(
    ("event", "fields"), [(KEY, 8), (e.KeyRevoked(*KEY), 8), (MARKET, 15), (MARKET, 16), (MARKET, 17)], ids=repr
)
def test_an_event_from_before_a_field_was_added_is_read_with_its_default(event: e.Event, fields: int) -> None:
    assert event[fields:] == tuple(event._field_defaults.values())[fields - len(event) :]
    old = body_of(7, [ONE, Transaction("house:test", "Old", [event, ORDER])])
    added = msgspec.json.encode(event[fields:])[1:-1]
    old = old.replace(b"," + added + b"]", b"]", 1)
    assert len(old) < len(body_of(7, [ONE, Transaction("house:test", "Old", [event, ORDER])]))
    assert read(old) == (7, [ONE, Transaction("house:test", "Old", [event, ORDER])])


@pytest.mark.parametrize("event", [ORDER, KEY, MARKET], ids=repr)
def test_an_event_with_fewer_fields_than_it_ever_had_or_with_more_is_no_batch(event: e.Event) -> None:
    body = body_of(7, [Transaction("house:test", "Old", [event])])
    first = len(event) - len(event._field_defaults)
    shorter = [list(event[:count]) for count in range(first)]
    for fields in (*shorter, [*event, 0]):
        with pytest.raises(NotCanonical):
            read(body.replace(msgspec.json.encode(event)[1:], msgspec.json.encode(fields)[1:]))


def test_a_batch_is_read_by_transactions_and_told_to_be_none_at_the_first_that_is_none() -> None:
    body = body_of(5, [ONE, ONE, ONE])
    place = body.rindex(b",7]")
    time, transactions = reading(body[:place] + b',"7"]' + body[place + 3 :])
    assert (time, next(transactions), next(transactions)) == (5, ONE, ONE)
    with pytest.raises(NotCanonical):
        next(transactions)


@given(NUMBERS, TRANSACTIONS, st.data())
def test_no_changed_byte_of_any_batch_goes_unseen(
    time: int, transactions: list[Transaction], data: st.DataObject
) -> None:
    body = bytearray(body_of(time, transactions))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = read(bytes(body))
    except NotCanonical:
        return
    assert body_of(*again) == body
