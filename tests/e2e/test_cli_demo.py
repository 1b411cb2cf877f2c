"""`spotbook demo`: its books, its folder, its end."""

import signal
import socket
import stat
from pathlib import Path

import pytest

from support.cli import AMOUNTS, FREE_PORTS, Run, Served, StartDemo, amounts_of, made_by, refused, secrets_of

pytestmark = pytest.mark.e2e


def test_a_demo_opened_again_is_as_it_was_left(start_demo: StartDemo, tmp_path: Path) -> None:
    folder = tmp_path / "missing" / "demo"
    first = start_demo("--data", folder)
    secrets, found = secrets_of(first), amounts_of(first)
    assert found[0] == AMOUNTS
    assert found[2] == 5
    assert first.stop() == 0
    again = start_demo("--data", folder)
    assert secrets_of(again) == secrets
    assert amounts_of(again) == found


def test_an_empty_folder_gets_new_books_that_only_the_owner_reads(start_demo: StartDemo, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir(mode=0o700)
    assert amounts_of(start_demo("--data", folder))[0] == AMOUNTS
    for name in ("demo.json", "books.sqlite3"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_two_demos_have_nothing_in_common(start_demo: StartDemo) -> None:
    one, two = start_demo(), start_demo()
    assert not {one.admin_token, one.api_key, one.secret_key} & {two.admin_token, two.api_key, two.secret_key}
    assert amounts_of(one)[1] != amounts_of(two)[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_demo_in_order_and_its_own_folder_is_gone(
    served: Served, tmp_path: Path, number: signal.Signals
) -> None:
    process, _ = served("demo", "--json", *FREE_PORTS, environment={"TMPDIR": str(tmp_path)})
    assert [entry.name[:14] for entry in tmp_path.glob("spotbook-demo-*")] == ["spotbook-demo-"]
    process.send_signal(number)
    assert process.wait(30) == 0
    assert list(tmp_path.glob("spotbook-demo-*")) == []


def test_a_folder_with_something_else_is_left_alone(spotbook: Run, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    refused(spotbook("demo", "--data", tmp_path), "letters.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["letters.txt"]


def test_a_demo_refuses_an_operators_books(spotbook: Run, tmp_path: Path) -> None:
    folder, _ = made_by(spotbook, tmp_path / "books")
    refused(spotbook("demo", "--data", folder), "no demo.json")


def test_a_damaged_demo_file_is_refused_and_not_quoted(spotbook: Run, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"master_key": "5ecret')
    result = spotbook("demo", "--data", tmp_path)
    refused(result, "damaged")
    assert "5ecret" not in result.stderr


def test_a_port_that_is_taken_is_named(spotbook: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(spotbook("demo", "--port", str(port), "--admin-port", "0"), f"127.0.0.1:{port}")
        refused(spotbook("demo", "--port", "0", "--admin-port", str(port)), f"127.0.0.1:{port}")


def test_one_port_for_both_listeners_is_refused(spotbook: Run) -> None:
    refused(spotbook("demo", "--port", "8090", "--admin-port", "8090"), "cannot share")


def test_one_process_at_a_time_writes_a_demos_books(start_demo: StartDemo, spotbook: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    start_demo("--data", folder)
    refused(spotbook("demo", "--data", folder, *FREE_PORTS), "another process writes")


def test_beyond_loopback_a_demo_warns(served: Served, tmp_path: Path) -> None:
    process, printed = served("demo", "--json", "--host", "0.0.0.0", *FREE_PORTS)
    assert printed["url"].startswith("http://0.0.0.0:")
    assert printed["admin_url"].startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert "beyond loopback" in "".join(file.read_text() for file in tmp_path.glob("stderr.*"))
