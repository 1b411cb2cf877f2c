"""The projections: what every batch makes of every table, as plain rows.

Everything but the journal itself is a projection: each row follows from the batches alone, and can be made again from
them. Both stores and the audit use this one fold, so that there is one answer to what a batch means.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from spotbook.app.journal import Transaction
from spotbook.app.ports import Changes, Row
from spotbook.domain import events as e
from spotbook.domain.deposits import same_txid


class Table(NamedTuple):
    """A projection: its columns, how many of the first are its primary key, whether rows are only ever added."""

    name: str
    columns: tuple[str, ...]
    keys: int
    grows: bool = False


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("counter", ("name", "value"), 1),
        Table("standing", ("id", "standing", "reason", "since"), 1),
        Table("asset", ("id", "name", "scale", "supply_max"), 1),
        Table("market", e.MarketMade._fields, 1),
        Table("account", e.AccountOpened._fields, 1),
        Table("wealth_account", ("parent", "account"), 1),
        Table("balance", ("account", "asset", "available", "frozen", "version"), 2),
        Table("entry", (*e.Entry._fields, "batch"), 2, grows=True),
        Table("hold", ("account", "asset", "kind", "id", "amount"), 4),
        Table("deposit", ("account", "id", *e.DepositMade._fields[2:], "batch"), 2, grows=True),
        Table("deposit_identity", ("asset", "chain", "txid", "txid_index", "account", "deposit"), 4, grows=True),
        Table("api_key", e.KeyMade._fields, 1),
        Table("token", e.TokenMade._fields, 1),
        Table("ban", ("subject", "began", "kind", "until"), 2),
        Table("ban_lift", ("subject", "lifted_at"), 1),
    )
}
"""Every projection. A table that grows leads its key with the account, or is keyed by what must be unique."""


class Fold:
    """Gathers what the events of one batch make of the tables. Of a row set twice only the last remains."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.set: dict[str, dict[Row, Row]] = {}
        self.added: dict[str, list[Row]] = {}
        self.removed: dict[str, dict[Row, None]] = {}

    def put(self, table: str, keys: int, row: Row) -> None:
        """Set one row of a table whose rows change."""
        self.set.setdefault(table, {})[row[:keys]] = row

    def changes(self) -> Changes:
        """Return what came of it."""
        rows = {table: list(kept.values()) for table, kept in self.set.items()}
        return Changes({**rows, **self.added}, {table: list(keys) for table, keys in self.removed.items()})


def changes_of(batch: int, transactions: Sequence[Transaction]) -> Changes:
    """Return what a batch of this number makes of the projections."""
    fold = Fold(batch)
    for transaction in transactions:
        for event in transaction.events:
            _FOLDS[type(event)](fold, event)
    return fold.changes()


def _entry(fold: Fold, event: e.Entry) -> None:
    account, version, asset, _, available, _, frozen, _, _ = event
    fold.added.setdefault("entry", []).append((*event, fold.batch))
    fold.set.setdefault("balance", {})[account, asset] = (account, asset, available, frozen, version)


def _deposit_made(fold: Fold, event: e.DepositMade) -> None:
    fold.added.setdefault("deposit", []).append((event.account, event.id, *event[2:], fold.batch))
    fold.added.setdefault("deposit_identity", []).append(
        (event.asset, event.chain, same_txid(event.txid), event.txid_index, event.account, event.id)
    )
    fold.put("counter", 1, ("deposit", event.id))


def _hold_changed(fold: Fold, event: e.HoldChanged) -> None:
    account, asset, kind, number, _, after = event
    key = (account, asset, kind, number)
    if after:
        fold.removed.get("hold", {}).pop(key, None)
        fold.put("hold", 4, (*key, after))
    else:
        fold.set.get("hold", {}).pop(key, None)
        fold.removed.setdefault("hold", {})[key] = None


def _asset_made(fold: Fold, event: e.AssetMade) -> None:
    fold.put("asset", 1, event)
    fold.put("counter", 1, ("asset", event.id))


def _market_made(fold: Fold, event: e.MarketMade) -> None:
    fold.put("market", 1, event)
    fold.put("counter", 1, ("market", event.id))


def _account_opened(fold: Fold, event: e.AccountOpened) -> None:
    fold.put("account", 1, (*event[:4], int(event.frozen), event.opened_at))
    fold.put("counter", 1, ("account", event.id))
    if event.kind == "wealth":
        fold.put("wealth_account", 1, (event.parent, event.id))


def _account_frozen(fold: Fold, event: e.AccountFrozen) -> None:
    fold.put("account", 1, (*event[:4], int(event.frozen), event.opened_at))


def _key(fold: Fold, event: e.KeyMade | e.KeyRevoked) -> None:
    row = (event.api_key, event.account, ",".join(event.permissions), ",".join(event.allow), *event[4:])
    fold.put("api_key", 1, row)


def _token_made(fold: Fold, event: e.TokenMade) -> None:
    _token(fold, event)
    fold.put("counter", 1, ("token", event.id))


def _token(fold: Fold, event: e.TokenMade | e.TokenRevoked) -> None:
    row = (event.name, event.id, event.digest, ",".join(event.roles), event.made_at, event.revoked_at)
    fold.put("token", 1, row)


def _ban_begun(fold: Fold, event: e.BanBegun) -> None:
    fold.put("ban", 2, (event.subject, event.began, event.kind, event.until))


def _ban_lifted(fold: Fold, event: e.BanLifted) -> None:
    fold.put("ban_lift", 1, event)


def _standing_changed(fold: Fold, event: e.StandingChanged) -> None:
    fold.put("standing", 1, (1, *event))


_FOLDS: dict[type, Callable[[Fold, Any], None]] = {
    e.AssetMade: _asset_made,
    e.MarketMade: _market_made,
    e.AccountOpened: _account_opened,
    e.AccountFrozen: _account_frozen,
    e.Entry: _entry,
    e.HoldChanged: _hold_changed,
    e.DepositMade: _deposit_made,
    e.KeyMade: _key,
    e.KeyRevoked: _key,
    e.TokenMade: _token_made,
    e.TokenRevoked: _token,
    e.BanBegun: _ban_begun,
    e.BanLifted: _ban_lifted,
    e.StandingChanged: _standing_changed,
}
