"""The background audit of a running server: what it finds halts the books, and shows."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from spotbook.app.audit import BackgroundAudit, Finding, background
from spotbook.app.engine import Engine
from spotbook.app.writer import NotDone
from spotbook.limits import AUDIT_PRESSED_PART
from spotbook.server import auditing
from spotbook.server.admin import admin_app
from spotbook.server.auditing import background_audit, halting

Error = Callable[[Any], tuple[int, str]]
FOUND = (Finding("tables", 3, 1, 1_001, "BTC", "balance account 1001 is\nwrong"),)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "ROUND_PAUSE_SECONDS", 0.001)


@pytest.fixture
def audit(admin: Any, quick: None) -> Iterator[BackgroundAudit]:
    """The background audit over the books of `admin`, not yet begun."""
    made = background_audit(admin.parts, admin.parts.readers._make, lambda _: False)
    yield made
    made.close()


def status(admin: Any, audit: BackgroundAudit) -> dict[str, Any]:
    headers = dict(admin.client.headers)
    with TestClient(admin_app(admin.parts, admin.desk, audit), base_url="http://127.0.0.1:8081", headers=headers) as it:
        shown: dict[str, Any] = it.get("/admin/v1/status").json()["audit"]
        return shown


def until(condition: Callable[[], bool]) -> None:
    """Return once it is so; the test's own timeout ends it otherwise."""
    while not condition():
        pass


def test_it_goes_round_and_shows_it(admin: Any, audit: BackgroundAudit) -> None:
    admin.deposit()
    audit.start()
    until(lambda: audit.progress.rounds >= 2)
    shown, head = status(admin, audit), admin.parts.reader.head().number
    assert (shown["state"], shown["batch"], shown["lag"], shown["findings"]) == ("running", head, 0, 0)
    text = admin.parts.metrics.text().decode()
    assert f"spotbook_audit_batch {float(head)}" in text
    assert "spotbook_audit_running 1.0" in text
    assert "spotbook_audit_lag_batches 0.0" in text
    assert "spotbook_audit_findings 0.0" in text
    assert admin.client.get("/readyz").json() == {"ready": True}
    assert admin.alarms == []


def test_it_is_behind_before_it_has_begun(admin: Any, audit: BackgroundAudit) -> None:
    assert status(admin, audit)["state"] == "off"
    assert "spotbook_audit_running 0.0" in admin.parts.metrics.text().decode()


@pytest.mark.parametrize(("waiting", "part"), [(0, 1.0), (1, AUDIT_PRESSED_PART)])
def test_it_takes_less_while_commands_wait(
    admin: Any, audit: BackgroundAudit, monkeypatch: pytest.MonkeyPatch, waiting: int, part: float
) -> None:
    monkeypatch.setattr(Engine, "queued", waiting)
    assert audit._share_now() == admin.parts.settings.audit.share * part


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_a_finding_halts_the_books(admin: Any, audit: BackgroundAudit, store: Any) -> None:
    admin.deposit()
    audit.start()
    until(lambda: audit.progress.rounds >= 1)
    row = store._disk.tables["balance"][1_001, 1]
    store._disk.tables["balance"][1_001, 1] = (*row[:2], row[2] + 1, *row[3:])
    until(lambda: bool(admin.client.get("/readyz").json() == {"ready": False, "why": "halted"}))
    assert admin.get("/status").json()["standing"]["reason"].startswith("audit: balance account 1001, asset 1")
    assert admin.deposit(txid="tx-2").status_code == 201
    until(lambda: status(admin, audit)["findings"] >= 1)
    assert "spotbook_audit_findings 1.0" in admin.parts.metrics.text().decode()


def test_the_reason_of_a_halt_is_printable(admin: Any) -> None:
    halting(admin.parts)(FOUND)
    assert admin.get("/status").json()["standing"]["reason"] == "audit: balance account 1001 is wrong"


def test_a_halt_that_finds_the_queue_full_is_tried_again(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "HALT_PAUSE_SECONDS", 0.0)
    execute, busy = admin.parts.engine.execute, iter(range(3))

    def sometimes(*args: Any, **options: Any) -> Any:
        return execute(*args, **options) if next(busy, None) is None else NotDone("the queue is full")

    monkeypatch.setattr(admin.parts.engine, "execute", sometimes)
    halting(admin.parts)(FOUND)
    assert admin.client.get("/readyz").json() == {"ready": False, "why": "halted"}
    assert admin.alarms == []


def test_a_halt_that_cannot_be_stored_is_alarmed(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "HALT_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(admin.parts.engine, "execute", lambda *_, **__: NotDone("the disk is full"))
    halting(admin.parts)(FOUND)
    assert admin.alarms == ["the books could not be halted after the audit's findings"]


def test_a_halt_while_draining_is_not_waited_for(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin.parts.engine.drain(10)

    def fault(_: float) -> None:
        raise AssertionError

    monkeypatch.setattr("time.sleep", fault)
    halting(admin.parts)(FOUND)
    assert len(admin.alarms) == 1
