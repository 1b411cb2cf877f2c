"""What must hold within each transaction, and between it and all before it."""

from collections.abc import Sequence

from spotbook.app.audit.fills import Moves, OrderEvent
from spotbook.app.audit.markets import Markets
from spotbook.app.audit.orders import Orders
from spotbook.app.audit.report import Findings
from spotbook.app.journal import Transaction
from spotbook.app.ports import Row
from spotbook.domain.account import WORLD
from spotbook.domain.events import (
    AccountOpened,
    DepositMade,
    Entry,
    Event,
    HoldChanged,
    MarketChanged,
    MarketMade,
    OrderChanged,
    OrderPlaced,
    Traded,
)

Expected = dict[str, dict[Row, Row]]

NOTHING_MOVED = (0, 0)


class Checks:
    """Checks transactions in their order. `entries` counts the entries seen, `versions` holds each account's last.

    It writes balances, holds and open orders into `expected` as it goes, since one batch may change one of them many
    times.
    """

    def __init__(self, expected: Expected, findings: Findings) -> None:
        self._balances = expected["balance"]
        self._holds = expected["hold"]
        self._accounts = expected["account"]
        self._findings = findings
        self._markets = Markets(findings)
        self._orders = Orders(expected, findings, self._markets)
        self.versions: dict[int, int] = {}
        self.entries = 0

    def transaction(self, batch: int, time: int, transaction: Transaction) -> None:
        """Check one transaction of the batch, which is of that time."""
        legs: dict[int, int] = {}
        unowned: dict[tuple[int, int], int] = {}
        moves: Moves = {}
        holds: list[HoldChanged] = []
        trading: list[OrderEvent | Traded] = []
        events = transaction.events
        for event in events:
            if type(event) is Entry:
                self._entry(batch, event, legs, unowned, moves)
            elif type(event) is HoldChanged:
                self._hold(batch, event, unowned)
                holds.append(event)
            elif type(event) is OrderPlaced or type(event) is OrderChanged or type(event) is Traded:
                trading.append(event)
            elif type(event) is MarketMade or type(event) is MarketChanged:
                self._markets.take(batch, event)
            elif type(event) is DepositMade:
                self._deposit(batch, event, events)
                _account_for(moves, event)
            elif type(event) is AccountOpened:
                self._accounts.setdefault((event.id,), ())  # the batch may use it at once; its row comes with the fold
        self._close(batch, legs, unowned)
        if trading or moves or holds:
            self._orders.transaction(batch, time, trading, holds, moves)

    def _entry(
        self, batch: int, entry: Entry, legs: dict[int, int], unowned: dict[tuple[int, int], int], moves: Moves
    ) -> None:
        # Once per entry of the books: what is only for words is made only when there is something to say.
        self.entries += 1
        account, version, asset, available, available_after, frozen, frozen_after, why, ref = entry
        key = account, asset
        before = self._balances.get(key)
        last = self.versions.get(account, 0)
        if (
            before is None
            or before[2] != available
            or before[3] != frozen
            or version != last + 1
            or frozen_after < 0
            or (account == WORLD and frozen_after)
            or (available_after < 0 and account != WORLD)
        ):
            self._examine(batch, entry, before or (account, asset, 0, 0, 0), last)
        self._balances[key] = (account, asset, available_after, frozen_after, version)
        self.versions[account] = version
        legs[asset] = legs.get(asset, 0) + available_after - available + frozen_after - frozen
        if frozen_after != frozen:
            unowned[key] = unowned.get(key, 0) + frozen_after - frozen
        leg = account, asset, why, ref
        moved = moves.get(leg, NOTHING_MOVED)
        moves[leg] = moved[0] + available_after - available, moved[1] + frozen_after - frozen

    def _examine(self, batch: int, entry: Entry, before: Row, last: int) -> None:
        """Note what is wrong with an entry, if anything is: it may only be the first of its account and asset."""
        account, version, asset, available, available_after, frozen, frozen_after, _, _ = entry
        place = {"batch": batch, "entry": version, "account": account, "asset": asset}
        note = self._findings.add
        if (account,) not in self._accounts:
            note("unknown", f"account {account} moves funds and was never opened", **place)
        if asset not in self._findings.assets:
            note("unknown", f"asset {asset} is moved and was never made", **place)
        if before[2] != available or before[3] != frozen:
            was, says = self._sides(asset, int(before[2]), int(before[3])), self._sides(asset, available, frozen)
            note("before", f"entry {version} of account {account} begins at {says}; before it there was {was}", **place)
        if version != last + 1:
            note("versions", f"entry {version} of account {account} comes after its entry {last}", **place)
        if frozen_after < 0 or (account == WORLD and frozen_after) or (available_after < 0 and account != WORLD):
            words = f"account {account} would hold {self._sides(asset, available_after, frozen_after)}"
            note("sign", words, **place)

    def _sides(self, asset: int, available: int, frozen: int) -> str:
        amount = self._findings.amount
        return f"{amount(asset, available)} available and {amount(asset, frozen)} frozen"

    def _hold(self, batch: int, hold: HoldChanged, unowned: dict[tuple[int, int], int]) -> None:
        account, asset, kind, number, before, after = hold
        key = (account, asset, kind, number)
        unowned[account, asset] = unowned.get((account, asset), 0) - after + before
        held = self._holds.get(key, (0,))[-1]
        if held != before or after < 0:
            amount = self._findings.amount
            words = (
                f"the hold of {kind} {number} goes from {amount(asset, before)} to {amount(asset, after)};"
                f" it owned {amount(asset, int(held))}"
            )
            self._findings.add("holds", words, batch=batch, account=account, asset=asset)
        if after:
            self._holds[key] = (*key, after)
        else:
            self._holds.pop(key, None)

    def _close(self, batch: int, legs: dict[int, int], unowned: dict[tuple[int, int], int]) -> None:
        for asset, total in legs.items():
            if total:
                words = f"the legs of a transaction sum to {self._findings.amount(asset, total)}, not to zero"
                self._findings.add("legs", words, batch=batch, asset=asset)
        for (account, asset), surplus in unowned.items():
            if surplus:
                words = f"{self._findings.amount(asset, surplus)} more were frozen than holds account for"
                self._findings.add("holds", words, batch=batch, account=account, asset=asset)

    def _deposit(self, batch: int, deposit: DepositMade, events: Sequence[Event]) -> None:
        number, account, asset, amount, _, _, _, version, _ = deposit
        for event in events:
            if type(event) is Entry and event.version == version and event.account == account:
                gained = event.available_after - event.available_before
                if (event.asset, gained, event.why, event.ref) == (asset, amount, "deposit", number) and amount > 0:
                    return
        words = f"deposit {number} of {self._findings.amount(asset, amount)} has no entry that says the same"
        self._findings.add("deposits", words, batch=batch, entry=version, account=account, asset=asset)


def _account_for(moves: Moves, deposit: DepositMade) -> None:
    """Take away what a deposit accounts for: the leg of its account, and that of world. Of the rest orders tell."""
    for account, units in ((deposit.account, deposit.amount), (WORLD, -deposit.amount)):
        leg = account, deposit.asset, "deposit", deposit.id
        if moves.get(leg) == (units, 0):
            del moves[leg]
