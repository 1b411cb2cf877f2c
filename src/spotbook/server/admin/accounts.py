"""Accounts: opening, listing, freezing, and the wealth sub-account."""

from typing import Annotated, Literal

from msgspec import Meta

from spotbook.app.books import account_of
from spotbook.domain.account import Account
from spotbook.domain.commands import FreezeAccount, OpenAccount, OpenWealth
from spotbook.limits import NAME_CHARACTERS_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Id, Page, Reason, Time
from spotbook.server.admin.office import Office

Name = Annotated[
    str,
    Meta(
        description="Printable characters, with no space at either end. A label: two accounts may share one.",
        extra_json_schema={"minLength": 1, "maxLength": NAME_CHARACTERS_MAX},
    ),
]


class NewAccount(In, frozen=True):
    """An account to open."""

    name: Name


class Opened(Out, frozen=True):
    """The account that was opened."""

    id: Id
    name: str


class AccountShown(Out, frozen=True):
    """An account. `parent` is 0, or the user whose wealth account it is."""

    id: Id
    kind: Literal["world", "fees", "user", "wealth"]
    name: str
    parent: int
    frozen: bool
    opened_at: Time


class Accounts(Out, frozen=True):
    """Accounts by id; `next` is the `after` of the next page, null at the end."""

    accounts: list[AccountShown]
    next: int | None


class Freezing(In, frozen=True):
    """Whether the account is frozen from now on, and why."""

    frozen: bool
    reason: Reason


def shown(account: Account) -> AccountShown:
    """Return the account as it is sent."""
    return AccountShown(*account)


async def _open(office: Office, call: Call) -> Reply:
    account = (await office.carry_out(OpenAccount(call.body.name), call)).result
    return Reply(201, Opened(account.id, account.name))


async def _list(office: Office, call: Call) -> Reply:
    after, limit = call.query.after, call.query.limit
    rows = await office.read(lambda reader: reader.page("account", (), (after,), limit))
    accounts = [shown(account_of(row)) for row in rows]
    return Reply(200, Accounts(accounts, accounts[-1].id if len(accounts) == limit else None))


async def _one(office: Office, call: Call) -> Reply:
    return Reply(200, shown(office.account(call)))


async def _freeze(office: Office, call: Call) -> Reply:
    command = FreezeAccount(office.account_id(call), call.body.frozen, call.body.reason)
    return Reply(200, shown((await office.carry_out(command, call)).result))


async def _wealth(office: Office, call: Call) -> Reply:
    done = await office.carry_out(OpenWealth(office.account_id(call)), call)
    return Reply(201 if done.fresh else 200, shown(done.result))


OPEN = Endpoint("POST", "/accounts", "operate", "Open a user's account", _open, {201: Opened}, NewAccount)
LIST = Endpoint("GET", "/accounts", "view", "List accounts", _list, {200: Accounts}, query=Page)
ONE = Endpoint("GET", "/accounts/{account}", "view", "One account", _one, {200: AccountShown})
FREEZE = Endpoint(
    "POST",
    "/accounts/{account}/freeze",
    "operate",
    "Freeze or thaw a user's account: while frozen it is read, receives and cancels",
    _freeze,
    {200: AccountShown},
    Freezing,
    refusals={409: None},
)
WEALTH = Endpoint(
    "POST",
    "/accounts/{account}/wealth",
    "operate",
    "Open the user's wealth sub-account; 200 when it was open already",
    _wealth,
    {201: AccountShown, 200: AccountShown},
    refusals={409: None},
)
