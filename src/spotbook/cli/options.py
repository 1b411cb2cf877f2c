"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

json_option: Decorator[Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")

data_option: Decorator[Any] = click.option("--data", type=FOLDER, required=True, help="The folder of the books.")
