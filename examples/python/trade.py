"""A small bot: places an order that can only rest, looks at it, and cancels it.

    python trade.py [SYMBOL [AMOUNT [PRICE]]]

Reads SPOTBOOK_URL, SPOTBOOK_API_KEY and SPOTBOOK_SECRET_KEY. What matters is `place`: when no answer comes, it finds
out whether the order exists, instead of guessing.
"""

import secrets
import sys
import time
from decimal import Decimal

from spotbook.client import Client, Side, SpotbookError

ASKS_MAX = 5


class NotPlaced(Exception):
    """The order was certainly not placed, and never will be: one may place another."""


def place(client: Client, symbol: str, side: Side, amount: Decimal, price: Decimal) -> int:
    """Place an order once and return its number. Raises NotPlaced, or the SpotbookError of a refusal."""
    reference = f"bot-{secrets.token_hex(8)}"
    try:
        return client.place_limit(symbol, side, amount, price, post_only=True, out_trade_no=reference)
    except SpotbookError as error:
        if not error.ambiguous:
            raise
    return settle(client, reference)


def settle(client: Client, reference: str) -> int:
    """Find out what became of an order whose answer never came.

    With `fence`, a request that is still on its way is refused when it arrives: so "unknown" is the end of it. To ask
    again is harmless.
    """
    for attempt in range(ASKS_MAX):
        try:
            found = client.order_by_reference(reference, fence=True)
        except SpotbookError as error:
            print(f"no word yet: {error}", file=sys.stderr)
            time.sleep(0.1 * 2**attempt)
            continue
        if found is None:
            raise NotPlaced(reference)
        return found.number
    raise SystemExit(f"ask again later: is there an order {reference}?")


def trade(client: Client, symbol: str, amount: Decimal, price: Decimal) -> None:
    """Place, look, cancel."""
    rules = client.symbols()[symbol]
    book = client.order_book(symbol)
    ask, bid = (side[0].price if side else "none" for side in (book.asks, book.bids))
    print(f"best ask {ask}, best bid {bid}")
    number = place(client, symbol, "buy", amount, price)
    order = client.order(number)
    print(f"order {number} is {order.status}: {order.filled_amount} filled, {order.remaining_amount} left")
    print(f"on orders: {client.holds().on_orders(rules.quote)} {rules.quote}")
    client.cancel(number)
    print(f"order {number} is {client.order(number).status}")
    print(f"on orders: {client.holds().on_orders(rules.quote)} {rules.quote}")


def main() -> int:
    given, usual = sys.argv[1:], ("BTC_USDT", "0.001", "50000")
    symbol, amount, price = (*given, *usual[len(given) :])
    try:
        with Client.from_env() as client:
            trade(client, symbol, Decimal(amount), Decimal(price))
    except (SpotbookError, NotPlaced) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
