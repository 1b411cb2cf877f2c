"""``spotbook demo --show``: one signed call over HTTP to the demo that has just started, and its reply."""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import click
import httpx2

from spotbook.bootstrap import Running
from spotbook.cli.balances import print_balances
from spotbook.client import Client, CompleteBalances
from spotbook.sandbox.demo import DemoSecrets


def _program() -> str:
    """Return how this program was called, so that it can be called again."""
    if Path(sys.argv[0]).name != "spotbook":
        return "python -m spotbook"
    return "spotbook" if shutil.which("spotbook") else sys.argv[0]


class _Recorder(httpx2.BaseTransport):
    """Sends a request as it is, and keeps what was sent where, and the bytes that came."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(trust_env=False)
        self.asked = ""
        self.reply = b""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._inner.handle_request(request)
        self.asked, self.reply = f"{request.method} {request.url}", response.read()
        return response

    def close(self) -> None:
        self._inner.close()


class Show:
    """Fetches the balances once the server is ready, ends the server, and prints what came."""

    def __init__(self, demo: DemoSecrets, *, as_json: bool) -> None:
        self._account = demo.accounts[0]
        self._as_json = as_json
        self._transport = _Recorder()
        self._balances: CompleteBalances | None = None
        self._failed: Exception | None = None

    def fetch(self, running: Running) -> None:
        """Begin to fetch, in a thread of its own: the server needs this one to answer."""
        threading.Thread(target=self._fetch, args=(running,), daemon=True).start()

    def _fetch(self, running: Running) -> None:
        account = self._account
        try:
            with Client(account.api_key, account.secret_key, running.url, transport=self._transport) as client:
                self._balances = client.complete_balances()
        except Exception as failed:  # noqa: BLE001  (raised again where it can be told)
            self._failed = failed
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def print(self) -> None:
        """Print the reply and what it says. Raises what went wrong."""
        if self._failed is not None:
            raise self._failed
        if self._balances is None:
            raise SystemExit(1)  # stopped before the reply came
        reply = self._transport.reply.decode()
        if self._as_json:
            click.echo(reply)
            return
        click.echo(f"{self._transport.asked}\napi_key=...&sign=...\n\n{reply}\n")
        print_balances(self._balances)
        click.echo(
            f"\nAccount {self._account.id} ({self._account.name}) at version {self._balances.version}, asked over HTTP "
            f"with a signed call; the demo has ended.\nTo keep one running: {_program()} demo"
        )
