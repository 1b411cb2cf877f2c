"""An Admin API over real books, in memory and in a file, called in process."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from spotbook.app.audit import AuditDesk
from spotbook.app.board import Board
from spotbook.app.engine import Engine
from spotbook.app.keys import KeyRing, Keys, first_seal
from spotbook.app.ports import Store
from spotbook.app.readers import Readers
from spotbook.app.writer import Done, Writer
from spotbook.domain.commands import Command, FoundBooks, MakeAsset, MakeToken, OpenAccount
from spotbook.domain.credentials import House
from spotbook.domain.pacing import Pacer
from spotbook.server.admin import admin_app
from spotbook.server.auditing import audit_desk
from spotbook.server.metrics import Metrics
from spotbook.server.parts import Parts
from spotbook.settings import Settings
from spotbook.store import sqlite
from spotbook.store.create import create
from spotbook.store.memory import MemoryBooks, MemoryStore
from spotbook.store.vault import AesVault, new_master_key
from support.clock import StandingClock

TEXT = "token-of-the-operator"
USER = 1_001
HOUSE = House("test")


@dataclass
class Admin:
    """A running Admin API. `client` carries a token with every role; `folder` holds the books, if they are a file."""

    parts: Parts
    client: TestClient
    clock: StandingClock
    folder: Path
    desk: AuditDesk
    alarms: list[str] = field(default_factory=list)

    def do(self, command: Command) -> Any:
        """Carry a command out beside the API; return its result."""
        outcome = self.parts.engine.execute(command, HOUSE)
        assert isinstance(outcome, Done), outcome
        return outcome.result

    def with_roles(self, *roles: str) -> dict[str, str]:
        """Return the headers of a new token with these roles."""
        text = "token-with-" + "-".join(roles)
        self.do(MakeToken(text, hashlib.sha256(text.encode()).hexdigest(), roles))
        return {"authorization": f"Bearer {text}"}

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(f"/admin/v1{path}", **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return self.client.post(f"/admin/v1{path}", json=body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return self.client.patch(f"/admin/v1{path}", json=body, **options)

    def delete(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.delete(f"/admin/v1{path}", **options)

    def deposit(self, account: int = USER, /, **changes: Any) -> httpx2.Response:
        body = {"asset": "BTC", "amount": "1.50", "txid": "tx-1", **changes}
        return self.post(f"/accounts/{account}/deposits", body)


def started(store: Store, folder: Path, settings: Settings, alarms: list[str]) -> Parts:
    """Return the parts of a running program over a store, as the program joins them."""
    vault, clock = AesVault(new_master_key()), StandingClock()
    store.reseal([first_seal(vault)])

    def alarm(words: str, fault: BaseException | None) -> None:
        alarms.append(f"{words}: {fault!r}" if fault else words)

    board = Board()
    engine = Engine(lambda: Writer(store, clock, alarm=alarm, depths=board.publish), alarm=alarm)
    reader = store.reader()
    return Parts(
        settings=settings,
        clock=clock,
        pace_clock=clock,
        engine=engine,
        readers=Readers(store.reader),
        board=board,
        reader=reader,
        ring=KeyRing(reader, vault, lambda _: None),
        keys=Keys(engine, vault, clock),
        pacer=Pacer(settings.limits),
        metrics=Metrics(),
        alarm=alarm,
    )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore(MemoryBooks())
    else:
        create(tmp_path)
        store = sqlite.SqliteStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def admin(store: Store, settings: Settings, tmp_path: Path) -> Iterator[Admin]:
    """Founded books with the assets BTC and USDT, one user and one token."""
    alarms: list[str] = []
    parts = started(store, tmp_path, settings, alarms)
    parts.engine.start()
    desk = audit_desk(parts)
    headers = {"authorization": f"Bearer {TEXT}"}
    with TestClient(admin_app(parts, desk), base_url="http://127.0.0.1:8081", headers=headers) as client:
        clock = parts.clock
        assert isinstance(clock, StandingClock)
        made = Admin(parts, client, clock, tmp_path, desk, alarms)
        assert parts.engine.recovered.wait(10)
        made.do(FoundBooks())
        made.do(MakeToken("ops", hashlib.sha256(TEXT.encode()).hexdigest(), ("view", "operate", "money")))
        made.do(MakeAsset("BTC", 8, "21000000"))
        made.do(MakeAsset("USDT", 8, "40000000000"))
        made.do(OpenAccount("user"))
        yield made
    desk.close()
    parts.engine.drain(10)
    parts.readers.close()
    parts.reader.close()


@pytest.fixture
def error() -> Callable[[httpx2.Response], tuple[int, str]]:
    """Return the status and code of an error, after a look at its form."""

    def status_and_code(response: httpx2.Response) -> tuple[int, str]:
        body = response.json()["error"]
        assert isinstance(body["message"], str)
        assert body["message"]
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-type"] == "application/json"
        return response.status_code, body["code"]

    return status_and_code
