"""``spotbook admin token-add``: an admin token without a server."""

from pathlib import Path

import click

from spotbook.bootstrap import Offline
from spotbook.cli.admin.words import tell
from spotbook.cli.master_key import master_key
from spotbook.cli.options import data_option, json_option
from spotbook.cli.tokens_offline import make_token
from spotbook.domain.credentials import ROLES


@click.command("token-add")
@click.argument("name")
@data_option
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be given again.")
@json_option
def token_add(name: str, data: Path, roles: tuple[str, ...], as_json: bool) -> None:
    """Make an admin token in books that no server has open; for who has none, or none left.

    Whoever has the books and their master key may: it is read from SPOTBOOK_MASTER_KEY or SPOTBOOK_MASTER_KEY_FILE.
    """
    with Offline(data, master_key()) as offline:
        text = make_token(offline, name, roles)
    tell({"name": name, "roles": [role for role in ROLES if role in roles], "token": text}, as_json=as_json)
