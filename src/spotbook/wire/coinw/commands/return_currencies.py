"""returnCurrencies (public): every asset, in the sequence in which they were made.

`data` is an object: asset → texts. `symbolId` is the asset's number. Deposits are credited by the operator, not by a
chain that a client could send to, and there is no withdrawing over the wire: so `recharge` and `withDraw` are "0" (no),
`chain` is empty, and the most, the least and the fee of a withdrawal are "0".
"""

import msgspec

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicCall, PublicRead


def answer(call: PublicCall) -> bytes:
    """Answer with all assets."""
    return msgspec.json.encode(
        {
            asset.name: {
                "symbolId": str(asset.id),
                "symbol": asset.name,
                "withDraw": "0",
                "recharge": "0",
                "maxQty": "0",
                "minQty": "0",
                "txFee": "0",
                "chain": "",
            }
            for asset in call.assets.all()
        }
    )


COMMAND = PublicRead("returnCurrencies", Limit(80, 1_000), answer)
