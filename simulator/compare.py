"""What the exchange says, held against what the model says. Each returns the first difference in words, or nothing."""

from typing import Any

from simulator.books import Books
from simulator.calls import Call, Reply
from simulator.exchange import Exchange
from simulator.plan import owner_key
from simulator.world import Outcome, Said, World
from spotbook.app.board import Board
from spotbook.app.ports import Reader
from spotbook.app.rebuild import rebuild
from spotbook.app.state_hash import state_hash
from spotbook.app.writer import Done, NotDone, Refused, Unknown
from spotbook.domain.errors import AmountTooPrecise, Invalid, PermissionMissing

EVERYTHING = 10**9


def reply(said: Said, found: Reply | None) -> str:
    """Compare a reply."""
    if found is None:
        return f"the model expects {said.code}, and nothing was answered"
    if found.code != said.code or type(found.code) is not type(said.code):
        return (
            f"the model expects code {said.code!r} ({said.words}), the exchange says {found.code!r} ({found.message})"
        )
    if said.words not in found.message:
        return f"the model expects the words {said.words!r}, the exchange says {found.message!r}"
    if found.data != said.data:
        return f"the model expects {said.data}, the exchange says {found.data}"
    headers = found.headers
    if said.told is not None:
        limits = int(headers["ratelimit-limit"]), int(headers["ratelimit-remaining"])
        if limits != (said.told.limit, said.told.left):
            return (
                f"the model expects {said.told.left} of {said.told.limit} calls left, the exchange says {limits[::-1]}"
            )
    if headers.get("retry-after") != (str(-(-said.retry_ms // 1_000)) if said.retry_ms else None):
        return f"the model expects to be told {said.retry_ms} ms, the exchange says {headers.get('retry-after')} s"
    if said.version >= 0:
        at = tuple(int(headers[name]) for name in ("x-account-version", "x-batch", "x-batch-time"))
        if at != (said.version, said.batch, said.batch_time):
            expected = said.version, said.batch, said.batch_time
            return f"the model expects version, batch and its time {expected}, the exchange says {at}"
    return ""


def outcome(said: Outcome, found: Any) -> str:
    """Compare what became of a deed."""
    kind, about = _outcome(found)
    if kind != said.kind or (said.about and about != said.about):
        return f"the model expects {said.kind} {said.about}, the exchange says {kind} {about}"
    return ""


def _outcome(found: Any) -> tuple[str, str]:
    match found:
        case Done(result, fresh):
            return "done" if fresh else "done before", str(getattr(result, "id", ""))
        case NotDone():
            return "not done", ""
        case Unknown():
            return "unknown", ""
        case Refused(refusal):
            if isinstance(refusal, AmountTooPrecise):
                return "Precision", refusal.name
            if isinstance(refusal, Invalid):
                return "Invalid", refusal.name
            about = refusal.needed if isinstance(refusal, PermissionMissing) else ""
            return type(refusal).__name__, about
    return f"nothing: {found}", ""


def crossed(board: Board, books: Books) -> str:
    """No book is crossed, by what the public sees."""
    for symbol in books.markets:
        asks, bids = board.depth(symbol)
        if asks and bids and bids[0][0] >= asks[0][0]:
            return f"{symbol}: the best bid is {bids[0][0]}, the best ask {asks[0][0]}"
    return ""


# --- tables ---------------------------------------------------------------------------------------------------------


def _rows(reader: Reader, table: str) -> list[Any]:
    return reader.page(table, (), (), EVERYTHING)


def _differ(what: str, said: Any, found: Any) -> str:
    """Compare two dicts."""
    if said == found:
        return ""
    for key in sorted(said.keys() | found.keys(), key=str):
        if said.get(key) != found.get(key):
            return f"{what} {key}: the model expects {said.get(key)}, the exchange says {found.get(key)}"
    return ""


def after_start(reader: Reader, books: Books) -> str:
    """Compare the head, the balances, the holds and the open orders."""
    head = reader.head()
    if (head.number, head.time) != (books.batch, books.batch_time):
        expected = books.batch, books.batch_time
        return f"the model expects batch {expected} after the start, the exchange says {(head.number, head.time)}"
    return _balances(reader, books) or _holds(reader, books) or _open(reader, books)


def whole(reader: Reader, books: Books) -> str:
    """Compare every table."""
    return after_start(reader, books) or _closed(reader, books) or _fills(reader, books) or _others(reader, books)


def _balances(reader: Reader, books: Books) -> str:
    names = dict(enumerate(books.scales, 1))
    found = {(row[0], names[row[1]]): tuple(row[2:4]) for row in _rows(reader, "balance")}
    said = {purse: (books.free[purse], books.held[purse]) for purse in books.free}
    versions: dict[int, int] = {}
    for row in _rows(reader, "balance"):
        versions[row[0]] = max(versions.get(row[0], 0), row[4])
    return _differ("balance", said, found) or _differ("version of account", books.versions, versions)


def _holds(reader: Reader, books: Books) -> str:
    names = dict(enumerate(books.scales, 1))
    found = {(row[0], names[row[1]], row[3]): row[4] for row in _rows(reader, "hold")}
    said = {
        (order.account, order.pays, order.number): order.holds for orders in books.standing.values() for order in orders
    }
    return _differ("hold", said, found)


def _shown(order: Any) -> tuple[Any, ...]:
    """Return an order of the model as a row of the exchange's."""
    return (
        order.account,
        order.number,
        order.market.number,
        order.side,
        order.kind,
        order.price,
        order.lots * order.market.lot,
        order.funds,
        order.filled * order.market.lot,
        order.value,
        order.fee,
        order.status,
        order.reference,
        order.placed_at,
        order.changed_at,
    )


def _open(reader: Reader, books: Books) -> str:
    said = {order.number: _shown(order) for orders in books.standing.values() for order in orders}
    return _differ("open order", said, {row[1]: tuple(row) for row in _rows(reader, "open_order")})


def _closed(reader: Reader, books: Books) -> str:
    standing = {order.number for orders in books.standing.values() for order in orders}
    said = {number: _shown(order) for number, order in books.orders.items() if number not in standing}
    return _differ("closed order", said, {row[1]: tuple(row[:-1]) for row in _rows(reader, "closed_order")})


def _fills(reader: Reader, books: Books) -> str:
    said: dict[Any, Any] = {}
    trades: dict[Any, Any] = {}
    for fill in books.fills:
        units = fill.lots * fill.market.lot
        figures = fill.price, units, fill.value
        other = "sell" if fill.side == "buy" else "buy"
        trades[fill.market.number, fill.number] = fill.side, *figures, fill.made_at
        for order, role, side, fee in (
            (fill.maker, "maker", other, fill.maker_fee),
            (fill.taker, "taker", fill.side, fill.taker_fee),
        ):
            said[order.account, fill.number] = order.number, fill.market.number, side, role, *figures, fee, fill.made_at
    found = {(row[0], row[1]): tuple(row[2:-1]) for row in _rows(reader, "fill")}
    public = {(row[0], row[1]): tuple(row[2:-1]) for row in _rows(reader, "trade")}
    return _differ("fill", said, found) or _differ("trade", trades, public)


def _others(reader: Reader, books: Books) -> str:
    references = {(row[0], row[1]): row[2] for row in _rows(reader, "out_trade_no")}
    deposits = {row[1]: (row[0], row[3]) for row in _rows(reader, "deposit")}
    said_deposits = {number: (account, units) for account, units, number in books.deposits.values()}
    keys = {row[0]: (row[1], row[2], bool(row[7]), bool(row[8])) for row in _rows(reader, "api_key")}
    said_keys = {
        name: (key.account, ",".join(key.permissions), key.revoked, key.strict) for name, key in books.keys.items()
    }
    bans = {(row[0], row[1]): (row[2], row[3]) for row in _rows(reader, "ban")}
    frozen = {row[0]: bool(row[4]) for row in _rows(reader, "account") if row[1] == "user"}
    tokens = {row[0]: (tuple(row[3].split(",")), bool(row[5])) for row in _rows(reader, "token")}
    rules = {row[1]: (row[9], row[11], row[12], row[14]) for row in _rows(reader, "market")}
    said_rules = {
        symbol: (market.amount_min * market.lot, market.maker_fee, market.taker_fee, market.state)
        for symbol, market in books.markets.items()
    }
    return (
        _differ("reference", books.references, references)
        or _differ("deposit", said_deposits, deposits)
        or _differ("key", said_keys, keys)
        or _differ("ban", books.bans, bans)
        or _differ("frozen account", books.frozen, frozen)
        or _differ("token", books.tokens, tokens)
        or _differ("market", said_rules, rules)
    )


# --- the end of a run -----------------------------------------------------------------------------------------------


def by_wire(exchange: Exchange, world: World, account: int) -> str:
    """Ask the wire for everything of an account, and compare. Whoever is banned is told so, as the model says."""
    symbols = list(world.books.markets)
    asked: list[tuple[str, dict[str, str]]] = [("returnCompleteBalances", {}), ("spotbook.holds", {})]
    asked += [
        (name, {"currencyPair": symbol}) for symbol in symbols for name in ("returnOpenOrders", "returnUTradeHistory")
    ]
    asked.append(("getUserTrades", {"limit": "100"}))
    key = world.books.keys[owner_key(account)]
    calls = [Call(name, params, f"10.1.{account % 250}.1", key.api_key, key.secret) for name, params in asked]
    at = exchange.instant()
    for call in calls:
        said = world.front(call, at)
        _, replies = exchange.batch([], [call])
        found = reply(said, replies[0]) if isinstance(said, Said) else "a read went to the writer"
        if found:
            return found
    return ""


def rebuilt(exchange: Exchange) -> str:
    """Make every projection anew from the journal, and compare the state hash."""
    before = state_hash(exchange.reader)
    tables = {table: _rows(exchange.reader, table) for table in ("closed_order", "candle", "fill", "entry")}
    rebuild(exchange.store)
    if state_hash(exchange.reader) != before:
        return "the books made anew from the journal have another state hash"
    for table, rows in tables.items():
        if _rows(exchange.reader, table) != rows:
            return f"the table {table} made anew from the journal differs"
    return ""
