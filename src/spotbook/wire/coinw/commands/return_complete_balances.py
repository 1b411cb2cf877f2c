"""returnCompleteBalances: every asset of the account, available and on orders.

`data` is an object: asset → {"onOrders", "available"}, plain decimal text without zeros at its end. `onOrders` is all
that is frozen, so that the two together are the whole account. Assets come in the sequence in which they were made;
those of which nothing is held are left out unless the operator lists them.
"""

from functools import lru_cache

from spotbook.domain.amount import show_stripped
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead


@lru_cache(131_072)  # most balances are asked for more often than they change; some 50 MB at most
def _member(name: str, scale: int, available: int, frozen: int) -> str:
    # Names of assets are capital letters and digits: nothing in them needs escaping.
    on_orders, free = show_stripped(frozen, scale), show_stripped(available, scale)
    return f'"{name}":{{"onOrders":"{on_orders}","available":"{free}"}}'


def answer(call: Call) -> Answer:
    """Answer with the complete balances at one version. Parameters are no filter."""
    sheet = call.reader.sheet(call.account)
    rows, of = sheet.balances, call.assets.of
    if call.list_empty_assets:
        rows = call.assets.with_empty(rows)
    members = []
    for number, available, frozen, _ in rows:
        if available or frozen or call.list_empty_assets:
            _, name, scale, _ = of(number)
            members.append(_member(name, scale, available, frozen))
    return Answer(f"{{{','.join(members)}}}".encode(), sheet.version, sheet.batch, sheet.batch_time)


COMMAND = PrivateRead("returnCompleteBalances", "read", Limit(5, 2_000), answer)
