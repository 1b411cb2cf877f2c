"""What the tests of the command line share: what a demo is, how a refusal looks."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from spotbook.client import Client

AMOUNTS = {"BTC": "0.0012", "CWT": "400", "SAND": "108.467", "ETH": "0.033", "USDT": "257.51830114"}
REPLY = (
    '{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"},'
    '"SAND":{"onOrders":"0","available":"108.467"},"ETH":{"onOrders":"0","available":"0.033"},'
    '"USDT":{"onOrders":"0","available":"257.51830114"}},"msg":"SUCCESS","success":true,"failed":false}'
)
FREE_PORTS = ("--port", "0", "--admin-port", "0")

Run = Callable[..., subprocess.CompletedProcess[str]]
Served = Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]


class Demo(Protocol):
    """A demo that serves; see the fixtures of the room ``e2e``."""

    url: str
    admin_url: str
    admin_token: str
    account_id: int
    api_key: str
    secret_key: str
    process: subprocess.Popen[str]
    stderr: Path
    client_environment: dict[str, str]

    def stop(self) -> int:
        """End it; return the exit code."""


StartDemo = Callable[..., Demo]


def made_by(spotbook: Run, folder: Path) -> tuple[Path, dict[str, str]]:
    """Make an operator's books; return their folder and what `init` printed."""
    made = spotbook("init", "--data", folder, "--json")
    assert made.returncode == 0, made.stderr
    return folder, json.loads(made.stdout)


def refused(result: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Check a refusal: its exit code, one line on standard error with these words, nothing on standard output."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    if code == 1:
        assert result.stderr.startswith("spotbook: ")
        assert result.stderr.count("\n") == 1


def secrets_of(demo: Demo) -> tuple[str, int, str, str]:
    """Return what must be the same at every start."""
    return demo.admin_token, demo.account_id, demo.api_key, demo.secret_key


def amounts_of(demo: Demo) -> tuple[dict[str, str], str | None, int | None]:
    """Return what is available by asset, the id of the books, and the account's version."""
    with Client(demo.api_key, demo.secret_key, demo.url) as client:
        balances = client.complete_balances()
    return {asset: str(row.available) for asset, row in balances.items()}, balances.books, balances.version
