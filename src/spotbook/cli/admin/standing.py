"""``spotbook admin halt``, ``resume``, ``status``, ``audit``; ``freeze`` and ``thaw`` of one account."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from spotbook.cli.admin.connection import Connection, pass_connection
from spotbook.cli.admin.words import tell
from spotbook.cli.options import json_option

F = TypeVar("F", bound=Callable[..., Any])

reason_option: Callable[[F], F] = click.option("--reason", required=True, help="Why; it stands in the journal.")


@click.command()
@reason_option
@json_option
@pass_connection
def halt(api: Connection, reason: str, as_json: bool) -> None:
    """Admit no placing, withdrawals and transfers until resumed; cancels, deposits and reads go on."""
    tell(api.post("/halt", reason=reason), as_json=as_json)


@click.command()
@reason_option
@json_option
@pass_connection
def resume(api: Connection, reason: str, as_json: bool) -> None:
    """Go on after a halt or a stop of the writer, if a whole audit finds nothing."""
    tell(api.post("/resume", reason=reason), as_json=as_json)


@click.command()
@json_option
@pass_connection
def status(api: Connection, as_json: bool) -> None:
    """Print how the books stand: running, halted or stopped, since when and why."""
    tell(api.get("/status"), as_json=as_json)


@click.command()
@click.argument("account", type=int)
@reason_option
@json_option
@pass_connection
def freeze(api: Connection, account: int, reason: str, as_json: bool) -> None:
    """Freeze an account: it is read and receives, and nothing else, until thawed."""
    tell(api.post(f"/accounts/{account}/freeze", frozen=True, reason=reason), as_json=as_json)


@click.command()
@click.argument("account", type=int)
@reason_option
@json_option
@pass_connection
def thaw(api: Connection, account: int, reason: str, as_json: bool) -> None:
    """Thaw an account that was frozen."""
    tell(api.post(f"/accounts/{account}/freeze", frozen=False, reason=reason), as_json=as_json)


@click.command()
@json_option
@pass_connection
def audit(api: Connection, as_json: bool) -> None:
    """Have the server audit its books; exit code 1 when it finds something."""
    report = api.get("/audit")
    tell(report, as_json=as_json)
    raise SystemExit(0 if report["ok"] else 1)
