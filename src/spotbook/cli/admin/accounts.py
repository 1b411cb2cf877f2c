"""``spotbook admin accounts``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.pages import page_options
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option


@click.group()
def accounts() -> None:
    """Open accounts, and look into them."""


@accounts.command()
@click.argument("name")
@json_option
@pass_connection
def add(api: Connection, name: str, as_json: bool) -> None:
    """Open a user's account. Names are labels: two accounts may share one."""
    tell(api.post("/accounts", name=name), as_json=as_json)


@accounts.command("list")
@page_options
@json_option
@pass_connection
def list_(api: Connection, after: str | None, limit: int | None, as_json: bool) -> None:
    """List the accounts by number."""
    tell(api.get("/accounts", after=after, limit=limit), as_json=as_json)


@accounts.command()
@click.argument("account", type=int)
@json_option
@pass_connection
def show(api: Connection, account: int, as_json: bool) -> None:
    """Print an account: its name, kind, and whether it is frozen."""
    tell(api.get(f"/accounts/{account}"), as_json=as_json)


@accounts.command()
@click.argument("account", type=int)
@json_option
@pass_connection
def wealth(api: Connection, account: int, as_json: bool) -> None:
    """Open a user's wealth sub-account; asked again it answers the same."""
    tell(api.post(f"/accounts/{account}/wealth"), as_json=as_json)


@accounts.command()
@click.argument("account", type=int)
@json_option
@pass_connection
def balances(api: Connection, account: int, as_json: bool) -> None:
    """Print what an account has."""
    tell(api.get(f"/accounts/{account}/balances"), as_json=as_json)


@accounts.command()
@click.argument("account", type=int)
@page_options
@json_option
@pass_connection
def entries(api: Connection, account: int, after: str | None, limit: int | None, as_json: bool) -> None:
    """Print an account's statement: every change of every balance, by version."""
    tell(api.get(f"/accounts/{account}/entries", after=after, limit=limit), as_json=as_json)


@accounts.command()
@click.argument("account", type=int)
@json_option
@pass_connection
def holds(api: Connection, account: int, as_json: bool) -> None:
    """Print what each open order and withdrawal has frozen."""
    tell(api.get(f"/accounts/{account}/holds"), as_json=as_json)
