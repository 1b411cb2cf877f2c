"""The rows of every batch, followed one by one: the invariants on what it touched, cheaply and at once."""

from collections.abc import Sequence
from typing import Any

from simulator.books import WORLD
from spotbook.app.ports import Changes, Reader, Row, StoredBatch

ENTRY_ACCOUNT, ENTRY_VERSION, ENTRY_ASSET = 0, 1, 2
EVERYTHING = 10**9


class Follower:
    """Balances, versions and holds as the rows of the batches make them. `findings` are broken invariants in words."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.balances: dict[tuple[int, int], tuple[int, int, int]] = {}
        self.versions: dict[int, int] = {}
        self.holds: dict[tuple[int, int, int], int] = {}
        self.owned: dict[tuple[int, int], int] = {}
        self.batch = 0

    def take(self, batch: StoredBatch, changes: Changes) -> None:
        """Follow one batch."""
        if batch.number != self.batch + 1:
            self.findings.append(f"batch {batch.number} follows batch {self.batch}")
        self.batch = batch.number
        self._entries(changes.rows.get("entry", ()))
        self._holds(changes)

    def _entries(self, rows: Sequence[Row]) -> None:
        moved: set[tuple[int, int]] = set()
        sums: dict[int, int] = {}
        for row in rows:
            account, version, asset, free_before, free, held_before, held = (int(value) for value in row[:7])
            purse = account, asset
            before = self.balances.get(purse, (0, 0, 0))
            if before[:2] != (free_before, held_before):
                self.findings.append(f"an entry of account {account} says before {row[3:7]}, but it was {before[:2]}")
            if version != self.versions.get(account, 0) + 1:
                self.findings.append(f"account {account}: version {version} follows {self.versions.get(account, 0)}")
            if account != WORLD and (free < 0 or held < 0):
                self.findings.append(f"account {account} has {free} available and {held} frozen")
            self.versions[account] = version
            self.balances[purse] = free, held, version
            sums[asset] = sums.get(asset, 0) + free + held - free_before - held_before
            moved.add(purse)
        self.findings += [f"a batch makes {total} of asset {asset}" for asset, total in sums.items() if total]
        self._moved = moved

    def _holds(self, changes: Changes) -> None:
        for key in changes.removed.get("hold", ()):
            account, asset, _, order = key
            self._hold(int(account), int(asset), int(order), 0)
        for row in changes.rows.get("hold", ()):
            account, asset, _, order, amount = row
            self._hold(int(account), int(asset), int(order), int(amount))
        for purse in self._moved:
            held = self.balances[purse][1]
            if held != self.owned.get(purse, 0):
                self.findings.append(f"account {purse[0]}: {held} frozen, {self.owned.get(purse, 0)} in holds")

    def _hold(self, account: int, asset: int, order: int, amount: int) -> None:
        before = self.holds.pop((account, asset, order), 0)
        if amount:
            self.holds[account, asset, order] = amount
        self.owned[account, asset] = self.owned.get((account, asset), 0) + amount - before
        self._moved.add((account, asset))
        self.balances.setdefault((account, asset), (0, 0, 0))

    def reload(self, reader: Reader) -> None:
        """Begin again from what the tables say, as after a crash."""
        before = self.versions
        self.batch = reader.head().number
        rows: list[Any] = reader.page("balance", (), (), EVERYTHING)
        self.balances = {(row[0], row[1]): row[2:5] for row in rows}
        self.versions = {}
        for account, _, _, _, version in rows:
            self.versions[account] = max(self.versions.get(account, 0), version)
        held: list[Any] = reader.page("hold", (), (), EVERYTHING)
        self.holds = {(row[0], row[1], row[3]): row[4] for row in held}
        self.owned = {}
        for (account, asset, _), amount in self.holds.items():
            self.owned[account, asset] = self.owned.get((account, asset), 0) + amount
        for purse, (_, frozen, _) in self.balances.items():
            if frozen != self.owned.get(purse, 0):
                self.findings.append(f"after the start account {purse[0]} has {frozen} frozen, and other holds")
        for account, version in before.items():
            if self.versions.get(account, 0) < version:
                self.findings.append(f"account {account} was at version {version}, and is at less after the start")
