"""The difference between a row and what the journal makes of it, in words."""

from spotbook.app.audit.report import Findings
from spotbook.app.ports import Row, Scalar
from spotbook.app.projection import TABLES

_AMOUNTS = {
    "available",
    "frozen",
    "amount",
    "available_before",
    "available_after",
    "frozen_before",
    "frozen_after",
    "supply_max",
}


def place_of(table: str, row: Row) -> dict[str, int | None]:
    """Return what a row says of its place, for `Findings.add`: batch, entry, account and asset, as far as it does."""
    named = dict(zip(TABLES[table].columns, row, strict=False))
    if table == "account":
        named["account"] = named.get("id", 0)
    elif table == "asset":
        named["asset"] = named.get("id", 0)
    return {
        "batch": _number(named.get("batch")),
        "entry": _number(named.get("version")),
        "account": _number(named.get("account")),
        "asset": _number(named.get("asset")),
    }


def _number(value: Scalar | None) -> int | None:
    return value if isinstance(value, int) else None


def difference(findings: Findings, table: str, row: Row | None, should: Row | None) -> str:
    """Say how `row` differs from what it should be; None for a row that is not there."""
    keys, columns = TABLES[table].keys, TABLES[table].columns
    of = row or should or ()
    named = f"{table} {', '.join(f'{column} {value!s}' for column, value in zip(columns[:keys], of, strict=False))}"
    if should is None:
        return f"{named} is there, and the journal makes no such row"
    if row is None:
        return f"{named} is missing"
    asset = place_of(table, should)["asset"]
    parts = [
        f"{column} is {_shown(findings, table, column, asset, got)},"
        f" by the journal {_shown(findings, table, column, asset, expected)}"
        for column, got, expected in zip(columns, row, should, strict=True)
        if got != expected
    ]
    return f"{named}: {'; '.join(parts)}"


def _shown(findings: Findings, table: str, column: str, asset: int | None, value: Scalar) -> str:
    # An account's `frozen` is a flag; every other column of these names is an amount.
    if asset is not None and column in _AMOUNTS and table != "account" and isinstance(value, int):
        return findings.amount(asset, value)
    return repr(value)
