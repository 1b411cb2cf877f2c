"""Opening and freezing accounts."""

from spotbook.domain.account import FEES, USER_FIRST, WORLD, Account, check_account_name, check_words
from spotbook.domain.commands import FoundBooks, FreezeAccount, OpenAccount, OpenWealth
from spotbook.domain.decision import Decision
from spotbook.domain.errors import BooksFounded, NotAUser, UnknownAccount
from spotbook.domain.events import AccountFrozen, AccountOpened
from spotbook.domain.state import State
from spotbook.limits import ID_MAX, REASON_CHARACTERS_MAX


def found_books(state: State, command: FoundBooks, now: int) -> Decision:  # noqa: ARG001  (one shape for all)
    """Decide `FoundBooks`: world and fees."""
    world = state.accounts.get(WORLD)
    if world is not None:
        raise BooksFounded("account", world)
    return Decision(
        [
            AccountOpened(WORLD, "world", "world", 0, frozen=False, opened_at=now),
            AccountOpened(FEES, "fees", "fees", 0, frozen=False, opened_at=now),
        ],
        None,
    )


def open_account(state: State, command: OpenAccount, now: int) -> Decision:
    """Decide `OpenAccount`; the result is the Account."""
    check_account_name(command.name)
    account = Account(state.next_id("account", USER_FIRST), "user", command.name, 0, frozen=False, opened_at=now)
    return Decision([AccountOpened(*account)], account)


def open_wealth(state: State, command: OpenWealth, now: int) -> Decision:
    """Decide `OpenWealth`; the result is the wealth Account of the user."""
    user = user_account(state, command.account)
    number = state.wealth_of.get(user.id)
    if number is not None:
        return Decision([], state.accounts.get(number), fresh=False)
    wealth = Account(state.next_id("account", USER_FIRST), "wealth", user.name, user.id, frozen=False, opened_at=now)
    return Decision([AccountOpened(*wealth)], wealth)


def freeze_account(state: State, command: FreezeAccount, now: int) -> Decision:  # noqa: ARG001
    """Decide `FreezeAccount`; the result is the Account as it is then."""
    check_words("reason", command.reason, REASON_CHARACTERS_MAX)
    account = user_account(state, command.account)
    if account.frozen == command.frozen:
        return Decision([], account, fresh=False)
    after = account._replace(frozen=command.frozen)
    return Decision([AccountFrozen(*after, command.reason)], after)


def user_account(state: State, number: int) -> Account:
    """Return the user's spot account of this number; UnknownAccount or NotAUser otherwise."""
    account = state.accounts.get(number) if 0 < number <= ID_MAX else None
    if account is None:
        raise UnknownAccount(number)
    if account.kind != "user":
        raise NotAUser(number)
    return account
