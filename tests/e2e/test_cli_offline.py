"""What an operator does without a server: tokens, the audit, a rebuild, a migration, a new master key."""

import json
import signal
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from spotbook.client import Client
from support.cli import (
    FREE_PORTS,
    Demo,
    Run,
    Served,
    StartDemo,
    made_by,
    refused,
)
from support.old_books import make_old

pytestmark = pytest.mark.e2e


@pytest.fixture
def books(tmp_path: Path, spotbook: Run) -> tuple[Path, dict[str, str]]:
    """New books of an operator's, and what `init` printed."""
    return made_by(spotbook, tmp_path / "books")


def test_a_token_is_made_without_a_server(books: tuple[Path, dict[str, str]], spotbook: Run) -> None:
    folder, made = books
    key = {"SPOTBOOK_MASTER_KEY": made["master_key"]}
    command = ("admin", "token-add", "night shift", "--role", "operate", "--role", "view", "--data", folder, "--json")
    printed = json.loads(spotbook(*command, environment=key).stdout)
    assert (printed["name"], printed["roles"]) == ("night shift", ["view", "operate"])
    assert len(printed["token"]) == 43
    refused(spotbook(*command, environment=key), "token night shift exists already")


def test_the_audit_beside_a_running_server_and_after_it(start_demo: StartDemo, spotbook: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = start_demo("--data", folder)
    report = json.loads(spotbook("audit", "--data", folder, "--json").stdout)
    assert report["ok"] is True
    assert report["entries"] == 10  # five deposits, each with a leg of the world's
    assert demo.stop() == 0
    head = f"{report['batch']}:{report['hash']}"
    assert spotbook("audit", "--data", folder, "--expect", head).returncode == 0
    cut = spotbook("audit", "--data", folder, "--expect", f"{report['batch'] + 1}:{report['hash']}")
    assert cut.returncode == 1
    assert "tail is cut off" in cut.stdout
    other = spotbook("audit", "--data", folder, "--expect", f"{report['batch']}:{'0' * 64}", "--json")
    assert other.returncode == 1
    assert json.loads(other.stdout)["findings"][0]["check"] == "expect"
    refused(spotbook("audit", "--data", folder, "--expect", "7"), "64 hex digits", code=2)


def test_an_audit_finds_what_was_changed_and_a_rebuild_mends_it(
    start_demo: StartDemo, spotbook: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    assert start_demo("--data", folder).stop() == 0
    with sqlite3.connect(folder / "books.sqlite3") as connection:
        connection.execute("UPDATE balance SET available = available + 1 WHERE account = 1001 AND asset = 1")
    connection.close()
    found = spotbook("audit", "--data", folder)
    assert found.returncode == 1
    assert "1001" in found.stdout
    rebuilt = spotbook("rebuild", "--data", folder)
    assert rebuilt.returncode == 0
    assert "made anew" in rebuilt.stdout
    assert spotbook("audit", "--data", folder).returncode == 0


def test_old_books_are_brought_up_to_date(spotbook: Run, tmp_path: Path) -> None:
    folder = make_old(tmp_path / "books")
    refused(spotbook("audit", "--data", folder), "lack the schema step 0002", f"`spotbook migrate --data {folder}`")
    migrated = spotbook("migrate", "--data", folder, "--json")
    assert migrated.returncode == 0, migrated.stderr
    said = json.loads(migrated.stdout)
    assert said["steps"] == ["0002 trading", "0003 strict_keys", "0004 entries_as_they_come"]
    assert stat.S_IMODE(Path(said["copy"]).stat().st_mode) == 0o600
    report = json.loads(spotbook("audit", "--data", folder, "--json").stdout)
    assert (report["ok"], report["batch"]) == (True, 7)
    assert "nothing to do" in spotbook("migrate", "--data", folder).stdout
    refused(spotbook("migrate", "--data", tmp_path / "none"), "spotbook init")


def test_a_server_that_runs_is_not_migrated_under(start_demo: StartDemo, spotbook: Run, tmp_path: Path) -> None:
    start_demo("--data", tmp_path / "demo")
    refused(spotbook("migrate", "--data", tmp_path / "demo"), "another process writes to the books")


def test_a_new_master_key_leaves_every_key_in_force(
    books: tuple[Path, dict[str, str]], served: Served, spotbook: Run, tmp_path: Path
) -> None:
    folder, made = books
    old = {"SPOTBOOK_MASTER_KEY": made["master_key"]}
    process, printed = served("serve", "--json", "--data", folder, *FREE_PORTS, environment=old)
    operator = {"SPOTBOOK_ADMIN_URL": printed["admin_url"], "SPOTBOOK_ADMIN_TOKEN": made["admin_token"]}

    def admin(*args: str) -> Any:
        result = spotbook("admin", *args, "--json", environment=operator)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    admin("assets", "add", "BTC", "--scale", "8", "--supply-max", "21000000")
    account = str(admin("accounts", "add", "alice")["id"])
    admin("deposits", "add", account, "BTC", "1.5", "--txid", "a")
    key = admin("keys", "add", account, "--permission", "read")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0

    new_file = tmp_path / "new-key"
    command = ("admin", "rotate-master-key", "--data", folder, "--new-key-file", new_file, "--json")
    assert json.loads(spotbook(*command, environment=old).stdout) == {"keys": 1}
    assert json.loads(spotbook(*command, environment=old).stdout) == {"keys": 0}  # done already
    assert stat.S_IMODE(new_file.stat().st_mode) == 0o600
    refused(spotbook("serve", "--data", folder, *FREE_PORTS, environment=old), "does not fit")

    new = {"SPOTBOOK_MASTER_KEY_FILE": str(new_file)}
    _, printed = served("serve", "--json", "--data", folder, *FREE_PORTS, environment=new)
    with Client(key["api_key"], key["secret_key"], printed["url"]) as client:
        assert str(client.complete_balances()["BTC"].available) == "1.5"


def test_a_new_master_key_is_shown_before_it_is_used(books: tuple[Path, dict[str, str]], spotbook: Run) -> None:
    folder, made = books
    command = ("admin", "rotate-master-key", "--data", folder, "--json")
    refused(spotbook(*command, environment={"SPOTBOOK_MASTER_KEY": "0" * 64}), "does not fit")
    lines = spotbook(*command, environment={"SPOTBOOK_MASTER_KEY": made["master_key"]}).stdout.splitlines()
    shown = [json.loads(line) for line in lines]
    assert list(shown[0]) == ["master_key"]
    assert shown[1] == {"keys": 0}
    again = spotbook(*command, environment={"SPOTBOOK_MASTER_KEY": shown[0]["master_key"]})
    assert again.returncode == 0


def test_an_operator_without_a_token_or_with_a_wrong_one(demo: Demo, spotbook: Run, tmp_path: Path) -> None:
    url = {"SPOTBOOK_ADMIN_URL": demo.admin_url}
    refused(spotbook("admin", "status", environment=url), "SPOTBOOK_ADMIN_TOKEN")
    refused(spotbook("admin", "--token-file", tmp_path / "none", "status", environment=url), "none")
    result = spotbook("admin", "status", environment={**url, "SPOTBOOK_ADMIN_TOKEN": "5ecret"})
    refused(result)
    assert "5ecret" not in result.stderr
    nobody = {"SPOTBOOK_ADMIN_URL": "http://127.0.0.1:9", "SPOTBOOK_ADMIN_TOKEN": "x"}
    refused(spotbook("admin", "status", environment=nobody))


def test_what_is_not_understood_is_told_so(spotbook: Run) -> None:
    refused(spotbook("dance"), "No such command", code=2)
    refused(spotbook("demo", "--port", "eighty"), "--port", code=2)
    refused(spotbook("init"), "--data", code=2)
    assert spotbook("--version").stdout.startswith("spotbook ")
