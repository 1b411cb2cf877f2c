"""Bytes of a page flip beneath a server that runs: the background audit's next round finds it, whichever table it is.

That the whole audit and the verifier find it too is shown in `integration/test_tampering.py`.
"""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from integration.test_tampering import cells, pages_with_data, trade
from spotbook.app.audit.report import Finding
from spotbook.app.audit.rounds import ReadLater, Rounds
from spotbook.app.projection import TABLES
from spotbook.store.file import FILE, passing
from spotbook.store.sqlite_reader import SqliteReader
from support.demo import Demo, audit
from support.faults import readiness
from support.verifier import verified

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def flip(path: Path, place: int) -> None:
    """Flip a byte where it lies, as a disk does that decays: nobody is told."""
    with path.open("r+b") as file:
        file.seek(place)
        [byte] = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 0xFF]))


def in_a_row_of(table: str, path: Path) -> int:
    """Return where a byte lies in the midst of a row of a table whose root is a leaf."""
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    begin = (root - 1) * size
    start, end = list(cells(path.read_bytes()[begin : begin + size]))[-1]
    return int(begin + (start + end) // 2)


def rounded(rounds: Rounds, folder: Path) -> tuple[Finding, ...]:
    """Make one round with a reader of its own, as the background audit does; return what it found."""
    with closing(SqliteReader(folder, mapped=False)) as reader:
        for _ in rounds.round(reader):
            pass
    return rounds.drain()


def test_a_flipped_byte_of_any_table_is_found_by_the_next_round(tmp_path: Path) -> None:
    trade(tmp_path / "books")
    places = {name: at for name, at in pages_with_data(tmp_path / "books" / FILE) if name in {*TABLES, "batch", "head"}}
    assert len(places) > 18
    for name, at in places.items():
        folder = Path(shutil.copytree(tmp_path / "books", tmp_path / name))
        rounds = Rounds(passing=passing)
        assert rounded(rounds, folder) == (), name
        flip(folder / FILE, at)
        try:
            found = rounded(rounds, folder)
        except ReadLater:  # what cannot be read is read once again
            found = rounded(rounds, folder)
        assert found, name


def test_a_flipped_byte_of_a_running_servers_file_halts_it(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        while office.call("GET", "/status").body["audit"]["rounds"] < 1:
            threading.Event().wait(0.05)
        flip(folder / FILE, in_a_row_of("balance", folder / FILE))  # new books lie in the file whole
        while readiness(demo) != {"ready": False, "why": "halted"}:
            threading.Event().wait(0.05)
        assert office.call("GET", "/status").body["standing"]["reason"]
        assert demo.stop() == 0
    assert audit(folder)[0] == 1
    assert verified(folder / FILE)[0] == 1
