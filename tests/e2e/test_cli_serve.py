"""`spotbook init` and `serve`: what they refuse, and why."""

import json
import re
import signal
import sqlite3
import stat
from pathlib import Path

import pytest

from support.cli import (
    FREE_PORTS,
    Run,
    Served,
    StartDemo,
    made_by,
    refused,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def books(tmp_path: Path, spotbook: Run) -> tuple[Path, dict[str, str]]:
    """New books of an operator's, and what `init` printed."""
    return made_by(spotbook, tmp_path / "books")


@pytest.fixture(scope="module")
def shared_books(tmp_path_factory: pytest.TempPathFactory, spotbook: Run) -> tuple[Path, dict[str, str]]:
    """The same, once for all tests that do not change them."""
    return made_by(spotbook, tmp_path_factory.mktemp("shared") / "books")


def test_books_are_made_once(books: tuple[Path, dict[str, str]], spotbook: Run) -> None:
    folder, made = books
    assert list(made) == ["data", "master_key", "admin_token_name", "admin_token"]
    assert re.fullmatch("[0-9a-f]{64}", made["master_key"])
    refused(spotbook("init", "--data", folder), "already")


def test_the_master_key_goes_to_a_file_of_its_own(spotbook: Run, served: Served, tmp_path: Path) -> None:
    folder, file = tmp_path / "books", tmp_path / "key"
    result = spotbook("init", "--data", folder, "--master-key-file", file)
    assert result.returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() not in result.stdout
    served("serve", "--json", "--data", folder, *FREE_PORTS, environment={"SPOTBOOK_MASTER_KEY_FILE": str(file)})
    other = spotbook("init", "--data", tmp_path / "other", "--master-key-file", file, "--json")
    assert json.loads(other.stdout)["master_key_file"] == str(file)


def test_serve_says_when_it_is_ready_and_ends_in_order(books: tuple[Path, dict[str, str]], served: Served) -> None:
    folder, made = books
    environment = {"SPOTBOOK_MASTER_KEY": made["master_key"], "SPOTBOOK_DATA": str(folder), "SPOTBOOK_PUBLIC_PORT": "0"}
    process, printed = served("serve", "--json", "--admin-port", "0", environment=environment)
    assert list(printed) == ["url", "admin_url"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_second_writer_is_refused(books: tuple[Path, dict[str, str]], served: Served, spotbook: Run) -> None:
    folder, made = books
    key = {"SPOTBOOK_MASTER_KEY": made["master_key"]}
    served("serve", "--json", "--data", folder, *FREE_PORTS, environment=key)
    refused(spotbook("serve", "--data", folder, *FREE_PORTS, environment=key), "another process writes")
    refused(spotbook("admin", "token-add", "x", "--role", "view", "--data", folder, environment=key), "another process")
    refused(spotbook("admin", "rotate-master-key", "--data", folder, environment=key), "another process writes")
    refused(spotbook("rebuild", "--data", folder), "another process writes")
    assert spotbook("audit", "--data", folder).returncode == 0


REFUSALS = {
    "no data": ((), {}, "data is not set"),
    "no master key": (("--data", "BOOKS"), {}, "SPOTBOOK_MASTER_KEY"),
    "two master keys": (
        ("--data", "BOOKS"),
        {"SPOTBOOK_MASTER_KEY": "KEY", "SPOTBOOK_MASTER_KEY_FILE": "/nowhere"},
        "which one",
    ),
    "no master key file": (("--data", "BOOKS"), {"SPOTBOOK_MASTER_KEY_FILE": "/nowhere"}, "/nowhere"),
    "a malformed master key": (("--data", "BOOKS"), {"SPOTBOOK_MASTER_KEY": "12345"}, "64 hex digits"),
    "a wrong master key": (("--data", "BOOKS"), {"SPOTBOOK_MASTER_KEY": "0" * 64}, "does not fit"),
    "beyond loopback": (("--data", "BOOKS", "--host", "0.0.0.0"), {"SPOTBOOK_MASTER_KEY": "KEY"}, "beyond loopback"),
    "admin beyond loopback": (("--data", "BOOKS", "--admin-host", "::"), {"SPOTBOOK_MASTER_KEY": "KEY"}, "admin.host"),
    "a proxy that nobody named": (("--data", "BOOKS", "--behind-proxy"), {}, "proxy.trusted"),
    "a proxy that is no address": (("--data", "BOOKS", "--trusted-proxy", "10.0.0.1/8"), {}, "host bits"),
    "half of TLS": (("--data", "BOOKS", "--tls-key", "key.pem"), {}, "go together"),
    "TLS files that are not there": (
        ("--data", "BOOKS", "--tls-key", "key.pem", "--tls-certificate", "c.pem"),
        {"SPOTBOOK_MASTER_KEY": "KEY"},
        "tls.certificate",
    ),
    "an unknown variable": (("--data", "BOOKS"), {"SPOTBOOK_PUBLIC_PROT": "1"}, "SPOTBOOK_PUBLIC_PROT"),
    "a port that is none": (("--data", "BOOKS", "--port", "70000"), {}, "public.port"),
    "no settings file": (("--config", "/nowhere.toml"), {}, "/nowhere.toml"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_serve_refuses(shared_books: tuple[Path, dict[str, str]], spotbook: Run, case: str) -> None:
    folder, made = shared_books
    args, environment, words = REFUSALS[case]
    real = {"BOOKS": str(folder), "KEY": made["master_key"]}
    result = spotbook(
        "serve",
        *(real.get(arg, arg) for arg in args),
        environment={name: real.get(text, text) for name, text in environment.items()},
    )
    refused(result, words)
    assert made["master_key"] not in result.stderr


def test_serve_refuses_a_demos_books(start_demo: StartDemo, spotbook: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert start_demo("--data", folder).stop() == 0
    key = {"SPOTBOOK_MASTER_KEY": json.loads((folder / "demo.json").read_text())["master_key"]}
    refused(spotbook("serve", "--data", folder, environment=key), "demo")
    refused(spotbook("init", "--data", folder), "demo")
    refused(spotbook("admin", "rotate-master-key", "--data", folder, environment=key), "demo")


def test_books_that_cannot_be_opened_say_why(books: tuple[Path, dict[str, str]], spotbook: Run, tmp_path: Path) -> None:
    folder, made = books
    key = {"SPOTBOOK_MASTER_KEY": made["master_key"]}
    nowhere = tmp_path / "nowhere"
    refused(spotbook("serve", "--data", nowhere, environment=key), "spotbook init")
    refused(spotbook("audit", "--data", nowhere), "spotbook init")
    assert not nowhere.exists()
    file = folder / "books.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = value || char(10) || '0099 later 00' WHERE name = 'migrations'")
    connection.close()
    refused(spotbook("serve", "--data", folder, environment=key), "version")
    file.write_bytes(b"no database at all" * 100)
    refused(spotbook("serve", "--data", folder, environment=key), "books.sqlite3")
    refused(spotbook("audit", "--data", folder), "books.sqlite3")
