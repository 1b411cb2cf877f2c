"""Requests as a client makes them, signed by code of the simulator's own, and what comes back."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

PRIVATE, PUBLIC = "/api/v1/private", "/api/v1/public"
_PLAIN = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"


class Call(NamedTuple):
    """One request. `flaw` names what is wrong with it, ``""`` when nothing is; `style` is how parameters travel.

    `signing` is ``md5``, ``v1`` (then `stamp` and `nonce` count) or ``none``, as for public commands.
    """

    command: str
    params: Mapping[str, str]
    address: str
    api_key: str = ""
    secret: str = ""
    signing: str = "md5"
    stamp: int = 0
    nonce: str = ""
    style: str = "form"
    flaw: str = ""

    @property
    def private(self) -> bool:
        """Whether it is signed."""
        return self.signing != "none"


class Reply(NamedTuple):
    """What came back: the code as it was written, number or text."""

    status: int
    code: str | int
    data: Any
    message: str
    headers: dict[str, str]


def request(call: Call) -> tuple[dict[str, Any], bytes]:
    """Return the request as an ASGI server hands it on: its scope, and its body."""
    fields = dict(call.params)
    headers: list[tuple[bytes, bytes]] = []
    if call.signing == "md5":
        fields["api_key"] = call.api_key
        fields["sign"] = _md5(fields, call.secret)
        _spoil(fields, call.flaw)
    query, body = f"command={call.command}", ""
    text = _encoded(fields) + ("&amount=1&amount=1" if call.flaw == "twice" else "")
    if call.style == "query" or not call.private:
        query += f"&{text}" if text else ""
    elif call.style == "json":
        body = json.dumps(fields)
        headers.append((b"content-type", JSON))
    else:
        body = text
        headers.append((b"content-type", FORM))
    if call.signing == "v1":
        headers += _v1(call, query, body)
    scope = {
        "type": "http",
        "method": "POST" if call.private else "GET",
        "path": PRIVATE if call.private else PUBLIC,
        "query_string": query.encode(),
        "headers": headers,
        "client": (call.address, 50_000),
    }
    return scope, body.encode()


def _encoded(fields: Mapping[str, str]) -> str:
    if all(_PLAIN.fullmatch(value) for value in fields.values()):
        return "&".join([f"{name}={value}" for name, value in fields.items()])
    return urlencode(fields)


def _md5(fields: Mapping[str, str], secret: str) -> str:
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields)) + f"&secret_key={secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _spoil(fields: dict[str, str], flaw: str) -> None:
    if flaw == "wrong sign":
        fields["sign"] = fields["sign"][::-1]
        if fields["sign"] == fields["sign"][::-1]:
            fields["sign"] = "0" * 32
    elif flaw == "lower case":
        fields["sign"] = fields["sign"].lower() + "x"
    elif flaw == "no sign":
        del fields["sign"]
    elif flaw == "changed after signing":
        fields["changed"] = "1"
    elif flaw == "ampersand":
        fields["symbol"] = "A&B"


def _v1(call: Call, query: str, body: str) -> list[tuple[bytes, bytes]]:
    digest = hashlib.sha256(body.encode()).hexdigest()
    parts = ("v1", "POST", PRIVATE, query, digest, str(call.stamp), call.nonce, call.api_key)
    sign = hmac.new(call.secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
    if call.flaw == "wrong sign":
        sign = ("1" if sign[0] == "0" else "0") + sign[1:]
    stamp = "" if call.flaw == "no stamp" else str(call.stamp)
    return [
        (b"x-spotbook-key", call.api_key.encode()),
        (b"x-spotbook-timestamp", stamp.encode()),
        (b"x-spotbook-nonce", call.nonce.encode()),
        (b"x-spotbook-signature", sign.encode()),
    ]


def reply(start: Mapping[str, Any], content: Mapping[str, Any]) -> Reply:
    """Return what the exchange sent."""
    said = json.loads(content["body"])
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    if said["success"] is said["failed"] or said["success"] is not (said["code"] == "200"):
        raise ValueError(f"an envelope that contradicts itself: {said}")
    return Reply(start["status"], said["code"], said.get("data"), said["msg"], headers)
