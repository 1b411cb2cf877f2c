"""The complete balances of one account, by the client. Reads SPOTBOOK_URL, SPOTBOOK_API_KEY and SPOTBOOK_SECRET_KEY."""

import sys

from spotbook.client import Client, SpotbookError


def main() -> int:
    try:
        with Client.from_env() as client:
            balances = client.complete_balances()
    except SpotbookError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{'asset':8}{'available':>20}{'on orders':>20}{'total':>20}")
    for asset, balance in balances.items():
        print(f"{asset:8}{balance.available:>20f}{balance.on_orders:>20f}{balance.total:>20f}")
    print(f"version {balances.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
