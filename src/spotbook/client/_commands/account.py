"""Balances, and the holds behind them."""

from decimal import Decimal

from spotbook.client._ask import Ask
from spotbook.client._config import MinVersion
from spotbook.client._fields import Record, amount, listed, mapping, record
from spotbook.client.models import AvailableBalances, Balance, CompleteBalances, Reply
from spotbook.client.orders import Hold, Holds

__all__ = ["balances", "complete_balances", "holds"]


def complete_balances(*, min_version: MinVersion | None = None) -> Ask[CompleteBalances]:
    """returnCompleteBalances: what is available and what is on orders, of every asset that the account has.

    With `min_version`, a version or (books, version), the host waits up to a second until it can show that version,
    and else answers ExchangeBusy. Raises any `SpotbookError`.
    """
    return Ask("returnCompleteBalances", {}, _complete_balances, min_version)


def balances(*, min_version: MinVersion | None = None) -> Ask[AvailableBalances]:
    """returnBalances: what is available, of every asset that the account has. Otherwise as `complete_balances`."""
    return Ask("returnBalances", {}, _balances, min_version)


def holds(*, min_version: MinVersion | None = None) -> Ask[Holds]:
    """spotbook.holds: what each open order and pending withdrawal froze, and the version that this is of.

    Spotbook has it; the exchange does not.
    """
    return Ask("spotbook.holds", {}, _holds, min_version)


def _complete_balances(reply: Reply) -> CompleteBalances:
    both = {asset: _balance(record(sides, asset), asset) for asset, sides in mapping(reply.data).items()}
    return CompleteBalances(both, Balance(Decimal(0), Decimal(0)), reply)


def _balance(sides: Record, asset: str) -> Balance:
    return Balance(amount(sides.get("available"), asset), amount(sides.get("onOrders"), asset))


def _balances(reply: Reply) -> AvailableBalances:
    available = {asset: amount(value, asset) for asset, value in mapping(reply.data).items()}
    return AvailableBalances(available, Decimal(0), reply)


def _holds(reply: Reply) -> Holds:
    data = record(reply.data)
    return Holds(data.whole("version"), tuple(listed(data.get("holds"), _hold, "holds")))


def _hold(data: Record) -> Hold:
    return Hold(data.text("asset"), data.amount("amount"), data.text("kind"), data.whole("id"))
