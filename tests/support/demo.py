"""A demo in a process of its own, as anybody starts it, and calls to its Admin API."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

SPOTBOOK = (sys.executable, "-m", "spotbook")
END_SECONDS_MAX = 60
"""How long a process may take to end; it is no measure of anything."""


class Reply(NamedTuple):
    """An answer of the Admin API."""

    status: int
    body: Any


class Gone(Exception):
    """The server did not answer: it is gone, or about to be."""


class Office:
    """One connection to the Admin API. Each thread has its own."""

    def __init__(self, admin_url: str, token: str) -> None:
        parts = urlsplit(admin_url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=END_SECONDS_MAX)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: object = None) -> Reply:
        """Call ``/admin/v1`` + `path`. Raises Gone when no whole answer comes back."""
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, "/admin/v1" + path, body=text, headers=self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Gone(str(error)) from error
        return Reply(answer.status, json.loads(content))

    def deposit(self, account: int, txid: str, amount: str = "0.00000001", asset: str = "BTC") -> Reply:
        return self.call("POST", f"/accounts/{account}/deposits", {"asset": asset, "amount": amount, "txid": txid})

    def deposits(self, account: int) -> list[dict[str, Any]]:
        """Return all deposits of an account."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.call("GET", f"/accounts/{account}/deposits?after={after}&limit=1000")
            assert page.status == 200, page
            found += page.body["deposits"]
            after = page.body["next"]
        return found


class Demo:
    """A running demo over the books in `folder`."""

    def __init__(
        self, folder: Path, *, command: Sequence[str] = SPOTBOOK, environment: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [*command, "demo", "--json", "--port", "0", "--admin-port", "0", "--unlimited", "--data", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        self.url = self.admin_url = self.token = ""

    def wait_until_ready(self) -> Self:
        """Return once it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the demo ended with {self.process.wait()} before it served"
        said = json.loads(line)
        self.url, self.admin_url, self.token = said["url"], said["admin_url"], said["admin_token"]
        return self

    def office(self) -> Office:
        return Office(self.admin_url, self.token)

    def kill(self) -> None:
        """`kill -9`, this process alone."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.end()

    def stop(self) -> int:
        """End it as an operator does; return its exit code."""
        self.process.terminate()
        return self.end()

    def end(self) -> int:
        """Return the exit code once it has ended."""
        try:
            self.process.communicate(timeout=END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def audit(folder: Path) -> tuple[int, dict[str, Any]]:
    """Return the exit code and what ``spotbook audit --json`` says of the books."""
    done = subprocess.run(
        [*SPOTBOOK, "audit", "--data", str(folder), "--json"], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)
