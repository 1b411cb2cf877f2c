"""``spotbook admin assets``."""

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option


@click.group()
def assets() -> None:
    """Make and list assets."""


@assets.command()
@click.argument("asset")
@click.option("--scale", type=int, required=True, help="Decimals, 0 to 18.")
@click.option("--supply-max", required=True, help="The most there can be.")
@json_option
@pass_connection
def add(api: Connection, asset: str, scale: int, supply_max: str, as_json: bool) -> None:
    """Make an asset. Its scale and supply_max are fixed for ever."""
    tell(api.post("/assets", asset=asset, scale=scale, supply_max=supply_max), as_json=as_json)


@assets.command("list")
@json_option
@pass_connection
def list_(api: Connection, as_json: bool) -> None:
    """List the assets in the sequence in which they were made."""
    tell(api.get("/assets"), as_json=as_json)
