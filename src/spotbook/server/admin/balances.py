"""What an account has: balances, the entries that made them, the holds that explain what is frozen."""

from typing import Literal

from spotbook.app.ports import Row
from spotbook.domain.amount import show_stripped
from spotbook.server.admin.endpoint import Call, Endpoint, Out, Reply
from spotbook.server.admin.fields import Page, Shown
from spotbook.server.admin.office import Office


class Sides(Out, frozen=True):
    """What is available and what open orders and pending withdrawals have frozen."""

    available: Shown
    frozen: Shown


class Balances(Out, frozen=True):
    """The balances of one version, by asset."""

    version: int
    balances: dict[str, Sides]


class Change(Out, frozen=True):
    """One side of a balance before an entry and after it."""

    before: Shown
    after: Shown


class EntryShown(Out, frozen=True):
    """One change of one balance. `ref` is the id of the deposit, withdrawal or order that `why` speaks of."""

    version: int
    asset: str
    available: Change
    frozen: Change
    why: str
    ref: int
    batch: int


class Entries(Out, frozen=True):
    """Entries by version; `next` is the `after` of the next page, null at the end."""

    entries: list[EntryShown]
    next: int | None


class HoldShown(Out, frozen=True):
    """The part of `frozen` that one open order or pending withdrawal owns."""

    asset: str
    amount: Shown
    kind: Literal["order", "withdrawal"]
    id: int


class Holds(Out, frozen=True):
    """The holds of one version."""

    version: int
    holds: list[HoldShown]


def _amount(office: Office, asset: int, units: int) -> str:
    return show_stripped(units, office.assets.of(asset).scale)


async def _balances(office: Office, call: Call) -> Reply:
    sheet = office.parts.reader.sheet(office.account(call).id)
    balances = {
        office.assets.of(asset).name: Sides(_amount(office, asset, available), _amount(office, asset, frozen))
        for asset, available, frozen, _ in sheet.balances
    }
    return Reply(200, Balances(sheet.version, balances))


def _entry(office: Office, row: Row) -> EntryShown:
    _, version, asset, before, after, frozen_before, frozen_after, why, ref, batch = row
    number = int(asset)
    return EntryShown(
        int(version),
        office.assets.of(number).name,
        Change(_amount(office, number, int(before)), _amount(office, number, int(after))),
        Change(_amount(office, number, int(frozen_before)), _amount(office, number, int(frozen_after))),
        str(why),
        int(ref),
        int(batch),
    )


async def _entries(office: Office, call: Call) -> Reply:
    account, after, limit = office.account(call), call.query.after, call.query.limit
    rows = await office.read(lambda reader: reader.page("entry", (account.id,), (after,), limit))
    entries = [_entry(office, row) for row in rows]
    return Reply(200, Entries(entries, entries[-1].version if len(entries) == limit else None))


async def _holds(office: Office, call: Call) -> Reply:
    account = office.account(call).id
    version, rows = await office.read(lambda reader: reader.holds(account))
    holds = [
        HoldShown(office.assets.of(int(asset)).name, _amount(office, int(asset), int(amount)), kind, int(number))  # type: ignore[arg-type]
        for _, asset, kind, number, amount in rows
    ]
    return Reply(200, Holds(version, holds))


BALANCES = Endpoint("GET", "/accounts/{account}/balances", "view", "An account's balances", _balances, {200: Balances})
ENTRIES = Endpoint(
    "GET",
    "/accounts/{account}/entries",
    "view",
    "An account's statement, by version",
    _entries,
    {200: Entries},
    query=Page,
)
HOLDS = Endpoint("GET", "/accounts/{account}/holds", "view", "What is behind `frozen`", _holds, {200: Holds})
