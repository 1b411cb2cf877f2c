"""Halts, stops, audits, bans and health over the Admin API."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from spotbook.app.bans import restore_list
from spotbook.app.writer import NotDone, Unknown
from spotbook.domain import apply as applying
from spotbook.domain.bans import Subject, SubjectBan
from spotbook.domain.commands import RecordBan
from spotbook.domain.errors import InvariantBroken
from spotbook.domain.events import AccountOpened

Error = Callable[[Any], tuple[int, str]]


def tamper(admin: Any, statement: str) -> None:
    connection = sqlite3.connect(admin.folder / "books.sqlite3", isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_status_shows_everything(admin: Any) -> None:
    head = admin.parts.reader.head()
    status = admin.get("/status").json()
    assert status.pop("version")
    assert status == {
        "standing": {"standing": "running", "reason": "", "since": 0},
        "writer": "running",
        "head": {"number": head.number, "time": head.time, "hash": head.hash.hex()},
        "books": admin.parts.reader.books,
        "queue": 0,
        "audit": {"state": "off", "batch": 0, "lag": 0, "rounds": 0, "findings": 0, "round_seconds": 0.0},
    }


def test_a_halt_stays_until_resumed(admin: Any) -> None:
    halted = admin.post("/halt", {"reason": "incident 7"})
    assert halted.status_code == 200
    assert halted.json() == {"standing": "halted", "reason": "incident 7", "since": admin.clock.now}
    assert admin.post("/halt", {"reason": "again"}).json() == halted.json()
    ready = admin.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "why": "halted"})
    assert admin.deposit().status_code == 201
    resumed = admin.post("/resume", {"reason": "all clear"})
    assert (resumed.status_code, resumed.json()["standing"]) == (200, "running")
    assert admin.post("/resume", {"reason": "again"}).json() == resumed.json()
    assert admin.client.get("/readyz").json() == {"ready": True}


@pytest.mark.parametrize("path", ["/halt", "/resume"])
def test_halting_and_resuming_need_a_reason(admin: Any, error: Error, path: str) -> None:
    assert error(admin.post(path, {"reason": " "})) == (422, "invalid")
    assert error(admin.post(path, {})) == (422, "invalid")


def test_a_broken_invariant_stops_the_writer(admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(state: Any, event: Any) -> None:
        raise InvariantBroken("two and two are five")

    with monkeypatch.context() as patched:
        patched.setitem(applying.APPLICATIONS, AccountOpened, broken)
        reply = admin.post("/accounts", {"name": "b"})
    assert error(reply) == (503, "not_done")
    assert reply.headers["retry-after"] == "1"
    assert error(admin.deposit()) == (503, "writer_stopped")
    assert error(admin.post("/halt", {"reason": "x"})) == (503, "writer_stopped")
    assert admin.client.get("/readyz").json() == {"ready": False, "why": "stopped"}
    assert "five" not in admin.client.get("/readyz").text
    assert "five" in admin.get("/status").json()["standing"]["reason"]
    assert admin.get("/accounts/1001/balances").status_code == 200
    assert admin.post("/resume", {"reason": "repaired"}).status_code == 200
    assert admin.deposit().status_code == 201


@pytest.mark.parametrize(
    ("outcome", "status", "code"), [(NotDone("full"), 503, "not_done"), (Unknown("torn"), 500, "outcome_unknown")]
)
def test_what_is_not_known_to_be_done_is_said_so(
    admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch, *, outcome: Any, status: int, code: str
) -> None:
    def answer_all(submissions: Any, _: Any) -> None:
        for submission, _gives_free in submissions:
            submission.answer(outcome)

    monkeypatch.setattr(admin.parts.engine, "submit_all", answer_all)
    reply = admin.deposit()
    assert error(reply) == (status, code)
    assert "torn" not in reply.text


def test_resuming_what_runs_asks_nothing_of_the_writer(admin: Any) -> None:
    before = admin.parts.engine.commands
    assert admin.post("/resume", {"reason": "to be sure"}).json()["standing"] == "running"
    assert admin.parts.engine.commands == before


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_stop_is_lifted_only_after_a_clean_audit(admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(state: Any, event: Any) -> None:
        raise InvariantBroken("two and two are five")

    admin.deposit()
    with monkeypatch.context() as patched:
        patched.setitem(applying.APPLICATIONS, AccountOpened, broken)
        admin.post("/accounts", {"name": "b"})
    tamper(admin, "UPDATE balance SET available = available + 1 WHERE account = 1001")
    assert error(admin.post("/resume", {"reason": "hope"})) == (409, "audit_findings")
    assert admin.client.get("/readyz").json() == {"ready": False, "why": "stopped"}
    assert not any("could not be halted" in alarm for alarm in admin.alarms)
    tamper(admin, "UPDATE balance SET available = available - 1 WHERE account = 1001")
    assert admin.post("/resume", {"reason": "repaired"}).status_code == 200
    assert admin.client.get("/readyz").json() == {"ready": True}


def test_a_draining_server_takes_nothing_in(admin: Any, error: Error) -> None:
    admin.parts.engine.drain(10)
    assert error(admin.deposit()) == (503, "not_done")
    assert admin.client.get("/readyz").json() == {"ready": False, "why": "ended"}
    assert admin.client.get("/healthz").status_code == 200


def test_a_fault_of_the_program_is_500_without_a_detail(
    admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(admin.parts.reader, "head", fault, raising=False)
    for path in ("/admin/v1/status", "/healthz"):
        reply = admin.client.get(path)
        assert error(reply) == (500, "internal")
        assert "secret detail" not in reply.text
    assert sum("secret detail" in alarm for alarm in admin.alarms) == 2


def test_healthz_shows_the_head(admin: Any) -> None:
    head = admin.parts.reader.head()
    reply = admin.client.get("/healthz", headers={"authorization": ""})
    assert reply.json() == {"ok": True, "batch": head.number, "hash": head.hash.hex()}
    assert reply.headers["cache-control"] == "no-store"


def test_metrics_are_prometheus_text(admin: Any) -> None:
    reply = admin.client.get("/metrics", headers={"authorization": ""})
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain")
    assert "spotbook_alarms" in reply.text


class TestAudit:
    def test_clean_books_are_ok(self, admin: Any) -> None:
        admin.deposit()
        head = admin.parts.reader.head()
        assert admin.get("/audit").json() == {
            "ok": True,
            "batch": head.number,
            "hash": head.hash.hex(),
            "entries": 2,
            "findings": [],
        }

    @pytest.mark.parametrize("store", ["sqlite"], indirect=True)
    def test_a_finding_halts_the_books_until_it_is_repaired(self, admin: Any, error: Error) -> None:
        admin.deposit()
        tamper(admin, "UPDATE balance SET available = available + 1 WHERE account = 1001")
        report = admin.get("/audit").json()
        assert not report["ok"]
        assert [(finding["check"], finding["account"], finding["asset"]) for finding in report["findings"]] == [
            ("tables", 1001, "BTC")
        ]
        assert admin.client.get("/readyz").json() == {"ready": False, "why": "halted"}
        assert admin.get("/status").json()["standing"]["reason"].startswith("audit: balance account 1001")
        refused = admin.post("/resume", {"reason": "hope"})
        assert error(refused) == (409, "audit_findings")
        assert refused.json()["error"]["findings"] == report["findings"]
        tamper(admin, "UPDATE balance SET available = available - 1 WHERE account = 1001")
        assert admin.post("/resume", {"reason": "repaired"}).status_code == 200

    def test_large_books_have_no_report_at_first(
        self, admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        none: Future[None] = Future()
        none.set_result(None)
        monkeypatch.setattr(admin.desk, "soon", lambda: none)
        reply = admin.get("/audit")
        assert error(reply) == (503, "audit_running")
        assert int(reply.headers["retry-after"]) >= 1


class TestBans:
    @pytest.fixture
    def banned(self, admin: Any) -> Any:
        now = admin.clock.now
        bans = [
            SubjectBan(Subject(1001, "192.0.2.7"), "ban", now, now + 30_000),
            SubjectBan(Subject(None, "2001:db8::/64"), "blacklist", now, now + 60_000),
        ]
        admin.parts.pacer.restore(bans, now)
        admin.do(RecordBan("user:1001@192.0.2.7", "ban", now, now + 30_000))
        admin.do(RecordBan("address:2001:db8::/64", "blacklist", now, now + 60_000))
        return admin

    def test_bans_in_force_are_listed_in_pages(self, banned: Any) -> None:
        now = banned.clock.now
        user = {
            "subject": "user:1001@192.0.2.7",
            "user": 1001,
            "address": "192.0.2.7",
            "kind": "ban",
            "began": now,
            "until": now + 30_000,
        }
        page = banned.get("/bans", params={"limit": 1}).json()
        assert [ban["subject"] for ban in page["bans"]] == ["address:2001:db8::/64"]
        assert banned.get("/bans", params={"after": page["next"]}).json() == {"bans": [user], "next": None}
        banned.clock.now += 30_000
        assert [ban["subject"] for ban in banned.get("/bans").json()["bans"]] == ["address:2001:db8::/64"]

    def test_a_ban_is_lifted_for_good(self, banned: Any, error: Error) -> None:
        banned.clock.now += 1
        assert banned.delete("/bans/address:2001:db8::%2F64").status_code == 204
        assert [ban["subject"] for ban in banned.get("/bans").json()["bans"]] == ["user:1001@192.0.2.7"]
        assert [ban.subject for ban in restore_list(banned.parts.reader)] == [Subject(1001, "192.0.2.7")]

    @pytest.mark.parametrize("subject", ["nobody", "user:x@192.0.2.7", "address:", "address:here"])
    def test_what_is_no_subject_is_404(self, admin: Any, error: Error, subject: str) -> None:
        assert error(admin.delete(f"/bans/{subject}")) == (404, "unknown_subject")


@pytest.mark.parametrize("probe", ["healthz", "readyz", "metrics"])
def test_a_probe_answers_under_the_prefix_too(admin: Any, probe: str) -> None:
    bare = {"authorization": ""}
    assert admin.client.get(f"/admin/v1/{probe}", headers=bare).status_code == 200
    assert admin.client.get(f"/{probe}", headers=bare).status_code == 200
