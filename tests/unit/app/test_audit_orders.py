"""The audit of orders: clean trading passes, and a journal that breaks a rule of trading is found."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, get_args

import pytest

from spotbook.app import journal, projection
from spotbook.app.audit import Finding, Report, audit, run
from spotbook.app.audit.replay import Replay
from spotbook.app.journal import Transaction
from spotbook.app.ports import Head
from spotbook.app.projection import CANDLE_SECONDS
from spotbook.domain import events as e
from spotbook.domain.commands import CancelAllOrders, CancelOrder, ChangeMarket, MakeAsset, MakeMarket
from spotbook.domain.order import Kind, Side
from spotbook.store.memory import MemoryBooks, MemoryStore
from support.commands import USER, deposit
from support.trading_story import OPENING, OTHER, THIRD, limit, market, tell
from support.verifier import broken_rules
from support.writers import Desk

Change = Callable[[list[e.Event]], list[e.Event]]

ENTRIES = 79


def told() -> MemoryBooks:
    """Return books in which the story was told."""
    books = MemoryBooks()
    desk = Desk(MemoryStore(books))
    tell(desk)
    assert desk.alarms == []
    return books


def test_a_story_with_everything_in_it_passes() -> None:
    books = told()
    report = audit(MemoryStore(_reopened(books)).reader())
    assert report == Report(ok=True, batch=books.head.number, hash=books.head.hash, entries=ENTRIES, findings=())


def _reopened(books: MemoryBooks) -> MemoryBooks:
    books.writing = False
    return books


@pytest.mark.parametrize("seed", range(6))
def test_any_trading_passes(seed: int) -> None:
    """Random orders of three accounts in two markets whose rules change, several to a batch."""
    choice, books = random.Random(seed), MemoryBooks()
    desk = Desk(MemoryStore(books))
    desk.found()
    desk.batch(*OPENING, MakeAsset("ODD", 0, "1000000"), MakeMarket("ODD_BTC", 8, 0, *_ODD))
    desk.batch(*(deposit(f"o{account}", "1000", account=account, asset="ODD") for account in (USER, OTHER, THIRD)))
    for _ in range(60):
        desk.clock.now += choice.randrange(3)
        desk.batch(*(_command(choice) for _ in range(choice.randrange(1, 12))))
    assert desk.alarms == []
    assert len(books.tables["trade"]) > 20
    assert len(books.tables["open_order"]) > 5
    assert broken_rules(books.batches) == []
    assert audit(MemoryStore(_reopened(books)).reader()).findings == ()


_ODD = ("0", "0.00000001", "1", "1", "1000", 1_000_000, 3, "cancel_newest", "on")


def _command(choice: random.Random) -> Any:
    account, symbol = choice.choice((USER, OTHER, THIRD)), choice.choice(("BTC_USDT", "ODD_BTC"))
    side: Side = choice.choice(get_args(Side))
    kind: Kind = choice.choice(("limit", "limit", "limit", "post_only", "market"))
    number, small = choice.randrange(1, 60), choice.randrange(1, 30)
    amount = f"0.{small:06}" if symbol == "BTC_USDT" and choice.random() < 0.2 else str(small % 4 + 1)
    price = f"{number}.{small}" if symbol == "BTC_USDT" else f"0.000000{number % 9 + 1:02}"
    placing = limit(account, side, amount, price, kind=kind)._replace(symbol=symbol)
    by_funds = kind == "market" and choice.random() < 0.5
    taking = market(account, side, funds=price if by_funds else "", amount="" if by_funds else amount)
    rare = (
        CancelAllOrders(account, choice.choice(("", symbol))),
        ChangeMarket(symbol, maker_fee_ppm=choice.randrange(1_000_001), taker_fee_ppm=number * small),
        ChangeMarket(symbol, self_trade=choice.choice(("cancel_newest", "cancel_oldest"))),
    )
    if choice.random() < 0.08:
        return choice.choice(rare)
    if choice.random() < 0.2:
        return CancelOrder(account, choice.randrange(1, 100))
    return taking._replace(symbol=symbol) if kind == "market" else placing


# --- a journal that was made up, with everything made to fit it: the chain, the head and the tables ---------------


@cache
def story() -> list[tuple[int, list[Transaction]]]:
    """Return the time and the transactions of each batch of the story."""
    return [journal.read(batch.body) for batch in told().batches]


def rewritten(*changes: Change) -> tuple[Finding, ...]:
    """Return what is found in the story when each transaction's events went through `changes`."""
    return audit(MemoryStore(remade(*changes)).reader()).findings


def remade(*changes: Change) -> MemoryBooks:
    """Return books with the story when each transaction's events went through `changes`."""
    made = MemoryBooks()
    for time, transactions in story():
        after: list[Transaction] = []
        for transaction in transactions:
            events = list(transaction.events)
            for change in changes:
                events = change(events)
            after.append(transaction._replace(events=events))
        chained = journal.chained(made.head, time, journal.body_of(time, after))
        made.batches.append(chained)
        made.head = Head(chained.number, chained.time, chained.hash)
        made.write(projection.changes_of(chained.number, after))
    return made


def put(kind: type, where: dict[str, object], /, **fields: object) -> Change:
    """Return a change that sets fields of the first event of a kind that has the values of `where`."""
    done = False

    def change(events: list[e.Event]) -> list[e.Event]:
        nonlocal done
        for place, event in enumerate(events):
            if not done and type(event) is kind and all(getattr(event, name) == where[name] for name in where):
                events[place] = event._replace(**fields)  # type: ignore[arg-type]
                done = True
        return events

    return change


def drop(kind: type, where: dict[str, object]) -> Change:
    """Return a change that leaves out every event of a kind that has these values."""
    return lambda events: [
        event
        for event in events
        if not (type(event) is kind and all(getattr(event, name) == where[name] for name in where))
    ]


def after(kind: type, where: dict[str, object], /, *more: e.Event) -> Change:
    """Return a change that puts more events behind the first event of a kind that has these values."""
    done = False

    def change(events: list[e.Event]) -> list[e.Event]:
        nonlocal done
        for place, event in enumerate(events):
            if not done and type(event) is kind and all(getattr(event, name) == where[name] for name in where):
                done = True
                return [*events[: place + 1], *more, *events[place + 1 :]]
        return events

    return change


FIRST_OF_4 = {"id": 4, "status": "partly_filled"}
MADE_UP_FILL = e.Traded(1, 10, "buy", 6_000, 100, 6_000, THIRD, 14, 0, USER, 15, 1, 1)
SECOND_TAKER = e.OrderPlaced(
    *(USER, 7, 1, "buy", "limit", 5_000, 25_000_000, 0),
    *(25_000_000, 1_250_000_000, 25_000, "filled", "", 1, 1),
)
MADE_AGAIN = e.MarketMade(1, "BTC_USDT", 1, 2, 2, 6, 1, 1, 2, 1, 2, 0, 0, "cancel_newest", "on")
CANCELLED_4 = {"id": 4, "status": "cancelled"}

BROKEN: list[tuple[str, tuple[Change, ...], str, str]] = [
    # what, the changes, the check that finds it, words in its message
    (
        "an id a second time",
        (put(e.OrderPlaced, {"id": 14}, id=2),),
        "orders",
        "order 2 of account 1003 is placed after",
    ),
    ("an id out of sequence", (put(e.OrderPlaced, {"id": 5}, id=99),), "orders", "is placed after order 99"),
    ("a reference bound twice", (put(e.OrderPlaced, {"id": 15}, out_trade_no="mine"),), "twice", "'mine'"),
    ("a closed reference bound", (put(e.OrderPlaced, {"id": 15}, out_trade_no="late"),), "twice", "'late'"),
    (
        "a closed order changes",
        (put(e.OrderChanged, CANCELLED_4, id=3),),
        "orders",
        "order 3 of account 1001 changes, and",
    ),
    ("an unknown order changes", (put(e.OrderChanged, FIRST_OF_4, id=77),), "orders", "changes, and is not open"),
    (
        "another's order changes",
        (put(e.OrderChanged, FIRST_OF_4, account=THIRD),),
        "orders",
        "changes, and is not open",
    ),
    (
        "a filled order is open",
        (put(e.OrderChanged, {"id": 1}, status="partly_filled"),),
        "orders",
        "is partly_filled; it was",
    ),
    ("a part is all", (put(e.OrderChanged, FIRST_OF_4, status="filled"),), "orders", "is filled; it was open"),
    ("a filled part stays open", (put(e.OrderChanged, FIRST_OF_4, status="open"),), "orders", "is open; it was open"),
    (
        "a cancelled order is filled",
        (put(e.OrderChanged, CANCELLED_4, status="filled"),),
        "orders",
        "is filled; it was",
    ),
    ("a cancelled order is open", (put(e.OrderChanged, CANCELLED_4, status="open"),), "orders", "is open; it was"),
    (
        "a status that is none",
        (put(e.OrderChanged, CANCELLED_4, status="gone"),),
        "bytes",
        "not what the writer writes",
    ),
    ("a new order is filled", (put(e.OrderPlaced, {"id": 14}, status="filled"),), "orders", "is filled; it was new"),
    (
        "a market order rests",
        (put(e.OrderPlaced, {"id": 13}, status="partly_filled"),),
        "orders",
        "is partly_filled; it was new",
    ),
    *(
        (
            f"its {name} changes",
            (put(e.OrderChanged, FIRST_OF_4, **{name: value}),),
            "orders",
            f"in what is fixed: {name}",
        )
        for name, value in {
            "market": 9,
            "side": "sell",
            "kind": "post_only",
            "price": 4_999,
            "amount": 2,
            "funds": 1,
            "out_trade_no": "x",
            "placed_at": 5,
        }.items()
    ),
    *(
        (f"{name} of {event.__name__}", (put(event, {"id": number}, **{name: 50_001}),), "orders", "and its fills by")
        for name in ("filled", "value", "fee")
        for event, number in ((e.OrderPlaced, 3), (e.OrderPlaced, 13), (e.OrderChanged, 2))
    ),
    ("more than asked", (put(e.OrderPlaced, {"id": 11}, amount=9_000_000),), "orders", "executes 9500000 of 9000000"),
    ("less than nothing", (put(e.OrderPlaced, {"id": 14}, filled=-1),), "orders", "executes -1 of"),
    ("a time of its own", (put(e.OrderPlaced, {"id": 14}, placed_at=5),), "orders", "another time than its batch"),
    ("a change's own time", (put(e.OrderChanged, CANCELLED_4, changed_at=5),), "orders", "another time than its batch"),
    ("an unknown market", (put(e.OrderPlaced, {"id": 14}, market=9),), "orders", "of market 9, which was never made"),
    ("a limit order without price", (put(e.OrderPlaced, {"id": 14}, price=0),), "orders", "is no limit order"),
    ("a limit order with funds", (put(e.OrderPlaced, {"id": 14}, funds=1),), "orders", "is no limit order"),
    ("an amount between steps", (put(e.OrderPlaced, {"id": 14}, amount=100_000_001),), "orders", "is no limit order"),
    ("an amount below zero", (put(e.OrderPlaced, {"id": 14}, amount=-100),), "orders", "is no limit order"),
    ("a side that is none", (put(e.OrderPlaced, {"id": 14}, side="keep"),), "bytes", "not what the writer writes"),
    ("a kind that is none", (put(e.OrderPlaced, {"id": 14}, kind="stop"),), "bytes", "not what the writer writes"),
    ("a market order with a price", (put(e.OrderPlaced, {"id": 13}, price=1),), "orders", "is no market order"),
    ("a market order with both", (put(e.OrderPlaced, {"id": 13}, funds=10**10),), "orders", "is no market order"),
    ("a market order with neither", (put(e.OrderPlaced, {"id": 13}, amount=0),), "orders", "is no market order"),
    ("more than the funds", (put(e.OrderPlaced, {"id": 7}, funds=1_999_997_999),), "orders", "is no market order"),
    ("a fill's price", (put(e.Traded, {"id": 4}, price=5_001),), "fills", "and that of the resting order 5000"),
    ("a fill's amount", (put(e.Traded, {"id": 4}, amount=100),), "fills", "its value is 1250000000, and 100 at 5000"),
    ("a fill between steps", (put(e.Traded, {"id": 4}, amount=25_000_001),), "fills", "is no amount and price"),
    ("a fill of nothing", (put(e.Traded, {"id": 4}, amount=0),), "fills", "is no amount and price"),
    ("a fill for nothing", (put(e.Traded, {"id": 4}, price=0),), "fills", "is no amount and price"),
    ("a fill's value", (put(e.Traded, {"id": 4}, value=1_250_000_001),), "fills", "its value is 1250000001"),
    ("the maker's fee", (put(e.Traded, {"id": 4}, maker_fee=25_001),), "fills", "the maker's fee is 25001; 1000 ppm"),
    ("the taker's fee", (put(e.Traded, {"id": 4}, taker_fee=0),), "fills", "the taker's fee is 0; 2000 ppm"),
    ("the fee of before", (put(e.Traded, {"id": 6}, maker_fee=513_000),), "fills", "the maker's fee is 513000; 0 ppm"),
    ("a fee below zero", (put(e.Traded, {"id": 6}, taker_fee=-1),), "fills", "the taker's fee is -1"),
    ("both of one account", (put(e.Traded, {"id": 4}, taker_account=USER),), "fills", "both orders are of one account"),
    (
        "a maker that is not there",
        (put(e.Traded, {"id": 4}, maker_order=2),),
        "fills",
        "does not change in its transaction",
    ),
    (
        "a taker that is not there",
        (put(e.Traded, {"id": 4}, taker_order=5),),
        "fills",
        "does not change in its transaction",
    ),
    ("the wrong way round", (put(e.Traded, {"id": 4}, side="buy"),), "fills", "takes from a buy order as the buyer"),
    ("a fill's id", (put(e.Traded, {"id": 4}, id=3),), "fills", "fill 3 is made after fill 3"),
    ("a fill's time", (put(e.Traded, {"id": 4}, made_at=5),), "fills", "fill 4 has another time than its batch"),
    ("a fill's market", (put(e.Traded, {"id": 4}, market=9),), "fills", "of market 9, which was never made"),
    ("beyond the limit", (put(e.OrderPlaced, {"id": 11}, price=5_399),), "fills", "beyond the limit of 5399"),
    ("a fill made up", (after(e.OrderPlaced, {"id": 15}, MADE_UP_FILL),), "orders", "and its fills by"),
    ("a fill left out", (drop(e.Traded, {"id": 4}),), "orders", "and its fills by (0, 0, 0)"),
    ("an order left out", (drop(e.OrderPlaced, {"id": 6}),), "fills", "does not change in its transaction"),
    (
        "two that arrive",
        (after(e.OrderPlaced, {"id": 6}, SECOND_TAKER), put(e.Traded, {"id": 4}, maker_order=7)),
        "fills",
        "not between an arriving order and one that rested",
    ),
    (
        "a hold too small",
        (put(e.HoldChanged, {"id": 14}, after=99_999_999),),
        "holds",
        "is open and holds 0.99999999 BTC, not 1 BTC",
    ),
    (
        "a part's hold",
        (put(e.HoldChanged, {"id": 4, "after": 7_500_000_000}, after=7_500_000_001),),
        "holds",
        "is partly_filled and holds 75.00000001 USDT, not 75",
    ),
    (
        "a hold that stays",
        (drop(e.HoldChanged, {"id": 4, "after": 0}),),
        "holds",
        "is cancelled and holds 62.5 USDT, not 0 USDT",
    ),
    (
        "a filled order's hold",
        (put(e.HoldChanged, {"id": 1, "after": 0}, after=1),),
        "holds",
        "is filled and holds 0.00000001 BTC",
    ),
    ("a hold of the other asset", (put(e.HoldChanged, {"id": 14}, asset=2),), "holds", "and no order accounts for it"),
    (
        "a hold of nobody's order",
        (put(e.HoldChanged, {"id": 14}, id=77),),
        "holds",
        "the hold of order 77 of account 1003 changes",
    ),
    (
        "a hold of a withdrawal",
        (put(e.HoldChanged, {"id": 14}, kind="withdrawal"),),
        "holds",
        "is open and holds 0 BTC",
    ),
    *(
        (f"an entry '{why}'", (put(e.Entry, {"why": why}, why="gift"),), "entries", f"entries '{why}' for order")
        for why in ("placed", "paid", "received", "fee", "improvement", "cancelled")
    ),
    ("an entry's order", (put(e.Entry, {"why": "received", "ref": 3}, ref=4),), "entries", "'received' for order 4"),
    (
        "an entry that none explains",
        (put(e.Entry, {"why": "deposit"}, why="gift"),),
        "entries",
        "entries 'gift' for order 1 move -10 BTC",
    ),
    (
        "a fee to somebody else",
        (put(e.Entry, {"why": "fee"}, account=THIRD),),
        "entries",
        "'fee' for order 3 move 0.001614 BTC",
    ),
    (
        "an improvement kept",
        (drop(e.Entry, {"why": "improvement"}),),
        "entries",
        "'improvement' for order 3 move 0 USDT available",
    ),
    ("a market made twice", (after(e.MarketChanged, {}, MADE_AGAIN),), "markets", "is made a second time"),
    (
        "a symbol made twice",
        (after(e.MarketChanged, {}, MADE_AGAIN._replace(id=2)),),
        "markets",
        "is made a second time",
    ),
    ("an unknown market changed", (put(e.MarketChanged, {}, id=2),), "markets", "it is changed and was never made"),
    *(
        (
            f"a market's {name}",
            (put(e.MarketChanged, {}, **{name: value}),),
            "markets",
            f"its {name} is fixed, and changes",
        )
        for name, value in {
            "symbol": "BTC_BTC",
            "base": 2,
            "quote": 1,
            "price_decimals": 1,
            "amount_decimals": 5,
        }.items()
    ),
    ("a market of nothing", (put(e.MarketChanged, {}, base=7),), "markets", "is of assets that were never made"),
    (
        "a market that cannot be",
        (put(e.MarketMade, {}, taker_fee_ppm=1_000_001),),
        "markets",
        "cannot be: taker_fee_ppm",
    ),
    ("decimals beyond exactness", (put(e.MarketMade, {}, price_decimals=7),), "markets", "cannot be: price_decimals"),
    (
        "decimals below zero",
        (put(e.MarketMade, {}, amount_decimals=-(10**9)),),
        "markets",
        "cannot be: amount_decimals",
    ),
    (
        "a market of an odd asset",
        (put(e.AssetMade, {"name": "BTC"}, scale=10**9),),
        "markets",
        "is of assets that were never",
    ),
]


@pytest.mark.parametrize(("changes", "check", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_journal_that_breaks_a_rule_is_found(changes: tuple[Change, ...], check: str, words: str) -> None:
    books = remade(*changes)
    found = audit(MemoryStore(books).reader()).findings
    assert any(finding.check == check and words in finding.message for finding in found), found
    if check != "twice":  # which the separate verifier finds in the tables
        assert broken_rules(books.batches)


def test_the_separate_verifier_finds_no_rule_broken_in_the_story() -> None:
    assert broken_rules(remade().batches) == []


def test_one_wrong_thing_is_one_finding() -> None:
    assert rewritten(put(e.OrderChanged, CANCELLED_4, changed_at=5)) == (
        Finding("orders", 11, None, USER, None, "order 4 of account 1001 has another time than its batch"),
    )


def test_a_fee_that_was_kept_by_the_one_who_owes_it_is_found_in_all_that_says_so() -> None:
    """Everything fits but the rate: who received paid 1 unit less, the fees got 1 unit less, the order says so."""
    found = rewritten(
        put(e.Traded, {"id": 9}, taker_fee=4_999),
        put(e.OrderPlaced, {"id": 15}, fee=4_999),
        put(e.Entry, {"why": "received", "ref": 15}, available_after=1_211_010_873),
        put(e.Entry, {"why": "fee", "ref": 15}, available_after=379_896),
    )
    assert [(finding.check, finding.message) for finding in found] == [
        ("fills", "fill 9 of BTC_USDT: the taker's fee is 4999; 500 ppm of 10000000 are 5000")
    ]


def test_whatever_stands_in_an_event_ends_with_a_report() -> None:
    """No value of a field's own kind brings the audit down, or passes."""
    kinds = (e.OrderPlaced, e.OrderChanged, e.Traded, e.HoldChanged, e.MarketMade, e.MarketChanged)
    events = [event for _, transactions in story() for transaction in transactions for event in transaction.events]
    firsts = [next(event for event in events if type(event) is kind) for kind in kinds]
    passed = {
        name
        for first in firsts
        for name, was in first._asdict().items()
        for value in (("x",) if isinstance(was, str) else (-1, 2**70))
        if not rewritten(put(type(first), {}, **{name: value}))
    }
    # Ranges are no fact of what followed: an order is held against its market's decimals and fees, not against them.
    assert passed <= {"value_min", "value_max", "price_max", "amount_max"}


class Watched(Replay):
    """A replay that can be looked into afterwards."""

    made: ClassVar[list[Replay]] = []

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.made.append(self)


def test_only_what_is_open_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed orders and candles that ended are forgotten: memory grows with the books as they are, not with history."""
    monkeypatch.setattr(run, "Replay", Watched)
    books = MemoryBooks()
    desk = Desk(MemoryStore(books))
    tell(desk)
    for _ in range(50):
        desk.clock.now += 61_000
        desk.batch(limit(USER, "sell", "0.1", "58"), limit(OTHER, "buy", "0.1", "58"))
    assert audit(MemoryStore(_reopened(books)).reader()).ok
    (replay,) = Watched.made
    assert [row[1] for row in replay.tables["open_order"].values()] == [14]
    assert len(books.tables["candle"]) > 50
    assert {key[1] for key in replay.tables["candle"]} == set(CANDLE_SECONDS)
    assert len(replay.tables["candle"]) == len(CANDLE_SECONDS)
