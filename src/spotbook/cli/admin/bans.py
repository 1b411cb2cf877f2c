"""``spotbook admin bans``, and the limits that lead to them."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection, segment
from spotbook.cli.admin.pages import page_options
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option


@click.group()
def bans() -> None:
    """See and lift what the limiter has banned."""


@bans.command("list")
@page_options
@json_option
@pass_connection
def list_(api: Connection, after: str | None, limit: int | None, as_json: bool) -> None:
    """List the bans in force."""
    tell(api.get("/bans", after=after, limit=limit), as_json=as_json)


@bans.command()
@click.argument("subject")
@json_option
@pass_connection
def lift(api: Connection, subject: str, as_json: bool) -> None:
    """Lift every ban of a subject, written as the list writes it: address:192.0.2.7, or user:1001@192.0.2.7."""
    api.delete(f"/bans/{segment(subject)}")
    tell({"subject": subject, "lifted": True}, as_json=as_json)


@click.command()
@json_option
@pass_connection
def limits(api: Connection, as_json: bool) -> None:
    """Print the rate limits in force."""
    tell(api.get("/limits"), as_json=as_json)
