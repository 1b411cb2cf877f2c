"""returnCompleteBalances: every asset of the account, available and on orders.

`data` is an object: asset → {"onOrders", "available"}, plain decimal text without zeros at its end. `onOrders` is all
that is frozen, so that the two together are the whole account. Assets come in the sequence in which they were made;
those of which nothing is held are left out unless the operator lists them.
"""

from spotbook.domain.amount import show_stripped
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead


def answer(call: Call) -> Answer:
    """Answer with the complete balances at one version. Parameters are no filter."""
    sheet = call.reader.sheet(call.account)
    rows = call.assets.with_empty(sheet.balances) if call.list_empty_assets else sheet.balances
    parts = []
    for number, available, frozen in rows:
        if available or frozen or call.list_empty_assets:
            _, name, scale, _ = call.assets.of(number)
            on_orders = show_stripped(frozen, scale) if frozen else "0"
            # Names of assets are capital letters and digits: nothing in them needs escaping.
            parts.append(f'"{name}":{{"onOrders":"{on_orders}","available":"{show_stripped(available, scale)}"}}')
    return Answer(f"{{{','.join(parts)}}}".encode(), sheet.version, sheet.batch, sheet.batch_time)


COMMAND = PrivateRead("returnCompleteBalances", "read", Limit(5, 2_000), answer)
