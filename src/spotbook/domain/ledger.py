"""The ledger: movements between balances, drawn up as one transaction.

A transaction is drawn up on a `Draft`, which reads the state and never changes it. Closing the draft checks that the
legs of every asset sum to zero and that what was frozen is owned by a hold, to the unit.
"""

from spotbook.domain.account import WORLD
from spotbook.domain.errors import InsufficientBalance, InvariantBroken
from spotbook.domain.events import Entry, Event, HoldChanged
from spotbook.domain.state import NOTHING, Balance, HoldKey, State
from spotbook.limits import UNITS_MAX

_new = tuple.__new__


class Draft:
    """The entries of one command, in the order in which they happen, and what it makes of holds in the end."""

    __slots__ = ("_balances", "_holds", "_state", "_sums", "_unowned", "_versions", "events")

    def __init__(self, state: State) -> None:
        self.events: list[Event] = []
        self._state = state
        self._balances: dict[tuple[int, int], tuple[int, int, int]] = {}
        self._versions: dict[int, int] = {}
        self._holds: dict[HoldKey, tuple[int, int]] = {}
        self._sums: dict[int, int] = {}
        self._unowned: dict[tuple[int, int], int] = {}

    def balance(self, account: int, asset: int) -> Balance:
        """Return the balance as the draft has it so far."""
        key = (account, asset)
        return Balance(*(self._balances.get(key) or self._state.balances.get(key) or NOTHING))

    def move(self, account: int, asset: int, *, available: int = 0, frozen: int = 0, why: str, ref: int) -> int:
        """Add one entry that changes the two sides by so many units; return the account's new version.

        Raises InsufficientBalance when available would fall below zero anywhere but on world. A frozen side below
        zero is no request's fault: InvariantBroken.
        """
        return self._leg(account, asset, available, frozen, why, ref)

    def _leg(self, account: int, asset: int, available: int, frozen: int, why: str, ref: int) -> int:  # noqa: PLR0917
        # By place, since several of these are drawn up for each command, and names make a call dearer.
        key = account, asset
        available_before, frozen_before, _ = self._balances.get(key) or self._state.balances.get(key) or NOTHING
        available_after = available_before + available
        frozen_after = frozen_before + frozen
        if account == WORLD or available_after < 0 or frozen_after < 0 or available_after + frozen_after > UNITS_MAX:
            self._refuse(account, asset, available_before, available_after, frozen_after)
        version = self._versions.get(account)
        if version is None:
            version = self._state.versions.get(account) or 0
        version += 1
        self._balances[key] = available_after, frozen_after, version
        self._versions[account] = version
        change = available + frozen
        if change:
            self._sums[asset] = self._sums.get(asset, 0) + change
        if frozen:
            self._unowned[key] = self._unowned.get(key, 0) + frozen
        fields = account, version, asset, available_before, available_after, frozen_before, frozen_after, why, ref
        # As the named tuple's own constructor does it, at a third of its price: entries are what there is most of.
        self.events.append(_new(Entry, fields))
        return version

    @staticmethod
    def _refuse(account: int, asset: int, available_before: int, available_after: int, frozen_after: int) -> None:
        """Say what is wrong with these sides; only world's may be right."""
        if account == WORLD:
            if frozen_after or not -UNITS_MAX <= available_after <= 0:
                raise InvariantBroken(f"world would hold {available_after}+{frozen_after} of asset {asset}")
            return
        if available_after < 0:
            raise InsufficientBalance(account, asset, available_before - available_after, available_before)
        raise InvariantBroken(f"account {account} would hold {available_after}+{frozen_after} of asset {asset}")

    def version(self, account: int) -> int:
        """Return the account's version as the draft has it so far."""
        return self._versions.get(account) or self._state.versions.get(account) or 0

    def freeze(self, hold: HoldKey, amount: int, *, why: str, new: bool = False) -> int:
        """Move `amount` from available to frozen, owned by `hold`; return the new version.

        A hold that is `new`, because what owns it has just got its number, is not looked for.
        """
        if new:
            self._holds[hold] = 0, 0
        account, asset, _, number = hold
        self._change_hold(hold, _positive(amount))
        return self._leg(account, asset, -amount, amount, why, number)

    def release(self, hold: HoldKey, amount: int, *, why: str) -> int:
        """Give `amount` of what `hold` owns back to available; return the new version."""
        account, asset, _, number = hold
        self._change_hold(hold, -_positive(amount))
        return self._leg(account, asset, amount, -amount, why, number)

    def spend(self, hold: HoldKey, amount: int, *, why: str) -> int:
        """Take `amount` of what `hold` owns away; another leg must receive it. Return the new version."""
        account, asset, _, number = hold
        self._change_hold(hold, -_positive(amount))
        return self._leg(account, asset, 0, -amount, why, number)

    def _change_hold(self, hold: HoldKey, change: int) -> None:
        held = self._holds.get(hold)
        if held is None:
            before = self._state.holds.get(hold) or 0
            after = before + change
        else:
            before, after = held[0], held[1] + change
        if after < 0:
            raise InvariantBroken(f"hold {hold} would own {after}")
        self._holds[hold] = before, after
        key = hold[:2]
        self._unowned[key] = self._unowned.get(key, 0) - change

    def close(self) -> list[Event]:
        """Return the events, once they are shown to balance; InvariantBroken otherwise."""
        for asset, total in self._sums.items():
            if total:
                raise InvariantBroken(f"the legs of asset {asset} sum to {total}, not to zero")
        for (account, asset), unowned in self._unowned.items():
            if unowned:
                raise InvariantBroken(f"{unowned} of asset {asset} frozen on account {account} without a hold")
        for hold, change in self._holds.items():
            if change[0] != change[1]:
                self.events.append(_new(HoldChanged, hold + change))
        return self.events


def _positive(amount: int) -> int:
    """Return the amount; a freeze of less than nothing would be a release that no hold explains."""
    if amount <= 0:
        raise InvariantBroken(f"an amount of {amount} was to be frozen, released or spent")
    return amount
