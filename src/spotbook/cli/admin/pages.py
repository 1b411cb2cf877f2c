"""The options of lists that come in pages."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def page_options(function: F) -> F:
    """Give a command --after and --limit."""
    limit = click.option("--limit", type=int, help="Rows of the page.")
    after = click.option("--after", help="Begin behind this one, as the page before says.")
    return after(limit(function))
