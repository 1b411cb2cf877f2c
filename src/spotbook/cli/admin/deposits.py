"""``spotbook admin deposits``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.pages import page_options
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option


@click.group()
def deposits() -> None:
    """Credit and list deposits."""


@deposits.command()
@click.argument("account", type=int)
@click.argument("asset")
@click.argument("amount")
@click.option("--txid", required=True, help="Its transaction, 1 to 128 printable ASCII characters without spaces.")
@click.option("--index", type=int, default=0, show_default=True, help="Which of the transaction's outputs.")
@click.option("--chain", default="", help="The chain, where an asset has several.")
@json_option
@pass_connection
def add(
    api: Connection, *, account: int, asset: str, amount: str, txid: str, index: int, chain: str, as_json: bool
) -> None:
    """Credit a deposit once: the same again answers the same, one that differs is refused."""
    body = {"asset": asset, "amount": amount, "txid": txid, "index": index, "chain": chain}
    tell(api.post(f"/accounts/{account}/deposits", **body), as_json=as_json)


@deposits.command("list")
@click.argument("account", type=int)
@page_options
@json_option
@pass_connection
def list_(api: Connection, account: int, after: str | None, limit: int | None, as_json: bool) -> None:
    """List an account's deposits."""
    tell(api.get(f"/accounts/{account}/deposits", after=after, limit=limit), as_json=as_json)
