"""What must hold over all accounts together."""

import sys
from collections import Counter
from collections.abc import Iterator

from spotbook.app.audit.report import Findings
from spotbook.app.ports import Row
from spotbook.domain.account import WORLD


def check(expected: dict[str, dict[Row, Row]], findings: Findings) -> None:
    """Check that world is the negative of everybody else, within supply, and that holds explain what is frozen."""
    for _ in steps(expected, findings, sys.maxsize):
        pass


def steps(expected: dict[str, dict[Row, Row]], findings: Findings, most: int) -> Iterator[None]:
    """Check the same, up to `most` rows a step. `expected` must not change meanwhile."""
    world: Counter[int] = Counter()
    others: Counter[int] = Counter()
    held: Counter[tuple[int, int]] = Counter()
    for number, (account, asset, _, _, amount) in enumerate(expected["hold"].values(), 1):
        held[int(account), int(asset)] += int(amount)
        if not number % most:
            yield
    for number, (account, asset, available, frozen, version) in enumerate(expected["balance"].values(), 1):
        place = {"account": int(account), "asset": int(asset)}
        (world if account == WORLD else others)[int(asset)] += int(available) + int(frozen)
        owned = held.pop((int(account), int(asset)), 0)
        if owned != frozen:
            has, by = findings.amount(int(asset), int(frozen)), findings.amount(int(asset), owned)
            findings.add(
                "frozen",
                f"account {place['account']} has {has} frozen; its holds own {by}",
                entry=int(version),
                **place,
            )
        if not number % most:
            yield
    for (account, asset), owned in held.items():
        words = f"holds own {findings.amount(asset, owned)} of account {account}, which has none"
        findings.add("frozen", words, account=account, asset=asset)
    for asset in sorted(world | others):
        _check_asset(asset, world[asset], others[asset], findings)


def _check_asset(asset: int, world: int, others: int, findings: Findings) -> None:
    if world != -others:
        has, they = findings.amount(asset, world), findings.amount(asset, others)
        findings.add("world", f"world has {has}; all others together {they}", account=WORLD, asset=asset)
    known = findings.assets.get(asset)
    if known is not None and others > known.supply_max:
        there, most = findings.amount(asset, others), findings.amount(asset, known.supply_max)
        findings.add("supply", f"{there} are on the books; there can be {most}", asset=asset)
