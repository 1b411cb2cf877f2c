"""Two accounts trade against a running server, through both faces of the client."""

import asyncio
import importlib.util
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal as D  # noqa: N817 (a story of amounts is read for the amounts)
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from spotbook.client import (
    AsyncClient,
    AsyncPublicClient,
    BadSymbol,
    Client,
    DuplicateOrderId,
    ExchangeError,
    InsufficientBalance,
    InvalidParameter,
    Level,
    NetworkError,
    NotFound,
    OrderNotFound,
    PublicClient,
    RuleRefused,
    Side,
    Timeout,
)
from support.cli import Demo, StartDemo

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
FACES = ["sync", "async"]
MARKET = "BTC_USDT"


class Waiting:
    """An asynchronous client, used as one that blocks: each method runs to its end."""

    def __init__(self, client: AsyncPublicClient, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            asked = getattr(self._client, name)(*args, **options)
            return self._runner.run(asked if asyncio.iscoroutine(asked) else self._all(asked))

        return call

    @staticmethod
    async def _all(several: Any) -> list[Any]:
        return [one async for one in several]


@contextmanager
def opened(face: str, url: str, key: tuple[str, str] | None = None) -> Iterator[Any]:
    """A client of this face; without a key one of what is public."""
    if face == "sync":
        with PublicClient(url) if key is None else Client(*key, url) as client:
            yield client
        return
    with asyncio.Runner() as runner:
        patient = Waiting(AsyncPublicClient(url) if key is None else AsyncClient(*key, url), runner)
        yield patient
        patient.aclose()


def admin(demo: Demo, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {demo.admin_token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{demo.admin_url}/admin/v1{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        shown: dict[str, Any] = json.loads(reply.read())
    return shown


def another_account(demo: Demo) -> tuple[str, str]:
    """Open an account with 1,000 USDT by the Admin API; return its key and secret."""
    account = admin(demo, "/accounts", {"name": "second"})["id"]
    admin(demo, f"/accounts/{account}/deposits", {"asset": "USDT", "amount": "1000", "txid": "second"})
    made = admin(demo, f"/accounts/{account}/keys", {"permissions": ["read", "trade"]})
    return made["api_key"], made["secret_key"]


@pytest.mark.parametrize("face", FACES)
def test_two_accounts_trade(start_demo: StartDemo, face: str) -> None:
    demo = start_demo("--unlimited")
    with ExitStack() as stack:
        seller = stack.enter_context(opened(face, demo.url, (demo.api_key, demo.secret_key)))
        buyer = stack.enter_context(opened(face, demo.url, another_account(demo)))
        public = stack.enter_context(opened(face, demo.url))
        check_rules(public)
        sold = check_resting(seller, public)
        bought = check_fill(seller, buyer, sold)
        check_refusals(seller, buyer, sold, bought)
        check_cancel(seller, buyer, sold)
        check_market_order(seller, buyer)
        check_history(seller, buyer, sold, bought)
        check_references(buyer, bought)
        check_market_data(public)


def check_rules(public: Any) -> None:
    rules = public.symbols()[MARKET]
    assert (rules.base, rules.quote, rules.price_decimals, rules.amount_decimals) == ("BTC", "USDT", 2, 6)
    assert (rules.price_min, rules.amount_min, rules.value_min, rules.is_on) == (D("0.01"), D("0.000001"), 1, True)
    assert set(public.currencies()) == {"BTC", "CWT", "SAND", "ETH", "USDT"}
    assert public.server_time() > 1_790_000_000_000
    empty = public.order_books([MARKET, "ETH_USDT"])
    assert [(book.symbol, book.asks, book.bids) for book in empty.values()] == [(MARKET, (), ()), ("ETH_USDT", (), ())]
    assert public.trades(MARKET) == []
    assert public.candles(MARKET, 60) == []
    assert public.ticker()[MARKET].last == 0


def check_resting(seller: Any, public: Any) -> int:
    """0.001 BTC at 82,000, placed once although it is sent twice."""
    sold: int = seller.place_limit(MARKET, "sell", D("0.001"), 82_000, out_trade_no="s-1")
    assert seller.place_limit(MARKET, "sell", "0.0010", "82000.00", out_trade_no="s-1") == sold
    with pytest.raises(DuplicateOrderId):
        seller.place_limit(MARKET, "sell", D("0.0011"), 82_000, out_trade_no="s-1")
    assert public.order_book(MARKET, size=20).asks == (Level(D(82_000), D("0.001")),)
    holds, balances = seller.holds(), seller.complete_balances()
    assert holds.version == balances.version
    assert [(hold.asset, hold.amount, hold.kind, hold.id) for hold in holds] == [("BTC", D("0.001"), "order", sold)]
    assert holds.on_orders("BTC") == balances["BTC"].on_orders == D("0.001")
    return sold


def check_fill(seller: Any, buyer: Any, sold: int) -> int:
    """0.0004 BTC, bid at 83,000 and got at 82,000; a fee of 0.2 % on either side."""
    bought: int = buyer.place_limit(MARKET, "buy", D("0.0004"), 83_000, out_trade_no="b-1")
    order = buyer.order(bought)
    assert (order.number, order.symbol, order.side, order.status) == (bought, MARKET, "buy", "filled")
    assert (order.filled_amount, order.filled_value, order.remaining_amount) == (D("0.0004"), D("32.8"), 0)
    assert order.fee == D("0.0000008")
    balances = buyer.complete_balances()
    assert (balances["USDT"].available, balances["USDT"].on_orders) == (D("967.2"), 0)
    assert balances["BTC"].available == D("0.0003992")
    (resting,) = seller.open_orders(MARKET)
    assert (resting.number, resting.side, resting.status, resting.price) == (sold, "sell", "partly_filled", 82_000)
    assert (resting.amount, resting.value) == (D("0.001"), 82)
    assert (resting.filled_amount, resting.filled_value) == (D("0.0004"), D("32.8"))
    assert seller.open_orders(MARKET, start=resting.placed_at, end=resting.placed_at) == [resting]
    assert seller.open_orders(MARKET, end=resting.placed_at - 1) == []
    return bought


def check_refusals(seller: Any, buyer: Any, sold: int, bought: int) -> None:
    """Each refusal has its error, and freezes nothing."""
    before = buyer.complete_balances()
    for kind, method, args, options in (
        (RuleRefused, "place_limit", (MARKET, "buy", "0.001", 83_000), {"post_only": True}),
        (RuleRefused, "place_market", ("ETH_USDT", "buy"), {"funds": 10}),
        (RuleRefused, "cancel", (bought,), {}),
        (OrderNotFound, "cancel", (sold,), {}),
        (OrderNotFound, "cancel", (2**53 - 1,), {}),
        (OrderNotFound, "order", (sold,), {}),
        (OrderNotFound, "order_status", (2**53 - 1,), {}),
        (BadSymbol, "place_limit", ("BTC_EUR", "buy", 1, 1), {}),
        (BadSymbol, "open_orders", ("BTC_EUR",), {}),
        (BadSymbol, "order_book", ("BTC_EUR",), {}),
        (InvalidParameter, "place_limit", (MARKET, "buy", "0.0000001", 83_000), {}),
        (InvalidParameter, "place_limit", (MARKET, "buy", "-1", 83_000), {}),
        (InvalidParameter, "my_trades_page", (), {"limit": 101}),
        (InvalidParameter, "candles", (MARKET, 61), {}),
        (InsufficientBalance, "place_limit", (MARKET, "buy", 1, 80_000), {}),
    ):
        with pytest.raises(ExchangeError) as caught:
            getattr(buyer, method)(*args, **options)
        assert type(caught.value) is kind, (method, args, caught.value)
        assert caught.value.ambiguous is False
    after = buyer.complete_balances()
    assert (dict(after), after.version) == (dict(before), before.version)
    texts = []
    for number in (sold, 2**53 - 1):
        with pytest.raises(NotFound) as unknown:
            buyer.cancel(number)
        texts.append(str(unknown.value))
    assert texts[0] == texts[1]
    assert len(seller.open_orders(MARKET)) == 1


def check_cancel(seller: Any, buyer: Any, sold: int) -> None:
    """What was filled stands, what is left is free again."""
    assert seller.cancel(sold) is None
    summary, state = seller.order_status(sold), seller.order(sold)
    assert (summary.number, summary.status, summary.amount, summary.value) == (sold, "cancelled", D("0.001"), 82)
    assert summary.placed_at == state.placed_at
    assert (state.status, state.filled_amount, state.remaining_amount) == ("cancelled", D("0.0004"), D("0.0006"))
    assert seller.open_orders(MARKET) == []
    assert len(seller.holds()) == 0
    for _ in range(3):
        buyer.place_limit(MARKET, "buy", "0.001", 70_000)
    buyer.place_limit("ETH_USDT", "buy", 1, 3)
    assert buyer.holds().on_orders("USDT") == buyer.complete_balances()["USDT"].on_orders == 213
    buyer.cancel_all(MARKET)
    assert buyer.holds().on_orders("USDT") == 3
    buyer.cancel_all()
    assert buyer.complete_balances()["USDT"].on_orders == 0


def check_market_order(seller: Any, buyer: Any) -> None:
    """10 USDT buy 0.0002 BTC at 50,000; then what was bought is sold to a bid."""
    seller.place_limit(MARKET, "sell", "0.0005", 50_000)
    number = buyer.place_market(MARKET, "buy", funds=10)
    order = buyer.order(number)
    assert (order.filled_amount, order.filled_value, order.fee) == (D("0.0002"), 10, D("0.0000004"))
    seller.cancel_all()
    seller.place_limit(MARKET, "buy", "0.0001", 40_000)
    order = buyer.order(buyer.place_market(MARKET, "sell", amount="0.0001", out_trade_no="b-2"))
    assert (order.side, order.status, order.filled_value, order.fee) == ("sell", "filled", 4, D("0.008"))


def check_history(seller: Any, buyer: Any, sold: int, bought: int) -> None:
    closed = {order.number: order for order in seller.closed_orders(MARKET)}
    assert [order.number for order in seller.closed_orders(MARKET)] == sorted(closed, reverse=True)
    first = closed[sold]
    assert (first.status, first.side, first.price, first.amount) == ("cancelled", "sell", 82_000, D("0.001"))
    assert (first.filled_amount, first.fee, first.out_trade_no) == (D("0.0004"), D("0.0656"), "s-1")
    assert seller.closed_orders(MARKET, end=first.placed_at - 1) == []
    fills = list(buyer.my_trades(MARKET))
    assert [(fill.side, fill.price, fill.amount, fill.fee) for fill in fills] == [
        ("sell", 40_000, D("0.0001"), D("0.008")),
        ("buy", 50_000, D("0.0002"), D("0.0000004")),
        ("buy", 82_000, D("0.0004"), D("0.0000008")),
    ]
    assert fills[-1].order_number == bought
    page = buyer.my_trades_page(limit=1)
    assert page.trades == (fills[0],)
    older = buyer.my_trades_page(limit=1, after=page.after)
    assert older.trades == (fills[1],)
    assert buyer.my_trades_page(limit=1, before=older.before).trades == (fills[0],)
    assert list(buyer.my_trades("ETH_USDT")) == []
    several = buyer.orders_by_number([bought, sold])
    assert [order.number for order in several] == [bought]
    assert (several[0].symbol, several[0].status, several[0].average_price) == (MARKET, "filled", 82_000)
    assert several[0].placed_at // 1_000 == buyer.order(bought).placed_at // 1_000


def check_references(buyer: Any, bought: int) -> None:
    found = buyer.order_by_reference("b-1")
    assert (found.number, found.status, found.price, found.out_trade_no) == (bought, "filled", 83_000, "b-1")
    assert (found.filled_amount, found.remaining_amount, found.fee) == (D("0.0004"), 0, D("0.0000008"))
    assert buyer.order_by_reference("s-1") is None  # another's
    assert buyer.order_by_reference("b-3") is None
    late = buyer.place_limit(MARKET, "buy", "0.0001", 30_000, out_trade_no="b-3")
    assert buyer.order_by_reference("b-3", fence=True).number == late
    assert buyer.order_by_reference("b-4", fence=True) is None
    assert buyer.order_by_reference("b-4", fence=True) is None
    with pytest.raises(DuplicateOrderId):
        buyer.place_limit(MARKET, "buy", "0.0001", 30_000, out_trade_no="b-4")
    buyer.cancel(late)


def check_market_data(public: Any) -> None:
    trades = public.trades(MARKET)
    assert [(trade.side, trade.price, trade.amount, trade.value) for trade in trades] == [
        ("sell", 40_000, D("0.0001"), 4),
        ("buy", 50_000, D("0.0002"), 10),
        ("buy", 82_000, D("0.0004"), D("32.8")),
    ]
    day = public.candles(MARKET, 86_400)
    assert sum(candle.volume for candle in day) == D("0.0007")
    assert (max(candle.high for candle in day), min(candle.low for candle in day)) == (82_000, 40_000)
    assert (day[0].close, day[-1].open, day[0].opened_at % 86_400_000) == (40_000, 82_000, 0)
    now = public.ticker()[MARKET]
    assert (now.last, now.high, now.low, now.value, now.is_frozen) == (40_000, 82_000, 40_000, D("46.8"), False)
    assert now.change == D("-0.5122")
    volumes = public.volumes_24h()
    assert volumes.totals["USDT"] == D("46.8")
    assert volumes.symbols[MARKET] == {"BTC": D("0.0007"), "USDT": D("46.8")}


class Lossy(httpx2.HTTPTransport):
    """Carries calls out; of those that `loses` names it keeps the reply, or does not even send them."""

    def __init__(self, *loses: str, arrives: bool) -> None:
        super().__init__(trust_env=False)
        self.loses, self.arrives = list(loses), arrives

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        command = request.url.params["command"]
        if command not in self.loses:
            return super().handle_request(request)
        self.loses.remove(command)
        if self.arrives:
            super().handle_request(request).read()
        raise httpx2.ReadTimeout("the reply was lost")


@pytest.fixture
def bot() -> ModuleType:
    """The example, as a module."""
    spec = importlib.util.spec_from_file_location("trade", ROOT / "examples/python/trade.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_lost_reply_is_settled(start_demo: StartDemo, bot: ModuleType) -> None:
    demo = start_demo("--unlimited")
    asked: tuple[str, Side, D, D] = (MARKET, "buy", D("0.001"), D(50_000))

    def client(*loses: str, arrives: bool) -> Client:
        return Client(demo.api_key, demo.secret_key, demo.url, transport=Lossy(*loses, arrives=arrives))

    with client("doTrade", arrives=True) as lossy, pytest.raises(Timeout) as caught:
        lossy.place_limit(*asked, out_trade_no="by-hand")
    assert caught.value.ambiguous
    # The order is there; its reply was lost, and so was the first answer about it.
    with client("doTrade", "spotbook.order", arrives=True) as lossy:
        number = bot.place(lossy, *asked)
        assert lossy.open_orders(MARKET)[0].number == number
    # The order never arrived, and will not be accepted later.
    with client("doTrade", arrives=False) as lossy:
        with pytest.raises(bot.NotPlaced) as gone:
            bot.place(lossy, *asked)
        with pytest.raises(DuplicateOrderId):
            lossy.place_limit(*asked, post_only=True, out_trade_no=str(gone.value))
        assert len(lossy.open_orders(MARKET)) == 2
        # A refusal is no riddle.
        with pytest.raises(InvalidParameter):
            bot.place(lossy, MARKET, "buy", D("0.0000001"), D(50_000))


def test_a_bot_that_gets_no_word_at_all_gives_up(start_demo: StartDemo, bot: ModuleType) -> None:
    demo = start_demo("--unlimited")
    never = Lossy("doTrade", *["spotbook.order"] * bot.ASKS_MAX, arrives=False)
    with Client(demo.api_key, demo.secret_key, demo.url, transport=never) as client:
        with pytest.raises(SystemExit, match="ask again"):
            bot.place(client, MARKET, "buy", D("0.001"), D(50_000))
        assert never.loses == []


def test_the_trading_example(start_demo: StartDemo) -> None:
    demo = start_demo("--unlimited")
    command = (sys.executable, str(ROOT / "examples/python/trade.py"))

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *args], env=demo.client_environment, capture_output=True, text=True, timeout=60, check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "best ask none, best bid none"
    number = lines[1].split()[1]
    assert lines[1:] == [
        f"order {number} is open: 0.000000 filled, 0.001000 left",
        "on orders: 50 USDT",
        f"order {number} is cancelled",
        "on orders: 0 USDT",
    ]
    refused = run("BTC_USDT", "1")
    assert (refused.returncode, refused.stdout) == (1, "best ask none, best bid none\n")
    assert "insufficient balance" in refused.stderr


def test_a_public_client_of_a_host_that_is_not_there() -> None:
    with PublicClient("http://127.0.0.1:1") as client, pytest.raises(NetworkError):
        client.server_time()
