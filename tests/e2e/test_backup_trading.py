"""A backup taken while several connections trade: nothing acknowledged before it began is missing from it.

Restored elsewhere it has a clean audit, and the state hash of the batch at which it was taken: the one that the
original's journal comes to when it ends there.
"""

import json
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from spotbook.app.pages import every
from spotbook.cli.demo_file import DEMO_FILE
from spotbook.client import Client, InvalidParameter
from spotbook.store.sqlite_reader import SqliteReader
from support.demo import SPOTBOOK, Demo, Gone, Office, audit
from support.traders import Access, Line, Trader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ACCOUNTS, LINES = 2, 2
ACKNOWLEDGED_MIN = 30
"""Orders of each trader before the backup begins."""


def spotbook(*args: str | Path) -> dict[str, Any]:
    """Run a command with ``--json``; return what it prints."""
    done = subprocess.run([*SPOTBOOK, *map(str, args), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def opened(office: Office, number: int) -> Access:
    """Open an account with funds and a key."""
    account = office.call("POST", "/accounts", {"name": f"trader {number}"}).body["id"]
    for asset, amount in (("BTC", "1000"), ("USDT", "1000000")):
        assert office.deposit(account, f"funds-{account}-{asset}", amount, asset).status == 201
    key = office.call("POST", f"/accounts/{account}/keys", {"permissions": ["read", "trade"]}).body
    return Access(account, key["api_key"], key["secret_key"])


@contextmanager
def trading(demo: Demo, traders: list[Trader]) -> Iterator[None]:
    """Let all trade for as long as the block lasts, at whose end the server is killed."""
    broken = list[BaseException]()

    def trade(trader: Trader) -> None:
        try:
            with suppress(Gone), Line(demo.url, trader.access) as line:
                trader.trade(line)
        except BaseException as fault:  # noqa: BLE001  (told by the thread that waits)
            broken.append(fault)

    threads = [threading.Thread(target=trade, args=(trader,)) for trader in traders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        demo.kill()
        for thread in threads:
            thread.join()
    assert broken == []


def acknowledged(traders: list[Trader]) -> dict[tuple[int, str], tuple[int, bool]]:
    """Return, by account and reference, the number of each order answered by now, and whether its cancelling was."""
    return {
        (trader.access.account, reference): (one.number, one.cancelled)
        for trader in traders
        for reference, one in list(trader.sent.items())
        if one.number
    }


def check_acknowledged(folder: Path, wanted: dict[tuple[int, str], tuple[int, bool]]) -> None:
    """Each order is there under its number, and closed if it was cancelled."""
    reader = SqliteReader(folder)
    still_open = {(row[0], row[12]): row[1] for row in every(reader, "open_order")}
    closed = {(row[0], row[12]): (row[1], row[11]) for row in every(reader, "closed_order")}
    reader.close()
    for key, (number, cancelled) in wanted.items():
        if cancelled:
            assert closed.get(key) == (number, "cancelled"), key
        else:
            assert number in {still_open.get(key), closed.get(key, (0,))[0]}, key


def test_a_backup_taken_during_trading_is_whole(tmp_path: Path) -> None:
    folder, backup, restored = tmp_path / "books", tmp_path / "backup", tmp_path / "restored"
    with Demo(folder) as demo:
        with demo.wait_until_ready().office() as office:
            accesses = [opened(office, number) for number in range(ACCOUNTS)]
        traders = [
            Trader(access, f"t{access.account}-{number}", random.Random(number))
            for access in accesses
            for number in range(LINES)
        ]
        with trading(demo, traders):
            while any(len(trader.sent) < ACKNOWLEDGED_MIN for trader in traders):
                assert demo.process.poll() is None
                threading.Event().wait(0.05)
            before = acknowledged(traders)
            taken = spotbook("backup", "--data", folder, backup)
            after = spotbook("state-hash", "--data", folder)
            assert len(acknowledged(traders)) > len(before), "nobody traded while the backup was taken"
    assert after["batch"] > taken["batch"]
    assert len(before) >= ACKNOWLEDGED_MIN

    said = spotbook("restore", backup, restored)
    assert {name: said[name] for name in ("batch", "hash", "state_hash", "entries")} == {
        name: taken[name] for name in ("batch", "hash", "state_hash", "entries")
    }
    code, report = audit(restored)
    assert (code, report["findings"], report["batch"]) == (0, [], taken["batch"])
    check_acknowledged(restored, before)

    journal, imported = tmp_path / "journal.jsonl", tmp_path / "imported"
    export = [*SPOTBOOK, "export", "--data", str(folder), str(journal), "--to", str(taken["batch"])]
    subprocess.run(export, check=True)
    assert spotbook("import", journal, imported)["state_hash"] == taken["state_hash"]
    assert spotbook("state-hash", "--data", restored) == spotbook("state-hash", "--data", imported)
    check_served(folder, restored, traders[0])


def check_served(folder: Path, restored: Path, trader: Trader) -> None:
    """Restored books are served, and whoever asks for a version of the old ones is told that these are others."""
    ids = []
    for data in (folder, restored):
        reader = SqliteReader(data)
        ids.append(reader.books)
        reader.close()
    assert ids[0] != ids[1]
    shutil.copy(folder / DEMO_FILE, restored / DEMO_FILE)
    with (
        Demo(restored) as demo,
        Client(trader.access.api_key, trader.access.secret, demo.wait_until_ready().url) as client,
    ):
        balances = client.complete_balances()
        assert balances.books == ids[1]
        with pytest.raises(InvalidParameter):
            client.complete_balances(min_version=(ids[0], 1))
        assert client.complete_balances(min_version=(ids[1], 1)).version == balances.version
        with Line(demo.url, trader.access) as line:
            assert line.done("doTrade", symbol="BTC_USDT", type="0", rate="90", amount="0.5")["orderNumber"] > 0
        assert demo.stop() == 0
    assert audit(restored)[0] == 0
