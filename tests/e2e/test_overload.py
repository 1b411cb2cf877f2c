"""Far more orders at once than can be carried out, from clients that do not wait: nobody is left in doubt."""

from collections import Counter
from pathlib import Path

import pytest
from bench import standing, trading
from bench.overload import BUSY, DONE, Crowd, check
from bench.process import running
from bench.reads import signed_body

from spotbook.store.vault import new_master_key

pytestmark = pytest.mark.e2e

ACCOUNTS = 50
STANDING = 3_000
CALM_REQUESTS_A_SECOND = 20
"""For two seconds: fewer than may always wait, however slow the machine."""

FLOOD_REQUESTS_A_SECOND = 20_000
"""More than the load itself can send."""


def test_a_flood_is_told_so_cancels_pass_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    books, master_key = tmp_path / "books", new_master_key()
    accounts = trading.make(books, master_key, ACCOUNTS)
    resting = standing.grow(books, ACCOUNTS, STANDING, levels=100, nearest=10_000)
    crowd = Crowd(accounts, resting, 1, tmp_path / "requests")
    environment = {"SPOTBOOK_MASTER_KEY": master_key}
    with running("bench.servers.ours", [str(books)], signed_body(accounts[0]), environment) as server:
        before = crowd.ask(server, CALM_REQUESTS_A_SECOND, 2)
        flood = crowd.ask(server, FLOOD_REQUESTS_A_SECOND, 0.4, crowded=True)
        after = crowd.ask(server, CALM_REQUESTS_A_SECOND, 2)
        assert server.process.poll() is None

    told = Counter(
        (request.kind, answer.code) for request, answer in zip(flood.requests, flood.load.answers, strict=True)
    )
    assert told["place", BUSY] > 0
    assert told["place", DONE] > 0
    assert told["cancel", DONE] > 0
    assert not told["cancel", BUSY]
    assert not told["read", BUSY]
    assert {answer.code for seen in (before, after) for answer in seen.load.answers} == {DONE}
    check(books, crowd.all)  # every single answer is what the books say, and the audit finds nothing
