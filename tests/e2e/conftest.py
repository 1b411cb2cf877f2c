"""Real processes for the tests of this room: the command line, and demos that it starts."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

SPOTBOOK = (sys.executable, "-m", "spotbook")
READY_SECONDS = 60
END_SECONDS = 30


@dataclass(frozen=True)
class Demo:
    """A demo that serves, and what it printed. `stderr` is the file that its standard error goes to."""

    url: str
    admin_url: str
    admin_token: str
    account_id: int
    api_key: str
    secret_key: str
    process: subprocess.Popen[str]
    stderr: Path

    def stop(self) -> int:
        """End it by SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)

    @property
    def client_environment(self) -> dict[str, str]:
        """What a client is told by."""
        return {
            "SPOTBOOK_URL": self.url,
            "SPOTBOOK_API_KEY": self.api_key,
            "SPOTBOOK_SECRET_KEY": self.secret_key,
        }


class StartDemo(Protocol):
    """Starts demos that end with the test."""

    def __call__(self, *args: str | Path) -> Demo: ...


class Spotbook(Protocol):
    """Runs a command to its end."""

    def __call__(self, *args: str | Path, environment: Mapping[str, str] = ...) -> subprocess.CompletedProcess[str]: ...


class Served(Protocol):
    """Starts any serving command; returns the process and the object that it printed when ready."""

    def __call__(
        self, *args: str | Path, environment: Mapping[str, str] = ...
    ) -> tuple[subprocess.Popen[str], dict[str, Any]]: ...


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without anything of Spotbook's, and with `more`."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SPOTBOOK_")}
    return {**mine, **more}


def start(
    stack: ExitStack,
    args: tuple[str | Path, ...],
    stderr: Path,
    environment: Mapping[str, str],
    before: tuple[str, ...] = (),
) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start a serving command, wait for its first line, and have it ended with the stack.

    `before` is a program that changes what a process may do and then becomes the command that follows it.
    """
    with stderr.open("w") as told:
        process = subprocess.Popen(
            [*before, *SPOTBOOK, *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env=clean_environment(environment),
        )
    stack.callback(_end, process)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(END_SECONDS)
        pytest.fail(f"it ended with {process.returncode} before it was ready: {stderr.read_text()}")
    return process, json.loads(line)


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # closes its pipe
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def as_demo(process: subprocess.Popen[str], printed: dict[str, Any], stderr: Path) -> Demo:
    """Return a demo by what it printed."""
    assert list(printed) == ["url", "admin_url", "admin_token", "accounts"]
    account = printed["accounts"][0]
    assert list(account) == ["name", "id", "api_key", "secret_key"]
    assert account["name"] == "demo"
    return Demo(
        url=printed["url"],
        admin_url=printed["admin_url"],
        admin_token=printed["admin_token"],
        account_id=account["id"],
        api_key=account["api_key"],
        secret_key=account["secret_key"],
        process=process,
        stderr=stderr,
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo without limits, shared by the whole run: do not change its books."""
    stderr = tmp_path_factory.mktemp("demo") / "stderr"
    args = ("demo", "--json", "--port", "0", "--admin-port", "0", "--unlimited")
    with ExitStack() as stack:
        yield as_demo(*start(stack, args, stderr, {}), stderr)


@pytest.fixture(scope="module")
def module_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of one module's own, whose books its tests may change."""
    stderr = tmp_path_factory.mktemp("module_demo") / "stderr"
    with ExitStack() as stack:
        yield as_demo(*start(stack, ("demo", "--json", "--port", "0", "--admin-port", "0"), stderr, {}), stderr)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A function that starts a serving command, which ends with the test."""
    with ExitStack() as stack:

        def serve(
            *args: str | Path, environment: Mapping[str, str] = {}
        ) -> tuple[subprocess.Popen[str], dict[str, Any]]:
            descriptor, name = tempfile.mkstemp(prefix="stderr.", dir=tmp_path)
            os.close(descriptor)
            return start(stack, args, Path(name), environment)

        yield serve


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[StartDemo]:
    """A function that starts a demo of the test's own, on free ports, with these arguments more."""
    with ExitStack() as stack:

        def start_one(*args: str | Path) -> Demo:
            descriptor, name = tempfile.mkstemp(prefix="stderr.", dir=tmp_path)
            os.close(descriptor)
            fixed = ("demo", "--json", "--port", "0", "--admin-port", "0")
            return as_demo(*start(stack, (*fixed, *args), Path(name), {}), Path(name))

        yield start_one


@pytest.fixture(scope="session")
def spotbook() -> Spotbook:
    """A function that runs a command to its end, with nothing of Spotbook's in the environment but what it is given."""

    def run(*args: str | Path, environment: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SPOTBOOK, *map(str, args)],
            env=clean_environment(environment),
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
            check=False,
        )

    return run
