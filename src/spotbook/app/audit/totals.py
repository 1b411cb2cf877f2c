"""What must hold over all accounts together."""

from collections import Counter

from spotbook.app.audit.report import Findings
from spotbook.app.ports import Row
from spotbook.domain.account import WORLD


def check(expected: dict[str, dict[Row, Row]], findings: Findings) -> None:
    """Check that world is the negative of everybody else, within supply, and that holds explain what is frozen."""
    world: Counter[int] = Counter()
    others: Counter[int] = Counter()
    held: Counter[tuple[int, int]] = Counter()
    for account, asset, _, _, amount in expected["hold"].values():
        held[int(account), int(asset)] += int(amount)
    for account, asset, available, frozen, version in expected["balance"].values():
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
