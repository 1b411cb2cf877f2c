"""Books that a power cut left: what clients had been told, and what is wrong with what the recovery makes of them."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spotbook.app.audit import audit
from spotbook.app.pages import every
from spotbook.app.ports import StoredBatch
from spotbook.bootstrap import Offline
from spotbook.cli.demo_file import DEMO_FILE, open_demo
from spotbook.domain import amount
from spotbook.domain.commands import Deposit
from spotbook.domain.credentials import House
from spotbook.domain.order import OPEN
from spotbook.store.file import FILE
from spotbook.store.sqlite_reader import SqliteReader
from support.power_cut import Record
from support.verifier import verified

ACCOUNT = 1001
SCALE = 8
"""Of every asset in which the load deposits."""

REPLY = re.compile(rb"HTTP/1\.1 (\d+) .*?\r\n(.*?)\r\n\r\n(.*)", re.DOTALL)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
BATCH = re.compile(rb"x-batch: (\d+)", re.IGNORECASE)
UNEVEN = {
    "an asset does not sum to zero": "SELECT asset FROM balance GROUP BY asset HAVING sum(available + frozen) != 0",
    "frozen is not the sum of the holds": """
        SELECT account, asset FROM balance LEFT JOIN hold USING (account, asset)
        GROUP BY account, asset HAVING frozen != coalesce(sum(amount), 0)""",
    "a balance is not what its last entry says": """
        SELECT account, asset FROM balance JOIN entry USING (account, asset, version)
        WHERE available != available_after OR frozen != frozen_after""",
    "a balance has no entry": """
        SELECT account, asset FROM balance LEFT JOIN entry USING (account, asset, version) WHERE entry.why IS NULL""",
}


@dataclass
class Told:
    """What had begun to leave for clients: the last batch that a reply named, deposits, orders and cancels."""

    replies: int = 0
    batch: int = 0
    deposits: dict[int, dict[str, Any]] = field(default_factory=dict)
    orders: set[int] = field(default_factory=set)
    cancels: set[int] = field(default_factory=set)
    _begun: dict[int, bytes] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Note what is sent. A reply counts as told from its last byte on, which is the first to make it one."""
        if record.data.startswith(b"HTTP/1.1 "):
            self._begun[record.file] = b""
        elif record.file not in self._begun:
            return
        text = self._begun[record.file] = self._begun[record.file] + record.data
        reply = REPLY.match(text)
        length = LENGTH.search(text)
        if reply and length and len(reply[3]) >= int(length[1]):
            del self._begun[record.file]
            self._reply(int(reply[1]), reply[2], reply[3])

    def _reply(self, status: int, head: bytes, body: bytes) -> None:
        self.replies += 1
        named = BATCH.search(head)
        self.batch = max(self.batch, int(named[1]) if named else 0)
        said = json.loads(body)
        if "txid" in said and status in {200, 201}:
            self.deposits[said["id"]] = said
        data = said.get("data")
        if said.get("code") == "200" and isinstance(data, dict):
            self.orders |= {data["orderNumber"]} if list(data) == ["orderNumber"] else set()
            self.cancels |= {data["clientOrderId"]} if list(data) == ["clientOrderId"] else set()


class Recovered:
    """What is wrong with books after a cut: `found` in words, and how often which check was made."""

    def __init__(self, whole: list[StoredBatch], books: str) -> None:
        """`whole` is the journal as it was in the end, and `books` the id of the books."""
        self._whole = whole
        self._books = books
        self.batches = len(whole)
        self.made: Counter[str] = Counter()

    def check(self, folder: Path, told: Told, *, audited: bool, verify: bool) -> list[str]:
        """Recover the books in a folder as a start does, and say what is wrong with them."""
        kept = (folder / DEMO_FILE).exists()
        secrets = open_demo(folder)
        self.made["recovered"] += 1
        with Offline(folder, secrets.master_key) as offline:
            reader = offline.reader
            self.made["made anew"] += reader.books != self._books
            found = [*self._lost(reader, told, kept=kept), *uneven(folder)]
            again = next(iter(told.deposits.values()), None)
            if again and not found:
                found += repeated(offline, again)
            offline.execute(Deposit(ACCOUNT, "BTC", "1", "after-the-cut", 0, ""), House("test"))
            if audited:
                self.made["audited"] += 1
                found += [finding.message for finding in audit(reader).findings]
        if verify:
            self.made["verified"] += 1
            found += [finding["message"] for finding in verified(folder / FILE)[1]["findings"]]
        return found

    def _lost(self, reader: SqliteReader, told: Told, *, kept: bool) -> list[str]:
        """Return what of that which was told is not there, and what is there that never was."""
        head = reader.head().number
        found = []
        if reader.books != self._books:
            if not told.replies:
                return []
            found.append(f"the books are gone{'' if kept else f', and {DEMO_FILE} with them'}")
        elif reader.batches(0, head + 1) != self._whole[:head]:
            found.append("the journal is not the beginning of what it was")
        if head < told.batch:
            found.append(f"batch {told.batch} was told of, and the last is {head}")
        return found + self._lost_rows(reader, told)

    @staticmethod
    def _lost_rows(reader: SqliteReader, told: Told) -> list[str]:
        deposits = {
            row[1]: (row[0], amount.show_stripped(int(row[3]), SCALE), row[4]) for row in every(reader, "deposit")
        }
        wanted = {number: (said["account"], said["amount"], said["txid"]) for number, said in told.deposits.items()}
        orders = {row[1]: row[11] for table in ("open_order", "closed_order") for row in every(reader, table)}
        return [
            *(f"deposit {number} is lost" for number in wanted if deposits.get(number) != wanted[number]),
            *(f"order {number} is lost" for number in told.orders - orders.keys()),
            *(f"the cancel of order {number} is lost" for number in told.cancels if orders.get(number, "open") in OPEN),
        ]


def repeated(offline: Offline, said: dict[str, Any]) -> Iterable[str]:
    """Return what is wrong when a deposit that was acknowledged is sent again."""
    command = Deposit(said["account"], said["asset"], said["amount"], said["txid"], said["index"], said["chain"])
    made = offline.execute(command, House("test"))
    return [] if made.id == said["id"] else [f"deposit {said['id']} is credited again, as {made.id}"]


def uneven(folder: Path) -> list[str]:
    """Return what the tables alone show to be half done."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return [f"{words}: {rows[:3]}" for words, sql in UNEVEN.items() if (rows := connection.execute(sql).fetchall())]
