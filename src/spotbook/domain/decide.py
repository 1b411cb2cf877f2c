"""Which decision belongs to which command: one table, and what comes before every decision.

To add a command: its tuple in `commands.py`, its decision in the module of its subject, its line here. A decision
reads the state and returns events; it may refuse, and it changes nothing. `apply.py` has the other half.
"""

from collections.abc import Callable
from typing import Any

from spotbook.domain import access, accounts, catalogue, deposits, operation, trading
from spotbook.domain import commands as c
from spotbook.domain.credentials import Actor
from spotbook.domain.decision import Decision
from spotbook.domain.errors import WriterStopped
from spotbook.domain.state import RUNNING, State

DECISIONS: dict[type, Callable[[State, Any, int], Decision]] = {
    c.FoundBooks: accounts.found_books,
    c.MakeAsset: catalogue.make_asset,
    c.MakeMarket: catalogue.make_market,
    c.ChangeMarket: catalogue.change_market,
    c.OpenAccount: accounts.open_account,
    c.OpenWealth: accounts.open_wealth,
    c.FreezeAccount: accounts.freeze_account,
    c.Deposit: deposits.deposit,
    c.PlaceOrder: trading.place_order,
    c.CancelOrder: trading.cancel_order,
    c.CancelAllOrders: trading.cancel_all_orders,
    c.FindOrder: trading.find_order,
    c.MakeKey: access.make_key,
    c.RevokeKey: access.revoke_key,
    c.MakeToken: access.make_token,
    c.RevokeToken: access.revoke_token,
    c.RecordBan: operation.record_ban,
    c.LiftBan: operation.lift_ban,
    c.Halt: operation.change_standing,
    c.StopWriter: operation.change_standing,
    c.Resume: operation.change_standing,
}


def decide(state: State, command: c.Command, actor: Actor, now: int) -> Decision:
    """Return what `command`, asked by `actor` at `now` (milliseconds), comes to; raise a Refusal when it may not be.

    Anything else that is raised is a fault of the program, and nothing of the command is applied.
    """
    standing = state.standing.get("") or RUNNING
    if standing.standing == "stopped" and type(command) is not c.Resume:
        raise WriterStopped(standing.reason)
    access.authorise(state, actor, now)
    return DECISIONS[type(command)](state, command, now)
