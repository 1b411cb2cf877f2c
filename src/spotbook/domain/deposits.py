"""Deposits: credited once, and once only, whoever asks and however often."""

import re
from functools import lru_cache

from spotbook.domain import amount
from spotbook.domain.account import WORLD
from spotbook.domain.accounts import user_account
from spotbook.domain.asset import Asset
from spotbook.domain.commands import Deposit
from spotbook.domain.decision import Decision
from spotbook.domain.errors import DepositDiffers, Invalid, SupplyExceeded, UnknownAsset
from spotbook.domain.events import DepositMade
from spotbook.domain.ledger import Draft
from spotbook.domain.state import NOTHING, DepositKey, State
from spotbook.limits import BATCH_COMMANDS_MAX, CHAIN_CHARACTERS_MAX, DEPOSIT_INDEX_MAX, TXID_CHARACTERS_MAX

_HASH = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})", re.ASCII)
_VISIBLE = re.compile(r"[!-~]*", re.ASCII)


@lru_cache(2 * BATCH_COMMANDS_MAX)  # asked three times of each: to decide, to apply, to write its row
def same_txid(txid: str) -> str:
    """Return `txid` as it compares.

    64 hex digits are one hash however they are written: in capitals or not, with 0x before them or not. Anything else
    compares as it stands.
    """
    found = _HASH.fullmatch(txid)
    return found.group(1).lower() if found else txid


def deposit(state: State, command: Deposit, now: int) -> Decision:
    """Decide `Deposit`; the result is the DepositMade, the first one when it was made before."""
    _check_identity(command)
    account = user_account(state, command.account)
    asset = state.asset_named(command.asset)
    if asset is None:
        raise UnknownAsset(command.asset)
    units = amount.parse(command.amount, asset.scale)
    if units == 0:
        raise Invalid("amount", "is more than zero")
    identity = identity_of(asset, command)
    first = state.deposits.get(identity)
    if first is not None:
        if (first.account, first.amount) != (account.id, units):
            raise DepositDiffers(command.txid, first)
        return Decision([], first, fresh=False)
    issued = -(state.balances.get((WORLD, asset.id)) or NOTHING).available
    if issued + units > asset.supply_max:
        raise SupplyExceeded(asset.name)
    number = state.next_id("deposit")
    draft = Draft(state)
    draft.move(WORLD, asset.id, available=-units, why="deposit", ref=number)
    version = draft.move(account.id, asset.id, available=units, why="deposit", ref=number)
    made = DepositMade(
        number, account.id, asset.id, units, command.txid, command.txid_index, command.chain, version, now
    )
    return Decision([*draft.close(), made], made)


def identity_of(asset: Asset, command: Deposit) -> DepositKey:
    """Return what makes this deposit the same as another, of whatever account and amount."""
    return DepositKey(asset.id, command.chain, same_txid(command.txid), command.txid_index)


def _check_identity(command: Deposit) -> None:
    if not 1 <= len(command.txid) <= TXID_CHARACTERS_MAX or not _VISIBLE.fullmatch(command.txid):
        raise Invalid("txid", f"write 1 to {TXID_CHARACTERS_MAX} printable ASCII characters without spaces")
    if len(command.chain) > CHAIN_CHARACTERS_MAX or not _VISIBLE.fullmatch(command.chain):
        raise Invalid("chain", f"write at most {CHAIN_CHARACTERS_MAX} printable ASCII characters without spaces")
    if not 0 <= command.txid_index <= DEPOSIT_INDEX_MAX:
        raise Invalid("index", f"is 0 to {DEPOSIT_INDEX_MAX}")
