"""``spotbook migrate``: books of an older schema, brought up to date."""

from pathlib import Path

import click

from spotbook.cli.options import data_option, json_option
from spotbook.cli.output import print_json
from spotbook.store.upgrade import upgrade


@click.command()
@data_option
@json_option
def migrate(data: Path, as_json: bool) -> None:
    """Bring books of an older version up to date, while no server runs.

    They are copied before they are changed, beside themselves. Every step is applied, or none.
    """
    done = upgrade(data)
    steps = [f"{step.number:04} {step.name}" for step in done.steps]
    if as_json:
        print_json({"steps": steps, "copy": str(done.copy) if done.copy else None})
    elif done.copy is None:
        click.echo("these books have every step of the schema: there is nothing to do")
    else:
        click.echo(f"applied {', '.join(steps)}")
        click.echo(f"the books as they were are in {done.copy}")
