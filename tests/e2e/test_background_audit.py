"""A row that somebody changes in the file of a running server under load: the books halt by themselves, and stay so."""

import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from spotbook.store.file import FILE
from support.demo import SPOTBOOK, Demo, Gone, Office, audit
from support.faults import readiness
from support.traders import Access, Line

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ORDER = {"symbol": "BTC_USDT", "amount": "0.5"}
FUNDS = {"BTC": "1000", "USDT": "1000000"}
LOOK_SECONDS = 0.1
REST_SECONDS = 0.05


def opened(office: Office, name: str) -> Access:
    """Open an account with funds and a key."""
    account = office.call("POST", "/accounts", {"name": name}).body["id"]
    for asset, amount in FUNDS.items():
        assert office.deposit(account, f"funds-{name}-{asset}", amount, asset).status == 201
    key = office.call("POST", f"/accounts/{account}/keys", {"permissions": ["read", "trade"]}).body
    return Access(account, key["api_key"], key["secret_key"])


def audited(office: Office) -> dict[str, Any]:
    """Return what /status says of the background audit."""
    shown: dict[str, Any] = office.call("GET", "/status").body["audit"]
    return shown


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once it is so; the test's own timeout ends it otherwise."""
    while not condition():
        threading.Event().wait(LOOK_SECONDS)


class Load:
    """Two accounts that trade with each other, from two threads, for as long as the block runs.

    They rest between orders: what is committed faster than the audit's share lets it read, it is not to keep up with.
    """

    def __init__(self, demo: Demo, accesses: list[Access]) -> None:
        self._demo = demo
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._trade, args=(access,)) for access in accesses]
        self.codes: set[str] = set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _trade(self, access: Access) -> None:
        number = 0
        with Line(self._demo.url, access) as line:
            while not self._ended.is_set():
                number += 1
                try:
                    code, _ = line.call("doTrade", **ORDER, type=str(number % 2), rate=str(100 + number % 3 - 1))
                except Gone:
                    return
                self.codes.add(code)
                self._ended.wait(REST_SECONDS)


def tamper(folder: Path, account: int) -> None:
    """Add one unit to a balance, by a connection that is nobody's."""
    connection = sqlite3.connect(folder / FILE, isolation_level=None, timeout=60)
    changed = connection.execute("UPDATE balance SET available = available + 1 WHERE account = ?", (account,))
    assert changed.rowcount == len(FUNDS)
    connection.close()


def test_a_changed_row_halts_a_busy_server_until_the_tables_are_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        idle, *traders = (opened(office, name) for name in ("idle", "one", "two"))
        with Line(demo.url, idle) as line, Load(demo, traders) as load:
            resting = line.done("doTrade", **ORDER, type="0", rate="10")["orderNumber"]
            wait_until(lambda: audited(office)["rounds"] >= 2)
            assert audited(office)["findings"] == 0
            assert readiness(demo) == {"ready": True}
            tamper(folder, idle.account)
            wait_until(lambda: readiness(demo) == {"ready": False, "why": "halted"})
            wait_until(lambda: "10009" in load.codes)
            assert load.codes == {"200", "10009"}
            assert line.call("doTrade", **ORDER, type="0", rate="10")[0] == "10009"
            assert line.done("cancelOrder", orderNumber=str(resting)) == {"clientOrderId": resting}
            assert set(line.done("returnCompleteBalances")) >= set(FUNDS)
            assert office.deposit(traders[0].account, "while-halted").status == 201
        assert f"balance account {idle.account}" in office.call("GET", "/status").body["standing"]["reason"]
        assert demo.stop() == 0
    tamper(folder, idle.account)  # what the cancel wrote was right again, in one of the two assets
    with Demo(folder) as demo, demo.wait_until_ready().office() as office, Line(demo.url, idle) as line:
        assert readiness(demo) == {"ready": False, "why": "halted"}
        assert line.call("doTrade", **ORDER, type="0", rate="10")[0] == "10009"
        refused = office.call("POST", "/resume", {"reason": "hope"})
        assert (refused.status, refused.body["error"]["code"]) == (409, "audit_findings")
        assert {found["account"] for found in refused.body["error"]["findings"]} == {idle.account}
        wait_until(lambda: audited(office)["findings"] >= 1)
        assert readiness(demo) == {"ready": False, "why": "halted"}
        assert demo.stop() == 0
    assert audit(folder)[0] == 1
    subprocess.run([*SPOTBOOK, "rebuild", "--data", str(folder)], check=True, capture_output=True)
    with Demo(folder) as demo, demo.wait_until_ready().office() as office, Line(demo.url, idle) as line:
        assert readiness(demo) == {"ready": False, "why": "halted"}
        assert office.call("POST", "/resume", {"reason": "the tables were made anew"}).status == 200
        assert readiness(demo) == {"ready": True}
        assert line.call("doTrade", **ORDER, type="0", rate="10")[0] == "200"
        wait_until(lambda: audited(office)["rounds"] >= 1)
        assert audited(office)["findings"] == 0
        assert readiness(demo) == {"ready": True}
        assert demo.stop() == 0
    assert audit(folder)[1]["findings"] == []
