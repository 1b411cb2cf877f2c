"""Books to measure on: made through the engine, or, for a million accounts, as the batches that it would have made."""

import random
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.report import RunFailed
from spotbook.app import journal, projection
from spotbook.app.engine import Busy, Engine
from spotbook.app.journal import Transaction
from spotbook.app.keys import bound
from spotbook.app.ports import Head, SealedSecret
from spotbook.app.writer import Commit, Done, Outcome, Writer
from spotbook.bootstrap import found, wall_clock
from spotbook.domain.account import USER_FIRST, WORLD
from spotbook.domain.commands import Command, Deposit, MakeAsset, MakeKey, MakeToken, OpenAccount
from spotbook.domain.credentials import Actor, House, Key, Operator, Permission
from spotbook.domain.events import AccountOpened, DepositMade, Entry
from spotbook.store.sqlite import SqliteStore
from spotbook.store.vault import AesVault

ASSETS = ("BTC", "CWT", "SAND", "ETH", "USDT")
SCALE = 8
SUPPLY_MAX = "40000000000"
HOUSE = House("bench")
OPERATOR = Operator("bench", "money")
ACCOUNTS_PER_BATCH = 2_000
SECONDS_MAX = 600


class Submission(NamedTuple):
    """A command on its way, who asks, and the secrets that are stored if it is admitted."""

    command: Command
    actor: Actor = HOUSE
    secrets: tuple[SealedSecret, ...] = ()


class SignedAccount(NamedTuple):
    """An account with its key in the clear, and its balances in smallest units by asset."""

    id: int
    api_key: str
    secret: str
    balances: dict[str, int]


def alarm(words: str, fault: BaseException | None) -> None:
    """Make of an alarm a failure: nothing here should raise one."""
    raise RunFailed(f"the engine raised an alarm: {words}") from fault


@contextmanager
def engine_on(store: SqliteStore, committed: Callable[[Commit], None] = lambda _: None) -> Iterator[Engine]:
    """Lend a running engine over a store; it is drained at the end. `committed` is told of every batch."""
    engine = Engine(lambda: Writer(store, wall_clock, alarm=alarm, committed=committed), alarm=alarm)
    engine.start()
    engine.recovered.wait()
    try:
        yield engine
    finally:
        engine.drain()


def submit_all(engine: Engine, submissions: list[Submission]) -> list[Any]:
    """Hand in many commands with as many in flight as the queue takes; return their results, all carried out."""
    results: list[Any] = []  # in the order of the commands: one queue, one writer
    done, room, failed = threading.Event(), threading.Event(), list[Outcome]()

    def answer(outcome: Outcome) -> None:
        if not isinstance(outcome, Done):
            failed.append(outcome)
        results.append(getattr(outcome, "result", None))
        if len(results) == len(submissions):
            done.set()
        if not room.is_set():
            room.set()

    for command, actor, sealed in submissions:
        while True:
            try:
                engine.submit(command, actor, answer, secrets=sealed)
                break
            except Busy:
                # Till a batch is answered, as a server's loop does: who looks again and again takes the writer's time.
                room.clear()
                room.wait(0.1)
    if submissions and not done.wait(SECONDS_MAX):
        raise RunFailed("the engine did not answer")
    if failed:
        raise RunFailed(f"a command was not carried out: {failed[0]}")
    return results


def make(folder: Path, master_key: str, assets: int) -> None:
    """Make books with the first so many assets and the token of `OPERATOR`, and no accounts."""
    found(folder, master_key)
    store = SqliteStore(folder)
    with engine_on(store) as engine:
        commands: list[Command] = [MakeAsset(name, SCALE, SUPPLY_MAX) for name in ASSETS[:assets]]
        commands.append(MakeToken(OPERATOR.token, "0" * 64, ("view", "operate", "money")))
        submit_all(engine, [Submission(command) for command in commands])
    store.close()


def fill(folder: Path, master_key: str, accounts: int, assets: int) -> list[SignedAccount]:
    """Open accounts with one deposit of each asset and one key each; return them."""
    store, random_ = SqliteStore(folder), random.Random(7)
    with engine_on(store) as engine:
        opened = submit_all(engine, [Submission(OpenAccount(f"user {n}")) for n in range(accounts)])
        deposits = [deposit(random_, account.id, asset) for account in opened for asset in ASSETS[:assets]]
        made = submit_all(engine, [Submission(command) for command in deposits])
    store.close()
    balances: dict[int, dict[str, int]] = {}
    for command, event in zip(deposits, made, strict=True):
        balances.setdefault(event.account, {})[command.asset] = event.amount
    keyed = make_keys(folder, master_key, [account.id for account in opened])
    return [account._replace(balances=balances[account.id]) for account in keyed]


def make_keys(
    folder: Path, master_key: str, accounts: Iterable[int], permissions: tuple[Permission, ...] = ("read",)
) -> list[SignedAccount]:
    """Make one key with these permissions for each account."""
    vault, now, made, submissions = AesVault(master_key), wall_clock(), [], []
    for account in accounts:
        api_key, secret = str(uuid.uuid4()), secrets.token_hex(20).upper()
        key = Key(api_key, account, permissions, (), "", now, 0, 0)
        sealed = SealedSecret(api_key, vault.seal(secret, bound(key)))
        submissions.append(Submission(MakeKey(account, api_key, permissions, (), "", now, 0), secrets=(sealed,)))
        made.append(SignedAccount(account, api_key, secret, {}))
    store = SqliteStore(folder)
    with engine_on(store) as engine:
        submit_all(engine, submissions)
    store.close()
    return made


def deposit(random_: random.Random, account: int, asset: str) -> Deposit:
    """Return a deposit as real ones are: up to eight decimals, and a txid of 64 hex digits without any order."""
    units = random_.randrange(1, 10**12)
    text = f"{units // 10**SCALE}.{units % 10**SCALE:0{SCALE}}"
    return Deposit(account, asset, text, random_.randbytes(32).hex(), 0, "")


def grow(
    folder: Path, accounts: int, assets: int, accounts_per_batch: int = ACCOUNTS_PER_BATCH, *, units_min: int = 0
) -> None:
    """Open accounts with one deposit of each asset, as batches that the writer would have made, without deciding them.

    The books must have been made by `make` with as many assets, and have no accounts yet. Each deposit is of more than
    `units_min` smallest units.
    """
    store = SqliteStore(folder)
    head, time_ms = store.head(), wall_clock()
    issued = 0
    for start in range(0, accounts, accounts_per_batch):
        count = min(accounts_per_batch, accounts - start)
        transactions = [
            transaction
            for number in range(start, start + count)
            for transaction in _transactions(number, assets, time_ms, issued + 1 + (number - start) * assets, units_min)
        ]
        issued += count * assets
        head = commit(store, head, time_ms, transactions)
    store.close()


def commit(store: SqliteStore, head: Head, time_ms: int, transactions: list[Transaction]) -> Head:
    """Commit transactions as the batch that follows `head`, as the writer does; return the new head."""
    batch = journal.chained(head, time_ms, journal.body_of(time_ms, transactions))
    store.commit(batch, projection.changes_of(batch.number, transactions), ())
    store.tidy()
    return Head(batch.number, batch.time, batch.hash)


def _transactions(number: int, assets: int, time_ms: int, first: int, units_min: int) -> Iterator[Transaction]:
    """Yield what opens user `number` (from 0) and deposits the same units of each asset; `first` deposit's id."""
    by, account = f"house:{HOUSE.part}", USER_FIRST + number
    opened = AccountOpened(account, "user", f"user {number}", 0, frozen=False, opened_at=time_ms)
    yield Transaction(by, "OpenAccount", [opened])
    for index in range(assets):
        units = units_min + _units(number, index)
        before = -(units_min * number + _units_before(number, index))
        ref, asset = first + index, index + 1
        # World's version counts every deposit so far, of whatever asset: it is the deposit's number.
        world = Entry(WORLD, ref, asset, before, before - units, 0, 0, "deposit", ref)
        credited = Entry(account, index + 1, asset, 0, units, 0, 0, "deposit", ref)
        made = DepositMade(ref, account, asset, units, f"{ref:064x}", 0, "", index + 1, time_ms)
        yield Transaction(by, "Deposit", [world, credited, made])


def _units(number: int, index: int) -> int:
    return (number + 1) * 10_000 + index


def _units_before(number: int, index: int) -> int:
    """Return the sum of `_units` over all users before this one."""
    return number * (number + 1) // 2 * 10_000 + number * index
