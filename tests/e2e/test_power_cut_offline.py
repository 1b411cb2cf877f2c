"""The power goes while a command works on books: what it had said is true, what it had not is done by the same again.

Each command runs under the shim of `test_power_cut.py`, which writes down all that it does to the files under a folder
and when its answer leaves. Then the files are made again as a cut could have left them, at each moment at which a name
changed or something was synced, and at others.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from e2e.conftest import SPOTBOOK
from spotbook.app.ports import OpenRefused, StoreError
from spotbook.bootstrap import Offline
from spotbook.store import copies, file
from spotbook.store.file import FILE
from spotbook.store.upgrade import upgrade
from support.old_books import dump, make_old
from support.power_cut import MEANS_NOTHING, Dice, Disk, Kind, Record, everything, put_down, records_of
from support.seeds import CAMPAIGNS, SEED
from support.shims import compiled, needs_shims

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3_600), needs_shims]

CUTS = int(os.environ.get("SPOTBOOK_OFFLINE_CUTS", "12"))
"""Cuts of each command."""
WAIT_SECONDS = 60
FORGETFUL = """
import os
from spotbook import cli
from spotbook.store import file
os.fsync = lambda file: None
file.WRITER_PRAGMAS = (*file.WRITER_PRAGMAS, "PRAGMA synchronous = OFF")
cli.main()
"""
"""The program, if it did not wait for the disk."""
NOTHING: Mapping[str, str] = {}
BOOKS, BACKUP, JOURNAL, NEW, KEY = "books", "backup", "journal", "new", "key"


def made(
    root: Path,
    command: str,
    *arguments: str,
    program: Sequence[str] = SPOTBOOK,
    environment: Mapping[str, str] = NOTHING,
) -> None:
    """Run a command, whose arguments name what is in a folder. It answers by a socket: the shim sees that leave."""
    words = [word if word.startswith("--") else str(root / word) for word in arguments]
    ours, its = socket.socketpair()
    with ours:
        with its:
            process = subprocess.Popen(
                [*program, command, *words],
                stdout=its.fileno(),
                stderr=subprocess.PIPE,
                env={**os.environ, **environment},
            )
        ours.settimeout(WAIT_SECONDS)
        while ours.recv(65_536):
            pass
    _, complaint = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, complaint


class Held(NamedTuple):
    """What the books hold that a command begins with."""

    batch: int
    state_hash: bytes


def held(folder: Path) -> Held:
    """Check the books of a folder from their pages up; return what they hold."""
    copy = copies.check(folder, folder)
    return Held(copy.head.number, copy.state_hash)


def held_by(target: Path, folder: Path) -> Held:
    """Check a file of books that is not where books lie; `folder` is for a copy of it."""
    folder.mkdir()
    shutil.copyfile(target, folder / FILE)
    found = held(folder)
    shutil.rmtree(folder)
    return found


def check_backup(root: Path, wanted: Held, *, told: bool) -> None:
    assert held(root / BOOKS) == wanted
    if told or (root / BACKUP).exists():
        assert held_by(root / BACKUP, root / "check") == wanted
    else:
        made(root, "backup", "--data", BOOKS, BACKUP)
        assert held_by(root / BACKUP, root / "check") == wanted
        assert sorted(path.name for path in root.iterdir()) == [BACKUP, BOOKS]


def check_restored(root: Path, wanted: Held, *, told: bool) -> None:
    assert held_by(root / BACKUP, root / "check") == wanted
    if not told and not (root / NEW / BOOKS / FILE).exists():
        made(root, "restore", BACKUP, f"{NEW}/{BOOKS}")
        assert {path.name for path in (root / NEW / BOOKS).iterdir()} == {FILE}
    assert held(root / NEW / BOOKS) == wanted


def check_imported(root: Path, wanted: Held, *, told: bool) -> None:
    if not told and not (root / NEW / BOOKS / FILE).exists():
        made(root, "import", JOURNAL, f"{NEW}/{BOOKS}", "--master-key-file", KEY)
        assert {path.name for path in (root / NEW / BOOKS).iterdir()} == {FILE}
    assert held(root / NEW / BOOKS) == wanted
    with Offline(root / NEW / BOOKS, (root / KEY).read_text().strip()) as offline:
        assert offline.reader.head().number == wanted.batch


def check_migrated(root: Path, wanted: Held, *, told: bool) -> None:
    if told:
        assert not lacks(root / BOOKS)
        assert copied(root)
    for copy in copied(root):
        assert dump(copy) == dump(root / "old" / FILE)
    upgrade(root / BOOKS)
    assert held(root / BOOKS) == wanted
    assert copied(root)
    there = {path.name for path in (root / BOOKS).iterdir()} - {FILE, file.LOCK}
    assert there == {path.name for path in copied(root)}  # and nothing that is half a copy


def copied(root: Path) -> list[Path]:
    return sorted((root / BOOKS).glob(f"{FILE}.schema-*"))


def lacks(folder: Path) -> bool:
    """Whether the books of a folder lack a step of the schema."""
    opened = file.connect(folder, file.READER_PRAGMAS)
    opened.connection.close()
    return bool(opened.missing)


class Command(NamedTuple):
    """A command, what it works on, and what must hold whenever the power goes."""

    arguments: tuple[str, ...]
    given: tuple[str, ...]
    check: Callable[..., None]


COMMANDS = {
    "backup": Command(("backup", "--data", BOOKS, BACKUP), (BOOKS,), check_backup),
    "restore": Command(("restore", BACKUP, f"{NEW}/{BOOKS}"), (BACKUP,), check_restored),
    "import": Command(("import", JOURNAL, f"{NEW}/{BOOKS}", "--master-key-file", KEY), (JOURNAL,), check_imported),
    "migrate": Command(("migrate", "--data", BOOKS), (BOOKS, "old"), check_migrated),
}


def begin(root: Path, name: str) -> Held:
    """Make what a command works on; return what its books hold, in the end."""
    make_old(root / BOOKS, 3)
    shutil.copytree(root / BOOKS, root / "old")
    upgrade(root / BOOKS)
    wanted = held(root / BOOKS)
    made(root, "backup", "--data", BOOKS, BACKUP)
    made(root, "export", "--data", BOOKS, JOURNAL)
    if name == "migrate":
        shutil.rmtree(root / BOOKS)
        shutil.copytree(root / "old", root / BOOKS)
    for there in root.iterdir():
        if there.name not in COMMANDS[name].given:
            shutil.rmtree(there) if there.is_dir() else there.unlink()
    return wanted


def drawn(records: list[Record], choice: random.Random) -> list[int]:
    """Draw the moments of cuts, in their order: how many records went before each."""
    turns = [number for number, record in enumerate(records, 1) if record.kind not in {Kind.WRITE, Kind.CUT}]
    any_time = range(len(records) + 1)
    return sorted(choice.choice(choice.choice([turns, turns, any_time])) for _ in range(CUTS))


def contents(root: Path) -> dict[str, bytes | None]:
    """Return what is in a folder, but for what means nothing after a cut."""
    there = [path for path in root.rglob("*") if not path.name.endswith(MEANS_NOTHING)]
    return {str(path.relative_to(root)): None if path.is_dir() else path.read_bytes() for path in there}


class Recording(NamedTuple):
    """What a command works on, all that it did, and what the books hold in the end."""

    command: Command
    root: Path
    before: Disk
    records: list[Record]
    wanted: Held


def recorded(name: str, folder: Path, program: Sequence[str] = SPOTBOOK) -> Recording:
    """Run a command under the shim."""
    command, root, log = COMMANDS[name], folder / "root", folder / "power.log"
    root.mkdir()
    wanted = begin(root, name)
    before = Disk(str(root))
    for path in root.iterdir():
        before.begin_with(path)
    shim = {
        "LD_PRELOAD": str(compiled("powershim", folder)),
        "POWERSHIM_LOG": str(log),
        "POWERSHIM_FOLDER": str(root),
    }
    made(root, *command.arguments, program=program, environment=shim)
    return Recording(command, root, before, records_of(log.read_bytes()), wanted)


def cut_off(recording: Recording, moments: list[int], choice: random.Random) -> Iterator[tuple[int, Dice]]:
    """Cut at these moments, which are in order, and check what is left; yield each that is well. Raises what is not."""
    command, root, disk, records, wanted = recording
    done, told = 0, False
    for at in moments:
        for record in records[done:at]:
            disk.take(record)
            told = told or record.kind is Kind.SEND
        done = at
        dice, cut = Dice(choice), root.parent / "cut"
        put_down(disk.left(dice), cut)
        try:
            command.check(cut, wanted, told=told)
        except BaseException as wrong:
            wrong.add_note(f"cut at {at} of {len(records)}, {dice.kind}, SPOTBOOK_SEED={SEED}")
            raise
        finally:
            shutil.rmtree(cut)
        yield at, dice


@pytest.mark.parametrize("name", COMMANDS)
def test_what_it_said_is_true_and_what_it_did_not_say_is_done_by_the_same_again(name: str, tmp_path: Path) -> None:
    choice = random.Random(f"{SEED} {name}")
    recording = recorded(name, tmp_path)
    records = recording.records
    made_cuts = Counter(dice.kind for _, dice in cut_off(recording, [*drawn(records, choice), len(records)], choice))
    assert records[-1].kind is Kind.SEND  # the last cut comes after the answer
    assert recording.before.left(everything()) == contents(recording.root)  # the record is whole
    CAMPAIGNS[f"power: {name}"] = f"{made_cuts.total()} cuts over {len(records)} records, SPOTBOOK_SEED={SEED}"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_does_not_wait_for_the_disk_says_what_is_not_true(name: str, tmp_path: Path) -> None:
    """The same check finds it: otherwise it would show nothing."""
    recording = recorded(name, tmp_path, (sys.executable, "-c", FORGETFUL))
    dice = random.Random(SEED)
    with pytest.raises((AssertionError, OpenRefused, StoreError, OSError)):
        list(cut_off(recording, [len(recording.records)] * 20, dice))
