"""Making assets and markets, and changing a market's rules.

An asset is fixed once made, and so are a market's decimals. To make either again just as it is changes nothing; to
make it otherwise is refused.
"""

from typing import Any, cast

from spotbook.domain import amount
from spotbook.domain.asset import (
    Asset,
    Market,
    MarketState,
    SelfTrade,
    check_asset_name,
    check_market,
    check_scale,
    supply_units,
)
from spotbook.domain.commands import ChangeMarket, MakeAsset, MakeMarket
from spotbook.domain.decision import Decision
from spotbook.domain.errors import (
    AssetDiffers,
    Invalid,
    InvariantBroken,
    MarketDiffers,
    TooMany,
    UnknownAsset,
    UnknownMarket,
)
from spotbook.domain.events import AssetMade, MarketChanged, MarketMade
from spotbook.domain.state import State
from spotbook.limits import ASSETS_MAX, MARKETS_MAX


def make_asset(state: State, command: MakeAsset, now: int) -> Decision:  # noqa: ARG001  (one shape for all)
    """Decide `MakeAsset`; the result is the Asset."""
    check_asset_name(command.name)
    check_scale(command.scale)
    supply_max = supply_units(command.supply_max, command.scale)
    first = state.asset_named(command.name)
    if first is not None:
        if (first.scale, first.supply_max) != (command.scale, supply_max):
            raise AssetDiffers(command.name, first)
        return Decision([], first, fresh=False)
    number = state.next_id("asset")
    if number > ASSETS_MAX:
        raise TooMany("assets", ASSETS_MAX)
    asset = Asset(number, command.name, command.scale, supply_max)
    return Decision([AssetMade(*asset)], asset)


def make_market(state: State, command: MakeMarket, now: int) -> Decision:  # noqa: ARG001
    """Decide `MakeMarket`; the result is the Market."""
    base, quote = _assets_of(state, command.symbol)
    first = state.markets.get(command.symbol)
    market = _market(command, first.id if first else state.next_id("market"), base, quote)
    check_market(market, base, quote)
    if first is not None:
        if first != market:
            raise MarketDiffers(command.symbol, first)
        return Decision([], first, fresh=False)
    if market.id > MARKETS_MAX:
        raise TooMany("markets", MARKETS_MAX)
    return Decision([MarketMade(*market)], market)


def change_market(state: State, command: ChangeMarket, now: int) -> Decision:  # noqa: ARG001
    """Decide `ChangeMarket`; the result is the Market as it is then. Orders that rest stay, whatever the new rules."""
    before = state.markets.get(command.symbol)
    if before is None:
        raise UnknownMarket(command.symbol)
    base, quote = state.assets.get(before.base), state.assets.get(before.quote)
    if base is None or quote is None:
        raise InvariantBroken(f"market {before.symbol} is of assets that do not exist")
    given: dict[str, Any] = {name: value for name, value in command._asdict().items() if value not in {None, ""}}
    for name, text in given.items():
        if name.startswith("value_"):
            given[name] = amount.parse(text, quote.scale, name=name)
        elif name.startswith("price_"):
            given[name] = amount.parse(text, before.price_decimals, name=name)
        elif name.startswith("amount_"):
            given[name] = _stepped(name, text, before.amount_decimals, base)
    after = before._replace(**given)
    check_market(after, base, quote)
    if after == before:
        return Decision([], after, fresh=False)
    return Decision([MarketChanged(*after)], after)


def _assets_of(state: State, symbol: str) -> tuple[Asset, Asset]:
    names = symbol.split("_")
    if len(names) != 2:
        raise Invalid("symbol", "write it as BASE_QUOTE")
    found = []
    for name in names:
        check_asset_name(name)
        asset = state.asset_named(name)
        if asset is None:
            raise UnknownAsset(name)
        found.append(asset)
    return found[0], found[1]


def _market(command: MakeMarket, number: int, base: Asset, quote: Asset) -> Market:
    # Decimals out of range would make the parser's work senseless, so they are looked at before any text is.
    for name, decimals, asset in (
        ("price_decimals", command.price_decimals, quote),
        ("amount_decimals", command.amount_decimals, base),
    ):
        if not 0 <= decimals <= asset.scale:
            raise Invalid(name, f"is 0 to {asset.scale}, the scale of {asset.name}")
    return Market(
        id=number,
        symbol=command.symbol,
        base=base.id,
        quote=quote.id,
        price_decimals=command.price_decimals,
        amount_decimals=command.amount_decimals,
        value_min=amount.parse(command.value_min, quote.scale, name="value_min"),
        price_min=amount.parse(command.price_min, command.price_decimals, name="price_min"),
        price_max=amount.parse(command.price_max, command.price_decimals, name="price_max"),
        amount_min=_stepped("amount_min", command.amount_min, command.amount_decimals, base),
        amount_max=_stepped("amount_max", command.amount_max, command.amount_decimals, base),
        maker_fee_ppm=command.maker_fee_ppm,
        taker_fee_ppm=command.taker_fee_ppm,
        self_trade=cast("SelfTrade", command.self_trade),
        state=cast("MarketState", command.state),
        value_max=amount.parse(command.value_max, quote.scale, name="value_max") if command.value_max else 0,
        orders_max=command.orders_max,
        bound_ppm=command.bound_ppm,
    )


def _stepped(name: str, text: str, amount_decimals: int, base: Asset) -> int:
    """Return an amount in the base's smallest units, written with no more than the market's decimals."""
    amount.parse(text, amount_decimals, name=name)
    return amount.parse(text, base.scale, name=name)
