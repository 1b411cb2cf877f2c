"""``spotbook admin``: what an operator does. Most of it asks the Admin API of a running server; `token-add` and
`rotate-master-key` need the books for themselves."""

import click

from spotbook.cli.admin.accounts import accounts
from spotbook.cli.admin.assets import assets
from spotbook.cli.admin.bans import bans, limits
from spotbook.cli.admin.connection import Connection
from spotbook.cli.admin.deposits import deposits
from spotbook.cli.admin.keys import keys
from spotbook.cli.admin.markets import markets
from spotbook.cli.admin.orders import orders
from spotbook.cli.admin.rotate_master_key import rotate_master_key
from spotbook.cli.admin.standing import audit, freeze, halt, resume, status, thaw
from spotbook.cli.admin.token_add import token_add
from spotbook.cli.admin.tokens import tokens

DEFAULT_URL = "http://127.0.0.1:8081"


@click.group()
@click.option(
    "--admin-url", envvar="SPOTBOOK_ADMIN_URL", default=DEFAULT_URL, show_default=True, help="Where the Admin API is."
)
@click.option("--token-file", type=click.Path(dir_okay=False), help="A file that holds the token.")
@click.pass_context
def admin(context: click.Context, admin_url: str, token_file: str | None) -> None:
    """What an operator does: accounts, keys, deposits, assets, markets, orders, tokens, bans, halts.

    The token is read from SPOTBOOK_ADMIN_TOKEN or from --token-file. There is no flag for the token itself: everybody
    on the machine sees the arguments of a running program.
    """
    context.obj = Connection(admin_url, token_file)


NOUNS = (accounts, keys, deposits, assets, markets, orders, tokens, bans)
DEEDS = (limits, freeze, thaw, halt, resume, status, audit, token_add, rotate_master_key)
for command in (*NOUNS, *DEEDS):
    admin.add_command(command)
