"""Deposits: credited once, whoever asks and however often."""

from typing import Annotated

from msgspec import Meta

from spotbook.app.books import deposit_of
from spotbook.domain.amount import show_stripped
from spotbook.domain.commands import Deposit
from spotbook.domain.errors import DepositDiffers
from spotbook.domain.events import DepositMade
from spotbook.limits import CHAIN_CHARACTERS_MAX, DEPOSIT_INDEX_MAX, TXID_CHARACTERS_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Amount, Id, Page, Shown, Time
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import refused


class NewDeposit(In, frozen=True):
    """A deposit. (asset, chain, txid, index) is its identity, over all accounts and for ever."""

    asset: str
    amount: Amount
    txid: Annotated[
        str,
        Meta(
            description="Printable ASCII without spaces. 64 hex digits, with 0x or not, in capitals or not, are one.",
            extra_json_schema={"pattern": "^[!-~]+$", "maxLength": TXID_CHARACTERS_MAX},
        ),
    ]
    index: Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": DEPOSIT_INDEX_MAX})] | None = None
    chain: Annotated[str, Meta(extra_json_schema={"pattern": "^[!-~]*$", "maxLength": CHAIN_CHARACTERS_MAX})] | None = (
        None
    )


class DepositShown(Out, frozen=True):
    """A deposit. `version` is the account's version after it."""

    id: Id
    account: int
    asset: str
    amount: Shown
    txid: str
    index: int
    chain: str
    version: int


class DepositListed(DepositShown, frozen=True):
    """A deposit with its time and the batch that it is in."""

    made_at: Time
    batch: int


class Deposits(Out, frozen=True):
    """Deposits by id; `next` is the `after` of the next page, null at the end."""

    deposits: list[DepositListed]
    next: int | None


class FirstDeposit(Out, frozen=True):
    """Why not, and the deposit that was made before."""

    code: str
    message: str
    first: DepositShown


class DepositConflict(Out, frozen=True):
    """The body of a 409 that names the first deposit of this identity."""

    error: FirstDeposit


def _fields(office: Office, made: DepositMade) -> tuple[int, int, str, str, str, int, str, int]:
    asset = office.assets.of(made.asset)
    amount = show_stripped(made.amount, asset.scale)
    return made.id, made.account, asset.name, amount, made.txid, made.txid_index, made.chain, made.version


async def _credit(office: Office, call: Call) -> Reply:
    new = call.body
    command = Deposit(office.account_id(call), new.asset, new.amount, new.txid, new.index or 0, new.chain or "")
    try:
        done = await office.carry_out(command, call)
    except DepositDiffers as differs:
        return refused(differs, first=DepositShown(*_fields(office, differs.first)))
    return Reply(201 if done.fresh else 200, DepositShown(*_fields(office, done.result)))


async def _list(office: Office, call: Call) -> Reply:
    account, after, limit = office.account(call), call.query.after, call.query.limit
    rows = await office.read(lambda reader: reader.page("deposit", (account.id,), (after,), limit))
    made = [(deposit_of(row), int(row[-1])) for row in rows]
    deposits = [DepositListed(*_fields(office, deposit), deposit.made_at, batch) for deposit, batch in made]
    return Reply(200, Deposits(deposits, deposits[-1].id if len(deposits) == limit else None))


CREDIT = Endpoint(
    "POST",
    "/accounts/{account}/deposits",
    "money",
    "Credit a deposit; 200 with the very same body when it was credited before, 409 when that one differs",
    _credit,
    {201: DepositShown, 200: DepositShown},
    NewDeposit,
    refusals={409: DepositConflict},
)
LIST = Endpoint(
    "GET", "/accounts/{account}/deposits", "view", "List an account's deposits", _list, {200: Deposits}, query=Page
)
