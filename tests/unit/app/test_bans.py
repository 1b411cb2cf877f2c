"""Bans as the books keep them."""

import pytest

from spotbook.app.bans import restore_list, subject_of, subject_text
from spotbook.domain.bans import Subject, SubjectBan
from spotbook.domain.commands import LiftBan, RecordBan
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.writers import Desk

SUBJECTS = [
    (Subject(None, "127.0.0.1"), "address:127.0.0.1"),
    (Subject(None, "2001:db8::/64"), "address:2001:db8::/64"),
    (Subject(None, "unknown"), "address:unknown"),
    (Subject(1001, "127.0.0.1"), "user:1001@127.0.0.1"),
    (Subject(2**53 - 1, "::/64"), "user:9007199254740991@::/64"),
]


@pytest.mark.parametrize(("subject", "text"), SUBJECTS)
def test_a_subject_is_written_in_one_way(subject: Subject, text: str) -> None:
    assert subject_text(subject) == text
    assert subject_of(text) == subject


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        "address:",
        "address:here",
        "address:127.0.0.1 ",
        "ADDRESS:127.0.0.1",
        "address:" + "1" * 65,
        "user:@::1",
        "user:0@::1",
        "user:01@::1",
        "user:x@::1",
        "user:1::1",
        "user:9007199254740992@::1",
    ],
)
def test_what_is_no_subject_is_none(text: str) -> None:
    assert subject_of(text) is None


def test_only_bans_that_were_not_lifted_come_back() -> None:
    store = MemoryStore(MemoryBooks())
    desk = Desk(store)
    desk.found()
    now = desk.clock.now
    old, new = (
        RecordBan("user:1001@::/64", "ban", now, now + 30_000),
        RecordBan("address:192.0.2.7", "blacklist", now, now + 9),
    )
    desk.batch(old, new, LiftBan("user:1001@::/64", now))
    assert restore_list(store.reader()) == [SubjectBan(Subject(None, "192.0.2.7"), "blacklist", now, now + 9)]
    desk.batch(RecordBan("user:1001@::/64", "ban", now + 1, now + 2), RecordBan("whoever", "ban", now, now + 1))
    assert SubjectBan(Subject(1001, "::/64"), "ban", now + 1, now + 2) in restore_list(store.reader())
    assert len(restore_list(store.reader())) == 2
