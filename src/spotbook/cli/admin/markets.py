"""``spotbook admin markets``."""

from typing import Any

import click

from spotbook.cli.admin.connection import Connection, pass_connection, segment
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option
from spotbook.domain.asset import MARKET_STATES, SELF_TRADES


@click.group()
def markets() -> None:
    """Make and list markets, and change their rules."""


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
@click.option("--value-max", help="The largest order, in the quote asset; without it there is none.")
@click.option("--orders-max", type=int, help="Open orders that an account may have.  [default: 10000]")
@click.option("--bound-ppm", type=int, help="How far from the best price a market order goes.  [default: 100000]")
@json_option
@pass_connection
def add(api: Connection, /, *, symbol: str, as_json: bool, **rules: Any) -> None:
    """Make a market. Price decimals and amount decimals together are at most the quote asset's scale."""
    tell(api.post("/markets", symbol=symbol, **rules), as_json=as_json)


@markets.command()
@click.argument("symbol", metavar="BASE_QUOTE")
@click.option("--state", type=click.Choice(MARKET_STATES), help="In all of them orders can be cancelled.")
@click.option("--value-min", help="The smallest order, in the quote asset.")
@click.option("--value-max", help="The largest order, in the quote asset; 0 for none.")
@click.option("--price-min")
@click.option("--price-max")
@click.option("--amount-min")
@click.option("--amount-max")
@click.option("--maker-fee-ppm", type=int, help="Parts per million of what the maker receives.")
@click.option("--taker-fee-ppm", type=int, help="Parts per million of what the taker receives.")
@click.option("--self-trade", type=click.Choice(SELF_TRADES))
@click.option("--orders-max", type=int, help="Open orders that an account may have.")
@click.option("--bound-ppm", type=int, help="How far from the best price a market order goes.")
@json_option
@pass_connection
def change(api: Connection, /, *, symbol: str, as_json: bool, **rules: Any) -> None:
    """Change a market's rules; what is not given stays. Orders that rest stay too. Decimals are for ever."""
    tell(api.patch(f"/markets/{segment(symbol)}", **rules), as_json=as_json)


@markets.command("list")
@json_option
@pass_connection
def list_(api: Connection, as_json: bool) -> None:
    """List the markets with their rules."""
    tell(api.get("/markets"), as_json=as_json)
