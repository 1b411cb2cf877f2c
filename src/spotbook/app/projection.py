"""The projections: what every batch makes of every table, as plain rows.

Everything but the journal itself is a projection: each row follows from the batches alone, and can be made again from
them. Both stores and the audit use this one fold, so that there is one answer to what a batch means.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from spotbook.app.journal import Transaction
from spotbook.app.ports import Changes, Row, Scalar
from spotbook.domain import events as e
from spotbook.domain.deposits import same_txid
from spotbook.domain.order import OPEN
from spotbook.limits import SUM_MAX

Merge = Literal["max", "min", "sum", "last"]


class Table(NamedTuple):
    """A projection: its columns, how many of the first are its primary key, whether rows are only ever added.

    `ordered_by` names the columns of a second sequence in which rows are read. Of a table with `merges`, a row that is
    set again is merged into the one that is there, column by column; a column that is not named keeps its first value,
    and a sum stays at `SUM_MAX` once it is reached.
    """

    name: str
    columns: tuple[str, ...]
    keys: int
    grows: bool = False
    ordered_by: tuple[str, ...] = ()
    merges: tuple[tuple[str, Merge], ...] = ()

    def sequence(self, length: int) -> tuple[str, ...]:
        """Return the columns of the key, or else of `ordered_by`, that has so many; ValueError when neither has."""
        for columns in (self.columns[: self.keys], self.ordered_by):
            if len(columns) == length:
                return columns
        raise ValueError(f"{self.name} is not read by {length} columns")


def merged(table: Table, before: Row, row: Row) -> Row:
    """Return what a row that is there becomes when `row` is set, in a table with `merges`."""
    rules = dict(table.merges)
    return tuple(
        _MERGES[rules[column]](old, new) if column in rules else old
        for column, old, new in zip(table.columns, before, row, strict=True)
    )


_MERGES: dict[Merge, Callable[[Any, Any], Scalar]] = {
    "max": max,
    "min": min,
    "sum": lambda old, new: min(old + new, SUM_MAX),
    "last": lambda _, new: new,
}


FILL_COLUMNS = (
    *("account", "id", "order_id", "market", "side", "role", "price", "amount", "value", "fee", "made_at", "batch"),
)
"""A fill as one of its two accounts sees it: `id` is the trade's, `role` is ``maker`` or ``taker``."""

CANDLE_SECONDS = (60, 3_600, 86_400)
"""The candles that are kept; all others are made of them."""

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
        Table("open_order", e.OrderPlaced._fields, 2),
        Table("closed_order", (*e.OrderPlaced._fields, "batch"), 2, grows=True, ordered_by=("account", "market", "id")),
        Table("out_trade_no", ("account", "out_trade_no", "order_id", "batch"), 2, grows=True),
        Table("fill", FILL_COLUMNS, 2, grows=True, ordered_by=("account", "market", "id")),
        Table("trade", ("market", "id", "side", "price", "amount", "value", "made_at", "batch"), 2, grows=True),
        Table(
            "candle",
            ("market", "seconds", "opens_at", "open", "high", "low", "close", "amount", "value"),
            3,
            merges=(("high", "max"), ("low", "min"), ("close", "last"), ("amount", "sum"), ("value", "sum")),
        ),
        Table("api_key", e.KeyMade._fields, 1),
        Table("token", e.TokenMade._fields, 1),
        Table("ban", ("subject", "began", "kind", "until"), 2),
        Table("ban_lift", ("subject", "lifted_at"), 1),
    )
}
"""Every projection. A table that grows leads its key with the account, with the market where it is the public's, or is
keyed by what must be unique."""


class Fold:
    """Gathers what the events of one batch make of the tables. Of a row set twice only the last remains.

    Entries are what there is most of, so they have places of their own: their rows, and by account and asset the last
    of each, from which the row of its balance follows.
    """

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.stamp = (batch,)
        """What a row that only grows ends with."""
        self.set: defaultdict[str, dict[Row, Row]] = defaultdict(dict)
        self.added: defaultdict[str, list[Row]] = defaultdict(list)
        self.removed: defaultdict[str, dict[Row, None]] = defaultdict(dict)
        self.new_orders: set[Row] = set()
        self.prices: dict[tuple[int, int], list[int]] = {}
        """By market and time: open, high, low, close, amount and value of the trades."""
        self.entries: list[Row] = []
        self.last_entries: dict[tuple[int, int], e.Entry] = {}

    def put(self, table: str, keys: int, row: Row) -> None:
        """Set one row of a table whose rows change."""
        self.set[table][row[:keys]] = row

    def count(self, sort: str, number: int) -> None:
        """Set the last number given out of a sort."""
        self.set["counter"][sort,] = (sort, number)

    def take(self, transaction: Transaction) -> None:
        """Take the events of the batch's next transaction."""
        folds = _FOLDS
        for event in transaction.events:
            folds[type(event)](self, event)

    def changes(self) -> Changes:
        """Return what came of it."""
        if self.prices:
            self._draw_candles()
        if self.entries:
            self.added["entry"] = self.entries
            self.set["balance"] = {
                key: (account, asset, available, frozen, version)
                for key, (account, version, asset, _, available, _, frozen, _, _) in self.last_entries.items()
            }
        rows: dict[str, list[Row]] = {table: list(kept.values()) for table, kept in self.set.items()}
        return Changes({**rows, **self.added}, {table: list(keys) for table, keys in self.removed.items()})

    def _draw_candles(self) -> None:
        candles, table = self.set["candle"], TABLES["candle"]
        for (market, at), (*prices, amount, value) in self.prices.items():
            volume = min(amount, SUM_MAX), min(value, SUM_MAX)
            for seconds in CANDLE_SECONDS:
                key = (market, seconds, at - at % (seconds * 1_000))
                row, before = (*key, *prices, *volume), candles.get(key)
                candles[key] = row if before is None else merged(table, before, row)


def changes_of(batch: int, transactions: Sequence[Transaction]) -> Changes:
    """Return what a batch of this number makes of the projections."""
    fold = Fold(batch)
    for transaction in transactions:
        fold.take(transaction)
    return fold.changes()


def _entry(fold: Fold, event: e.Entry) -> None:
    fold.entries.append(event + fold.stamp)
    fold.last_entries[event[0], event[2]] = event


def _deposit_made(fold: Fold, event: e.DepositMade) -> None:
    fold.added["deposit"].append((event.account, event.id, *event[2:], fold.batch))
    fold.added["deposit_identity"].append(
        (event.asset, event.chain, same_txid(event.txid), event.txid_index, event.account, event.id)
    )
    fold.count("deposit", event.id)


def _hold_changed(fold: Fold, event: e.HoldChanged) -> None:
    key, after = event[:4], event.after
    if after:
        fold.removed.get("hold", {}).pop(key, None)
        fold.set["hold"][key] = (*key, after)
    else:
        fold.set.get("hold", {}).pop(key, None)
        fold.removed["hold"][key] = None


def _asset_made(fold: Fold, event: e.AssetMade) -> None:
    fold.put("asset", 1, event)
    fold.count("asset", event.id)


def _market_made(fold: Fold, event: e.MarketMade) -> None:
    _market_changed(fold, event)
    fold.count("market", event.id)


def _market_changed(fold: Fold, event: e.MarketMade | e.MarketChanged) -> None:
    fold.put("market", 1, event)


def _account_opened(fold: Fold, event: e.AccountOpened) -> None:
    fold.put("account", 1, (*event[:4], int(event.frozen), event.opened_at))
    fold.count("account", event.id)
    if event.kind == "wealth":
        fold.put("wealth_account", 1, (event.parent, event.id))


def _account_frozen(fold: Fold, event: e.AccountFrozen) -> None:
    fold.put("account", 1, (*event[:4], int(event.frozen), event.opened_at))


def _order_placed(fold: Fold, event: e.OrderPlaced) -> None:
    key = event[:2]
    fold.count("order", event.id)
    if event.out_trade_no:
        fold.added["out_trade_no"].append((event.account, event.out_trade_no, event.id, fold.batch))
    if event.status in OPEN:
        fold.new_orders.add(key)
        fold.set["open_order"][key] = event
    else:
        fold.added["closed_order"].append(event + fold.stamp)


def _order_changed(fold: Fold, event: e.OrderChanged) -> None:
    key = event[:2]
    if event.status in OPEN:
        fold.set["open_order"][key] = event
        return
    fold.set.get("open_order", {}).pop(key, None)
    if key not in fold.new_orders:  # else the table has never seen it
        fold.removed["open_order"][key] = None
    fold.added["closed_order"].append(event + fold.stamp)


def _traded(fold: Fold, event: e.Traded) -> None:
    market, number, side, price, amount, value, maker, maker_order, maker_fee, taker, taker_order, taker_fee, at = event
    batch, other = fold.batch, "sell" if side == "buy" else "buy"
    fold.added["fill"].extend(
        (
            (maker, number, maker_order, market, other, "maker", price, amount, value, maker_fee, at, batch),
            (taker, number, taker_order, market, side, "taker", price, amount, value, taker_fee, at, batch),
        )
    )
    fold.added["trade"].append((market, number, side, price, amount, value, at, batch))
    fold.count("trade", number)
    prices = fold.prices.get((market, at))
    if prices is None:
        fold.prices[market, at] = [price, price, price, price, amount, value]
        return
    prices[1] = max(prices[1], price)
    prices[2] = min(prices[2], price)
    prices[3] = price
    prices[4] += amount
    prices[5] += value


def _out_trade_no_closed(fold: Fold, event: e.OutTradeNoClosed) -> None:
    fold.added["out_trade_no"].append((*event, 0, fold.batch))


def _key(fold: Fold, event: e.KeyMade | e.KeyRevoked) -> None:
    permissions, allow = ",".join(event.permissions), ",".join(event.allow)
    fold.put("api_key", 1, (event.api_key, event.account, permissions, allow, *event[4:8], int(event.strict)))


def _token_made(fold: Fold, event: e.TokenMade) -> None:
    _token(fold, event)
    fold.count("token", event.id)


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
    e.MarketChanged: _market_changed,
    e.AccountOpened: _account_opened,
    e.AccountFrozen: _account_frozen,
    e.Entry: _entry,
    e.HoldChanged: _hold_changed,
    e.DepositMade: _deposit_made,
    e.OrderPlaced: _order_placed,
    e.OrderChanged: _order_changed,
    e.Traded: _traded,
    e.OutTradeNoClosed: _out_trade_no_closed,
    e.KeyMade: _key,
    e.KeyRevoked: _key,
    e.TokenMade: _token_made,
    e.TokenRevoked: _token,
    e.BanBegun: _ban_begun,
    e.BanLifted: _ban_lifted,
    e.StandingChanged: _standing_changed,
}
