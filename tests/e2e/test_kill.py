"""`kill -9` under a load of deposits: every acknowledged one is there after the restart, none twice, the audit clean.

And SIGTERM under the same load: nothing that was carried out goes without its answer.

A kill takes the process and leaves the kernel, so this shows what the program may do in any order; that the answers
wait for the disk itself is shown in `test_sync.py`.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.demo import Demo, Gone, Office, audit
from support.seeds import CAMPAIGNS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3_600)]

KILLS = int(os.environ.get("SPOTBOOK_KILLS", "24"))
STARTS_KILLED = KILLS // 6
CLIENTS = 6
ACCOUNTS = 3
SECONDS_MAX = 60


class Load:
    """What clients know: which deposits were acknowledged, with which answer, and of which they never heard."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.accounts: list[int] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.unanswered: dict[str, tuple[int, str]] = {}
        self.repeats = 0
        self._numbers = count()
        self._lock = threading.Lock()

    def new(self, choice: random.Random) -> tuple[str, int, str]:
        """Return a deposit that nobody has sent before."""
        with self._lock:
            txid = f"tx-{next(self._numbers)}"
        return txid, choice.choice(self.accounts), f"0.0000{choice.randrange(1, 10_000):04}"

    def send(self, office: Office, txid: str, account: int, amount: str) -> None:
        """Send a deposit, again perhaps, and remember what is known of it afterwards. Raises Gone."""
        try:
            reply = office.deposit(account, txid, amount)
        except Gone:
            self.unanswered.setdefault(txid, (account, amount))
            raise
        if reply.status not in {200, 201}:  # "outcome unknown" and "nothing was done" are no acknowledgements
            self.unanswered.setdefault(txid, (account, amount))
            raise Gone(reply.body)
        first = self.acknowledged.setdefault(txid, reply.body)
        assert reply.body == first, "the same deposit was answered in two ways"
        self.unanswered.pop(txid, None)


def client(demo: Demo, load: Load, seed: int, some: threading.Event) -> None:
    """Deposit, and repeat an acknowledged one now and then, until the server is gone."""
    choice = random.Random(seed)
    mine: list[tuple[str, int, str]] = []
    with demo.office() as office:
        try:
            while True:
                again = bool(mine) and choice.random() < 0.1
                deposit = choice.choice(mine) if again else load.new(choice)
                load.send(office, *deposit)
                mine.append(deposit)
                some.set()
        except Gone:
            some.set()


def loaded_and_ended(demo: Demo, load: Load, end: Callable[[], object]) -> None:
    """Let clients deposit, end the server at a random moment, and wait for the clients to notice."""
    some = threading.Event()
    clients = [
        threading.Thread(target=client, args=(demo, load, load.random.randrange(2**32), some)) for _ in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    assert some.wait(SECONDS_MAX)
    threading.Event().wait(load.random.uniform(0, 0.4))
    end()
    for thread in clients:
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


def check(office: Office, load: Load) -> None:
    """Every acknowledged deposit is there as it was answered, none is there twice, none that was never sent."""
    found = {account: office.deposits(account) for account in load.accounts}
    rows = [row for deposits in found.values() for row in deposits]
    assert [txid for txid, times in Counter(row["txid"] for row in rows).items() if times > 1] == []
    by_txid = {row["txid"]: row for row in rows}
    for txid, answer in load.acknowledged.items():
        assert txid in by_txid, f"{txid} was acknowledged and is lost"
        assert {name: by_txid[txid][name] for name in answer} == answer
    assert set(by_txid) <= set(load.acknowledged) | set(load.unanswered)
    for account, deposits in found.items():
        units = sum(int(row["amount"].replace(".", "").ljust(9, "0")) for row in deposits)
        balances = office.call("GET", f"/accounts/{account}/balances").body
        held = balances["balances"].get("BTC", {"available": "0", "frozen": "0"})
        whole, _, fraction = held["available"].partition(".")
        assert int(whole + fraction.ljust(8, "0")) == units
        assert balances["version"] == len(deposits)


def repeat_unanswered(office: Office, load: Load) -> None:
    """Send again what nobody answered: it comes to the same whether the first attempt arrived or not."""
    for txid, (account, amount) in list(load.unanswered.items()):
        load.send(office, txid, account, amount)
        load.repeats += 1


@pytest.fixture
def seed() -> int:
    """The seed of the run, from the environment when a run is to be had again."""
    made = int(os.environ.get("SPOTBOOK_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"\nSPOTBOOK_TEST_SEED={made}")
    return made


def test_no_acknowledged_deposit_is_lost_or_made_twice_over_many_kills(tmp_path: Path, seed: int) -> None:
    folder, load = tmp_path / "books", Load(seed)
    starts_killed = set(load.random.sample(range(1, KILLS), STARTS_KILLED))
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        load.accounts = [office.call("POST", "/accounts", {"name": "user"}).body["id"] for _ in range(ACCOUNTS)]
    for number in range(KILLS):
        if number in starts_killed:  # somewhere in the recovery
            with Demo(folder) as demo:
                threading.Event().wait(load.random.uniform(0, 0.8))
                demo.kill()
        with Demo(folder) as demo, demo.wait_until_ready().office() as office:
            check(office, load)
            repeat_unanswered(office, load)
            loaded_and_ended(demo, load, demo.kill)
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        check(office, load)
        repeat_unanswered(office, load)
        check(office, load)
        assert demo.stop() == 0
    code, said = audit(folder)
    assert (code, said["ok"], said["findings"]) == (0, True, [])
    CAMPAIGNS["deposits"] = (
        f"{KILLS + STARTS_KILLED} kills, {len(load.acknowledged)} deposits acknowledged, {load.repeats} repeated "
        f"after a restart, SPOTBOOK_TEST_SEED={seed}"
    )
    assert load.acknowledged
    assert load.repeats


def test_a_server_that_is_told_to_stop_answers_all_that_it_carries_out(tmp_path: Path, seed: int) -> None:
    """SIGTERM under the same load: what was taken in is carried out and answered, the rest is not begun."""
    folder, load = tmp_path / "books", Load(seed)
    load.accounts = [1001]
    codes = []
    for _ in range(3):
        with Demo(folder) as demo:
            loaded_and_ended(demo.wait_until_ready(), load, lambda: codes.append(demo.stop()))
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        found = {row["txid"] for row in office.deposits(1001)}
    assert codes == [0, 0, 0]
    assert load.acknowledged
    assert {txid for txid in found if txid.startswith("tx-")} == set(load.acknowledged)


def test_books_whose_making_was_killed_are_made_whole_by_the_next_start(tmp_path: Path, seed: int) -> None:
    """Killed from the moment when the folder is there: between any two of the steps that make new books."""
    choice = random.Random(seed)
    for number in range(6):
        folder = tmp_path / f"books-{number}"
        with Demo(folder) as demo:
            while not folder.exists():
                assert demo.process.poll() is None
                threading.Event().wait(0.001)
            threading.Event().wait(choice.uniform(0, 0.15))
            demo.kill()
        with Demo(folder) as demo, demo.wait_until_ready().office() as office:
            balances = office.call("GET", "/accounts/1001/balances").body
        assert {asset: sides["available"] for asset, sides in balances["balances"].items()} == {
            "BTC": "0.0012",
            "CWT": "400",
            "SAND": "108.467",
            "ETH": "0.033",
            "USDT": "257.51830114",
        }
    assert audit(folder)[1]["findings"] == []
