"""``spotbook balances``: the complete balances of one account, by a signed call."""

import os

import click

from spotbook.cli.options import json_option
from spotbook.cli.output import print_json, print_table
from spotbook.client import Client, CompleteBalances


@click.command()
@click.option("--url", help="Where the wire API is; else SPOTBOOK_URL, else http://127.0.0.1:8080.")
@json_option
def balances(url: str | None, as_json: bool) -> None:
    """Print what an account has: available, frozen by open orders, and both together.

    The key is read from SPOTBOOK_API_KEY and SPOTBOOK_SECRET_KEY.
    """
    environment = {**os.environ, **({"SPOTBOOK_URL": url} if url else {})}
    with Client.from_env(environment, retries=2) as client:
        found = client.complete_balances()
    if as_json:
        rows = {
            asset: {"available": f"{row.available:f}", "frozen": f"{row.on_orders:f}", "total": f"{row.total:f}"}
            for asset, row in found.items()
        }
        print_json({"version": found.version, "balances": rows})
        return
    print_balances(found)
    click.echo(f"\nversion {found.version}")


def print_balances(found: CompleteBalances) -> None:
    """Print balances as a table."""
    rows = [(asset, f"{row.available:f}", f"{row.on_orders:f}", f"{row.total:f}") for asset, row in found.items()]
    amounts = ("available", "frozen", "total")
    print_table(("asset", *amounts), rows, right=amounts)
