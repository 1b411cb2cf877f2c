"""No byte of a reply leaves before the disk has confirmed what it says.

A kill does not show this, since the kernel keeps what a process wrote. So the server runs under a shim
(`support/syncshim.c`) that stands between it and the C library and writes down, in one sequence over all threads, what
is written to the write-ahead log, when a sync of it begins and ends, and what leaves by a socket.
"""

import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from support.demo import SPOTBOOK, Demo, Gone, audit
from support.shims import compiled, needs_shims

SUPPORT = Path(__file__).parents[1] / "support"
MARK = "marked-"
BEFORE = f"{MARK}99999999"
CLIENTS = 4
DEPOSITS = 20

pytestmark = [pytest.mark.e2e, needs_shims]


class Shim:
    """The shim, compiled, and what it wrote down."""

    def __init__(self, folder: Path) -> None:
        library = compiled("syncshim", folder)
        self.log = folder / "syncshim.log"
        self.fail = folder / "fail-the-next-sync"
        self.environment = {
            "LD_PRELOAD": str(library),
            "SYNCSHIM_LOG": str(self.log),
            "SYNCSHIM_MARK": MARK,
            "SYNCSHIM_FAIL": str(self.fail),
        }

    def lines(self) -> list[list[str]]:
        return [line.split(" ") for line in self.log.read_text().splitlines()]


class Replied(NamedTuple):
    """A reply that names a deposit: when its first byte left, and its HTTP status."""

    at: int
    status: int
    txid: str


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    return Shim(tmp_path)


def replies(lines: list[list[str]]) -> list[Replied]:
    """Return every reply that names a deposit. It begins where its connection last began one."""
    begun: dict[str, tuple[int, int]] = {}
    found = []
    for at, line in enumerate(lines):
        if line[0] == "send":
            if line[2] != "0":
                begun[line[1]] = (at, int(line[2]))
            found += [Replied(*begun[line[1]], txid) for txid in line[3:]]
    return found


def written(lines: list[list[str]]) -> dict[str, int]:
    """Return for each deposit where the transaction ended that first wrote it to the log."""
    found: dict[str, int] = {}
    open_since: set[str] = set()
    last = False
    for at, line in enumerate(lines):
        if line[0] == "frame":
            last = line[1] == "1"
        elif line[0] == "page":
            open_since.update(line[1:])
            if last:
                for txid in open_since:
                    found.setdefault(txid, at)
                open_since.clear()
                last = False
    return found


def synced(lines: list[list[str]]) -> list[tuple[int, int]]:
    """Return beginning and end of each sync that succeeded. One thread writes, so one sync runs at a time."""
    found = []
    begun = 0
    for at, line in enumerate(lines):
        if line == ["sync", "begun"]:
            begun = at
        elif line[0] == "sync" and line[1] == "0":
            found.append((begun, at))
    return found


def unproved(lines: list[list[str]]) -> list[str]:
    """Return the deposits whose reply began to leave before a sync had succeeded that began after they were written."""
    ends, syncs = written(lines), synced(lines)
    return [
        reply.txid
        for reply in replies(lines)
        if reply.txid not in ends or not any(ends[reply.txid] < begun and end < reply.at for begun, end in syncs)
    ]


def deposit_from(demo: Demo, client: int, answered: dict[str, int]) -> None:
    """Make deposits over one connection; remember the status of each that was answered."""
    with demo.office() as office:
        for number in range(DEPOSITS):
            txid = f"{MARK}{client:04}{number:04}"
            try:
                answered[txid] = office.deposit(1001, txid).status
            except Gone:
                return


def load(demo: Demo) -> dict[str, int]:
    """Make deposits from several clients at once; return the statuses by txid."""
    answered: dict[str, int] = {}
    clients = [threading.Thread(target=deposit_from, args=(demo, client, answered)) for client in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return answered


def served(folder: Path, shim: Shim, *, synchronous: str | None = None) -> list[str]:
    """Serve deposits under the shim; return those whose reply did not wait for the disk."""
    command = SPOTBOOK if synchronous is None else (sys.executable, str(SUPPORT / "weak_sync.py"), synchronous)
    with Demo(folder, command=command, environment=shim.environment) as demo:
        demo.wait_until_ready()
        answered = load(demo)
        assert demo.stop() == 0
    assert list(answered.values()) == [201] * (CLIENTS * DEPOSITS)
    seen = replies(shim.lines())
    assert {reply.txid for reply in seen} == set(answered), "the shim did not see every reply"
    assert set(written(shim.lines())) == set(answered), "the shim did not see every deposit being written"
    return unproved(shim.lines())


def test_every_reply_waits_until_the_disk_has_confirmed_what_it_says(tmp_path: Path, shim: Shim) -> None:
    assert served(tmp_path / "books", shim) == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_server_that_does_not_wait_is_found_out(tmp_path: Path, shim: Shim, synchronous: str) -> None:
    """The same check fails: otherwise it would show nothing."""
    assert len(served(tmp_path / "books", shim, synchronous=synchronous)) > CLIENTS * DEPOSITS // 2


def test_after_a_sync_that_failed_no_success_leaves_and_the_process_ends(tmp_path: Path, shim: Shim) -> None:
    """One sync fails, and the next would succeed: the kernel may have dropped what it could not write."""
    folder = tmp_path / "books"
    with Demo(folder, environment=shim.environment) as demo, demo.wait_until_ready().office() as office:
        assert office.deposit(1001, BEFORE).status == 201
        shim.fail.touch()
        answered = load(demo)
        assert demo.end() == 1
    assert not shim.fail.exists(), "no sync was asked to fail"
    lines = shim.lines()
    failed = lines.index(["sync", "-1", "5"])
    assert [reply for reply in replies(lines) if reply.at > failed and reply.status < 300] == []
    assert set(answered.values()) <= {500, 503}
    assert 500 in answered.values()
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        assert office.deposit(1001, BEFORE).status == 200
        assert demo.stop() == 0
    assert audit(folder)[1]["findings"] == []
