# Type checkers see this file with and without the two libraries installed: only `make bench` installs them.
# mypy: disable-error-code="import-not-found"
# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores, no-warn-return-any
"""The same call as most people would write it: FastAPI, Pydantic, SQLAlchemy's ORM, SQLite.

One process, one file with the same accounts, keys and balances, the same signature, the same reply. It has no limits,
no metrics, no journal and no reply headers, all of which would cost it time; nothing is left out that would save some:
the keys' secrets are not encrypted, one statement fetches the key and one the balances, and the session only reads.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel
from sqlalchemy import BigInteger, ForeignKey, String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

from bench.books import ASSETS, SCALE, SignedAccount

THREADS = 40


class Base(DeclarativeBase):
    """All tables."""


class Asset(Base):
    """An asset and its decimals."""

    __tablename__ = "asset"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(16), unique=True)
    scale: Mapped[int]


class ApiKey(Base):
    """An API key, its secret, and whose it is."""

    __tablename__ = "api_key"

    api_key: Mapped[str] = mapped_column(String(36), primary_key=True)
    secret: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(BigInteger)


class Balance(Base):
    """One account's balance of one asset, in smallest units."""

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
    available: Mapped[int] = mapped_column(BigInteger)
    frozen: Mapped[int] = mapped_column(BigInteger)
    asset: Mapped[Asset] = relationship()


class BalanceShown(BaseModel):
    """One asset in the reply."""

    onOrders: str  # noqa: N815  (the exchange's word)
    available: str


class Reply(BaseModel):
    """The envelope, of a success or of a refusal."""

    code: str
    data: dict[str, BalanceShown] | None = None
    msg: str
    success: bool
    failed: bool


def write(file: Path, accounts: Iterable[SignedAccount]) -> None:
    """Write the database that `make_app` serves."""
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Asset(id=number, name=name, scale=SCALE) for number, name in enumerate(ASSETS, 1)])
        for account in accounts:
            session.add(ApiKey(api_key=account.api_key, secret=account.secret, account_id=account.id))
            session.add_all(
                Balance(account_id=account.id, asset_id=ASSETS.index(name) + 1, available=units, frozen=0)
                for name, units in account.balances.items()
            )
        session.commit()
    engine.dispose()


def make_app(file: Path) -> Any:
    """Return the application."""
    # A connection for each of the threads in which FastAPI runs plain functions: with fewer they wait for each other.
    engine = create_engine(f"sqlite:///{file}", connect_args={"check_same_thread": False}, pool_size=THREADS)

    @event.listens_for(engine, "connect")
    def tune(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA mmap_size = 1073741824")

    sessions = sessionmaker(engine)
    app = FastAPI()

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    async def form(request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))

    @app.post("/api/v1/private")
    def private(
        command: Annotated[str, Query()],
        form: Annotated[dict[str, str], Depends(form)],
        session: Annotated[Session, Depends(session)],
    ) -> Reply:
        key = session.get(ApiKey, form.get("api_key", ""))
        if key is None:
            return refused("10006", "api_key error: invalid api key")
        sign = form.pop("sign", "")
        if not hmac.compare_digest(sign.encode(), sign_of(form, key.secret).encode()):
            return refused("10007", "signature error")
        if command != "returnCompleteBalances":
            return refused("10002", "API does not exist")
        rows = session.execute(
            select(Asset.name, Asset.scale, Balance.available, Balance.frozen)
            .join(Balance.asset)
            .where(Balance.account_id == key.account_id)
            .order_by(Asset.id)
        )
        data = {
            name: BalanceShown(onOrders=shown(frozen, scale), available=shown(available, scale))
            for name, scale, available, frozen in rows
            if available or frozen
        }
        return Reply(code="200", data=data, msg="SUCCESS", success=True, failed=False)

    return app


def refused(code: str, message: str) -> Reply:
    """Return a refusal."""
    return Reply(code=code, msg=message, success=False, failed=True)


def sign_of(params: dict[str, str], secret: str) -> str:
    """Return the signature of the parameters."""
    text = "&".join(f"{name}={params[name]}" for name in sorted(params)) + f"&secret_key={secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def shown(units: int, scale: int) -> str:
    """Return units as decimal text without zeros at its end."""
    whole, rest = divmod(units, 10**scale)
    return f"{whole}.{rest:0{scale}}".rstrip("0").rstrip(".")
