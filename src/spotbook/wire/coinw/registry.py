"""Which commands there are. To add one: a file in `commands/`, with its limit and permission, and a line here."""

from spotbook.wire.coinw.command import PrivateRead, PrivateWrite, PublicRead
from spotbook.wire.coinw.commands import (
    cancel_all,
    cancel_all_order,
    cancel_order,
    do_trade,
    get_batch_history_orders,
    get_order,
    get_user_trades,
    return_24h_volume,
    return_balances,
    return_chart_data,
    return_complete_balances,
    return_currencies,
    return_open_orders,
    return_order_book,
    return_order_status,
    return_order_trades,
    return_symbol,
    return_ticker,
    return_trade_history,
    return_u_trade_history,
    spotbook_holds,
    spotbook_order,
    timestamp,
)

PRIVATE: dict[str, PrivateRead | PrivateWrite] = {
    command.name: command
    for command in (
        return_complete_balances.COMMAND,
        return_balances.COMMAND,
        do_trade.COMMAND,
        cancel_order.COMMAND,
        cancel_all_order.COMMAND,
        return_open_orders.COMMAND,
        return_order_trades.COMMAND,
        return_order_status.COMMAND,
        return_u_trade_history.COMMAND,
        get_user_trades.COMMAND,
        get_batch_history_orders.COMMAND,
        spotbook_holds.COMMAND,
        spotbook_order.COMMAND,
    )
} | {"cancelAll": cancel_all.COMMAND, "getOrder": get_order.COMMAND}
"""By the name that a call gives. An old name leads to a command that says what it is called now."""

PUBLIC: dict[str, PublicRead] = {
    command.name: command
    for command in (
        return_symbol.COMMAND,
        return_ticker.COMMAND,
        return_currencies.COMMAND,
        return_order_book.COMMAND,
        return_trade_history.COMMAND,
        return_chart_data.COMMAND,
        return_24h_volume.COMMAND,
        timestamp.COMMAND,
    )
}
