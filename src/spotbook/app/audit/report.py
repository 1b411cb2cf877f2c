"""What an audit found, in words."""

from typing import NamedTuple

from spotbook.domain.amount import show_stripped
from spotbook.domain.asset import Asset
from spotbook.limits import AUDIT_FINDINGS_MAX, SCALE_MAX


class Finding(NamedTuple):
    """One contradiction in the books.

    `check` is the rule that is broken (see docs/operating/audit.md). What is known of the place is given: the batch's
    number, the entry (its version on the account), the account's id, the asset's name; None where it is not known.
    """

    check: str
    batch: int | None
    entry: int | None
    account: int | None
    asset: str | None
    message: str


class Report(NamedTuple):
    """The outcome of one whole pass: the journal's end that it reached, and how many entries were checked."""

    ok: bool
    batch: int
    hash: bytes
    entries: int
    findings: tuple[Finding, ...]


class Findings:
    """Gathers findings up to a bound, and knows the assets, so that amounts can be written as people read them."""

    def __init__(self, most: int = AUDIT_FINDINGS_MAX) -> None:
        self._most = most
        self._found: list[Finding] = []
        self._more = 0
        self.assets: dict[int, Asset] = {}

    @property
    def full(self) -> bool:
        """Whether more findings would only be counted."""
        return len(self._found) >= self._most

    def add(
        self,
        check: str,
        message: str,
        *,
        batch: int | None = None,
        entry: int | None = None,
        account: int | None = None,
        asset: int | None = None,
    ) -> None:
        """Note a contradiction."""
        if self.full:
            self._more += 1
        else:
            self._found.append(Finding(check, batch, entry, account, self.name(asset), message))

    def name(self, asset: int | None) -> str | None:
        """Return the asset's name, or its number as text when no such asset was made."""
        if asset is None:
            return None
        known = self.assets.get(asset)
        return str(asset) if known is None else known.name

    def amount(self, asset: int, units: int) -> str:
        """Return an amount with its asset, such as ``0.5 BTC``."""
        known = self.assets.get(asset)
        if known is None or not 0 <= known.scale <= SCALE_MAX:  # a journal that was changed may say anything
            return f"{units} units of asset {asset}"
        return f"{show_stripped(units, known.scale)} {known.name}"

    def drain(self) -> tuple[Finding, ...]:
        """Return the findings since it was last drained, and have them no more."""
        drained = self.all()
        self._found.clear()
        self._more = 0
        return drained

    def all(self) -> tuple[Finding, ...]:
        """Return the findings; a last one says how many more there were."""
        if not self._more:
            return tuple(self._found)
        return (*self._found, Finding("more", None, None, None, None, f"and {self._more} findings more"))
