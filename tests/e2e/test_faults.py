"""Faults of the machine under a running server: what its clients are told, and that nothing acknowledged is lost.

`docs/operating/faults.md` says of each what happens; kills, power cuts, connections and tampering have files of their
own.
"""

import os
import resource
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from spotbook.app.audit import audit
from spotbook.store.sqlite_reader import SqliteReader
from support.demo import Demo, Gone, Office
from support.faults import BAD_READS, BAD_WRITES, FULL, READ_ONLY, SOUND, Machine, Orders, readiness
from support.shims import needs_shims
from support.traders import Access, Line

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), needs_shims]

USER = 1001
LOOK_SECONDS = 0.05
ORDER = {"symbol": "BTC_USDT", "amount": "0.5", "type": "0", "rate": "10"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo's books, made once."""
    folder = tmp_path_factory.mktemp("made") / "books"
    with Demo(folder) as demo:
        assert demo.wait_until_ready().stop() == 0
    return folder


@pytest.fixture
def machine(tmp_path: Path, made: Path) -> Machine:
    """A machine with those books."""
    found = Machine(tmp_path)
    shutil.copytree(made, found.books)
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once it is so; the test's own timeout ends it otherwise."""
    while not condition():
        threading.Event().wait(LOOK_SECONDS)


def trader(office: Office) -> Access:
    """Open an account with funds and a key."""
    account = office.call("POST", "/accounts", {"name": "trader"}).body["id"]
    assert office.deposit(account, f"funds-{account}", "1000000", "USDT").status == 201
    key = office.call("POST", f"/accounts/{account}/keys", {"permissions": ["read", "trade"]}).body
    return Access(account, key["api_key"], key["secret_key"])


def deposited(office: Office, name: str, count: int = 20) -> list[str]:
    """Make deposits that must be acknowledged; return what they are called by."""
    names = [f"{name}-{number}" for number in range(count)]
    assert [office.deposit(USER, txid).status for txid in names] == [201] * count
    return names


def check_sound(machine: Machine, acknowledged: list[str]) -> None:
    """The books open; each acknowledged deposit is there, and is what it was when it is sent again; all is right."""
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        assert {row["txid"] for row in office.deposits(USER)} >= set(acknowledged)
        assert {office.deposit(USER, txid).status for txid in acknowledged} == {200}
        deposited(office, "afterwards", 3)
        assert demo.stop() == 0
    with closing(SqliteReader(machine.books, mapped=False)) as reader:
        assert audit(reader).findings == ()


def test_a_full_disk_makes_the_books_read_only_until_there_is_room(machine: Machine) -> None:
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        access = trader(office)
        acknowledged = deposited(office, "before")
        with Line(demo.url, access) as line:
            resting = line.done("doTrade", **ORDER)["orderNumber"]
            machine.order(FULL)
            refused = office.deposit(USER, "while-full")
            assert (refused.status, refused.body["error"]["code"]) == (503, "not_done")
            with pytest.raises(Gone, match="busy"):
                line.call("doTrade", **ORDER)
            assert readiness(demo) == {"ready": False, "why": "read_only"}
            assert line.done("returnCompleteBalances")["USDT"]["onOrders"] == "5"
            assert {row["txid"] for row in office.deposits(USER)} >= set(acknowledged)
            machine.order(SOUND)
            wait_until(lambda: readiness(demo) == {"ready": True})
            assert office.deposit(USER, "while-full").status == 201
            assert line.done("cancelOrder", orderNumber=str(resting)) == {"clientOrderId": resting}
        assert demo.stop() == 0
    check_sound(machine, [*acknowledged, "while-full"])


@pytest.mark.parametrize("orders", [BAD_WRITES, READ_ONLY], ids=["write", "read-only"])
def test_a_disk_that_fails_ends_the_server_and_nothing_acknowledged_is_lost(machine: Machine, orders: Orders) -> None:
    """Whoever waited is told that the outcome is unknown, and nobody that it is done. A sync that fails does the same:
    see test_sync.py. On a disk that can only be read it does not start again."""
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        acknowledged = deposited(office, "before")
        machine.order(orders)
        refused = office.deposit(USER, "while-broken")
        assert (refused.status, refused.body["error"]["code"]) == (500, "outcome_unknown")
        assert demo.end() == 1
    if orders == READ_ONLY:
        with machine.demo() as demo:
            assert demo.end() == 1
    machine.order(SOUND)
    check_sound(machine, acknowledged)


def test_a_disk_that_cannot_be_read_gives_no_wrong_answer(machine: Machine) -> None:
    """What cannot be read is told as busy, or as an internal fault, and is not done; it passes with its cause."""
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        access = trader(office)
        with Line(demo.url, access) as line:
            acknowledged = deposited(office, "before")
            machine.order(BAD_READS)
            with pytest.raises(Gone, match="busy"):
                line.call("returnCompleteBalances")
            assert {office.deposit(USER, f"unreadable-{number}").status for number in range(5)} == {500}
            try:
                code, _ = line.call("doTrade", **ORDER, out_trade_no="unreadable")
            except Gone as gone:
                assert "busy" in str(gone)  # noqa: PT017  (or it is refused: see below)
            else:
                assert code == "10009"  # the background audit was just reading, and has halted the books
            machine.order(SOUND)
            assert line.done("spotbook.order", out_trade_no="unreadable") == {"state": "unknown"}
        acknowledged += deposited(office, "readable-again")
        assert demo.stop() == 0
    check_sound(machine, acknowledged)


DAY_SECONDS = 86_400


def test_a_clock_that_jumps_stops_nothing_and_time_never_runs_back(machine: Machine) -> None:
    """A day forward, and two days back, while it runs; then a start by a clock that is behind the journal."""
    times: list[int] = []
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        access = trader(office)
        acknowledged = deposited(office, "before", 3)
        with Line(demo.url, access) as line:
            for seconds in (0, DAY_SECONDS, -DAY_SECONDS, 0):
                machine.order(Orders(seconds=seconds))
                acknowledged += deposited(office, f"at-{seconds}-{len(times)}", 3)
                number = line.done("doTrade", **ORDER)["orderNumber"]
                assert line.done("cancelOrder", orderNumber=str(number)) == {"clientOrderId": number}
                times.append(office.deposits(USER)[-1]["made_at"])
        assert demo.stop() == 0
    assert times == sorted(times)
    assert times[1] - times[0] >= DAY_SECONDS * 1_000 - 60_000
    assert times[2] == times[3] < times[1] + 60_000  # it stands still until the clock has caught up
    machine.order(Orders(seconds=-DAY_SECONDS))
    check_sound(machine, acknowledged)


def cap(pid: int, spare: int) -> None:
    """Let a running process have so much more address space than it has, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGESIZE") + spare, resource.RLIM_INFINITY))


def test_a_server_whose_memory_is_capped_loses_nothing_that_it_acknowledged(machine: Machine) -> None:
    """It answers for as long as what it has suffices. Then it refuses, or says that an outcome is unknown and ends."""
    with machine.demo() as demo, demo.wait_until_ready().office() as office:
        acknowledged = deposited(office, "before")
        cap(demo.process.pid, 0)
        statuses: Counter[int] = Counter()
        for number in range(700):
            name = f"capped-{number}-{'x' * 100}"
            try:
                status = office.deposit(USER, name).status
            except Gone:
                break
            statuses[status] += 1
            acknowledged += [name] if status == 201 else []
        assert set(statuses) <= {201, 500, 503}
        if demo.process.poll() is None and set(statuses) == {201}:  # it had room enough
            assert demo.stop() == 0
        else:
            demo.process.terminate()
            assert demo.end() == 1
    check_sound(machine, acknowledged)
