"""`kill -9` in the middle of trading: every acknowledged order, fill and cancel is there after the restart.

An order whose answer was lost is found by `spotbook.order`, or closed for good by its fence. Nothing is there twice,
what is frozen is what open orders hold, and the audit is clean.
"""

import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spotbook.app.pages import every
from spotbook.store.file import FILE
from spotbook.store.sqlite_reader import SqliteReader
from support.demo import Demo, Gone, Office, audit
from support.seeds import CAMPAIGNS
from support.traders import Access, Line, Trader
from support.verifier import verified

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3_600)]

KILLS = int(os.environ.get("SPOTBOOK_KILLS", "22"))
AUDITED_AFTER = (5, 13)
ACCOUNTS = 3
LINES = 2
"""Connections of each account."""

SECONDS_MAX = 60
DEPOSITED = {"BTC": "1000", "USDT": "1000000"}
SCALE = 8


@pytest.fixture
def seed() -> int:
    """The seed of the run, from the environment when a run is to be had again."""
    made = int(os.environ.get("SPOTBOOK_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"\nSPOTBOOK_TEST_SEED={made}")
    return made


def opened(office: Office, number: int) -> Access:
    """Open an account with funds and a key."""
    account = office.call("POST", "/accounts", {"name": f"trader {number}"}).body["id"]
    for asset, amount in DEPOSITED.items():
        assert office.deposit(account, f"funds-{account}-{asset}", amount, asset).status == 201
    key = office.call("POST", f"/accounts/{account}/keys", {"permissions": ["read", "trade"]}).body
    return Access(account, key["api_key"], key["secret_key"])


def traded_and_killed(demo: Demo, traders: list[Trader], choice: random.Random) -> None:
    """Let all trade, kill the server at a random moment, and wait for all to notice."""
    some, broken = threading.Event(), list[BaseException]()

    def trade(trader: Trader) -> None:
        try:
            with Line(demo.url, trader.access) as line:
                some.set()
                trader.trade(line)
        except Gone:
            pass
        except BaseException as fault:  # noqa: BLE001  (told by the thread that waits)
            broken.append(fault)

    threads = [threading.Thread(target=trade, args=(trader,)) for trader in traders]
    for thread in threads:
        thread.start()
    assert some.wait(SECONDS_MAX)
    threading.Event().wait(choice.uniform(0.05, 0.6))
    demo.kill()
    for thread in threads:
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()
    if broken:
        raise broken[0]


def units(text: str) -> int:
    """Return an amount in smallest units."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(SCALE, "0"))


def check_funds(demo: Demo, office: Office, accesses: list[Access]) -> None:
    """What is frozen is what open orders hold; what was deposited is there, with the accounts or as fees."""
    there: Counter[str] = Counter()
    for access in accesses:
        with Line(demo.url, access) as line:
            holds = line.done("spotbook.holds")["holds"]
            balances = line.done("returnCompleteBalances")
            numbers = {order["orderNumber"] for order in line.done("returnOpenOrders", currencyPair="BTC_USDT")}
        held: Counter[str] = Counter()
        for hold in holds:
            held[hold["asset"]] += units(hold["amount"])
        assert {
            asset: units(sides["onOrders"]) for asset, sides in balances.items() if sides["onOrders"] != "0"
        } == held
        assert {hold["id"] for hold in holds} == numbers
        assert len(holds) == len(numbers)
        for asset, sides in balances.items():
            there[asset] += units(sides["available"]) + units(sides["onOrders"])
    for asset, sides in office.call("GET", "/accounts/2/balances").body["balances"].items():
        there[asset] += units(sides["available"])
    assert there == {asset: ACCOUNTS * units(amount) for asset, amount in DEPOSITED.items()}


def check_rows(folder: Path, traders: list[Trader]) -> None:
    """No order is there that was not sent, none twice, and each that was acknowledged under its number."""
    reader = SqliteReader(folder)
    rows = [*every(reader, "open_order"), *every(reader, "closed_order")]
    bound = {(row[0], row[1]): row[2] for row in every(reader, "out_trade_no")}
    reader.close()
    found: dict[Any, Any] = {(row[0], row[12]): row[1] for row in rows}
    assert len(found) == len(rows) == len({row[1] for row in rows})
    sent = {(trader.access.account, name): one for trader in traders for name, one in trader.sent.items()}
    assert found == {key: one.number for key, one in sent.items() if one.number}
    assert bound == {key: one.number for key, one in sent.items() if one.number or one.fenced}


def test_nothing_acknowledged_is_lost_or_done_twice_over_many_kills(tmp_path: Path, seed: int) -> None:
    folder, choice = tmp_path / "books", random.Random(seed)
    with Demo(folder) as demo, demo.wait_until_ready().office() as office:
        accesses = [opened(office, number) for number in range(ACCOUNTS)]
    traders = [
        Trader(access, f"t{access.account}-{number}", random.Random(choice.randrange(2**32)))
        for access in accesses
        for number in range(LINES)
    ]
    for number in range(KILLS + 1):
        last = number == KILLS
        if number in AUDITED_AFTER:  # what the kill left, before anybody has opened it
            assert audit(folder)[1]["findings"] == []
        with Demo(folder) as demo, demo.wait_until_ready().office() as office:
            for trader in traders:
                with Line(demo.url, trader.access) as line:
                    trader.check(line)
                    trader.settle(line)
                    trader.check(line, everything=last)
                    for reference, one in trader.sent.items() if last else ():
                        if one.fenced:
                            trader.check_fenced(line, reference, one)
            check_rows(folder, traders)
            check_funds(demo, office, accesses)
            if not last:
                traded_and_killed(demo, traders, choice)
            else:
                assert demo.stop() == 0
    code, said = audit(folder)
    assert (code, said["ok"], said["findings"]) == (0, True, [])
    assert verified(folder / FILE) == (0, said)
    told(traders, said["entries"], seed)


def told(traders: list[Trader], entries: int, seed: int) -> None:
    """Say what the run came to, and see that it came to something of everything."""
    sent = [one for trader in traders for one in trader.sent.values()]
    figures = {
        "acknowledged": sum(one.number > 0 for one in sent),
        "executed": sum(one.last is not None and one.last.executed > 0 for one in sent),
        "cancelled": sum(one.cancelled for one in sent),
        "lost and found": sum(trader.lost_found for trader in traders),
        "lost and unknown": sum(trader.lost_unknown for trader in traders),
        "fenced": sum(one.fenced for one in sent),
    }
    CAMPAIGNS["trading"] = f"{KILLS} kills, {entries} entries, {figures}, SPOTBOOK_TEST_SEED={seed}"
    assert min(figures.values()) > 0, figures
