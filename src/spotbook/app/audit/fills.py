"""One fill: whether it is what its market's rules and its two orders make of it, and which balances it moves."""

from collections.abc import Iterator

from spotbook.app.audit.markets import Rules, fee
from spotbook.domain.account import FEES
from spotbook.domain.events import OrderChanged, OrderPlaced, Traded

OrderEvent = OrderPlaced | OrderChanged

Moves = dict[tuple[int, int, str, int], tuple[int, int]]
"""By account, asset, why and order: what is moved of available and of frozen."""


def add(moves: Moves, key: tuple[int, int, str, int], available: int, frozen: int) -> None:
    """Add a movement, unless it moves nothing."""
    if available or frozen:
        before = moves.get(key)
        moves[key] = (available, frozen) if before is None else (before[0] + available, before[1] + frozen)


def faults(trade: Traded, rules: Rules, maker: OrderEvent | None, taker: OrderEvent | None) -> Iterator[str]:
    """Yield in words what is wrong with a fill. `maker` and `taker` are its orders after the transaction, if any.

    Amounts are written in smallest units.
    """
    price, amount, value = trade.price, trade.amount, trade.value
    buys = trade.side == "buy"
    if amount <= 0 or amount % rules.lot or price <= 0:
        yield f"{amount} at {price} steps is no amount and price of the market"
    elif value != rules.value(price, amount):
        yield f"its value is {value}, and {amount} at {price} steps are worth {rules.value(price, amount)}"
    for name, charged, gross, ppm in (
        ("maker", trade.maker_fee, value if buys else amount, rules.maker),
        ("taker", trade.taker_fee, amount if buys else value, rules.taker),
    ):
        if charged != fee(gross, ppm) or not 0 <= charged <= gross:
            yield f"the {name}'s fee is {charged}; {ppm} ppm of {gross} are {fee(gross, ppm)}"
    if trade.maker_account == trade.taker_account:
        yield "both orders are of one account"
    if maker is None or taker is None:
        yield "one of its orders does not change in its transaction"
        return
    if not isinstance(taker, OrderPlaced) or not isinstance(maker, OrderChanged):
        yield "it is not between an arriving order and one that rested"
    if maker.market != trade.market or taker.market != trade.market:
        yield "one of its orders is of another market"
    if taker.side != trade.side or maker.side != ("sell" if buys else "buy"):
        yield f"a {taker.side} order takes from a {maker.side} order as the {trade.side}er"
    if maker.price != price:
        yield f"its price is {price} steps, and that of the resting order {maker.price}"
    if taker.kind != "market" and (price > taker.price if buys else price < taker.price):
        yield f"its price is {price} steps, which is beyond the limit of {taker.price}"


def move(due: Moves, trade: Traded, rules: Rules, taker: OrderEvent | None) -> None:
    """Add what a fill moves: who pays, who receives what less which fee, and the improvement given back."""
    _, _, side, price, amount, value, maker_account, maker_order, maker_fee, account, order, taker_fee, _ = trade
    if side == "buy":
        maker_pays, maker_gets, given, got = amount, value, rules.base, rules.quote
    else:
        maker_pays, maker_gets, given, got = value, amount, rules.quote, rules.base
    add(due, (maker_account, given, "paid", maker_order), 0, -maker_pays)
    add(due, (maker_account, got, "received", maker_order), maker_gets - maker_fee, 0)
    add(due, (FEES, got, "fee", maker_order), maker_fee, 0)
    if taker is None or taker.kind == "market":
        add(due, (account, got, "paid", order), -maker_gets, 0)
    else:
        add(due, (account, got, "paid", order), 0, -maker_gets)
        if side == "buy":
            surplus = rules.value(taker.price - price, amount)
            add(due, (account, got, "improvement", order), surplus, -surplus)
    add(due, (account, given, "received", order), maker_pays - taker_fee, 0)
    add(due, (FEES, given, "fee", order), taker_fee, 0)
