"""The assets by number, for readers. They are only ever added, so a number that is found needs no second look."""

from spotbook.app.books import asset_of
from spotbook.app.ports import Reader
from spotbook.domain.asset import Asset
from spotbook.limits import ASSETS_MAX


class Assets:
    """Keeps the assets of some books, reading them again when one is asked for that was made since."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._by_number: dict[int, Asset] = {}
        self._read_at = -1

    def of(self, number: int) -> Asset:
        """Return the asset of this number, which a balance or an entry names; KeyError when there is none."""
        asset = self._by_number.get(number)
        if asset is None:
            self._read()
            asset = self._by_number[number]
        return asset

    def all(self) -> list[Asset]:
        """Return all assets in the sequence in which they were made."""
        changed = self._reader.changed()
        if changed != self._read_at:
            self._read()
            self._read_at = changed
        return list(self._by_number.values())

    def with_empty(self, balances: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        """Return the balances with a row of zeros for every asset that has none."""
        held = {row[0]: row for row in balances}
        return [held.get(asset.id, (asset.id, 0, 0, 0)) for asset in self.all()]

    def _read(self) -> None:
        rows = self._reader.page("asset", (), (), ASSETS_MAX)
        self._by_number = {asset.id: asset for asset in map(asset_of, rows)}
