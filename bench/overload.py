"""Three times as many orders as Spotbook can take, from clients that do not wait: who is told what, and how soon.

A crowd that does not wait sends each request at its time (`bench.open_loop`). First it is asked how much the server
takes when each of the usual connections waits for its answer; then, on new connections of many addresses, a tenth of
that for a while, three times that for as long as the size says, and at once a tenth again. The load proves before,
against a constant reply, that it can hold such a rate; if not, it asks for less, and says so.

Of twenty requests seventeen place an order, two cancel one that stands, one reads balances. Each answer must be a
success or ``-200``. At the end the books are held against every single answer: what was acknowledged is there, what was
refused is not, and the audit finds nothing.
"""

import random
import shutil
import sqlite3
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from bench import standing, trading
from bench.books import SignedAccount
from bench.load import line
from bench.open_loop import UNANSWERED, Load, put_open_load
from bench.prepared import CANCEL, PLACE, STANDING_LEVELS, STANDING_NEAREST
from bench.process import CALL, Server, running
from bench.reads import signed_body
from bench.report import Figure, RunFailed
from bench.sizes import Size
from bench.trading import MARKETS, MIDDLES, SIDES, SPREAD_STEPS
from spotbook.app.audit import audit
from spotbook.store.file import FILE
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import new_master_key

FLOOD = 3
"""Times what the server takes."""
CALM = 0.1
"""Part of what the server takes."""
WAITING_CONNECTIONS = 64
"""Of the crowd that waits for its answers."""
ADDRESSES = 8
CONNECTIONS = 1_024
"""Of the crowd that does not wait, from `ADDRESSES` addresses."""
SLOWER = 10
"""The accepted are answered within so many times what they wait for when it is calm: the 99th percentile."""
RECOVERED = 2
"""Times the calm latency before, at most, that the calm latency just after the flood may be."""
STUB_US_MAX = 20_000
"""The load holds a rate when nine in ten constant replies come within this; the tenth is left to who disturbs it."""
DONE, BUSY = "200", "-200"

Kind = Literal["place", "cancel", "read"]
KINDS: tuple[Kind, ...] = ("place", "cancel", "read")
WRITES: tuple[Kind, ...] = ("place", "cancel")
TURNS: tuple[Kind, ...] = ("place",) * 8 + ("cancel",) + ("place",) * 9 + ("cancel", "read")


class Request(NamedTuple):
    """A prepared request. `reference` is the out_trade_no of an order, `order` the id of one to be cancelled."""

    kind: Kind
    text: str
    account: int
    reference: str = ""
    order: int = 0


class Seen(NamedTuple):
    """A phase: its requests and what became of each."""

    requests: list[Request]
    load: Load

    def waited(self, kinds: Sequence[Kind], code: str, of_hundred: int) -> float:
        """Return a percentile of how many microseconds those of these kinds waited who were answered with this code."""
        pairs = zip(self.requests, self.load.answers, strict=True)
        return _percentile(
            [a.microseconds for request, a in pairs if request.kind in kinds and a.code == code], of_hundred
        )

    def part(self, kind: Kind, code: str) -> float:
        """Return the part of a kind that was answered with this code."""
        pairs = zip(self.requests, self.load.answers, strict=True)
        codes = [answer.code for request, answer in pairs if request.kind == kind]
        return codes.count(code) / max(len(codes), 1)

    def rate(self, code: str | None = None) -> float:
        """Return how many a second there were, or were answered with this code."""
        count = sum(code is None or answer.code == code for answer in self.load.answers)
        return count / max(self.load.sent.seconds, 1e-3)


class Round(NamedTuple):
    """What one round saw: requests a second that the server takes, that it was asked for, and the phases."""

    takes: float
    asked: float
    before: Seen
    flood: Seen
    after: Seen


def run(size: Size, folder: Path) -> list[Figure]:
    """Make the books, flood servers on copies of them; return the figures."""
    master_key = new_master_key()
    accounts = trading.make(folder / "books", master_key, size.traders)
    resting = standing.grow(
        folder / "books", size.traders, size.http_orders // 2 + 1_000, levels=STANDING_LEVELS, nearest=STANDING_NEAREST
    )
    rounds = []
    for number in range(size.rounds):
        shutil.copytree(folder / "books", folder / "round")
        crowd = Crowd(accounts, resting, number, folder / "requests")
        first = signed_body(accounts[0])
        environment = {"SPOTBOOK_MASTER_KEY": master_key}
        with running("bench.servers.ours", [str(folder / "round")], first, environment) as server:
            rounds.append(_round(size, crowd, server))
        check(folder / "round", crowd.all)
        shutil.rmtree(folder / "round")
    return _figures(rounds)


class Crowd:
    """Draws requests, each of which the books admit whenever it comes, and remembers what became of them."""

    def __init__(self, accounts: list[SignedAccount], resting: list[tuple[int, int]], seed: int, file: Path) -> None:
        self._accounts = accounts
        self._resting = list(resting)
        self._random = random.Random(seed)
        self._drawn = self._draw()
        self._file = file
        self.all: list[Seen] = []

    def ask(self, server: Server, rate: float, seconds: float, *, most: int = 0, crowded: bool = False) -> Seen:
        """Put a load of fresh requests on the server: `most` of them, or as many as the rate makes.

        Over many connections of many addresses when it is `crowded`, else over the usual ones, which wait when the
        rate is 0. RunFailed when an answer is neither a success nor busy.
        """
        requests = [next(self._drawn) for _ in range(most or int(rate * seconds * 1.1) + 50)]
        self._file.write_text("".join(request.text for request in requests), encoding="ascii")
        connections, addresses = (CONNECTIONS, ADDRESSES) if crowded else (WAITING_CONNECTIONS, 1)
        load = put_open_load(server.url, self._file, rate, seconds, connections=connections, addresses=addresses)
        seen = Seen(requests[: len(load.answers)], load)
        self.all.append(seen)
        odd = [answer for answer in load.answers if answer.code not in {DONE, BUSY}]
        if odd:
            words = "was not answered" if odd[0].code == UNANSWERED else f"was answered {odd[0].code}"
            raise RunFailed(f"{len(odd)} of {len(load.answers)} requests went wrong; the first {words}")
        return seen

    def rehearse(self, stub: Server, rate: float, seconds: float) -> Load:
        """Put such a load on a server that knows nothing, and forget it."""
        requests = [next(self._drawn).text for _ in range(100)] * (int(rate * seconds * 1.1) // 100 + 1)
        self._file.write_text("".join(requests), encoding="ascii")
        return put_open_load(stub.url, self._file, rate, seconds, connections=CONNECTIONS, addresses=ADDRESSES)

    def _draw(self) -> Iterator[Request]:
        while True:
            for kind in TURNS:
                account = self._random.choice(self._accounts)
                if kind == "cancel" and self._resting:
                    yield self._cancel(*self._resting.pop())
                elif kind == "read":
                    yield Request("read", line(CALL, signed_body(account)), account.id)
                else:
                    yield self._place(account)

    def _cancel(self, owner: int, order: int) -> Request:
        account = self._accounts[owner - self._accounts[0].id]
        return Request("cancel", line(CANCEL, signed_body(account, {"orderNumber": str(order)})), owner, order=order)

    def _place(self, account: SignedAccount) -> Request:
        random_ = self._random
        market = random_.choice(MARKETS).symbol
        price = MIDDLES[market] + random_.randrange(-SPREAD_STEPS, SPREAD_STEPS)
        order = trading.limit_order(account.id, market, random_.choice(SIDES), price, random_)
        params = {"symbol": market, "type": "0" if order.side == "buy" else "1", "rate": order.price}
        params |= {"amount": order.amount, "out_trade_no": order.out_trade_no}
        return Request("place", line(PLACE, signed_body(account, params)), account.id, order.out_trade_no)


def _round(size: Size, crowd: Crowd, server: Server) -> Round:
    most = size.http_orders
    crowd.ask(server, 0, size.warm_seconds, most=most)
    taken = crowd.ask(server, 0, size.load_seconds, most=most)
    takes = taken.rate(DONE)
    asked = _holds(FLOOD * takes, crowd, size)
    calm = CALM * takes
    before = crowd.ask(server, calm, size.calm_seconds)
    flood = crowd.ask(server, asked, size.flood_seconds, crowded=True)
    return Round(takes, asked, before, flood, crowd.ask(server, calm, size.calm_seconds))


def _holds(rate: float, crowd: "Crowd", size: Size) -> float:
    """Return the rate, or the largest part of it that the load holds against a constant reply."""
    with running("bench.servers.plain", ["constant"], "a=b") as stub:
        while True:
            load = crowd.rehearse(stub, rate, size.warm_seconds)
            if _percentile([answer.microseconds for answer in load.answers], 90) <= STUB_US_MAX:
                return rate
            rate *= 0.8


def check(folder: Path, all_: list[Seen]) -> None:
    """Hold the books, which no server has open any more, against every answer; RunFailed when they differ."""
    connection = sqlite3.connect(folder / FILE)
    numbers = {
        (a, r): order for a, r, order in connection.execute("SELECT account, out_trade_no, order_id FROM out_trade_no")
    }
    cancelled = {order for (order,) in connection.execute("SELECT id FROM closed_order WHERE status = 'cancelled'")}
    connection.close()
    for seen in all_:
        for request, answer in zip(seen.requests, seen.load.answers, strict=True):
            done = answer.code == DONE
            if request.kind == "place" and numbers.get((request.account, request.reference), 0) != answer.order:
                raise RunFailed(f"an order was answered {answer}, the books say otherwise")
            if request.kind == "cancel" and (request.order in cancelled) != done:
                raise RunFailed(f"a cancel was answered {answer}, the books say otherwise")
    reader = SqliteReader(folder)
    found = audit(reader)
    reader.close()
    if not found.ok:
        raise RunFailed(f"the audit found {found.findings[0].message}")


def _percentile(values: list[int], of_hundred: int) -> float:
    """Return a percentile; 0 when nothing waited so."""
    return float(sorted(values)[min(len(values) * of_hundred // 100, len(values) - 1)]) if values else 0.0


def _figures(rounds: list[Round]) -> list[Figure]:
    def median(value: Callable[[Round], float]) -> float:
        return statistics.median(value(seen) for seen in rounds)

    def ratio(phase: Callable[[Round], Seen], of_hundred: int) -> float:
        return median(
            lambda seen: phase(seen).waited(WRITES, DONE, of_hundred) / seen.before.waited(WRITES, DONE, of_hundred)
        )

    load = [
        Figure("takes, when each waits for its answer", median(lambda seen: seen.takes), "1/s"),
        Figure("asked for in the flood", median(lambda seen: seen.flood.rate()), "1/s"),
        Figure("asked for / takes", median(lambda seen: seen.asked / seen.takes), ""),
        Figure("the load itself late by, p99", median(lambda seen: seen.flood.load.sent.late_p99_us), "µs"),
        Figure("accepted in the flood", median(lambda seen: seen.flood.rate(DONE)), "1/s"),
        Figure("flood: part of the orders done", median(lambda seen: seen.flood.part("place", DONE)), ""),
        Figure("flood: part of the cancels done", median(lambda seen: seen.flood.part("cancel", DONE)), "", floor=1),
        Figure("flood: part of the reads done", median(lambda seen: seen.flood.part("read", DONE)), ""),
    ]
    waits = [
        Figure(
            f"{name}, p{of_hundred}", statistics.median(phase.waited(kinds, code, of_hundred) for phase in phases), "µs"
        )
        for name, phases, kinds, code in (
            ("calm before: accepted writes", [seen.before for seen in rounds], WRITES, DONE),
            ("flood: accepted writes", [seen.flood for seen in rounds], WRITES, DONE),
            ("flood: cancels", [seen.flood for seen in rounds], ("cancel",), DONE),
            ("flood: reads", [seen.flood for seen in rounds], ("read",), DONE),
            ("flood: told busy", [seen.flood for seen in rounds], KINDS, BUSY),
            ("calm after: accepted writes", [seen.after for seen in rounds], WRITES, DONE),
        )
        for of_hundred in (50, 99)
    ]
    return [
        *load,
        *waits,
        Figure("flood / calm, accepted writes, p99", ratio(lambda seen: seen.flood, 99), "", ceiling=SLOWER),
        Figure("calm after / before, p50", ratio(lambda seen: seen.after, 50), "", ceiling=RECOVERED),
        Figure("calm after / before, p99", ratio(lambda seen: seen.after, 99), ""),
    ]
