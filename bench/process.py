"""A server in a process of its own, on one core."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import httpx2

from bench import machine
from bench.report import RunFailed

START_SECONDS_MAX = 120.0
CALL = "/api/v1/private?command=returnCompleteBalances"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Server(NamedTuple):
    """A running server: its process, where it answers, and how long it took until it answered the first signed call.

    `admin_url` is ``""`` for one that is not Spotbook.
    """

    process: "subprocess.Popen[bytes]"
    url: str
    start_seconds: float
    admin_url: str = ""

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    def call(self, body: str, path: str = CALL) -> bytes:
        """Send one prepared form body; return the reply's bytes."""
        with httpx2.Client() as client:
            return client.post(self.url + path, content=body, headers=FORM).content

    def await_audit(self) -> None:
        """Wait until a Spotbook's background audit has gone round once, as in one that has run for a while."""
        while self.admin_url and not self._audit_rounds():
            time.sleep(0.5)

    def _audit_rounds(self) -> int:
        for line in httpx2.get(f"{self.admin_url}/metrics").text.splitlines():
            if line.startswith("spotbook_audit_rounds "):
                return int(float(line.split()[1]))
        raise RunFailed("the server does not say how often its audit went round")

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let the server run; outside it is stopped, so that it takes nothing from those that are measured."""
        self.process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)


@contextmanager
def running(
    module: str, arguments: list[str], first: str, environment: Mapping[str, str] | None = None, *, path: str = CALL
) -> Iterator[Server]:
    """Lend a server that has answered the form body `first` at a path, on the servers' core."""
    begin = time.perf_counter()
    with machine.on_core(machine.SERVER_CORE):
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield _answering(process, path, first, begin, module)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _answering(process: "subprocess.Popen[bytes]", path: str, first: str, begin: float, module: str) -> Server:
    line = process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise RunFailed(f"{module} did not start")
    said = json.loads(line)
    url = said["url"]
    while time.perf_counter() - begin < START_SECONDS_MAX:
        try:
            reply = httpx2.post(url + path, content=first, headers=FORM)
        except httpx2.TransportError:
            time.sleep(0.005)
            continue
        if not reply.content.startswith(b'{"code":"200"'):
            raise RunFailed(f"{module} refused the first call: {reply.text}")
        return Server(process, url, time.perf_counter() - begin, said.get("admin_url", ""))
    raise RunFailed(f"{module} did not answer")
