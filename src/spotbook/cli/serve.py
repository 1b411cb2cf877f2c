"""``spotbook serve``: the books of an operator, served until told to stop."""

import os
import ssl
from pathlib import Path
from typing import Any

import click

from spotbook import bootstrap
from spotbook.bootstrap import Running
from spotbook.cli.demo_file import DEMO_FILE, is_demo
from spotbook.cli.master_key import master_key
from spotbook.cli.options import FILE, FOLDER, json_option
from spotbook.cli.output import print_json
from spotbook.cli.refusals import Refused
from spotbook.settings import Tls, check_serve, load


@click.command()
@click.option("--data", type=FOLDER, help="The folder of the books.")
@click.option("--config", type=FILE, envvar="SPOTBOOK_CONFIG", help="Settings in TOML.")
@click.option("--host", "public__host", help="Where the wire API listens.  [default: 127.0.0.1]")
@click.option("--port", "public__port", type=int, help="Its port, 0 for a free one.  [default: 8080]")
@click.option("--admin-host", "admin__host", help="Where the Admin API listens.  [default: 127.0.0.1]")
@click.option("--admin-port", "admin__port", type=int, help="Its port, 0 for a free one.  [default: 8081]")
@click.option(
    "--behind-proxy", "proxy__behind", is_flag=True, default=None, help="A proxy ends TLS, sets X-Forwarded-For."
)
@click.option("--trusted-proxy", "proxy__trusted", multiple=True, metavar="CIDR", help="Addresses of such proxies.")
@click.option("--tls-certificate", "tls__certificate", type=FILE, help="Certificate chain in PEM.")
@click.option("--tls-key", "tls__private_key", type=FILE, help="Its private key in PEM, without a pass phrase.")
@json_option
def serve(config: Path | None, as_json: bool, **flags: Any) -> None:
    """Serve books that `spotbook init` made, until SIGTERM or Ctrl-C.

    The master key is read from SPOTBOOK_MASTER_KEY, or from the file that SPOTBOOK_MASTER_KEY_FILE names. Beyond
    loopback it serves with TLS, or behind a proxy that does it, and not otherwise.
    """
    given = {name.replace("__", "."): value for name, value in flags.items() if value not in (None, ())}
    settings = load(config, os.environ, given)
    check_serve(settings)
    _check_tls(settings.tls)
    if is_demo(settings.data):
        raise Refused(f"{settings.data} is a demo's, whose keys lie beside it in {DEMO_FILE}: use `spotbook demo`")
    key = master_key()

    def ready(running: Running) -> None:
        if as_json:
            print_json(running._asdict())
        else:
            click.echo(f"Spotbook serves {settings.data}: wire API at {running.url}, Admin API at {running.admin_url}")

    raise SystemExit(bootstrap.run(settings, key, ready=ready))


def _check_tls(tls: Tls) -> None:
    """Refuse a certificate that does not load, before anything is opened."""
    if tls.certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A pass phrase would be asked for on a terminal, where nobody sits.
        context.load_cert_chain(tls.certificate, tls.private_key, password=lambda: b"")
    except FileNotFoundError as error:
        raise Refused(f"tls.certificate or tls.private_key: {error.strerror}") from None
    except (ssl.SSLError, ValueError) as error:
        raise Refused(f"tls.certificate and tls.private_key do not load, or not together: {error}") from None
