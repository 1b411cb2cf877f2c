#!/usr/bin/env python3
"""Verify a file of Spotbook's books without Spotbook: ``python3 verify_books.py FILE [--expect N:HASH ...] [--json]``.

For an auditor who does not want to trust the program that wrote the books. One file, Python's standard library only;
it shares no code with the program. docs/reference/schema.md says what the tables hold and how the journal is made.

What is believed: nothing in the file but the bytes of the journal, the table ``batch``, and those only as far as their
chain of hashes holds and everything that they say follows the rules below. From them every row of every other table
is made anew and compared with what is there, row by row.

What cannot be shown by the file alone: whoever can write it can write a whole new journal with new hashes, or leave off
the last batches. Only a head that was kept elsewhere shows that: give each as ``--expect NUMBER:HASH``. Not verified
at all: the sealed secrets of keys (``key_secret``), the name of the books (``meta``), whether an order met the best
price there was, and whether what was refused was rightly refused.

The file is opened read-only; SQLite may leave an empty ``-wal`` and a ``-shm`` beside it. Beside a running server all
is read in one read transaction, so of one moment; meanwhile the server's log, ``-wal``, can only grow: for large books
verify a backup. A copy made by hand is the file together with its ``-wal``. Memory: the rows that change (balances,
holds, open orders …). The rows of the tables that only grow go to a temporary file.

Exit code: 0 the books are right; 1 they are not, each finding is a line on standard output; 2 wrong usage, or there is
no such file that may be read. All amounts are written in the asset's smallest units.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Row = tuple[Any, ...]
Heads = list[tuple[int, str]]  # heads that were kept: number and hash

WORLD, FEES = 1, 2  # the account that deposits come from, and the one where fees gather
INTEGER_MAX = 2**63 - 1
FINDINGS_MAX = 1_000
APPLICATION_ID = 0x53504F54  # "SPOT", in the header of the file
SCHEMA = 4  # the steps of the schema that it knows
CANDLE_SECONDS = (60, 3_600, 86_400)
HASH_OF_64_DIGITS = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})", re.ASCII)

# --- what the journal and the tables hold -------------------------------------------------------------------------

ACCOUNT = "id kind name parent frozen opened_at"
MARKET = (
    "id symbol base quote price_decimals amount_decimals value_min price_min price_max amount_min amount_max"
    " maker_fee_ppm taker_fee_ppm self_trade state value_max orders_max bound_ppm"
)
ENTRY = "account version asset available_before available_after frozen_before frozen_after why ref"
ORDER = "account id market side kind price amount funds filled value fee status out_trade_no placed_at changed_at"
KEY = "api_key account permissions allow label made_at expires_at revoked_at strict"
TOKEN = "name id digest roles made_at revoked_at"

EVENTS = {  # the fields of each, in their order
    "asset": "id name scale supply_max",
    "market": MARKET,
    "market_changed": MARKET,
    "account": ACCOUNT,
    "account_frozen": f"{ACCOUNT} reason",
    "entry": ENTRY,
    "hold": "account asset kind id before after",
    "deposit": "id account asset amount txid txid_index chain version made_at",
    "order": ORDER,
    "order_changed": ORDER,
    "trade": "market id side price amount value maker_account maker_order maker_fee"
    " taker_account taker_order taker_fee made_at",
    "out_trade_no_closed": "account out_trade_no",
    "key": KEY,
    "key_revoked": KEY,
    "token": TOKEN,
    "token_revoked": TOKEN,
    "ban": "subject kind began until",
    "ban_lifted": "subject lifted_at",
    "standing": "standing reason since",
}
# The last fields of some events, where an older journal lacks them.
ADDED_LATER: dict[str, Row] = {"market": (0, 10_000, 100_000), "key": (False,), "key_revoked": (False,)}
TEXTS = "name symbol self_trade state kind why txid chain side status out_trade_no api_key label digest subject"
TEXTS += " standing reason"
LISTS, FLAGS = "permissions allow roles", "frozen strict"  # all other fields are whole numbers
KINDS: dict[str, Any] = dict.fromkeys(TEXTS.split(), str)
KINDS |= dict.fromkeys(LISTS.split(), list)
KINDS |= dict.fromkeys(FLAGS.split(), bool)

CHANGING = {  # tables whose rows change: key | other columns
    "counter": "name | value",
    "standing": "id | standing reason since",
    "asset": "id | name scale supply_max",
    "market": MARKET.replace("id ", "id | ", 1),
    "account": ACCOUNT.replace("id ", "id | ", 1),
    "wealth_account": "parent | account",
    "balance": "account asset | available frozen version",
    "hold": "account asset kind id | amount",
    "open_order": ORDER.replace("id ", "id | ", 1),
    "api_key": KEY.replace("api_key ", "api_key | ", 1),
    "token": TOKEN.replace("name ", "name | ", 1),
    "ban": "subject began | kind until",
    "ban_lift": "subject | lifted_at",
}
GROWING = {  # tables of which rows are only added
    "entry": f"{ENTRY.replace('version ', 'version | ', 1)} batch",
    "deposit": "account id | asset amount txid txid_index chain version made_at batch",
    "deposit_identity": "asset chain txid txid_index | account deposit",
    "closed_order": f"{ORDER.replace('id ', 'id | ', 1)} batch",
    "out_trade_no": "account out_trade_no | order_id batch",
    "fill": "account id | order_id market side role price amount value fee made_at batch",
    "trade": "market id | side price amount value made_at batch",
}
CANDLE = {"candle": "market seconds opens_at | open high low close amount value"}
JOURNAL = {"head": "id number time hash epoch", "batch": "number time hash body"}
BESIDE = {"meta": "name value", "key_secret": "api_key sealed"}  # what does not follow from the journal

SHARED = {"market_changed": "market", "order_changed": "order", "key_revoked": "key", "token_revoked": "token"}
FIELDS = {event: fields.split() for event, fields in EVENTS.items()}
TYPES = {event: [KINDS.get(field, int) for field in fields] for event, fields in FIELDS.items()}
COLUMNS = {table: text.replace("|", "").split() for table, text in {**CHANGING, **GROWING, **CANDLE}.items()}
KEYS = {table: text.split().index("|") for table, text in {**CHANGING, **GROWING, **CANDLE}.items()}

# --- findings -----------------------------------------------------------------------------------------------------


class Findings:
    """What was found: the rule that is broken, where, and in words. Beyond a bound findings are only counted."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.more = 0

    def add(self, check: str, message: str, **place: Any) -> None:
        """Note a finding; what is known of its place is given."""
        if len(self.found) < FINDINGS_MAX:
            where = {name: place.get(name) for name in ("table", "batch", "entry", "account", "asset")}
            self.found.append({"check": check, **where, "message": message})
        else:
            self.more += 1

    def all(self) -> list[dict[str, Any]]:
        """Return all findings; a last one says how many more there were."""
        return (
            [*self.found, {"check": "more", "message": f"and {self.more} findings more"}] if self.more else self.found
        )


# --- reading a batch ----------------------------------------------------------------------------------------------


def events_of(body: bytes, time: int) -> list[list[SimpleNamespace]]:
    """Return the events of each transaction of a batch; ValueError when the bytes are not a batch of that time."""
    raw = json.loads(body.decode("utf-8"), parse_int=whole)
    if json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode("utf-8") != body:
        raise ValueError("the JSON is not in its canonical form")
    if type(raw) is not dict or list(raw) != ["time", "transactions"] or type(raw["transactions"]) is not list:
        raise ValueError("it is no object of time and transactions")
    if type(raw["time"]) is not int or raw["time"] != time:
        raise ValueError(f"it gives the time {raw['time']!r}, the row says {time}")
    for part in raw["transactions"]:
        if type(part) is not dict or [*map(type, part.values())] != [str, str, list]:
            raise ValueError("a transaction is no object of two texts and its events")
        if list(part) != ["by", "command", "events"]:
            raise ValueError("a transaction is no object of by, command and events")
    return [[event_of(event) for event in part["events"]] for part in raw["transactions"]]


def whole(digits: str) -> int:
    """Return a number of the journal; ValueError when it is larger than any can be."""
    if abs(number := int(digits)) > INTEGER_MAX:
        raise ValueError(f"{digits} is too large")
    return number


def event_of(raw: Any) -> SimpleNamespace:
    """Return an event: its fields by name, its name as `event`, and all its values as `row`."""
    if type(raw) is not list or not raw or type(raw[0]) is not str or raw[0] not in FIELDS:
        raise ValueError(f"there is no event like {str(raw)[:80]}")
    name, *values = raw
    names, later = FIELDS[name], ADDED_LATER.get(name, ())
    if len(names) - len(later) <= len(values) < len(names):
        values += later[len(values) - len(names) :]
    if len(values) != len(names):
        raise ValueError(f"the event {name} has {len(names)} fields, not {len(values)}")
    if [*map(type, values)] != TYPES[name]:
        raise ValueError(f"the event {name} cannot have the values {values}")
    row = tuple(values)
    if list in TYPES[name] or bool in TYPES[name]:  # in the tables lists are joined by commas, flags are 0 and 1
        if any(type(part) is not str for value in values if type(value) is list for part in value):
            raise ValueError(f"the event {name} cannot have the values {values}")
        row = tuple(",".join(v) if type(v) is list else int(v) if type(v) is bool else v for v in values)
    return SimpleNamespace(**dict(zip(names, row, strict=True)), event=name, row=row)


# --- the books, made anew -----------------------------------------------------------------------------------------


class Books:
    """What the journal makes of the books. Every event is checked against all that came before it."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.entries = self.batch = self.time = 0
        # Each row with the number of the batch that set it.
        self.rows: dict[str, dict[Row, tuple[Row, int]]] = {table: {} for table in CHANGING}
        self.new_rows: dict[str, list[Row]] = {table: [] for table in GROWING}
        self.grown = sqlite3.connect("", isolation_level=None)  # a temporary file, which goes when it is closed
        self.grown.execute("PRAGMA journal_mode = OFF")
        for table in GROWING:
            self.grown.execute(f"CREATE TABLE {table} ({', '.join(COLUMNS[table])}, set_by)")
        self.grown.execute("BEGIN")
        self.versions: Counter[int] = Counter()
        self.assets: dict[int, SimpleNamespace] = {}
        self.markets: dict[int, SimpleNamespace] = {}
        self.begin_transaction()

    def begin_transaction(self) -> None:
        """Forget the transaction before."""
        self.legs: Counter[int] = Counter()  # by asset
        self.unheld: Counter[tuple[int, int]] = Counter()  # by account and asset: what was frozen, less what holds got
        self.moved: dict[Row, list[int]] = {}  # by account, asset, why and ref: available, frozen, the last version
        self.due: dict[Row, list[int]] = {}  # the same, as deposits, orders and fills say it: available, frozen
        self.holds: list[SimpleNamespace] = []
        self.orders: dict[Row, tuple[SimpleNamespace | None, SimpleNamespace]] = {}  # before and after, by account, id
        self.trades: list[SimpleNamespace] = []
        self.met: dict[Row, list[int]] = {}  # base, quote and fee of an order's fills, by account and id

    def take(self, number: int, time: int, transactions: list[list[SimpleNamespace]]) -> None:
        """Take the next batch."""
        self.batch, self.time = number, time
        for events in transactions:
            self.begin_transaction()
            for event in events:
                getattr(self, f"take_{SHARED.get(event.event, event.event)}")(event)
            self.close_transaction()
        for table, rows in self.new_rows.items():
            marks = ", ".join("?" * (len(COLUMNS[table]) + 1))
            self.grown.executemany(f"INSERT INTO {table} VALUES ({marks})", [(*row, number) for row in rows])
            rows.clear()

    def must(
        self, holds: object, check: str, words: str, account: int | None = None, asset: int | None = None, **place: Any
    ) -> None:
        """Note a finding unless a rule holds."""
        if not holds:
            self.findings.add(check, words, batch=self.batch, account=account, asset=asset, **place)

    def put(self, table: str, row: Row) -> None:
        self.rows[table][row[: KEYS[table]]] = (row, self.batch)

    def at(self, table: str, *key: Any) -> Row | None:
        found = self.rows[table].get(key)
        return found[0] if found else None

    def number(self, sort: str, number: int, *, gaps: bool = False) -> None:
        """A new thing has the next number of its sort."""
        last = (self.at("counter", sort) or (sort, 0))[1]
        self.must(number > last if gaps else number == last + 1, "ids", f"{sort} {number} comes after {sort} {last}")
        self.put("counter", (sort, number))

    def same_but(self, table: str, row: Row, *free: str) -> None:
        """A row that changes is there, and differs in nothing but the columns that are `free` to change."""
        key = row[: KEYS[table]]
        before = self.at(table, *key)
        self.must(before, table, f"{table} {key} changes and is not there")
        for column, old, new in zip(COLUMNS[table], before or row, row, strict=True):
            if old != new and column not in free:
                words = f"{column} of {table} {key} is fixed, and changes from {old!r} to {new!r}"
                self.findings.add(table, words, batch=self.batch)

    # --- one event ---

    def take_asset(self, event: SimpleNamespace) -> None:
        self.number("asset", event.id)
        self.put("asset", event.row)
        fits = 0 <= event.scale <= 18 and event.supply_max > 0
        fits = fits and event.name not in (asset.name for asset in self.assets.values())
        self.must(fits, "assets", f"asset {event.id} cannot be: {event.row}", asset=event.id)
        if fits:
            self.assets[event.id] = event

    def take_market(self, event: SimpleNamespace) -> None:
        if event.event == "market":
            self.number("market", event.id)
            others = [market.symbol for market in self.markets.values()]
            self.must(event.symbol not in others, "markets", f"a second market is called {event.symbol}")
        else:
            self.same_but("market", event.row, *FIELDS["market"][6:])
        self.put("market", event.row)
        base, quote = self.assets.get(event.base), self.assets.get(event.quote)
        decimals, step = event.price_decimals, event.amount_decimals
        fees_fit = all(0 <= ppm <= 1_000_000 for ppm in (event.maker_fee_ppm, event.taker_fee_ppm))
        fits = base and quote and base is not quote and fees_fit and min(decimals, step) >= 0
        fits = fits and base and quote and step <= base.scale and decimals + step <= quote.scale
        self.must(fits, "markets", f"market {event.symbol} cannot be, or not be exact: {event.row}")
        if fits and base and quote:
            event.step = 10 ** (base.scale - step)
            event.numerator, event.denominator = 10**quote.scale, 10 ** (decimals + base.scale)
            self.markets[event.id] = event

    def take_account(self, event: SimpleNamespace) -> None:
        self.number("account", event.id, gaps=True)  # those below 1001 are the house's
        self.put("account", event.row)
        if event.kind == "wealth":
            self.put("wealth_account", (event.parent, event.id))

    def take_account_frozen(self, event: SimpleNamespace) -> None:
        self.same_but("account", event.row[:-1], "frozen")
        self.put("account", event.row[:-1])

    def take_entry(self, event: SimpleNamespace) -> None:
        self.entries += 1
        account, version, asset, available, available_after, frozen, frozen_after, why, ref = event.row
        place = {"account": account, "asset": asset, "entry": version, "table": "entry"}
        name = f"entry {version} of account {account}"
        is_known = self.at("account", account) and asset in self.assets
        self.must(is_known, "unknown", f"{name}: there is no such account, or no such asset", **place)
        _, _, *sides, _ = self.at("balance", account, asset) or (0, 0, 0, 0, 0)
        words = f"{name} begins at {available} available, {frozen} frozen; there were {sides}"
        self.must(sides == [available, frozen], "before", words, **place)
        last = self.versions[account]
        self.must(version == last + 1, "versions", f"{name} comes after its entry {last}", **place)
        has_sign = frozen_after == 0 if account == WORLD else frozen_after >= 0 and available_after >= 0
        self.must(has_sign, "sign", f"{name} leaves {available_after} available, {frozen_after} frozen", **place)
        self.versions[account] = version
        self.put("balance", (account, asset, available_after, frozen_after, version))
        self.new_rows["entry"].append((*event.row, self.batch))
        self.legs[asset] += available_after - available + frozen_after - frozen
        self.unheld[account, asset] += frozen_after - frozen
        moved = self.moved.setdefault((account, asset, why, ref), [0, 0, 0])
        moved[:] = moved[0] + available_after - available, moved[1] + frozen_after - frozen, version

    def take_hold(self, event: SimpleNamespace) -> None:
        key = event.account, event.asset, event.kind, event.id
        held = (self.at("hold", *key) or (0,))[-1]
        words = f"the hold of {event.kind} {event.id} goes from {event.before} to {event.after}; it was {held}"
        self.must(held == event.before and event.after >= 0, "holds", words, event.account, event.asset)
        self.unheld[event.account, event.asset] -= event.after - event.before
        self.holds.append(event)
        if event.after:
            self.put("hold", (*key, event.after))
        else:
            self.rows["hold"].pop(key, None)

    def take_deposit(self, event: SimpleNamespace) -> None:
        self.number("deposit", event.id)
        name, account, asset, amount = f"deposit {event.id}", event.account, event.asset, event.amount
        entry = self.moved.get((account, asset, "deposit", event.id))
        fits = entry and entry[2] == event.version and amount > 0 and event.made_at == self.time
        words = f"{name} of {amount} is not as its entry and its batch say"
        self.must(fits, "deposits", words, account, asset, entry=event.version)
        self.owe(WORLD, asset, "deposit", event.id, available=-amount)
        self.owe(account, asset, "deposit", event.id, available=amount)
        issued = -(self.at("balance", WORLD, asset) or (0, 0, 0))[2]
        fits = asset in self.assets and issued <= self.assets[asset].supply_max
        self.must(fits, "supply", f"with {name} there is more than there can be: {issued}", account, asset)
        self.new_rows["deposit"].append((account, event.id, *event.row[2:], self.batch))
        # 64 hex digits are one hash, in capitals or not, with 0x before them or not.
        digits = HASH_OF_64_DIGITS.fullmatch(event.txid)
        txid = digits.group(1).lower() if digits else event.txid
        self.new_rows["deposit_identity"].append((asset, event.chain, txid, event.txid_index, account, event.id))

    def take_order(self, event: SimpleNamespace) -> None:
        key = event.account, event.id
        row = self.at("open_order", *key)
        self.must(key not in self.orders, "orders", f"order {event.id} changes twice in one transaction", event.account)
        self.orders[key] = order_of(row), event
        if event.event == "order":
            self.number("order", event.id)
            if event.out_trade_no:
                self.new_rows["out_trade_no"].append((event.account, event.out_trade_no, event.id, self.batch))
        else:
            self.same_but("open_order", event.row, "filled", "value", "fee", "status", "changed_at")
        if event.status in {"open", "partly_filled"}:
            self.put("open_order", event.row)
        else:
            self.rows["open_order"].pop(key, None)
            self.new_rows["closed_order"].append((*event.row, self.batch))

    def take_trade(self, event: SimpleNamespace) -> None:
        self.number("trade", event.id)
        self.trades.append(event)
        self.new_rows["trade"].append((*event.row[:6], event.made_at, self.batch))

    def take_out_trade_no_closed(self, event: SimpleNamespace) -> None:
        self.new_rows["out_trade_no"].append((*event.row, 0, self.batch))

    def take_key(self, event: SimpleNamespace) -> None:
        if event.event == "key_revoked":
            self.same_but("api_key", event.row, "revoked_at")
        else:
            self.must(not self.at("api_key", event.api_key), "api_key", f"key {event.api_key} is made a second time")
        self.put("api_key", event.row)

    def take_token(self, event: SimpleNamespace) -> None:
        if event.event == "token_revoked":
            self.same_but("token", event.row, "revoked_at")
        else:
            self.number("token", event.id)
        self.put("token", event.row)

    def take_ban(self, event: SimpleNamespace) -> None:
        self.put("ban", (event.subject, event.began, event.kind, event.until))

    def take_ban_lifted(self, event: SimpleNamespace) -> None:
        self.put("ban_lift", event.row)

    def take_standing(self, event: SimpleNamespace) -> None:
        self.put("standing", (1, *event.row))

    # --- one transaction: what one command came to ---

    def owe(self, account: int, asset: int, why: str, ref: int, *, available: int = 0, frozen: int = 0) -> None:
        """Entries for this reason must move so much."""
        if available or frozen:
            due = self.due.setdefault((account, asset, why, ref), [0, 0])
            due[:] = due[0] + available, due[1] + frozen

    def close_transaction(self) -> None:
        """The legs sum to zero, and deposits, orders and fills account for every entry and every hold."""
        for trade in self.trades:
            self.check_trade(trade)
        for before, order in self.orders.values():
            self.check_order(before, order)
        for asset, total in self.legs.items():
            self.must(not total, "legs", f"the legs of a transaction sum to {total}, not to zero", asset=asset)
        for (account, asset), surplus in self.unheld.items():
            self.must(not surplus, "holds", f"{surplus} more were frozen than holds account for", account, asset)
        for hold in self.holds:
            _, owner = self.orders.get((hold.account, hold.id), (None, None))
            owns = owner is not None and hold.kind == "order" and hold.asset == self.pays_in(owner)
            words = f"the hold of {hold.kind} {hold.id} changes, and nothing accounts for it"
            self.must(owns, "holds", words, hold.account, hold.asset)
        for key in {**self.moved, **self.due}:
            account, asset, why, ref = key
            moved, due = self.moved.get(key, [0, 0])[:2], self.due.get(key)
            words = f"entries '{why}' for {ref} move {moved} (available, frozen) and should move {due or 'nothing'}"
            self.must(moved == due, "entries", words, account, asset)

    def pays_in(self, order: SimpleNamespace) -> Any:
        """Return the asset that an order pays in, None when its market was never made."""
        market = self.markets.get(order.market)
        return market and (market.quote if order.side == "buy" else market.base)

    def cost(self, order: SimpleNamespace, amount: int) -> Any:
        """Return what a limit order can come to cost for an amount of the base."""
        market = self.markets.get(order.market)
        if market is None or order.side != "buy":
            return amount
        # Exact: amounts are whole steps, and price decimals and amount decimals fit the quote's scale together.
        return order.price * amount * market.numerator // market.denominator

    def check_trade(self, trade: SimpleNamespace) -> None:
        """Check one fill: its value and price, its two orders, the fees, and what it moves."""
        name, market = f"fill {trade.id}", self.markets.get(trade.market)
        self.must(market, "fills", f"{name} is of market {trade.market}, which was never made")
        if market is None:
            return
        price, amount, value = trade.price, trade.amount, trade.value
        is_worth = value > 0 and value * market.denominator == price * amount * market.numerator
        words = f"{name}: {amount} at {price} price steps are not worth {value}"
        self.must(is_worth and amount % market.step == 0, "fills", words)
        fits = trade.made_at == self.time and trade.maker_account != trade.taker_account
        self.must(fits, "fills", f"{name} is of another time than its batch, or of one account alone")
        buyer = (value, market.quote, amount, market.base)  # gives so much of this, gets so much of that
        seller = (amount, market.base, value, market.quote)
        other = "sell" if trade.side == "buy" else "buy"
        for role, side, account, number, fee, ppm in (
            ("maker", other, trade.maker_account, trade.maker_order, trade.maker_fee, market.maker_fee_ppm),
            ("taker", trade.side, trade.taker_account, trade.taker_order, trade.taker_fee, market.taker_fee_ppm),
        ):
            gives, given, gets, got = buyer if side == "buy" else seller
            words = f"{name}: the {role}'s fee is {fee}, and {ppm} ppm of {gets}, rounded up, are not"
            self.must(fee == -(-gets * ppm // 1_000_000), "fills", words, account)
            _, order = self.orders.get((account, number), (None, None))
            words = f"{name}: its {role} cannot be {order.row if order else 'an order that does not change'}"
            self.must(order and can_meet(order, trade, role, side), "fills", words, account)
            if order and order.kind == "market":
                self.owe(account, given, "paid", number, available=-gives)
            else:
                self.owe(account, given, "paid", number, frozen=-gives)
            if order and role == "taker" and side == "buy" and order.kind != "market":
                back = self.cost(order, amount) - value
                self.owe(account, given, "improvement", number, available=back, frozen=-back)
            self.owe(account, got, "received", number, available=gets - fee)
            self.owe(FEES, got, "fee", number, available=fee)
            met = self.met.setdefault((account, number), [0, 0, 0])
            met[:] = met[0] + amount, met[1] + value, met[2] + fee
            row = account, trade.id, number, trade.market, side, role, price, amount, value, fee, trade.made_at
            self.new_rows["fill"].append((*row, self.batch))

    def check_order(self, before: SimpleNamespace | None, order: SimpleNamespace) -> None:
        """Check what became of one order: it grows by its fills, its status follows, and it holds what it can cost."""
        name, account, market = f"order {order.id}", order.account, self.markets.get(order.market)
        self.must(market, "orders", f"{name} is of market {order.market}, which was never made", account)
        if market is None:
            return
        was = (before.filled, before.value, before.fee) if before else (0, 0, 0)
        grown = [now - then for now, then in zip((order.filled, order.value, order.fee), was, strict=True)]
        met = self.met.get((account, order.id), [0, 0, 0])
        words = f"{name} grows by {grown} (base, quote, fee), its fills are {met}"
        self.must(grown == met, "orders", words, account)
        words = f"{name} was {before.status if before else 'new'}, has executed {order.filled}, and is {order.status}"
        self.must(order.status in statuses(before, order, executed=grown[0] > 0), "orders", words, account)
        times = {order.changed_at, order.changed_at if before else order.placed_at}
        self.must(times == {self.time}, "orders", f"{name} has another time than its batch", account)
        fits = can_be(order) and order.amount % market.step == 0
        self.must(fits, "orders", f"{name} is no {order.kind} order: {order.row}", account)
        asset, whole, rest = self.pays_in(order), order.amount, order.amount - order.filled
        if order.kind != "market" and before is None:
            self.owe(
                account, asset, "placed", order.id, available=-self.cost(order, whole), frozen=self.cost(order, whole)
            )
        if order.kind != "market" and order.status == "cancelled":
            self.owe(
                account, asset, "cancelled", order.id, available=self.cost(order, rest), frozen=-self.cost(order, rest)
            )
        should = self.cost(order, rest) if order.status in {"open", "partly_filled"} else 0
        held = (self.at("hold", account, asset, "order", order.id) or (0,))[-1]
        self.must(held == should, "holds", f"{name} is {order.status} and holds {held}, not {should}", account, asset)

    # --- the whole ---

    def check_totals(self) -> None:
        """World is the negative of everybody else, frozen the sum of the holds, each hold an open order's."""
        total: Counter[int] = Counter()
        frozen: Counter[tuple[int, int]] = Counter()
        for (account, asset), ((_, _, available, is_frozen, _), _) in self.rows["balance"].items():
            total[asset] += available + is_frozen
            frozen[account, asset] += is_frozen
        for asset, surplus in total.items():
            self.must(not surplus, "world", f"world and all others together have {surplus}, not nothing", WORLD, asset)
        for (account, asset, kind, number), ((*_, amount), _) in self.rows["hold"].items():
            frozen[account, asset] -= amount
            order = order_of(self.at("open_order", account, number)) if kind == "order" else None
            owns = order and asset == self.pays_in(order) and amount == self.cost(order, order.amount - order.filled)
            self.must(owns, "holds", f"the hold of {kind} {number} is no open order's, or not its cost", account, asset)
        for (account, asset), surplus in frozen.items():
            self.must(not surplus, "frozen", f"{surplus} more are frozen than the holds own", account, asset)

    def expected(self, table: str) -> Iterator[tuple[Row, int]]:
        """Yield the rows that a table should have, by key, each with the batch that set it."""
        if table in CANDLE:
            yield from self.candles()
        elif table in CHANGING:
            yield from sorted(self.rows[table].values())
        else:
            key = ", ".join(COLUMNS[table][: KEYS[table]])
            for *row, batch in self.grown.execute(f"SELECT * FROM {table} ORDER BY {key}"):
                yield tuple(row), batch

    def candles(self) -> Iterator[tuple[Row, int]]:
        """Yield the candles that the trades make. A volume stays at the largest integer once it is reached."""
        self.grown.execute("CREATE INDEX trade_by_market ON trade (market, id)")
        select = "SELECT made_at, price, amount, value, batch FROM trade WHERE market = ? ORDER BY id"
        for (market,) in self.grown.execute("SELECT DISTINCT market FROM trade ORDER BY market").fetchall():
            for seconds in CANDLE_SECONDS:
                candle: list[int] = []
                last = 0
                for made_at, price, amount, value, batch in self.grown.execute(select, (market,)):
                    opens_at = made_at - made_at % (seconds * 1_000)
                    if candle and candle[0] != opens_at:
                        yield (market, seconds, *candle), last
                        candle = []
                    candle = candle or [opens_at, price, price, price, price, 0, 0]
                    candle[2:5] = max(candle[2], price), min(candle[3], price), price
                    candle[5:] = min(candle[5] + amount, INTEGER_MAX), min(candle[6] + value, INTEGER_MAX)
                    last = batch
                yield (market, seconds, *candle), last


def order_of(row: Row | None) -> SimpleNamespace | None:
    """Return the order that a row of ``open_order`` is."""
    return SimpleNamespace(**dict(zip(COLUMNS["open_order"], row, strict=True))) if row else None


def can_be(order: SimpleNamespace) -> bool:
    """Whether an order has what one of its kind has, and nothing else."""
    if order.kind == "market":
        asks_once = (order.amount > 0) != (order.funds > 0) and min(order.amount, order.funds) == 0
        fits = asks_once and order.price == 0 and order.filled > 0 and (not order.funds or order.value <= order.funds)
    else:
        fits = order.kind in {"limit", "post_only"} and order.price > 0 and order.amount > 0 and order.funds == 0
    return fits and order.side in {"buy", "sell"} and (not order.amount or 0 <= order.filled <= order.amount)


def can_meet(order: SimpleNamespace, trade: SimpleNamespace, role: str, side: str) -> bool:
    """Whether an order can be the maker or the taker of a fill: one that rested, at its price; one that arrives."""
    if (order.market, order.side) != (trade.market, side):
        return False
    if role == "maker":
        return bool(order.event == "order_changed" and order.price == trade.price)
    is_within = order.price >= trade.price if side == "buy" else order.price <= trade.price
    return bool(order.event == "order" and (order.kind == "market" or is_within))


def statuses(before: SimpleNamespace | None, order: SimpleNamespace, *, executed: bool) -> set[str]:
    """Return what an order may be called after a transaction; `executed` says whether it had fills there."""
    whole = order.filled == order.amount
    if before:
        return {"cancelled"} if not executed else {"filled"} if whole else {"partly_filled"}
    if order.kind == "market":  # it never rests; whether funds bought all that they could is not known here
        return {"filled", "cancelled"} if order.funds else {"filled"} if whole else {"cancelled"}
    if order.kind == "post_only":
        return set() if executed else {"open"}
    return {"filled"} if whole else {"partly_filled" if executed else "open", "cancelled"}


# --- the file -----------------------------------------------------------------------------------------------------


def read_journal(file: sqlite3.Connection, books: Books, findings: Findings, expect: Heads) -> Row:
    """Take every batch in its order; return number, time and hash of the last."""
    number, time, digest = 0, 0, bytes(32)
    seen = {0: digest.hex()}
    try:
        for at, its_time, stored, body in file.execute("SELECT number, time, hash, body FROM batch ORDER BY number"):
            place = {"table": "batch", "batch": at}
            if [type(at), type(its_time), type(stored), type(body)] != [int, int, bytes, bytes]:
                findings.add("numbers", f"after batch {number} there is a row that is no batch", table="batch")
                continue
            if at != number + 1:
                findings.add("numbers", f"after batch {number} comes batch {at}", table="batch", batch=number + 1)
            # Against the hash as it is stored: so one changed batch is one finding.
            elif hashlib.sha256(digest + at.to_bytes(8, "big") + body).digest() != stored:
                findings.add("chain", f"the hash of batch {at} is not that of the hash before and its bytes", **place)
            if its_time < time:
                findings.add("time", f"batch {at} is {time - its_time} ms older than the one before it", **place)
            try:
                events = events_of(body, its_time)
            except (ValueError, RecursionError) as wrong:
                findings.add("bytes", f"the bytes of batch {at} are not what the writer writes: {wrong}", **place)
            else:
                books.take(at, its_time, events)
            if any(at == expected for expected, _ in expect):
                seen[at] = stored.hex()
            number, time, digest = at, max(time, its_time), stored
    except sqlite3.Error as unreadable:
        words = f"the journal cannot be read after batch {number}: {unreadable}"
        findings.add("numbers", words, table="batch", batch=number + 1)
    for at, kept in expect:
        if seen.get(at) != kept:
            words = "had another hash: the journal was written anew" if at in seen else "is gone: the end is cut off"
            findings.add("expect", f"batch {at} was there once, and {words}", table="batch", batch=at)
    return number, time, digest


def check_head(file: sqlite3.Connection, last: Row, findings: Findings) -> None:
    """The head is the last batch."""
    try:
        heads = file.execute("SELECT number, time, hash FROM head").fetchall()
    except sqlite3.Error as unreadable:
        findings.add("head", f"the head cannot be read: {unreadable}", table="head")
        return
    if heads != [last]:
        findings.add("head", f"the head says {heads}, the last batch is {last}", table="head", batch=last[0])


def check_file(file: sqlite3.Connection, findings: Findings) -> None:
    """The pages are whole; there are the tables that there should be, and nothing that acts by itself."""
    known = {**COLUMNS, **{table: text.split() for table, text in {**JOURNAL, **BESIDE}.items()}}
    try:
        (schema,) = file.execute("PRAGMA user_version").fetchone()
        if schema != SCHEMA:
            findings.add("file", f"the file says schema {schema}; this verifier is made for {SCHEMA}")
        for (said,) in file.execute("PRAGMA integrity_check(100)"):
            if said != "ok":
                findings.add("file", f"the pages of the file are damaged: {said}")
        for kind, name in file.execute("SELECT type, name FROM sqlite_schema").fetchall():
            if kind in {"view", "trigger"} or (kind == "table" and name not in known):
                findings.add("file", f"the file has a {kind} {name}, which does not belong there", table=name)
        for table, columns in known.items():
            there = [column for _, column, *_ in file.execute(f"PRAGMA table_xinfo({table})")]
            if sorted(there) != sorted(columns):
                findings.add("tables", f"the columns of {table} are {there}, not {columns}", table=table)
    except sqlite3.Error as unreadable:
        findings.add("file", f"the file is damaged: {unreadable}")


def check_tables(file: sqlite3.Connection, books: Books, findings: Findings) -> None:
    """Every table is what the journal makes of it."""
    for table, columns in COLUMNS.items():
        select = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(columns[: KEYS[table]])}"
        try:
            compare(table, books.expected(table), file.execute(select), findings)
        except sqlite3.Error as unreadable:
            findings.add("tables", f"table {table} cannot be read whole: {unreadable}", table=table)


def compare(table: str, expected: Iterator[tuple[Row, int]], rows: Iterable[Row], findings: Findings) -> None:
    """Go through the rows that should be there and those that are, side by side in the sequence of their keys."""
    keys, there, last = KEYS[table], chain(rows, [None]), None
    row = next(there)
    for should, batch in expected:
        key = should[:keys]
        while row is not None and in_sequence(row[:keys]) < in_sequence(key):
            tell(findings, table, row, None, "is there, and the journal makes no such row")
            row = next(there)
        if key == last:
            tell(findings, table, should, batch, "is made twice by the journal")
        elif row is None or row[:keys] != key:
            tell(findings, table, should, batch, "is missing")
        else:
            if row != should or [*map(type, row)] != [*map(type, should)]:
                both = zip(COLUMNS[table], row, should, strict=True)
                parts = [f"{name} is {is_!r}, by the journal {was!r}" for name, is_, was in both if is_ != was]
                tell(findings, table, should, batch, "; ".join(parts) or "is of other kinds of values")
            row = next(there)
        last = key
    for left in chain([row] if row else [], there):
        if left is not None:
            tell(findings, table, left, None, "is there, and the journal makes no such row")


def in_sequence(key: Row) -> list[Any]:
    """Return a key as SQLite sorts it: nothing, numbers, text, bytes."""
    kinds = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}
    return [(kinds[type(value)], 0 if value is None else value) for value in key]


def tell(findings: Findings, table: str, row: Row, batch: int | None, words: str) -> None:
    """Note what is wrong with a row; `batch` set it as it should be, if it should be there."""
    fields = dict(zip(COLUMNS[table], row, strict=True))
    findings.add(
        "twice" if "twice" in words else "tables",
        f"{table} {', '.join(f'{column} {fields[column]}' for column in COLUMNS[table][: KEYS[table]])}: {words}",
        table=table,
        batch=batch or fields.get("batch"),
        entry=fields.get("version"),
        account=fields.get("id" if table == "account" else "account"),
        asset=fields.get("id" if table == "asset" else "asset"),
    )


def opened(path: Path) -> sqlite3.Connection:
    """Open the file to read, and begin the one transaction in which all is read. Raises sqlite3.Error."""
    where, log = f"{path.resolve().as_uri()}?mode=ro", path.with_name(f"{path.name}-wal")
    try:
        return begun(where)
    except sqlite3.OperationalError:
        # Where nothing may be written SQLite opens a file of this kind only as one that nobody changes.
        if log.exists() and log.stat().st_size:
            raise
        return begun(f"{where}&immutable=1")


def begun(where: str) -> sqlite3.Connection:
    file = sqlite3.connect(where, uri=True, isolation_level=None)
    file.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # what is no text is a finding, not the end
    file.execute("BEGIN")
    if file.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError("it is not marked as Spotbook's")
    file.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on it stands still
    return file


def verify(path: Path, expect: Heads) -> dict[str, Any]:
    """Verify the books in a file; return the report. What is not as it should be is in its findings."""
    findings = Findings()
    books, last = Books(findings), (0, 0, bytes(32))
    try:
        file = opened(path)
    except sqlite3.Error as unreadable:
        findings.add("file", f"{path} cannot be read as books: {unreadable}")
    else:
        last = read_journal(file, books, findings, expect)
        check_head(file, last, findings)
        books.check_totals()
        check_tables(file, books, findings)
        check_file(file, findings)
        file.close()
    found = findings.all()
    return {"ok": not found, "batch": last[0], "hash": last[2].hex(), "entries": books.entries, "findings": found}


def head(text: str) -> tuple[int, str]:
    """Return the number and the hash of ``N:HASH``; ValueError when it is not that."""
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdigit() and re.fullmatch("[0-9a-fA-F]{64}", digest)):
        raise ValueError("write the batch's number, a colon, and its hash in 64 hex digits")
    return int(number), digest.lower()


def main() -> int:
    """Read the arguments, verify, tell; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify a file of Spotbook's books without Spotbook.")
    parser.add_argument("file", type=Path, help="books.sqlite3, or a backup of it")
    parser.add_argument("--expect", type=head, action="append", default=[], help="N:HASH, a head kept; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    try:
        asked.file.open("rb").close()
    except OSError as error:
        parser.error(f"{asked.file} cannot be read: {error.strerror}")
    report = verify(asked.file, asked.expect)
    lines = []
    for found in report["findings"]:
        place = ", ".join(f"{name} {found[name]}" for name in list(found)[1:-1] if found[name] is not None)
        lines.append(f"{found['check']}: {found['message']}{f' ({place})' if place else ''}")
    said = "nothing was found" if report["ok"] else f"{len(report['findings'])} findings"
    lines.append(f"{report['entries']} entries up to batch {report['batch']}:{report['hash']}: {said}")
    text = json.dumps(report) if asked.json else "\n".join(lines)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
