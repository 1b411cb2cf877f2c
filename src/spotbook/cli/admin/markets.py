"""``spotbook admin markets``."""

from typing import Any

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option
from spotbook.domain.asset import MARKET_STATES, SELF_TRADES


@click.group()
def markets() -> None:
    """Make and list markets."""


@markets.command()
@click.argument("symbol", metavar="BASE_QUOTE")
@click.option("--price-decimals", type=int, required=True)
@click.option("--amount-decimals", type=int, required=True)
@click.option("--value-min", required=True, help="The smallest order, in the quote asset.")
@click.option("--price-min", required=True)
@click.option("--price-max", required=True)
@click.option("--amount-min", required=True)
@click.option("--amount-max", required=True)
@click.option("--maker-fee-ppm", type=int, required=True, help="Parts per million of what the maker receives.")
@click.option("--taker-fee-ppm", type=int, required=True, help="Parts per million of what the taker receives.")
@click.option("--self-trade", type=click.Choice(SELF_TRADES), default=SELF_TRADES[0], show_default=True)
@click.option("--state", type=click.Choice(MARKET_STATES), default=MARKET_STATES[0], show_default=True)
@json_option
@pass_connection
def add(api: Connection, /, *, symbol: str, as_json: bool, **rules: Any) -> None:
    """Make a market. Price decimals and amount decimals together are at most the quote asset's scale."""
    tell(api.post("/markets", symbol=symbol, **rules), as_json=as_json)


@markets.command("list")
@json_option
@pass_connection
def list_(api: Connection, as_json: bool) -> None:
    """List the markets with their rules."""
    tell(api.get("/markets"), as_json=as_json)
