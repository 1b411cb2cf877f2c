"""``spotbook rebuild``: every projection made anew from the journal."""

from pathlib import Path

import click

from spotbook.app.rebuild import rebuild as run_rebuild
from spotbook.cli.options import data_option, json_option
from spotbook.cli.output import print_json
from spotbook.store.sqlite import SqliteStore


@click.command()
@data_option
@json_option
def rebuild(data: Path, as_json: bool) -> None:
    """Make every table anew from the journal, in one step, while no server runs."""
    store = SqliteStore(data)
    try:
        head = run_rebuild(store)
    finally:
        store.close()
    if as_json:
        print_json({"batch": head.number, "hash": head.hash.hex()})
    else:
        click.echo(f"every table was made anew from the journal, up to batch {head.number}")
