"""``spotbook state-hash``: what the books come to, as one number."""

from contextlib import closing
from pathlib import Path

import click

from spotbook.app.state_hash import state_hash as hash_of
from spotbook.cli.options import data_option, json_option
from spotbook.cli.output import print_json
from spotbook.store.sqlite_reader import SqliteReader


@click.command("state-hash")
@data_option
@json_option
def state_hash(data: Path, as_json: bool) -> None:
    """Print the state hash: SHA-256 over assets, markets, ids, balances, holds and open orders.

    Beside a running server it is of one moment; the batch that is printed with it says of which.
    """
    with closing(SqliteReader(data, mapped=False)) as reader:
        found = hash_of(reader)
    if as_json:
        print_json(
            {"batch": found.head.number, "hash": found.head.hash.hex(), "state_hash": found.hash.hex()},
        )
    else:
        click.echo(f"{found.hash.hex()}  batch {found.head.number}:{found.head.hash.hex()}")
