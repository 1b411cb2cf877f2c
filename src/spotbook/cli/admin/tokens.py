"""``spotbook admin tokens``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection, segment
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option
from spotbook.domain.credentials import ROLES


@click.group()
def tokens() -> None:
    """Make and revoke admin tokens."""


@tokens.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be given again.")
@json_option
@pass_connection
def add(api: Connection, name: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Make a token. Its text is shown this once; its name stands in the journal beside all that it does."""
    tell(api.post("/tokens", name=name, roles=[role for role in ROLES if role in roles]), as_json=as_json)


@tokens.command("list")
@json_option
@pass_connection
def list_(api: Connection, as_json: bool) -> None:
    """List the tokens that were ever made, without their texts."""
    tell(api.get("/tokens"), as_json=as_json)


@tokens.command()
@click.argument("name")
@json_option
@pass_connection
def revoke(api: Connection, name: str, as_json: bool) -> None:
    """Revoke a token. Its name is not used again."""
    api.delete(f"/tokens/{segment(name)}")
    tell({"name": name, "revoked": True}, as_json=as_json)
