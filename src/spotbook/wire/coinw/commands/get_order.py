"""getOrder: the old name of returnOrderTrades, by which some clients still call it. Its `id` is `orderNumber`.

Both names have one window of the limiter.
"""

from spotbook.wire.coinw.command import Answer, Call
from spotbook.wire.coinw.commands import return_order_trades


def answer(call: Call) -> Answer:
    """Answer with the order of this number."""
    return return_order_trades.answer_by(call, "id")


COMMAND = return_order_trades.COMMAND._replace(answer=answer)
