"""``spotbook admin keys``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection, segment
from spotbook.cli.admin.pages import page_options
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option
from spotbook.domain.credentials import PERMISSIONS


@click.group()
def keys() -> None:
    """Make and revoke an account's API keys."""


@keys.command()
@click.argument("account", type=int)
@click.option(
    "--permission", "permissions", multiple=True, required=True, type=click.Choice(PERMISSIONS), help="Repeatable."
)
@click.option("--allow", multiple=True, metavar="CIDR", help="Addresses it may be used from; repeatable.")
@click.option("--label", help="A word to know it by.")
@click.option("--expires-at", type=int, help="Milliseconds since 1970.")
@click.option("--strict", is_flag=True, help="Refuse the exchange's MD5 signature; take HMAC-SHA256 only.")
@json_option
@pass_connection
def add(
    api: Connection,
    *,
    account: int,
    permissions: tuple[str, ...],
    allow: tuple[str, ...],
    label: str | None,
    expires_at: int | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Make a key. Its secret is shown this once."""
    ordered = [permission for permission in PERMISSIONS if permission in permissions]
    body = {
        "permissions": ordered,
        "allow": allow or None,
        "label": label,
        "expires_at": expires_at,
        "strict": strict or None,
    }
    tell(api.post(f"/accounts/{account}/keys", **body), as_json=as_json)


@keys.command("list")
@click.argument("account", type=int)
@page_options
@json_option
@pass_connection
def list_(api: Connection, account: int, after: str | None, limit: int | None, as_json: bool) -> None:
    """List an account's keys, without their secrets."""
    tell(api.get(f"/accounts/{account}/keys", after=after, limit=limit), as_json=as_json)


@keys.command()
@click.argument("account", type=int)
@click.argument("api_key")
@json_option
@pass_connection
def revoke(api: Connection, account: int, api_key: str, as_json: bool) -> None:
    """Revoke a key: from the answer on, nothing of it is carried out any more."""
    api.delete(f"/accounts/{account}/keys/{segment(api_key)}")
    tell({"api_key": api_key, "revoked": True}, as_json=as_json)
