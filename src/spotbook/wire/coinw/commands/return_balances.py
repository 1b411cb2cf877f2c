"""returnBalances: every asset of the account, available only.

`data` is an object: asset → text at the asset's full scale. It lists the same assets as returnCompleteBalances.
"""

from spotbook.domain.amount import show
from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import Answer, Call, PrivateRead


def answer(call: Call) -> Answer:
    """Answer with what is available at one version."""
    sheet = call.reader.sheet(call.account)
    rows = call.assets.with_empty(sheet.balances) if call.list_empty_assets else sheet.balances
    parts = []
    for number, available, frozen, _ in rows:
        if available or frozen or call.list_empty_assets:
            asset = call.assets.of(number)
            parts.append(f'"{asset.name}":"{show(available, asset.scale)}"')
    return Answer(f"{{{','.join(parts)}}}".encode(), sheet.version, sheet.batch, sheet.batch_time)


COMMAND = PrivateRead("returnBalances", "read", Limit(3, 1_000), answer)
