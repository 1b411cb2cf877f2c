"""Who gets in: Host, token, role, and what is no request at all."""

from collections.abc import Callable
from typing import Any

import pytest

from spotbook.domain.commands import RevokeToken
from spotbook.domain.credentials import Token
from spotbook.domain.errors import Invalid, Refusal
from spotbook.server.admin.refusals import STATUSES
from spotbook.server.admin.routes import ENDPOINTS
from spotbook.server.admin.tokens_known import KnownTokens

Error = Callable[[Any], tuple[int, str]]

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)  # nothing here depends on the store
PATHS = [
    (
        endpoint.method,
        endpoint.path.format(
            account=1001, api_key="x", subject="address:192.0.2.7", name="x", symbol="BTC_USDT", order=1
        ),
        endpoint.role,
    )
    for endpoint in ENDPOINTS
]


@pytest.mark.parametrize(("method", "path", "role"), PATHS)
def test_every_endpoint_needs_a_token_of_its_role(admin: Any, error: Error, method: str, path: str, role: str) -> None:
    url = f"/admin/v1{path}"
    without = admin.client.request(method, url, headers={"authorization": ""})
    assert error(without) == (401, "no_token")
    assert without.headers["www-authenticate"].startswith("Bearer")
    others = {"view", "operate", "money"} - {role}
    roles = [each for each in ("view", "operate", "money") if each in others]
    assert error(admin.client.request(method, url, headers=admin.with_roles(*roles))) == (403, "permission_missing")
    right = admin.client.request(method, url, headers=admin.with_roles(role))
    assert right.status_code not in {401, 403, 500}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic token-of-the-operator", f"Bearer {'x' * 300}", "é"],
)
def test_a_token_that_is_none_is_401(admin: Any, error: Error, authorization: str) -> None:
    headers = {"authorization": authorization.encode("latin-1")}
    assert error(admin.get("/status", headers=headers)) == (401, "no_token")


def test_the_scheme_is_read_in_any_case(admin: Any) -> None:
    assert admin.get("/status", headers={"authorization": "bearer token-of-the-operator"}).status_code == 200


def test_a_revoked_token_is_401_at_once(admin: Any, error: Error) -> None:
    headers = admin.with_roles("view")
    assert admin.get("/status", headers=headers).status_code == 200
    assert admin.delete("/tokens/token-with-view").status_code == 204
    assert error(admin.get("/status", headers=headers)) == (401, "no_token")


def test_the_writer_checks_the_token_again(admin: Any, error: Error, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = admin.with_roles("operate")
    found = KnownTokens.find

    def late(self: KnownTokens, authorization: bytes) -> Token | None:
        token = found(self, authorization)
        admin.do(RevokeToken("token-with-operate"))
        return token

    monkeypatch.setattr(KnownTokens, "find", late)
    assert error(admin.post("/accounts", {"name": "late"}, headers=headers)) == (401, "token_not_live")


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "127.0.0.1", "localhost:1", "LocalHost", "[::1]:8081", "[::1]"])
def test_a_host_of_ours_is_let_in(admin: Any, host: str) -> None:
    assert admin.client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:", "127.0.0.1:80:80", "127.0.0.1:x", "", "localhost."]
)
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/admin/v1/status", "/nowhere"])
def test_another_host_is_421_before_anything_else(admin: Any, error: Error, host: str, path: str) -> None:
    assert error(admin.client.get(path, headers={"host": host})) == (421, "wrong_host")


def test_an_unknown_path_and_a_wrong_method_are_errors_as_all_are(admin: Any, error: Error) -> None:
    assert error(admin.get("/nowhere")) == (404, "no_such_path")
    assert error(admin.get("/accounts/")) == (404, "no_such_path")
    wrong = admin.client.put("/admin/v1/accounts/1001/keys")
    assert error(wrong) == (405, "wrong_method")
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert error(admin.client.post("/healthz")) == (405, "wrong_method")


def test_head_is_get_without_a_body(admin: Any) -> None:
    assert admin.client.head("/admin/v1/status").status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": "a"', b"\xff\xfe", b'{"name": "\xed\xa0\x80"}', b"NaN"])
def test_what_is_no_json_is_400(admin: Any, error: Error, body: bytes) -> None:
    assert error(admin.client.post("/admin/v1/accounts", content=body)) == (400, "malformed")


@pytest.mark.parametrize("body", [b"[]", b'"name"', b"null", b"1", b"{}", b'{"name": 1}', b'{"name": null}'])
def test_json_of_another_shape_is_422(admin: Any, error: Error, body: bytes) -> None:
    assert error(admin.client.post("/admin/v1/accounts", content=body)) == (422, "invalid")


def test_a_body_over_the_bound_is_413(admin: Any, error: Error) -> None:
    assert error(admin.client.post("/admin/v1/accounts", content=b" " * 65_537)) == (413, "body_too_large")


def test_a_body_of_unknown_length_is_bounded_too(admin: Any, error: Error) -> None:
    parts = (b" " * 1_000 for _ in range(70))
    assert error(admin.client.post("/admin/v1/accounts", content=parts)) == (413, "body_too_large")


def test_a_get_takes_no_parameters_that_it_does_not_know(admin: Any, error: Error) -> None:
    assert error(admin.get("/status?verbose=1")) == (422, "invalid")


def test_every_write_is_journalled_with_the_tokens_name(admin: Any) -> None:
    admin.deposit()
    newest = admin.parts.reader.batches(admin.parts.reader.head().number - 1, 1)[0]
    assert b'"by":"token:ops"' in newest.body


class TestTokens:
    def test_a_token_is_made_and_its_text_shown_once(self, admin: Any) -> None:
        reply = admin.post("/tokens", {"name": "bot/7", "roles": ["money", "view"]})
        assert reply.status_code == 201
        made = reply.json()
        assert made["roles"] == ["view", "money"]
        text = made.pop("token")
        headers = {"authorization": f"Bearer {text}"}
        listed = admin.get("/tokens", headers=headers).json()
        assert made in listed["tokens"]
        assert text not in str(listed)
        assert "digest" not in str(listed)
        assert admin.delete("/tokens/bot/7").status_code == 204
        assert admin.get("/tokens", headers=headers).status_code == 401

    def test_nobody_gives_a_role_that_they_do_not_have(self, admin: Any, error: Error) -> None:
        headers = admin.with_roles("operate")
        body = {"name": "rich", "roles": ["operate", "money"]}
        assert error(admin.post("/tokens", body, headers=headers)) == (403, "permission_missing")
        assert admin.post("/tokens", {"name": "poor", "roles": ["operate"]}, headers=headers).status_code == 201

    def test_a_name_is_used_once(self, admin: Any, error: Error) -> None:
        assert error(admin.post("/tokens", {"name": "ops", "roles": ["view"]})) == (409, "token_exists")

    @pytest.mark.parametrize(
        "body", [{"name": "a", "roles": []}, {"name": "a", "roles": ["root"]}, {"name": "", "roles": ["view"]}]
    )
    def test_bad_input_is_422(self, admin: Any, error: Error, body: dict[str, Any]) -> None:
        assert error(admin.post("/tokens", body)) == (422, "invalid")

    def test_an_unknown_token_is_404(self, admin: Any, error: Error) -> None:
        assert error(admin.delete("/tokens/nobody")) == (404, "unknown_token")


def test_every_refusal_has_its_status(store: Any) -> None:
    def leaves(kind: type[Refusal]) -> set[type[Refusal]]:
        below = kind.__subclasses__()
        return set().union(*map(leaves, below)) if below else {kind}

    assert leaves(Refusal) | {Invalid} == set(STATUSES)
