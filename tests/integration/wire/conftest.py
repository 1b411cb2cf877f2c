"""The wire API in process: real books in a file, a limiter's clock that stands still, calls as ASGI sees them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from spotbook import bootstrap
from spotbook.app.board import Board
from spotbook.app.engine import Engine
from spotbook.app.keys import KeyRing, Keys
from spotbook.app.ports import Store
from spotbook.app.readers import Readers
from spotbook.app.writer import Commit, Done, Writer
from spotbook.domain import commands as c
from spotbook.domain.credentials import House, Key
from spotbook.domain.pacing import Pacer
from spotbook.server.freshness import Commits
from spotbook.server.metrics import Metrics
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.wire_app import App, wire_app
from spotbook.settings import Settings
from spotbook.store.sqlite import SqliteStore
from spotbook.store.vault import AesVault
from spotbook.wire.coinw.signing import sign_of
from support.clock import StandingClock

MASTER_KEY = "5a" * 32
HOUSE = House("test")
PATH = "/api/v1/private"
HOLDINGS = (("BTC", "0.0012"), ("CWT", "400"), ("SAND", "108.467"), ("ETH", "0.033"), ("USDT", "257.51830114"))


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> Any:
        return self.json["code"]

    @property
    def msg(self) -> Any:
        return self.json["msg"]


@dataclass
class Wire:
    """A running wire API over books with a user that holds something, and a key of that user."""

    parts: Parts
    app: App
    store: SqliteStore
    clock: StandingClock
    pace: StandingClock
    account: int
    key: Key
    secret: str
    alarms: list[str] = field(default_factory=list)

    async def call(
        self,
        query: bytes | str = b"",
        body: bytes | str = b"",
        *,
        method: str = "POST",
        path: str = PATH,
        headers: Mapping[str, str] | None = None,
        peer: str = "127.0.0.1",
        chunks: int = 1,
    ) -> Reply:
        """Send one request; the body in so many pieces, its length announced when it is one."""
        raw = body.encode() if isinstance(body, str) else body
        sent = {"content-type": "application/x-www-form-urlencoded"} if raw else {}
        if raw and chunks == 1:
            sent["content-length"] = str(len(raw))
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        size = -(-len(raw) // chunks) or 1
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)] or [b""]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]
        replies: list[Any] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            replies.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode() if isinstance(query, str) else query,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": (peer, 50_000),
        }
        await self.app(scope, receive, send)
        start, content = replies
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        assert names["content-type"] == "application/json"
        assert names["cache-control"] == "no-store"
        assert names["content-length"] == str(len(content["body"]))
        return Reply(start["status"], names, content["body"])

    def form(
        self, params: Mapping[str, str] | None = None, *, key: Key | None = None, secret: str | None = None
    ) -> str:
        """Return a signed form."""
        signed = {**(params or {}), "api_key": (key or self.key).api_key}
        return urlencode({**signed, "sign": sign_of(signed, secret or self.secret)})

    async def ask(
        self, command: str = "returnCompleteBalances", params: Mapping[str, str] | None = None, **how: Any
    ) -> Reply:
        """Make one signed call by form body."""
        key, secret = how.pop("key", None), how.pop("secret", None)
        return await self.call(f"command={command}", self.form(params, key=key, secret=secret), **how)

    def do(self, command: c.Command) -> Any:
        """Carry a command out."""
        outcome = self.parts.engine.execute(command, HOUSE)
        assert isinstance(outcome, Done), outcome
        return outcome.result

    def make_key(self, permissions: tuple[str, ...] = ("read",), **options: Any) -> tuple[Key, str]:
        account = options.pop("account", self.account)
        outcome, secret = self.parts.keys.make(HOUSE, account, permissions, **options)
        assert isinstance(outcome, Done), outcome
        return outcome.result, secret


OpenWire = Callable[..., Any]


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    bootstrap.found(folder, MASTER_KEY)
    return folder


@contextmanager
def _engine(
    store: Store, clock: StandingClock, board: Board, alarms: list[str], noted: list[Callable[[], None]]
) -> Iterator[Engine]:
    def alarm(words: str, fault: BaseException | None) -> None:
        alarms.append(words)

    def committed(commit: Commit) -> None:
        for note in noted:
            note()

    engine = Engine(lambda: Writer(store, clock, alarm=alarm, committed=committed, depths=board.publish), alarm=alarm)
    engine.start()
    assert engine.recovered.wait(30)
    try:
        yield engine
    finally:
        assert engine.drain(30)


@pytest.fixture
def open_wire(books: Path) -> OpenWire:
    """Return an async context manager that opens the books with settings changed as told."""

    @asynccontextmanager
    async def opened(**changed: Any) -> AsyncIterator[Wire]:
        settings = msgspec.structs.replace(Settings(data=books), **changed)
        later = bootstrap.wall_clock() + 60_000  # the books were founded by the real clock, and time never runs back
        clock, pace, alarms, noted = StandingClock(later), StandingClock(later), list[str](), list[Callable[[], None]]()
        store, vault, loop = SqliteStore(books), AesVault(MASTER_KEY), asyncio.get_running_loop()
        board = Board()
        try:
            with _engine(store, clock, board, alarms, noted) as engine:
                reader, commits = store.reader(), Commits(loop)
                noted.append(commits.note)
                parts = Parts(
                    settings=settings,
                    clock=clock,
                    pace_clock=pace,
                    engine=engine,
                    readers=Readers(store.reader),
                    board=board,
                    reader=reader,
                    ring=KeyRing(reader, vault, lambda key: alarms.append(f"tampered {key.api_key}")),
                    keys=Keys(engine, vault, clock),
                    pacer=Pacer(settings.limits),
                    metrics=Metrics(),
                    alarm=lambda words, fault: alarms.append(f"{words}: {fault!r}"),
                )
                app = wire_app(parts, commits, Moment(loop, reader))
                wire = Wire(parts, app, store, clock, pace, 0, None, "", alarms)  # type: ignore[arg-type]
                if not reader.page("asset", (), (), 1):  # else they are opened again
                    _hold(wire)
                yield wire
                reader.close()
        finally:
            store.close()

    return opened


def _hold(wire: Wire) -> None:
    for name, _ in HOLDINGS:
        wire.do(c.MakeAsset(name, 8, "21000000"))
    wire.account = wire.do(c.OpenAccount("user")).id
    for name, amount in HOLDINGS:
        wire.do(c.Deposit(wire.account, name, amount, f"tx-{name}", 0, ""))
    wire.key, wire.secret = wire.make_key(("read", "trade", "withdraw"))
