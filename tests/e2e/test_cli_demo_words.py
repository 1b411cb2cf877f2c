"""What a demo tells people, and what they do with it: `demo --show`, `balances`."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.cli import (
    AMOUNTS,
    FREE_PORTS,
    REPLY,
    Demo,
    Run,
    StartDemo,
    amounts_of,
    refused,
)

pytestmark = pytest.mark.e2e


def test_the_demo_shows_its_balances(spotbook: Run) -> None:
    began = time.monotonic()
    result = spotbook("demo", "--show")
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - began < 20
    assert REPLY in result.stdout.splitlines()
    assert re.search(r"^POST http://127\.0\.0\.1:[0-9]+/api/v1/private\?command=", result.stdout, re.MULTILINE)
    for asset, amount in AMOUNTS.items():
        assert re.search(rf"^{asset} +{re.escape(amount)} +0 +{re.escape(amount)}$", result.stdout, re.MULTILINE)
    assert spotbook("demo", "--show", "--json").stdout == REPLY + "\n"


def test_what_people_are_told_can_be_pasted(spotbook: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spotbook", "demo", *FREE_PORTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            told += process.stdout.readline()
        exports = dict(re.findall(r"export (\w+)=(\S+)", told))
        result = spotbook("balances", environment=exports)
        curl = re.search(r"-d '(.+)' \\\n +'(.+)'", told)
        assert curl
        body = subprocess.run(["curl", "-sS", "-d", *curl.groups()], capture_output=True, text=True, check=False)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert "257.51830114" in result.stdout
    assert body.stdout == REPLY


def test_nothing_secret_is_logged(start_demo: StartDemo) -> None:
    demo = start_demo()
    amounts_of(demo)
    assert demo.stop() == 0
    logged = demo.stderr.read_text()
    for secret in (demo.admin_token, demo.api_key, demo.secret_key):
        assert secret not in logged


def test_balances_as_a_table_and_as_json(demo: Demo, spotbook: Run) -> None:
    table = spotbook("balances", environment=demo.client_environment)
    assert table.returncode == 0
    assert re.search(r"^USDT +257\.51830114 +0 +257\.51830114$", table.stdout, re.MULTILINE)
    key = {name: text for name, text in demo.client_environment.items() if name != "SPOTBOOK_URL"}
    result = json.loads(spotbook("balances", "--url", demo.url, "--json", environment=key).stdout)
    assert result["version"] == 5
    assert list(result["balances"]) == list(AMOUNTS)
    assert result["balances"]["ETH"] == {"available": "0.033", "frozen": "0", "total": "0.033"}


def test_balances_without_a_key_or_with_a_wrong_one(demo: Demo, spotbook: Run) -> None:
    refused(spotbook("balances"), "SPOTBOOK_API_KEY")
    wrong = {**demo.client_environment, "SPOTBOOK_SECRET_KEY": "WRONG"}
    result = spotbook("balances", environment=wrong)
    refused(result, "10007")
    assert "WRONG" not in result.stderr


def test_balances_when_nobody_answers(demo: Demo, spotbook: Run) -> None:
    refused(spotbook("balances", "--url", "http://127.0.0.1:9", environment=demo.client_environment), "ConnectError")
