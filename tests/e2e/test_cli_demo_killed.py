"""A demo that is stopped or killed while it is made."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cli import (
    AMOUNTS,
    FREE_PORTS,
    Run,
    StartDemo,
    amounts_of,
)

pytestmark = pytest.mark.e2e

MOMENTS: dict[str, Callable[[Path], bool]] = {
    "before anything": lambda _: True,
    "the secrets are written": lambda folder: (folder / "demo.json").exists(),
    "the books are begun": lambda folder: any(folder.glob(".making.*/books.sqlite3")),
    "the books are being filled": lambda folder: any(folder.glob(".making.*/books.sqlite3-wal")),
    "the books are in place": lambda folder: (folder / "books.sqlite3").exists(),
}


def until(moment: str, folder: Path) -> None:
    end = time.monotonic() + 60
    while not MOMENTS[moment](folder) and time.monotonic() < end:
        time.sleep(0)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_demo_killed_while_it_is_made_is_whole_at_the_next_start(
    start_demo: StartDemo, spotbook: Run, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "spotbook", "demo", "--data", str(folder), *FREE_PORTS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(moment, folder)
        process.kill()
    kept = json.loads((folder / "demo.json").read_text()) if (folder / "demo.json").exists() else None
    demo = start_demo("--data", folder)
    assert amounts_of(demo)[0] == AMOUNTS
    assert amounts_of(demo)[2] == 5
    assert kept is None or kept["accounts"][0]["secret_key"] == demo.secret_key
    assert list(folder.glob(".making.*")) == []
    assert spotbook("audit", "--data", folder).returncode == 0


def test_a_demo_told_to_stop_while_it_is_made_ends_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "spotbook", "demo", "--data", str(folder), *FREE_PORTS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        until("the books are begun", folder)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (0, "")
    assert list(folder.glob(".making.*")) == []
