# Type checkers see this file with and without the two libraries installed: only `make bench` installs them.
# mypy: disable-error-code="import-not-found"
# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores, no-warn-return-any
"""Placing and cancelling as most people would write it: FastAPI, Pydantic, SQLAlchemy's ORM, SQLite.

The same requests with the same signature get the same replies, over the same accounts, keys, balances and open orders.
One transaction a request, confirmed by the disk (WAL, synchronous=FULL): balance, freeze, the order with its unique
out_trade_no; a cancel gives back what was frozen. It matches nothing, so there are no fills, fees and trades, and it
has no limits, metrics and journal: all that would cost it time. Nothing is left out that would save some: the
signature is checked before the turn to write is taken, and turns are taken by a lock, because SQLite itself waits by
sleeping.
"""

import hmac
import threading
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel
from sqlalchemy import BigInteger, String, UniqueConstraint, create_engine, event, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

from bench.books import ASSETS, SCALE, SignedAccount
from bench.comparators.fastapi_sqlalchemy import THREADS, ApiKey, Asset, Balance, Base, sign_of
from bench.trading import MARKETS

OPEN, CANCELLED = 1, 4
QUOTE = len(ASSETS)


class Order(Base):
    """An order. `held` is what it froze, of the quote for a buy (`side` 0) and of the base for a sell (1)."""

    __tablename__ = "order"
    __table_args__ = (UniqueConstraint("account_id", "out_trade_no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, index=True)
    market: Mapped[str] = mapped_column(String(32))
    side: Mapped[int]
    price: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[int]
    out_trade_no: Mapped[str] = mapped_column(String(50))
    placed_at: Mapped[int] = mapped_column(BigInteger)


class Reply(BaseModel):
    """The envelope, of a success or of a refusal."""

    code: str
    data: dict[str, int] | None = None
    msg: str
    success: bool
    failed: bool


class Refused(Exception):
    """A refusal: its code and words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.reply = Reply(code=code, msg=words, success=False, failed=True)


def write(
    file: Path, accounts: Iterable[SignedAccount], balances: list[tuple[int, ...]], orders: list[dict[str, Any]]
) -> None:
    """Write the database that `make_app` serves.

    `balances` are (account, asset, available, frozen), `orders` are values by column.
    """
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    names = ("account_id", "asset_id", "available", "frozen")
    keys = [{"api_key": one.api_key, "secret": one.secret, "account_id": one.id} for one in accounts]
    with Session(engine) as session:
        session.add_all([Asset(id=number, name=name, scale=SCALE) for number, name in enumerate(ASSETS, 1)])
        session.execute(insert(ApiKey), keys)
        session.execute(insert(Balance), [dict(zip(names, balance, strict=True)) for balance in balances])
        session.execute(insert(Order), orders)
        session.commit()
    engine.dispose()


def make_app(file: Path) -> Any:
    """Return the application."""
    reading, writing, turn = _sessions(file, "BEGIN"), _sessions(file, "BEGIN IMMEDIATE"), threading.Lock()
    app = FastAPI()

    async def form(request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))

    @app.post("/api/v1/private")
    def private(command: Annotated[str, Query()], form: Annotated[dict[str, str], Depends(form)]) -> Reply:
        try:
            with reading() as session:
                account = authenticated(session, form)
            with turn, writing.begin() as session:
                if command == "doTrade":
                    data = {"orderNumber": placed(session, account, form)}
                elif command == "cancelOrder":
                    data = {"clientOrderId": cancelled(session, account, int(form["orderNumber"]))}
                else:
                    raise Refused("10002", "API does not exist")
        except IntegrityError:
            return Refused("10008", "out_trade_no is taken").reply
        except Refused as refused:
            return refused.reply
        return Reply(code="200", data=data, msg="SUCCESS", success=True, failed=False)

    return app


def _sessions(file: Path, begin: str) -> sessionmaker[Session]:
    """Return what opens sessions whose transactions begin with `begin`."""
    # A connection for each of the threads in which FastAPI runs plain functions: with fewer they wait for each other.
    engine = create_engine(f"sqlite:///{file}", connect_args={"check_same_thread": False}, pool_size=THREADS)

    @event.listens_for(engine, "connect")
    def tune(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "mmap_size = 1073741824"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return sessionmaker(engine, expire_on_commit=False)


def authenticated(session: Session, form: dict[str, str]) -> int:
    """Return the account whose key signed."""
    key = session.get(ApiKey, form.get("api_key", ""))
    if key is None:
        raise Refused("10006", "api_key error: invalid api key")
    sign = form.pop("sign", "")
    if not hmac.compare_digest(sign.encode(), sign_of(form, key.secret).encode()):
        raise Refused("10007", "signature error")
    return key.account_id


def placed(session: Session, account: int, form: dict[str, str]) -> int:
    """Freeze what an order could come to cost and insert it; return its id."""
    market = next((market for market in MARKETS if market.symbol == form["symbol"]), None)
    if market is None:
        raise Refused("-3", "symbol does not exist")
    side, price, amount = int(form["type"]), Decimal(form["rate"]), Decimal(form["amount"])
    if price <= 0 or amount <= 0:
        raise Refused("10003", "parameter error: amount: is more than zero")
    held = int((amount if side else price * amount).scaleb(SCALE))
    balance = session.get_one(Balance, (account, MARKETS.index(market) + 1 if side else QUOTE))
    if balance.available < held:
        raise Refused("200005", "insufficient balance")
    balance.available -= held
    balance.frozen += held
    order = Order(
        account_id=account,
        market=market.symbol,
        side=side,
        price=int(price.scaleb(market.price_decimals)),
        amount=int(amount.scaleb(SCALE)),
        held=held,
        status=OPEN,
        out_trade_no=form["out_trade_no"],
        placed_at=time.time_ns() // 1_000_000,
    )
    session.add(order)
    session.flush()
    return order.id


def cancelled(session: Session, account: int, number: int) -> int:
    """Cancel an open order and give back what it froze; return its id."""
    order = session.get(Order, number)
    if order is None or order.account_id != account:
        raise Refused("-3", "order not found")
    if order.status != OPEN:
        raise Refused("10009", "already closed")
    symbols = [market.symbol for market in MARKETS]
    balance = session.get_one(Balance, (account, symbols.index(order.market) + 1 if order.side else QUOTE))
    balance.available += order.held
    balance.frozen -= order.held
    order.status = CANCELLED
    return order.id
