"""``spotbook admin orders``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.pages import page_options
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option

symbol_option = click.option("--symbol", metavar="BASE_QUOTE", help="Only those of this market.")


@click.group()
def orders() -> None:
    """See an account's open orders, and cancel them."""


@orders.command("list")
@click.argument("account", type=int)
@symbol_option
@page_options
@json_option
@pass_connection
def list_(
    api: Connection, *, account: int, symbol: str | None, after: str | None, limit: int | None, as_json: bool
) -> None:
    """List an account's open orders by number."""
    tell(api.get(f"/accounts/{account}/orders", symbol=symbol, after=after, limit=limit), as_json=as_json)


@orders.command()
@click.argument("account", type=int)
@click.argument("order", type=int)
@json_option
@pass_connection
def cancel(api: Connection, account: int, order: int, as_json: bool) -> None:
    """Cancel an open order, and give free what it holds. What was executed stands."""
    tell(api.delete(f"/accounts/{account}/orders/{order}"), as_json=as_json)


@orders.command("cancel-all")
@click.argument("account", type=int)
@symbol_option
@json_option
@pass_connection
def cancel_all(api: Connection, account: int, symbol: str | None, as_json: bool) -> None:
    """Cancel every open order of an account."""
    api.delete(f"/accounts/{account}/orders", symbol=symbol)
    tell({"account": account, "cancelled": True}, as_json=as_json)
