"""Signed trading requests that are all accepted in whatever sequence they come, and the books that they are for."""

import random
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from bench import standing, trading
from bench.books import SignedAccount
from bench.load import line
from bench.process import CALL
from bench.reads import signed_body
from bench.sizes import Size
from bench.trading import CANCELS, SPREAD_STEPS
from spotbook.domain.commands import CancelOrder, PlaceOrder
from spotbook.store.file import FILE
from spotbook.store.vault import new_master_key

WARM_PART = 4
"""One request in so many is kept for warming."""
CHECKED = 20
"""Requests that are sent one by one, whose replies of Spotbook and of FastAPI are compared."""
STANDING_LEVELS = 5_000
STANDING_NEAREST = 20 * SPREAD_STEPS
"""Steps from the middle price to the first order that is there to be cancelled: the flow's orders never come there."""
PLACE = "/api/v1/private?command=doTrade"
CANCEL = "/api/v1/private?command=cancelOrder"


class Request(NamedTuple):
    """A prepared request."""

    path: str
    body: str


class Prepared(NamedTuple):
    """Everything that a round begins with.

    `standing` is how many orders the books have; `checked` are requests to send one by one, the first of them to see
    whether a server answers; then files of requests: a balance of each account, what warms, what is measured.
    """

    books: Path
    master_key: str
    database: Path
    standing: int
    checked: list[Request]
    keys: Path
    warm: Path
    load: Path


def prepare(size: Size, folder: Path, *, fastapi: bool) -> Prepared:
    """Make the books, and the database of the FastAPI endpoint; draw, sign and write the requests."""
    count, master_key = size.http_orders, new_master_key()
    made = folder / "books"
    accounts = trading.make(made, master_key, size.traders)
    resting = standing.grow(
        made, size.traders, int(count * CANCELS * 1.05) + 10, levels=STANDING_LEVELS, nearest=STANDING_NEAREST
    )
    drawn = trading.draw(made, accounts, count, 0, resting)
    requests = [_request(accounts, submission.command) for submission in drawn.submissions]
    checked, warm = CHECKED + 1, CHECKED + 1 + (count - CHECKED - 1) // WARM_PART
    balances = [Request(CALL, signed_body(account)) for account in random.Random(3).sample(accounts, len(accounts))]
    if fastapi:
        _write_database(folder / "orders.sqlite3", made, accounts)
    return Prepared(
        books=made,
        master_key=master_key,
        database=folder / "orders.sqlite3",
        standing=len(resting),
        checked=requests[:checked],
        keys=_file(folder / "keys", balances),
        warm=_file(folder / "warm", requests[checked:warm]),
        load=_file(folder / "load", requests[warm:]),
    )


def _request(accounts: list[SignedAccount], command: Any) -> Request:
    """Return a command as a client sends it."""
    account = accounts[command.account - accounts[0].id]
    if isinstance(command, CancelOrder):
        return Request(CANCEL, signed_body(account, {"orderNumber": str(command.id)}))
    order: PlaceOrder = command
    params = {"symbol": order.symbol, "type": "0" if order.side == "buy" else "1", "rate": order.price}
    return Request(PLACE, signed_body(account, {**params, "amount": order.amount, "out_trade_no": order.out_trade_no}))


def _file(path: Path, requests: list[Request]) -> Path:
    path.write_text("".join(line(request.path, request.body) for request in requests), encoding="ascii")
    return path


def _write_database(file: Path, made: Path, accounts: list[SignedAccount]) -> None:
    from bench.comparators import fastapi_orders  # noqa: PLC0415  (only `make bench` installs what it imports)

    ours = sqlite3.connect(made / FILE)
    balances = ours.execute("SELECT account, asset, available, frozen FROM balance").fetchall()
    columns = ("id", "account_id", "market", "side", "price", "amount", "held", "status", "out_trade_no", "placed_at")
    orders = ours.execute(
        "SELECT o.id, o.account, m.symbol, o.side = 'sell', o.price, o.amount, h.amount, 1, o.out_trade_no, o.placed_at"
        " FROM open_order AS o JOIN market AS m ON m.id = o.market JOIN hold AS h ON h.account = o.account"
        " AND h.asset = CASE o.side WHEN 'sell' THEN m.base ELSE m.quote END AND h.kind = 'order' AND h.id = o.id"
    ).fetchall()
    ours.close()
    fastapi_orders.write(file, accounts, balances, [dict(zip(columns, order, strict=True)) for order in orders])
