"""Markets: made once (the same request again is 200, another 409), and changed but for their decimals."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spotbook.app.books import market_of
from spotbook.app.pages import every
from spotbook.domain.amount import show_stripped
from spotbook.domain.asset import BOUND_PPM, PPM, Market
from spotbook.domain.commands import ChangeMarket, MakeMarket
from spotbook.domain.errors import AmountMalformed, MarketDiffers
from spotbook.limits import OPEN_ORDERS_MAX, SCALE_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Out, Reply
from spotbook.server.admin.fields import Amount, Id, Shown, Symbol
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import refused

Decimals = Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": SCALE_MAX})]
Ppm = Annotated[
    int,
    Meta(description="Parts per million of what a side receives.", extra_json_schema={"minimum": 0, "maximum": PPM}),
]


OrdersMax = Annotated[
    int,
    Meta(
        description="Open orders of one account, in all markets together, beyond which it rests none here.",
        extra_json_schema={"minimum": 1, "maximum": OPEN_ORDERS_MAX},
    ),
]
BoundPpm = Annotated[
    int,
    Meta(
        description="Parts per million of the best price by which a market order may go beyond it.",
        extra_json_schema={"minimum": 0, "maximum": PPM},
    ),
]
SelfTradeRule = Literal["cancel_newest", "cancel_oldest"]
State = Literal["on", "cancel_only", "off"]


class NewMarket(In, frozen=True):
    """A market to make. price_decimals + amount_decimals is at most the quote asset's scale, so nothing is rounded.

    A `value_max` of 0 is none.
    """

    symbol: Symbol
    price_decimals: Decimals
    amount_decimals: Decimals
    value_min: Amount
    price_min: Amount
    price_max: Amount
    amount_min: Amount
    amount_max: Amount
    maker_fee_ppm: Ppm
    taker_fee_ppm: Ppm
    self_trade: SelfTradeRule
    state: State
    value_max: Amount = "0"
    orders_max: OrdersMax = OPEN_ORDERS_MAX
    bound_ppm: BoundPpm = BOUND_PPM


class MarketChange(In, frozen=True):
    """What changes of a market; what is left out stays. Decimals are for ever. A `value_max` of 0 is none."""

    value_min: Amount | None = None
    value_max: Amount | None = None
    price_min: Amount | None = None
    price_max: Amount | None = None
    amount_min: Amount | None = None
    amount_max: Amount | None = None
    maker_fee_ppm: Ppm | None = None
    taker_fee_ppm: Ppm | None = None
    self_trade: SelfTradeRule | None = None
    state: State | None = None
    orders_max: OrdersMax | None = None
    bound_ppm: BoundPpm | None = None


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
    self_trade: SelfTradeRule
    state: State
    value_max: Shown
    orders_max: int
    bound_ppm: int


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
        show_stripped(market.value_max, quote.scale),
        market.orders_max,
        market.bound_ppm,
    )


async def _make(office: Office, call: Call) -> Reply:
    _check_not_empty("value_max", call.body.value_max)
    try:
        done = await office.carry_out(MakeMarket(**msgspec.structs.asdict(call.body)), call)
    except MarketDiffers as differs:
        return refused(differs, first=_shown(office, differs.first))
    return Reply(201 if done.fresh else 200, _shown(office, done.result))


async def _change(office: Office, call: Call) -> Reply:
    given = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not None}
    for name, value in given.items():
        _check_not_empty(name, value)
    command = ChangeMarket(symbol=call.path["symbol"], **given)
    return Reply(200, _shown(office, (await office.carry_out(command, call)).result))


def _check_not_empty(name: str, value: object) -> None:
    """Refuse an empty amount: to the writer it would mean that none was given."""
    if value == "":
        raise AmountMalformed(name, "is empty")


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
CHANGE = Endpoint(
    "PATCH",
    "/markets/{symbol}",
    "operate",
    "Change a market's rules; orders that rest stay, whatever the new rules",
    _change,
    {200: MarketShown},
    MarketChange,
)
LIST = Endpoint("GET", "/markets", "view", "List all markets", _list, {200: MarketsShown})
