"""Random histories of the whole account: funds, orders, keys, rules, halts, in batches of any size."""

import random
from collections.abc import Callable, Iterator

from spotbook.domain.commands import (
    CancelAllOrders,
    CancelOrder,
    ChangeMarket,
    Command,
    FindOrder,
    FreezeAccount,
    Halt,
    OpenAccount,
    PlaceOrder,
    Resume,
)
from spotbook.domain.order import Kind, Side
from support.commands import OTHER, USER, deposit, make_key, make_token

USERS = (USER, OTHER)
KINDS: tuple[Kind, ...] = ("limit", "limit", "limit", "post_only", "market")
SIDES: tuple[Side, ...] = ("buy", "sell")


def history(choice: random.Random, batches: int) -> Iterator[list[Command]]:
    """Yield the commands of each batch, for books that `Desk.open_market` was called on. Some will be refused."""
    number = 0
    for _ in range(batches):
        batch: list[Command] = []
        for _ in range(choice.choice((1, 1, 2, 5, 20))):
            number += 1
            (sort,) = choice.choices(list(_SORTS), list(_SORTS.values()))
            batch.append(sort(choice, number))
        yield batch


def _place(choice: random.Random, number: int) -> Command:
    kind, reference = choice.choice(KINDS), choice.choice(("", f"own-{number}", f"shared-{number % 9}"))
    price = "" if kind == "market" else f"{choice.randrange(90, 111)}.{choice.randrange(100)}"
    amount = f"{choice.randrange(4)}.{choice.randrange(1, 10**6):06}"
    return PlaceOrder(choice.choice(USERS), "BTC_USDT", choice.choice(SIDES), kind, price, amount, "", reference)


def _cancel(choice: random.Random, number: int) -> Command:
    return CancelOrder(choice.choice(USERS), choice.randrange(1, number + 1))


def _cancel_all(choice: random.Random, number: int) -> Command:
    return CancelAllOrders(choice.choice(USERS), "")


def _find(choice: random.Random, number: int) -> Command:
    return FindOrder(choice.choice(USERS), f"shared-{choice.randrange(9)}", fence=choice.random() < 0.5)


def _deposit(choice: random.Random, number: int) -> Command:
    return deposit(f"tx-{number}", f"0.{choice.randrange(1, 10**8):08}", account=choice.choice(USERS))


def _change(choice: random.Random, number: int) -> Command:
    if choice.random() < 0.5:
        return ChangeMarket("BTC_USDT", maker_fee_ppm=choice.randrange(5_000), self_trade="cancel_oldest")
    return ChangeMarket("BTC_USDT", taker_fee_ppm=choice.randrange(5_000), self_trade="cancel_newest")


def _freeze(choice: random.Random, number: int) -> Command:
    return FreezeAccount(choice.choice(USERS), frozen=choice.random() < 0.1, reason="asked")


def _halt(choice: random.Random, number: int) -> Command:
    return Halt("asked") if choice.random() < 0.1 else Resume("checked")


def _make(choice: random.Random, number: int) -> Command:
    return choice.choice((OpenAccount(f'"{number}" é'), make_key(f"key-{number}"), make_token(f"token-{number}")))


_SORTS: dict[Callable[[random.Random, int], Command], int] = {
    _place: 60,
    _cancel: 15,
    _cancel_all: 1,
    _find: 4,
    _deposit: 5,
    _change: 3,
    _freeze: 3,
    _halt: 3,
    _make: 3,
}
"""Each sort of command, and how often it is drawn."""
