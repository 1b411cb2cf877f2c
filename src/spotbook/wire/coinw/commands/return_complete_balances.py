"""returnCompleteBalances: every asset of the account, available and on orders.

`data` is an object: asset → {"onOrders", "available"}, plain decimal text without zeros at its end. `onOrders` is all
that is frozen, so that the two together are the whole account. Assets come in the sequence in which they were made;
those of which nothing is held are left out unless the operator lists them.
"""

from collections.abc import Iterable
from functools import lru_cache

from spotbook.app.assets import Assets
from spotbook.domain.amount import show_stripped
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead

Rows = tuple[tuple[int, int, int, int], ...]


def answer(call: Call) -> Answer:
    """Answer with the complete balances at one version. Parameters are no filter."""
    version, batch, batch_time, rows = call.reader.sheet(call.account)
    if call.list_empty_assets:
        data = _text(call.assets, call.assets.with_empty(rows), list_empty=True)
    else:
        data = _remembered(call.assets, tuple(rows))
    return Answer(data, version, batch, batch_time)


@lru_cache(65_536)  # a balance is asked for more often than it changes; some 50 MB at most
def _remembered(assets: Assets, rows: Rows) -> bytes:
    """Return the text of these rows. It follows from them alone, since an asset never changes, so it is never stale."""
    return _text(assets, rows, list_empty=False)


def _text(assets: Assets, rows: Iterable[tuple[int, int, int, int]], *, list_empty: bool) -> bytes:
    members = []
    for number, available, frozen, _ in rows:
        if available or frozen or list_empty:
            _, name, scale, _ = assets.of(number)
            on_orders, free = show_stripped(frozen, scale), show_stripped(available, scale)
            # Names of assets are capital letters and digits: nothing in them needs escaping.
            members.append(f'"{name}":{{"onOrders":"{on_orders}","available":"{free}"}}')
    return f"{{{','.join(members)}}}".encode()


COMMAND = PrivateRead("returnCompleteBalances", "read", Limit(5, 2_000), answer)
