"""API keys over the Admin API."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from spotbook.settings import Settings

Error = Callable[[Any], tuple[int, str]]
KEYS = "/accounts/1001/keys"


def test_a_key_is_made_and_its_secret_shown_once(admin: Any) -> None:
    reply = admin.post(KEYS, {"permissions": ["trade", "read", "read"]})
    assert reply.status_code == 201
    key = reply.json()
    assert len(key["secret_key"]) == 40
    assert admin.parts.ring.find(key["api_key"]).secret == key["secret_key"].encode()
    listed = admin.get(KEYS).json()
    assert key.pop("secret_key") not in str(listed)
    assert listed == {"keys": [key], "next": None}
    assert key.pop("api_key")
    assert key == {
        "account": 1001,
        "permissions": ["read", "trade"],
        "allow": [],
        "label": "",
        "made_at": admin.clock.now,
        "expires_at": None,
        "revoked_at": None,
        "strict": False,
    }


def test_everything_but_the_permissions_may_be_given(admin: Any) -> None:
    expires = admin.clock.now + 1
    body = {"permissions": ["read"], "allow": ["10.0.0.0/8", "192.0.2.7"], "label": "bot", "expires_at": expires}
    key = admin.post(KEYS, body).json()
    assert key["allow"] == ["10.0.0.0/8", "192.0.2.7/32"]
    assert (key["label"], key["expires_at"]) == ("bot", expires)


def test_a_strict_key_is_made_and_listed_as_one(admin: Any) -> None:
    key = admin.post(KEYS, {"permissions": ["read"], "strict": True}).json()
    admin.clock.now += 1
    admin.post(KEYS, {"permissions": ["read"], "strict": False})
    assert key["strict"] is True
    assert [shown["strict"] for shown in admin.get(KEYS).json()["keys"]] == [True, False]
    assert admin.parts.ring.find(key["api_key"]).key.strict


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"permissions": []}, "permissions"),
        ({"permissions": ["fly"]}, "permissions"),
        ({"permissions": "read"}, "permissions"),
        ({"allow": ["10.0.0.300"]}, "allow"),
        ({"allow": ["10.0.0.0/8"] * 65}, "allow"),
        ({"label": "x" * 65}, "label"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": 2**64}, "expires_at"),
        ({"expires_at": 1.5}, "expires_at"),
        ({"expires": 1}, "expires"),
        ({"strict": 1}, "strict"),
        ({"strict": None}, "strict"),
    ],
)
def test_bad_input_is_422(admin: Any, error: Error, change: dict[str, Any], name: str) -> None:
    reply = admin.post(KEYS, {"permissions": ["read"], **change})
    assert error(reply) == (422, "invalid")
    assert reply.json()["error"]["name"] == name


def test_there_are_twenty_live_keys_at_most(admin: Any, error: Error) -> None:
    for _ in range(20):
        last = admin.post(KEYS, {"permissions": ["read"]})
        assert last.status_code == 201
    assert error(admin.post(KEYS, {"permissions": ["read"]})) == (409, "too_many")
    assert admin.delete(f"{KEYS}/{last.json()['api_key']}").status_code == 204
    assert admin.post(KEYS, {"permissions": ["read"]}).status_code == 201


def test_keys_are_listed_in_pages_in_the_order_they_were_made(admin: Any, error: Error) -> None:
    made = []
    for _ in range(3):
        admin.clock.now += 1
        made.append(admin.post(KEYS, {"permissions": ["read"]}).json()["api_key"])
    page = admin.get(KEYS, params={"limit": 2}).json()
    assert [key["api_key"] for key in page["keys"]] == made[:2]
    rest = admin.get(KEYS, params={"limit": 2, "after": page["next"]}).json()
    assert ([key["api_key"] for key in rest["keys"]], rest["next"]) == (made[2:], None)
    assert error(admin.get(KEYS, params={"after": "another"})) == (422, "invalid")


def test_a_key_is_revoked(admin: Any, error: Error) -> None:
    api_key = admin.post(KEYS, {"permissions": ["read"]}).json()["api_key"]
    reply = admin.delete(f"{KEYS}/{api_key}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert admin.delete(f"{KEYS}/{api_key}").status_code == 204
    assert admin.get(KEYS).json()["keys"][0]["revoked_at"] == admin.clock.now
    assert not admin.parts.ring.find(api_key).key.live(admin.clock.now)
    assert error(admin.delete(f"{KEYS}/unknown")) == (404, "unknown_key")


def test_another_accounts_key_is_not_revoked(admin: Any, error: Error) -> None:
    api_key = admin.post(KEYS, {"permissions": ["read"]}).json()["api_key"]
    other = admin.post("/accounts", {"name": "other"}).json()["id"]
    assert error(admin.delete(f"/accounts/{other}/keys/{api_key}")) == (404, "unknown_key")
    assert admin.parts.ring.find(api_key).key.live(admin.clock.now)


class TestBeyondLoopback:
    """MD5 signatures never age: beyond loopback a key that moves money needs an allow-list."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, public=msgspec.structs.replace(settings.public, host="0.0.0.0"))

    def test_a_key_that_may_trade_needs_an_allow_list(self, admin: Any, error: Error) -> None:
        reply = admin.post(KEYS, {"permissions": ["trade"]})
        assert error(reply) == (422, "invalid")
        assert reply.json()["error"]["name"] == "allow"
        assert admin.post(KEYS, {"permissions": ["trade"], "allow": ["10.0.0.0/8"]}).status_code == 201
        assert admin.post(KEYS, {"permissions": ["read"]}).status_code == 201

    def test_a_strict_key_needs_none(self, admin: Any) -> None:
        assert admin.post(KEYS, {"permissions": ["trade", "withdraw"], "strict": True}).status_code == 201
