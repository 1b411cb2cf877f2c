"""The power goes: whatever the disk kept of what was not synced, everything acknowledged is there, and nothing half.

A server works under a shim that writes down, with every byte, what it does to its files and what it sends. Then the
files are made again as a cut could have left them (`support/power_cut.py`), at many moments from before its first start
to after its last end, while it recovers from a kill too. The books are opened as a start opens them, and held against
what clients had been told.

A run draws anew. What fails is kept, and told with the variables by which it is had again.
"""

import os
import random
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from spotbook.store.file import FILE
from spotbook.store.sqlite_reader import SqliteReader
from support.cut_books import Recovered, Told
from support.demo import Demo, Gone, Office
from support.power_cut import MEANS_NOTHING, Dice, Disk, Kind, Record, everything, put_down, records_of
from support.seeds import CAMPAIGNS, SEED
from support.shims import compiled, needs_shims
from support.traders import Access, Line, Trader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3_600), needs_shims]

SUPPORT = Path(__file__).parents[1] / "support"
CUTS = int(os.environ.get("SPOTBOOK_CUTS", "60"))
CUTS_EACH = 300
"""Cuts of one recording: a long campaign records anew."""

KEPT_LOG = os.environ.get("SPOTBOOK_CUT_LOG")
KEPT_CUT = os.environ.get("SPOTBOOK_CUT")
AUDITED_EACH, VERIFIED_EACH = 4, 40
LIVES = 2
LIFE_SECONDS = 1.2
TRADERS = 3


class Recording(NamedTuple):
    """All that a server did under a folder, in its own name, until it had ended."""

    root: Path
    log: Path
    records: list[Record]


def opened(office: Office, number: int) -> Access:
    """Open an account with funds and a key."""
    account = office.call("POST", "/accounts", {"name": f"trader {number}"}).body["id"]
    for asset in ("BTC", "USDT"):
        assert office.deposit(account, f"funds-{account}-{asset}", "1000000", asset).status == 201
    key = office.call("POST", f"/accounts/{account}/keys", {"permissions": ["read", "trade"]}).body
    return Access(account, key["api_key"], key["secret_key"])


class EndingLine(Line):
    """A line that is gone once an event is set."""

    def __init__(self, url: str, access: Access, ended: threading.Event) -> None:
        super().__init__(url, access)
        self._ended = ended

    def call(self, command: str, **params: str) -> tuple[str, Any]:
        if self._ended.is_set():
            raise Gone
        return super().call(command, **params)


def trade(demo: Demo, access: Access, trader: Trader, ended: threading.Event) -> None:
    """Trade until the server has gone, or this is to end."""
    try:
        with EndingLine(demo.url, access, ended) as line:
            trader.trade(line)
    except Gone:
        return


def deposit(demo: Demo, name: str, ended: threading.Event) -> None:
    """Deposit until the server has gone, or this is to end."""
    with demo.office() as office:
        for number in count():
            try:
                office.deposit(1001, f"{name}-{number}")
            except Gone:
                return
            if ended.is_set():
                return


def live(
    folder: Path, command: tuple[str, ...], shim: dict[str, str], life: int, choice: random.Random, *, last: bool
) -> None:
    """Let a server live once under mixed load.

    The last ends as it is told to, under load. Those before it are killed, so that the next has a log to recover. They
    are idle then: of a write that a kill parts from its record nobody would know.
    """
    ended = threading.Event()
    with Demo(folder, command=command, environment=shim) as demo, demo.wait_until_ready().office() as office:
        accesses = [opened(office, TRADERS * life + number) for number in range(TRADERS)]
        traders = [
            Trader(access, f"life-{life}-{access.account}", random.Random(choice.getrandbits(32)))
            for access in accesses
        ]
        threads = [threading.Thread(target=trade, args=(demo, trader.access, trader, ended)) for trader in traders]
        threads.append(threading.Thread(target=deposit, args=(demo, f"life-{life}", ended)))
        for thread in threads:
            thread.start()
        threading.Event().wait(LIFE_SECONDS)
        if last:
            assert demo.stop() == 0
        ended.set()
        for thread in threads:
            thread.join()
        if not last:
            demo.kill()


def recorded(folder: Path, seed: int, synchronous: str = "FULL", lives: int = LIVES) -> Recording:
    """Let a server live so often in a folder that is empty, from making its books to its end."""
    root, log = folder / "root", folder / "power.log"
    root.mkdir(parents=True)
    command = (sys.executable, str(SUPPORT / "often_copied.py"), synchronous)
    environment = {
        "LD_PRELOAD": str(compiled("powershim", folder)),
        "POWERSHIM_LOG": str(log),
        "POWERSHIM_FOLDER": str(root),
    }
    choice = random.Random(seed)
    for life in range(lives):
        live(root / "new" / "books", command, environment, life, choice, last=life == lives - 1)
    return Recording(root, log, records_of(log.read_bytes()))


def kept(log: Path) -> Recording:
    """Return a recording that a run kept. What it is of is the folder of the first name in it."""
    records = records_of(log.read_bytes())
    return Recording(Path(records[0].path).parent, log, records)


def at_the_end(recording: Recording) -> dict[str, bytes | None]:
    """Return what is there in the end, by the records."""
    disk = Disk(str(recording.root))
    for record in recording.records:
        disk.take(record)
    return disk.left(everything())


def check_whole(recording: Recording) -> None:
    """See that the record is whole: with all that was written, the files are those that are there."""
    left = at_the_end(recording)
    there = {str(path.relative_to(recording.root)): path for path in recording.root.rglob("*")}
    there = {name: path for name, path in there.items() if not name.endswith(MEANS_NOTHING)}
    assert left == {name: None if path.is_dir() else path.read_bytes() for name, path in there.items()}


class Moments(NamedTuple):
    """Where cuts are worth most: before the first reply, between the last of a life and the first of the next, while
    the log is copied back, and just after a reply."""

    first: range
    between: list[int]
    copying: list[int]
    told: list[int]


def moments(recording: Recording) -> Moments:
    """Find them. A moment is how many records went before it."""
    disk = Disk(str(recording.root))
    main = str(recording.root / "new" / "books" / FILE)
    copying, between = list[int](), list[int]()
    told, process = [0], 0
    for number, record in enumerate(recording.records, 1):
        disk.take(record)
        if record.kind is Kind.SEND and record.data.startswith(b"HTTP/1.1 2"):
            if process not in {0, record.file >> 32}:
                between += range(told[-1], number)
            process = record.file >> 32
            told.append(number)
        elif (file := disk.file(main)) is not None and file.pending:
            copying.append(number)
    return Moments(range(told[1]), between, copying, told[1:])


class Cut(NamedTuple):
    """A moment, and the seed of the dice that say what is left."""

    at: int
    seed: int


def drawn(recording: Recording, number: int, choice: random.Random) -> list[Cut]:
    """Draw so many cuts, in the order of their moments."""
    at = moments(recording)
    any_time = range(at.told[0], len(recording.records) + 1)
    kinds = [at.first, at.between or at.first, at.copying, at.copying, at.told, at.told, any_time, any_time]
    return sorted(Cut(choice.choice(choice.choice(kinds)), choice.getrandbits(32)) for _ in range(number))


class Cuts:
    """Cuts of one recording, in the order of their moments."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self._recording = recording
        self._folder = folder
        folder.mkdir()
        put_down(at_the_end(recording), folder / "end")
        with closing(SqliteReader(folder / "end" / "new" / "books")) as reader:
            self.recovered = Recovered(reader.batches(0, reader.head().number), reader.books)
        self.kinds: Counter[str] = Counter()
        self.told = Told()

    def findings(self, cuts: list[Cut]) -> Iterator[tuple[Cut, list[str]]]:
        """Yield each cut, and what is wrong after it."""
        disk, told, done = Disk(str(self._recording.root)), self.told, 0
        for number, cut in enumerate(cuts):
            for record in self._recording.records[done : cut.at]:
                disk.take(record)
                if record.kind is Kind.SEND:
                    told.take(record)
            done = cut.at
            dice = Dice(random.Random(cut.seed))
            self.kinds[dice.kind] += 1
            yield cut, self._after(disk, dice, told, number)

    def _after(self, disk: Disk, dice: Dice, told: Told, number: int) -> list[str]:
        root = self._folder / "cut"
        put_down(disk.left(dice), root)
        try:
            audited, verify = number % AUDITED_EACH == 0, number % VERIFIED_EACH == 0
            return self.recovered.check(root / "new" / "books", told, audited=audited, verify=verify)
        except Exception as fault:  # noqa: BLE001  (a start that fails is a finding, and is to be had again)
            return [f"the books cannot be opened: {type(fault).__name__}: {fault}"]
        finally:
            shutil.rmtree(root)


def keep(recording: Recording, cut: Cut, found: list[str]) -> str:
    """Keep a recording in which a cut fails; return how to have it again."""
    descriptor, name = tempfile.mkstemp(prefix="spotbook-power-cut-", suffix=".log")
    os.close(descriptor)
    shutil.copyfile(recording.log, name)
    again = f"SPOTBOOK_CUT_LOG={name} SPOTBOOK_CUT={cut.at}:{cut.seed}"
    return f"{found[:5]}\nthe same again: {again}"


def cut_all(recording: Recording, cuts: list[Cut], folder: Path) -> Cuts:
    """Make these cuts. Fails with the first that finds something."""
    made = Cuts(recording, folder)
    for cut, found in made.findings(cuts):
        assert not found, keep(recording, cut, found)
    return made


def test_nothing_acknowledged_is_lost_whenever_the_power_goes(tmp_path: Path) -> None:
    if KEPT_LOG and KEPT_CUT:
        at, seed = map(int, KEPT_CUT.split(":"))
        cut_all(kept(Path(KEPT_LOG)), [Cut(at, seed)], tmp_path / "cuts")
        return
    choice, made, told_of, batches = random.Random(SEED), Counter[str](), Counter[str](), 0
    for number in range(0, CUTS, CUTS_EACH):
        recording = recorded(tmp_path / str(number), choice.getrandbits(32))
        check_whole(recording)
        cuts = cut_all(recording, drawn(recording, min(CUTS_EACH, CUTS - number), choice), tmp_path / f"cuts-{number}")
        made += cuts.recovered.made + cuts.kinds
        told = cuts.told
        assert min(len(told.deposits), len(told.orders), len(told.cancels), told.batch) > 0, told
        told_of += Counter(replies=told.replies, deposits=len(told.deposits), orders=len(told.orders))
        batches += cuts.recovered.batches
        shutil.rmtree(tmp_path / str(number))
    CAMPAIGNS["power"] = f"{CUTS} cuts over {batches} batches, {dict(told_of)}, {dict(made)}, SPOTBOOK_SEED={SEED}"
    assert made["recovered"] == CUTS


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_server_that_does_not_wait_for_the_disk_loses_what_it_acknowledged(tmp_path: Path, synchronous: str) -> None:
    """The same cuts find it: otherwise they would show nothing."""
    recording = recorded(tmp_path / "weak", SEED, synchronous, lives=1)
    cuts = [cut for cut in drawn(recording, 40, random.Random(SEED)) if cut.at > moments(recording).told[0]]
    lost = [found for _, found in Cuts(recording, tmp_path / "cuts").findings(cuts[:16]) if found]
    assert len(lost) > 4, lost
