"""spotbook.holds (an extension): what stands behind every unit of `onOrders`.

`data` is {"version": number, "holds": [{"asset", "amount", "kind", "id"}, …]}: the account's version, and for each open
order (kind ``order``) or withdrawal not yet sent (``withdrawal``) what it holds, plain decimal text without zeros at
its end. The amounts of an asset add up exactly to its `onOrders` at that version. They come by asset, kind and id.
"""

import msgspec

from spotbook.domain.amount import show_stripped
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead


def answer(call: Call) -> Answer:
    """Answer with the holds of one moment."""
    with call.reader.snapshot():
        version, rows = call.reader.holds(call.account)
        head = call.reader.head()
    holds = []
    for _, number, kind, owner, amount in rows:
        asset = call.assets.of(int(number))
        holds.append(
            {"asset": asset.name, "amount": show_stripped(int(amount), asset.scale), "kind": kind, "id": owner}
        )
    return Answer(msgspec.json.encode({"version": version, "holds": holds}), version, head.number, head.time)


COMMAND = PrivateRead("spotbook.holds", "read", Limit(5, 2_000), answer)
