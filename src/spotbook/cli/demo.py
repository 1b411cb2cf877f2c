"""``spotbook demo``: books with play money, served until told to stop."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import msgspec

from spotbook import bootstrap
from spotbook.bootstrap import Running
from spotbook.cli.demo_file import open_demo
from spotbook.cli.demo_show import Show
from spotbook.cli.demo_words import welcome
from spotbook.cli.options import FOLDER, json_option
from spotbook.cli.output import print_json
from spotbook.domain.window import Limit
from spotbook.sandbox.demo import DemoSecrets
from spotbook.settings import Listener, Settings, check, loopback, unlimited
from spotbook.wire.coinw.registry import PRIVATE, PUBLIC

PORT, ADMIN_PORT = 8080, 8081


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where the wire API listens.",
)
@click.option("--port", type=int, help=f"Port of the wire API, 0 for a free one.  [default: {PORT}]")
@click.option("--admin-port", type=int, help=f"Port of the Admin API, 0 for a free one.  [default: {ADMIN_PORT}]")
@click.option("--data", type=FOLDER, help="Keep the books in this folder.")
@click.option("--unlimited", "lifted", is_flag=True, help="Every rate limit at a billion, the ladder off.")
@click.option("--show", is_flag=True, help="Make one signed call, print its reply, and end.")
@json_option
def demo(
    *, host: str, port: int | None, admin_port: int | None, data: Path | None, lifted: bool, show: bool, as_json: bool
) -> None:
    """Serve an exchange with play money: five assets, two markets, one account with a key that may do everything.

    Without --data the books are fresh, and gone at the end. With it they are kept: the folder may be missing, empty, or
    an earlier demo's. The demo's secrets lie beside its books, in demo.json, and are the same at every start: this is
    no place for real money. The Admin API stays at 127.0.0.1. It serves until SIGTERM or Ctrl-C.
    """
    # Only to look, any free port will do, so that a demo that is running already is not in the way.
    port = port if port is not None else 0 if show else PORT
    admin_port = admin_port if admin_port is not None else 0 if show else ADMIN_PORT
    if not loopback(host):
        click.echo(f"spotbook: {host} is beyond loopback: whoever reads this traffic can use the demo's key", err=True)
    with _stoppable(), _folder(data) as folder:
        secrets = open_demo(folder)
        settings = Settings(folder, public=Listener(host, port), admin=Listener(port=admin_port), log_level="warning")
        check(settings)
        if lifted:
            settings = unlimited(settings, _own_limits())
        shown = Show(secrets, as_json=as_json) if show else None
        ready = shown.fetch if shown else _announce(secrets, data, as_json=as_json)
        code = bootstrap.run(settings, secrets.master_key, ready=ready)
    if shown:
        shown.print()
    raise SystemExit(code)


def _own_limits() -> dict[str, Limit]:
    limits = {name: command.limit for name, command in PRIVATE.items()}
    return limits | {name: command.limit for name, command in PUBLIC.items()}


def _announce(secrets: DemoSecrets, data: Path | None, *, as_json: bool) -> Callable[[Running], None]:
    def announce(running: Running) -> None:
        if as_json:
            accounts = msgspec.to_builtins(secrets.accounts)
            print_json({**running._asdict(), "admin_token": secrets.admin_token, "accounts": accounts})
        else:
            click.echo(welcome(running, secrets, data))

    return announce


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Lend the folder of the books; one of our own is removed at the end."""
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="spotbook-demo-") as folder:
        yield Path(folder)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the program in order before and after the server has its own way with them."""

    def end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
