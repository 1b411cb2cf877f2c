"""The model of all that a client sees: books, limits, who may do what, and what every reply must say.

While it is not known whether a batch was committed, there are several worlds, one for each possibility; `run` drops
those that a reply contradicts.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from simulator import reads
from simulator.books import Books, No, Order
from simulator.calls import Call
from simulator.deeds import Deed, carry_out
from simulator.figures import flag, positive
from simulator.pace import Barred, Limits, Pace, Told

REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,50}")
NEEDS = {"doTrade": "trade", "cancelOrder": "trade", "cancelAllOrder": "trade", "cancelAll": "trade"}
LIMIT_OF = {"cancelAll": "cancelAllOrder", "getOrder": "returnOrderTrades"}
WRITES = frozenset({"doTrade", "cancelOrder", "cancelAllOrder", "cancelAll", "spotbook.order"})
SAID = {
    "UnknownMarket": ("-3", "symbol does not exist"),
    "UnknownOrder": ("-3", "order not found"),
    "OutTradeNoTaken": ("10008", "out_trade_no is taken"),
    "InsufficientBalance": ("200005", "insufficient balance"),
    "Halted": ("10009", "refused: trading is halted"),
    "AccountIsFrozen": ("10009", "refused: the account is frozen"),
    "WouldCross": ("10009", "refused: post-only would cross"),
    "NoLiquidity": ("10009", "refused: no liquidity"),
    "OrderClosed": ("10009", "refused: order already closed"),
    "KeyNotLive": ("10006", "api_key error: invalid api key"),
    "WriterStopped": ("-200", "system busy"),
}
BUSY, UNKNOWN = ("-200", "system busy"), ("-201", "system error, outcome unknown")


class Instant(NamedTuple):
    """What the exchange's clocks say: the time of day, and the limiter's."""

    now: int
    paced: int


class Said(NamedTuple):
    """What a reply must be. `words` must be in its message; None, or of headers -1, is not looked at."""

    code: str | int
    words: str
    data: Any = None
    told: Told | None = None
    version: int = -1
    batch: int = -1
    batch_time: int = -1
    retry_ms: int = 0


class Outcome(NamedTuple):
    """What an operator's command must come to: ``done``, ``done before``, or the kind of refusal."""

    kind: str
    about: str = ""


class Waiting(NamedTuple):
    """A call that went to the writer: whose it is, the key, the permission, what to do, and the limiter's word."""

    account: int
    key: str
    permission: str
    work: Callable[[Books, int], tuple[bool, Any]]
    told: Told


class World:
    """Books, and the process that serves them."""

    def __init__(self, books: Books, limits: Limits) -> None:
        self.books = books
        self.limits = limits
        self.pace: Pace
        self.story: list[str] = []

    def fork(self) -> "World":
        """Return a world that goes on by itself from here."""
        twin = World(self.books.fork(), self.limits)
        twin.pace = self.pace.fork()
        return twin

    def start(self, at: Instant) -> None:
        """A process starts: nothing is remembered but what the books hold."""
        bans = []
        for (text, began), (kind, until) in self.books.bans.items():
            if began > self.books.lifts.get(text, 0):
                bans.append((subject_of(text), began, kind, until))
        self.pace = Pace(self.limits, bans, max(at.now, self.books.batch_time) + 5_000)

    # --- the batch --------------------------------------------------------------------------------------------------

    def front(self, call: Call, at: Instant) -> Said | Waiting:
        """Take a call through every check up to the writer."""
        try:
            return self._private(call, at) if call.private else self._public(call, at)
        except Barred as barred:
            return Said(29001, "API access frequently", told=barred.told, retry_ms=barred.told.retry_ms)

    def decide(self, waiting: list[Deed | Waiting], now: int) -> tuple[list[Said | Outcome], bool]:
        """Carry out what waits for the writer; return what each comes to, and whether there is a batch."""
        books = self.books
        time = max(now, books.batch_time)
        found: list[tuple[bool, Any] | No] = []
        versions = []
        for one in waiting:
            try:
                found.append(self._decided(one, time))
            except No as no:
                found.append(no)
            versions.append(books.versions.get(one.account, 0) if isinstance(one, Waiting) else 0)
        changes = any(result[0] for result in found if not isinstance(result, No))
        if changes:
            books.batch += 1
            books.batch_time = time
        said: list[Said | Outcome] = []
        for one, result, version in zip(waiting, found, versions, strict=True):
            if isinstance(one, Waiting):
                said.append(self._reply(one, result, version))
            elif isinstance(result, No):
                said.append(Outcome(result.kind, result.about))
            else:
                said.append(Outcome("done" if result[0] else "done before", str(result[1])))
        return said, changes

    def _decided(self, one: Deed | Waiting, time: int) -> tuple[bool, Any]:
        books = self.books
        if books.stopped and not (isinstance(one, Deed) and one.kind == "resume"):
            raise No("WriterStopped")
        if isinstance(one, Deed):
            return carry_out(books, one, time)
        key = books.keys[one.key]
        if not key.live(time):
            raise No("KeyNotLive")
        if one.permission not in key.permissions:
            raise No("PermissionMissing", one.permission)
        return one.work(books, time)

    def _reply(self, one: Waiting, result: tuple[bool, Any] | No, version: int) -> Said:
        books = self.books
        if isinstance(result, No):
            code, words = words_of(result, {"price": "rate"})
            return Said(code, words, None, one.told, books.versions.get(one.account, 0), books.batch, books.batch_time)
        return Said("200", "SUCCESS", result[1], one.told, version, books.batch, books.batch_time)

    def failed(self, one: Deed | Waiting, code: tuple[str, str]) -> Said | Outcome:
        """Return what is said when the batch was not committed, or nobody knows."""
        if isinstance(one, Deed):
            return Outcome("not done" if code is BUSY else "unknown")
        return self._at(Said(*code, told=one.told), one.account)

    def _at(self, said: Said, account: int) -> Said:
        books = self.books
        version = books.versions.get(account, 0)
        return said._replace(version=version, batch=books.batch, batch_time=books.batch_time)

    # --- the checks before the writer -------------------------------------------------------------------------------

    def _private(self, call: Call, at: Instant) -> Said | Waiting:
        self.pace.address_call(call.address, at.paced)
        if call.flaw == "twice":
            return Said("10003", "parameter error: amount: given twice")
        if call.flaw == "ampersand":
            return Said("10003", "parameter error: symbol: must be free of &")
        refused = self._authenticated(call, at)
        if refused is not None:
            return refused
        key = self.books.keys[call.api_key]
        known = call.command in reads.PRIVATE or call.command in WRITES
        limit = LIMIT_OF.get(call.command, call.command) if known else None
        try:
            told = self.pace.user_call(key.account, call.address, limit, at.paced)
        except Barred as barred:
            said = Said(29001, "API access frequently", told=barred.told, retry_ms=barred.told.retry_ms)
            return self._at(said, key.account)
        if not known:
            return self._at(Said("10002", "API does not exist", told=told), key.account)
        needed = NEEDS.get(call.command, "read")
        if needed not in key.permissions:
            return self._at(Said("10004", f"no permission: {needed}", told=told), key.account)
        try:
            if call.command in WRITES:
                work = _work(call, key.account)
                return Waiting(key.account, call.api_key, needed, work, told)
            data = reads.PRIVATE[call.command](self.books, key.account, call.params, at.now)
        except No as no:
            return self._at(Said(*words_of(no, {}), told=told), key.account)
        return self._at(Said("200", "SUCCESS", data, told), key.account)

    def _authenticated(self, call: Call, at: Instant) -> Said | None:
        """Return the refusal of who does not show whose call it is."""
        key = self.books.keys.get(call.api_key)
        if key is None:
            return Said("10006", "api_key error: invalid api key")
        wrong = ""
        if call.signing == "v1":
            if call.flaw == "no stamp":
                wrong = "signature error: X-Spotbook-Timestamp is missing or malformed"
            elif call.flaw:
                wrong = "signature error"
        elif call.flaw:
            wrong = "signature error"
        elif key.strict:
            wrong = "signature error: this key is strict"
        if wrong:
            return self._forged(call, wrong, at)
        if not key.live(at.now) or (key.allow and key.allow != call.address):
            return Said("10006", "api_key error: invalid api key")
        if call.signing == "md5":
            return None
        time = max(at.now, self.books.batch_time)
        why, wait = self.pace.fresh(call.api_key, call.nonce, call.stamp, time)
        if why == "taken":
            return None
        if why == "floor":
            return Said("-200", "system busy", retry_ms=wait)
        words = "signature error: the timestamp is" if why == "stale" else "signature error: the nonce was used before"
        return self._forged(call, words, at)

    def _forged(self, call: Call, words: str, at: Instant) -> Said:
        self.pace.forgery(call.api_key, call.address, at.paced)
        return Said("10007", words)

    def _public(self, call: Call, at: Instant) -> Said:
        self.pace.address_call(call.address, at.paced)
        if call.command not in reads.PUBLIC:
            return Said("10002", "API does not exist")
        told = self.pace.public_call(call.address, call.command, at.paced)
        try:
            data = reads.PUBLIC[call.command](self.books, call.params, at.now)
        except No as no:
            return Said(*words_of(no, {}), told=told)
        return Said("200", "SUCCESS", data, told)


def words_of(no: No, names: dict[str, str]) -> tuple[str, str]:
    """Return the code of a refusal, and words of its message."""
    about = names.get(no.about, no.about)
    if no.kind == "Invalid":
        return "10003", f"parameter error: {about}: "
    if no.kind == "Precision":
        return "10003", f"parameter precision: {about}"
    if no.kind == "PermissionMissing":
        return "10004", f"no permission: {about}"
    if no.kind == "MarketClosed":
        return "10009", "refused: the market is " + ("off" if no.about == "off" else "cancel-only")
    if no.kind == "TooManyOrders":
        return "10009", f"refused: too many open orders, {no.about} is the most"
    return SAID[no.kind]


def _work(call: Call, account: int) -> Callable[[Books, int], tuple[bool, Any]]:
    """Return what a call asks of the writer. Raises No for what is wrong before the writer sees it."""
    params = call.params
    if call.command == "cancelOrder":
        number = reads.order_number(params, "orderNumber")
        return lambda books, now: (True, {"clientOrderId": books.cancel(account, number, now)})
    if call.command in {"cancelAllOrder", "cancelAll"}:
        symbol = params.get("currencyPair" if call.command == "cancelAllOrder" else "symbol", "")
        return lambda books, now: (books.cancel_all(account, symbol, now), {})
    if call.command == "spotbook.order":
        reference = params.get("out_trade_no", "")
        if not REFERENCE.fullmatch(reference):
            raise No("Invalid", "out_trade_no")
        fence = flag(dict(params), "fence")
        return lambda books, _: _found(books, *books.find(account, reference, fence=fence))
    return _placing(call, account)


def _found(books: Books, fresh: bool, order: Order | None) -> tuple[bool, Any]:  # noqa: FBT001
    if order is None:
        return fresh, {"state": "unknown"}
    shown = {**reads.details(books, order), "prize": reads.price_of(order), "out_trade_no": order.reference}
    return fresh, {"state": "accepted", "order": shown}


def _placing(call: Call, account: int) -> Callable[[Books, int], tuple[bool, Any]]:
    params = dict(call.params)
    for name in ("symbol", "type"):
        if not params.get(name):
            raise No("Invalid", name)
    if params["type"] not in {"0", "1"}:
        raise No("Invalid", "type")
    at_any_price, never_takes = flag(params, "isMarket"), flag(params, "postOnly")
    if at_any_price and never_takes:
        raise No("Invalid", "postOnly")
    reference = params.get("out_trade_no", "")
    if reference and not REFERENCE.fullmatch(reference):
        raise No("Invalid", "out_trade_no")
    kind = "market" if at_any_price else "post_only" if never_takes else "limit"
    side = "sell" if params["type"] == "1" else "buy"

    def place(books: Books, now: int) -> tuple[bool, Any]:
        order = _asked(books, account, side, kind, params, reference, now)
        fresh, number = books.place(order)
        return fresh, {"orderNumber": number}

    return place


def _asked(  # noqa: PLR0917
    books: Books, account: int, side: str, kind: str, params: dict[str, str], reference: str, now: int
) -> Order:
    market = books.markets.get(params["symbol"])
    if market is None:
        raise No("UnknownMarket")
    price = lots = funds = 0
    rate, amount, given = (params.get(name, "") for name in ("rate", "amount", "funds"))
    if kind == "market":
        if bool(amount) == bool(given):
            raise No("Invalid", "amount")
    else:
        if given:
            raise No("Invalid", "funds")
        price = positive(rate, market.price_decimals, "price")
    if given:
        funds = positive(given, books.scales[market.quote], "funds")
    else:
        lots = positive(amount, market.amount_decimals, "amount")
    number = len(books.orders) + 1
    return Order(account, number, market, side, kind, price, lots, funds, reference, now, now)


def subject_of(text: str) -> tuple[int, str]:
    """Return the user (0: none) and the address of a subject as the books write it."""
    if text.startswith("address:"):
        return 0, text.removeprefix("address:")
    user, _, address = text.removeprefix("user:").partition("@")
    return int(user), address
