"""What the client's tests share: a host that answers as told, and remembers what it was sent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from spotbook.client import AsyncClient, Client

KEY = "11111111-2222-4333-8444-555555555555"
SECRET = "SECRET0123456789ABCDEF"

BODY = (
    b'{"code":"200","data":{"BTC":{"onOrders":"0.1","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"}},'
    b'"msg":"SUCCESS","success":true,"failed":false}'
)
HEADERS = {
    "X-Account-Version": "7",
    "X-Batch": "12",
    "X-Batch-Time": "1790000000000",
    "X-Books": "b00c5",
    "RateLimit-Limit": "5",
    "RateLimit-Remaining": "4",
    "RateLimit-Reset": "2",
}

Reaction = httpx2.Response | Exception


def refusal(code: str | int, message: str, **headers: str) -> httpx2.Response:
    body = {"code": code, "msg": message, "success": False, "failed": True}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(200, content=msgspec.json.encode(body), headers=names)


@dataclass
class Host:
    """Reacts in turn; the last reaction stays."""

    reactions: list[Reaction] = field(default_factory=lambda: [httpx2.Response(200, content=BODY, headers=HEADERS)])
    seen: list[httpx2.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        reaction = self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]
        if isinstance(reaction, Exception):
            raise reaction
        # A response is read once: each request gets its own.
        return httpx2.Response(reaction.status_code, content=reaction.content, headers=reaction.headers)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self)

    def client(self, **options: Any) -> Client:
        return Client(KEY, SECRET, transport=self.transport, sleep=self.slept.append, **options)

    def async_client(self, **options: Any) -> AsyncClient:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        return AsyncClient(KEY, SECRET, transport=self.transport, sleep=sleep, **options)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def refuse() -> Callable[..., httpx2.Response]:
    return refusal


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture(scope="session")
def vectors() -> dict[str, list[dict[str, Any]]]:
    path = Path(__file__).parents[2] / "data" / "vectors.json"
    result: dict[str, list[dict[str, Any]]] = msgspec.json.decode(path.read_bytes())
    return result
