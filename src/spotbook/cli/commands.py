"""``spotbook`` and its commands; each noun is a file beside this one."""

import click

import spotbook as package
from spotbook.cli.admin import admin
from spotbook.cli.audit import audit
from spotbook.cli.backup import backup, restore
from spotbook.cli.balances import balances
from spotbook.cli.demo import demo
from spotbook.cli.init import init
from spotbook.cli.migrate import migrate
from spotbook.cli.rebuild import rebuild
from spotbook.cli.refusals import RefusingGroup
from spotbook.cli.serve import serve
from spotbook.cli.state_hash import state_hash
from spotbook.cli.transcripts import export, import_
from spotbook.server import logs


@click.group(cls=RefusingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__, message="spotbook %(version)s")
def spotbook() -> None:
    """A spot account you can run yourself.

    Exit codes: 0 done, 1 refused or failed, 2 not understood.
    """
    logs.configure("warning")


for command in (
    *(demo, serve, init, balances, admin, audit, rebuild, migrate),
    *(backup, restore, export, import_, state_hash),
):
    spotbook.add_command(command)
