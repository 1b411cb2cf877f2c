"""Which commands there are. To add one: a file in `commands/`, with its limit and permission, and a line here."""

from spotbook.wire.coinw.command import PrivateRead, PublicRead
from spotbook.wire.coinw.commands import return_balances, return_complete_balances, timestamp

PRIVATE: dict[str, PrivateRead] = {
    command.name: command for command in (return_complete_balances.COMMAND, return_balances.COMMAND)
}

PUBLIC: dict[str, PublicRead] = {command.name: command for command in (timestamp.COMMAND,)}
