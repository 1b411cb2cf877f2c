"""Markets: fixed once made; the same request again is 200, another 409."""

from typing import Annotated, Literal

from msgspec import Meta

from spotbook.app.books import market_of
from spotbook.app.pages import every
from spotbook.domain.amount import show_stripped
from spotbook.domain.asset import PPM, Market
from spotbook.domain.commands import MakeMarket
from spotbook.domain.errors import MarketDiffers
from spotbook.limits import SCALE_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Amount, Id, Shown
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import refused

Decimals = Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": SCALE_MAX})]
Ppm = Annotated[
    int,
    Meta(description="Parts per million of what a side receives.", extra_json_schema={"minimum": 0, "maximum": PPM}),
]


class NewMarket(In, frozen=True):
    """A market to make. price_decimals + amount_decimals is at most the quote asset's scale, so nothing is rounded."""

    symbol: Annotated[
        str, Meta(description="BASE_QUOTE", extra_json_schema={"pattern": "^[A-Z0-9]{1,16}_[A-Z0-9]{1,16}$"})
    ]
    price_decimals: Decimals
    amount_decimals: Decimals
    value_min: Amount
    price_min: Amount
    price_max: Amount
    amount_min: Amount
    amount_max: Amount
    maker_fee_ppm: Ppm
    taker_fee_ppm: Ppm
    self_trade: Literal["cancel_newest", "cancel_oldest"]
    state: Literal["on", "cancel_only", "off"]


class MarketShown(Out, frozen=True):
    """A market and its rules."""

    id: Id
    symbol: str
    price_decimals: int
    amount_decimals: int
    value_min: Shown
    price_min: Shown
    price_max: Shown
    amount_min: Shown
    amount_max: Shown
    maker_fee_ppm: int
    taker_fee_ppm: int
    self_trade: Literal["cancel_newest", "cancel_oldest"]
    state: Literal["on", "cancel_only", "off"]


class MarketsShown(Out, frozen=True):
    """All markets by id."""

    markets: list[MarketShown]


class FirstMarket(Out, frozen=True):
    """Why not, and the market that was made before."""

    code: str
    message: str
    first: MarketShown


class MarketConflict(Out, frozen=True):
    """The body of a 409 that shows the market as it is."""

    error: FirstMarket


def _shown(office: Office, market: Market) -> MarketShown:
    base, quote = office.assets.of(market.base), office.assets.of(market.quote)
    return MarketShown(
        market.id,
        market.symbol,
        market.price_decimals,
        market.amount_decimals,
        show_stripped(market.value_min, quote.scale),
        show_stripped(market.price_min, market.price_decimals),
        show_stripped(market.price_max, market.price_decimals),
        show_stripped(market.amount_min, base.scale),
        show_stripped(market.amount_max, base.scale),
        market.maker_fee_ppm,
        market.taker_fee_ppm,
        market.self_trade,
        market.state,
    )


async def _make(office: Office, call: Call) -> Reply:
    new = call.body
    command = MakeMarket(*(getattr(new, name) for name in MakeMarket._fields))
    try:
        done = await office.carry_out(command, call)
    except MarketDiffers as differs:
        return refused(differs, first=_shown(office, differs.first))
    return Reply(201 if done.fresh else 200, _shown(office, done.result))


async def _list(office: Office, call: Call) -> Reply:  # noqa: ARG001
    rows = await office.read(lambda reader: list(every(reader, "market")))
    return Reply(200, MarketsShown([_shown(office, market_of(row)) for row in rows]))


MAKE = Endpoint(
    "POST",
    "/markets",
    "operate",
    "Make a market; 200 when it was made before just so",
    _make,
    {201: MarketShown, 200: MarketShown},
    NewMarket,
    refusals={404: None, 409: MarketConflict},
)
LIST = Endpoint("GET", "/markets", "view", "List all markets", _list, {200: MarketsShown})
