"""How the Admin API's answers are told to people: an object line by line, what it has many of as a table."""

import re
from collections.abc import Iterator
from typing import Any

import click

from spotbook.cli.output import print_json, print_table

_NUMBER = re.compile(r"(-?[0-9.]+)?", re.ASCII)


def tell(answer: Any, *, as_json: bool) -> None:
    """Print an object."""
    if as_json:
        print_json(answer)
        return
    following = answer.pop("next", None)
    tables = {name: value for name, value in answer.items() if _is_table(value)}
    lines = [line for name, value in answer.items() if name not in tables for line in _flat(name, value)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, text in lines:
        click.echo(f"{name:<{width}}  {text}")
    for name, table in tables.items():
        if lines or len(tables) > 1:
            click.echo(f"\n{name}")
        _print_rows(table)
    if following is not None:
        click.echo(f"\nmore with --after {following}")


def _is_table(value: Any) -> bool:
    """Whether a value is rows: objects in a list, or objects by name."""
    rows = list(value.values()) if isinstance(value, dict) else value
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def _print_rows(table: Any) -> None:
    rows = [{"": name, **row} for name, row in table.items()] if isinstance(table, dict) else table
    flat = [dict(cell for name, value in row.items() for cell in _flat(name, value)) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    numbers = [name for name in columns if all(_NUMBER.fullmatch(row.get(name, "")) for row in flat)]
    print_table(columns, [[row.get(column, "") for column in columns] for row in flat], right=numbers)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Return a value as names with words; an object within an object by both names."""
    if isinstance(value, dict) and value:
        for inner, part in value.items():
            yield from _flat(f"{name}.{inner}", part)
    elif isinstance(value, dict | list):
        yield name, ", ".join(map(str, value)) or "none"
    elif isinstance(value, bool):
        yield name, "yes" if value else "no"
    else:
        yield name, "" if value is None else str(value)
