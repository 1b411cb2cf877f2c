"""A real server on a hostile network: connections, open files and memory have bounds, and it serves on afterwards."""

import asyncio
import json
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from e2e.conftest import as_demo, start
from spotbook.client import Client
from spotbook.limits import CONNECTIONS_MIN, CONNECTIONS_PER_ADDRESS_MAX, DESCRIPTORS_RESERVED
from spotbook.server.door import room_for
from support.attackers import ATTACKS, TICKER, attack, descriptors, let_open, processor_seconds, resident_bytes
from support.cli import Demo, Run, StartDemo, refused

pytestmark = pytest.mark.e2e

WAIT_SECONDS = 30
GROWTH_BYTES_MAX = 200_000_000
"""What all attacks together may add to the memory in use. A bound that leaks would show in gigabytes."""

DEMO = ("demo", "--json", "--port", "0", "--admin-port", "0", "--unlimited")


def allowed(files: int) -> tuple[str, ...]:
    """Return the words that let the program behind them open so many files."""
    return ("sh", "-c", f'ulimit -n {files}; exec "$0" "$@"')


@contextmanager
def demo_with(files: int, folder: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        yield as_demo(*start(stack, DEMO, folder / "stderr", {}, allowed(files)), folder / "stderr")


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def connected(url: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port_of(url)), WAIT_SECONDS)
    line.settimeout(WAIT_SECONDS)
    return line


def asked(line: socket.socket, raw: bytes = TICKER) -> int:
    """Ask on an open connection; return the status, 0 when it was closed without a word."""
    with suppress(BrokenPipeError, ConnectionResetError):  # closed already: what it was told is there to be read
        line.sendall(raw)
    got = b""
    with suppress(ConnectionResetError):
        while b"\r\n\r\n" not in got and (piece := line.recv(65_536)):
            got += piece
    if not got:
        return 0
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(dict(row.split(b": ") for row in head.split(b"\r\n")[1:])[b"content-length"])
    while len(body) < length:
        body += line.recv(65_536)
    assert json.loads(body)
    return int(head[9:12])


def serves(demo: Demo) -> None:
    """Check that it answers, perhaps once it has seen that others have gone."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with connected(demo.url) as line:
            if asked(line) == 200:
                break
        time.sleep(0.1)
    with Client(demo.api_key, demo.secret_key, demo.url) as client:
        assert client.complete_balances()


def test_one_address_may_hold_so_many_connections_and_no_more(start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")
    with ExitStack() as held:
        lines = [held.enter_context(connected(demo.url)) for _ in range(CONNECTIONS_PER_ADDRESS_MAX)]
        assert {asked(line) for line in lines} == {200}
        with connected(demo.url) as line:
            assert asked(line) == 503
        assert {asked(line) for line in lines} == {200}
        with connected(demo.admin_url) as line:  # the Admin API counts its own
            assert asked(line, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200
    serves(demo)


def test_with_few_files_there_are_few_connections(tmp_path: Path) -> None:
    room = room_for(100)
    with demo_with(100, tmp_path) as demo:
        with ExitStack() as held:
            lines = [held.enter_context(connected(demo.url)) for _ in range(100)]
            statuses = [asked(line) for line in lines]
            assert statuses == [200] * room.wire + [503] * (100 - room.wire)
            with connected(demo.admin_url) as line:
                assert asked(line, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200
        serves(demo)
        assert demo.stop() == 0


def spins(pid: int) -> bool:
    """Whether a process that has nothing to do uses the processor all the same."""
    used = processor_seconds(pid)
    time.sleep(1)
    return processor_seconds(pid) - used >= 0.5


def test_when_no_file_can_be_opened_it_neither_spins_nor_ends(start_demo: StartDemo) -> None:
    """Something else may use up the files that connections were counted on."""
    demo = start_demo("--unlimited")
    pid = demo.process.pid
    with ExitStack() as held:
        known = held.enter_context(connected(demo.url))
        assert asked(known) == 200
        let_open(pid, descriptors(pid) + 5)
        lines = [held.enter_context(connected(demo.url)) for _ in range(40)]
        assert not spins(pid)
        # How many get in depends on what the audit, which opens the file for each round, had open at that moment.
        assert {asked(line) for line in lines} == {200, 0}
        assert asked(known) == 200  # who is in, is served
    serves(demo)
    assert demo.stop() == 0


def test_while_not_even_a_spare_file_is_left_newcomers_wait_and_it_does_not_spin(start_demo: StartDemo) -> None:
    """As when a thread opens one in the very moment in which the spare file is given up."""
    demo = start_demo("--unlimited")
    pid = demo.process.pid
    with ExitStack() as held:
        known = held.enter_context(connected(demo.url))
        assert asked(known) == 200
        could, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        let_open(pid, 3)  # fewer than it has open, so that nothing it gives up makes room
        lines = [held.enter_context(connected(demo.url)) for _ in range(5)]
        assert not spins(pid)
        assert asked(known) == 200
        let_open(pid, could)
        assert {asked(line) for line in lines} == {200}
    serves(demo)
    assert demo.stop() == 0


def test_with_hardly_any_file_it_does_not_start(spotbook: Run, tmp_path: Path) -> None:
    needed = DESCRIPTORS_RESERVED + CONNECTIONS_MIN
    with ExitStack() as stack, pytest.raises(pytest.fail.Exception) as ended:
        start(stack, (*DEMO, "--data", tmp_path / "books"), tmp_path / "stderr", {}, allowed(needed - 1))
    assert "ended with 1" in str(ended.value)
    told = (tmp_path / "stderr").read_text()
    assert f"may open {needed - 1} files" in told
    assert told.count("\n") == 1


def test_memory_stays_bounded_and_it_serves_afterwards(start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")
    pid = demo.process.pid
    serves(demo)
    before, files = resident_bytes(pid), descriptors(pid)
    grown = {}
    for name, on in ATTACKS.items():
        asyncio.run(attack(port_of(demo.url), on, 0.5))
        grown[name] = resident_bytes(pid, peak=True) - before
        serves(demo)
    print({name: f"{size / 1e6:.0f} MB" for name, size in grown.items()})
    assert max(grown.values()) < GROWTH_BYTES_MAX, grown
    assert descriptors(pid) <= files + 5
    assert "Traceback" not in demo.stderr.read_text()
    assert len(demo.stderr.read_bytes()) < 10_000  # nobody fills the disk with log lines by sending nonsense
    assert demo.stop() == 0


def test_a_second_demo_on_the_same_books_is_refused(start_demo: StartDemo, spotbook: Run, tmp_path: Path) -> None:
    demo = start_demo("--data", tmp_path / "books")
    again = spotbook("demo", "--data", tmp_path / "books", "--port", "0", "--admin-port", "0")
    refused(again, "another process writes to the books in")
    serves(demo)


WITHOUT_ROOTS_WAY = """
import ctypes, os, sys
for capability in (1, 2):  # root may write what it may not, and read it, by these two
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("what", ["the folder", "the file"])
def test_books_that_can_only_be_read_are_not_served(tmp_path: Path, spotbook: Run, what: str) -> None:
    folder = tmp_path / "books"
    made = json.loads(spotbook("init", "--data", folder, "--json").stdout)
    path, mode = (folder, 0o555) if what == "the folder" else (folder / "books.sqlite3", 0o444)
    path.chmod(mode)
    key = {"SPOTBOOK_MASTER_KEY": made["master_key"]}
    args = ("serve", "--json", "--data", folder, "--port", "0", "--admin-port", "0")
    with ExitStack() as stack, pytest.raises(pytest.fail.Exception) as ended:
        start(stack, args, tmp_path / "stderr", key, (sys.executable, "-c", WITHOUT_ROOTS_WAY))
    folder.chmod(0o755)
    assert "ended with 1" in str(ended.value)
    told = (tmp_path / "stderr").read_text()
    assert told == f"spotbook: the books in {folder} cannot be written: {path} can only be read by this user\n"
