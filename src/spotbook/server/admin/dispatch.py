"""What comes before and after every endpoint.

The first check that fails answers: Host (421) → path (404) → method (405) → token (401) → role (403) → query (422) →
size of the body (413) → its JSON (400) → its fields (422) → the endpoint's own.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from spotbook.domain.errors import PermissionMissing, Refusal
from spotbook.limits import BODY_BYTES_MAX
from spotbook.server.admin.endpoint import Call, Endpoint, In, Reply
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import Failed, failure, misread, refused, unauthorised

_encode = msgspec.json.Encoder().encode


def response(reply: Reply) -> Response:
    """Return the reply as it is sent. Nothing that is said here may be kept by anybody on the way."""
    headers = {"cache-control": "no-store", **dict(reply.headers)}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers)
    return Response(_encode(reply.body), reply.status, headers, "application/json")


def answering(office: Office, endpoints: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers the requests to one path; `endpoints` has its endpoint by method."""
    decoders = {method: _decoder(endpoint) for method, endpoint in endpoints.items()}

    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = endpoints[method]
        try:
            call = await _call(office, endpoint, decoders[method], request)
            reply = await endpoint.handler(office, call)
        except Refusal as refusal:
            reply = refused(refusal)
        except Failed as failed:
            reply = failed.reply
        except ClientDisconnect:
            reply = Reply(400, None)  # nobody reads it
        except Exception as fault:  # noqa: BLE001  (one call's fault is the operator's alarm, not the listener's end)
            office.parts.alarm(f"{endpoint.method} {endpoint.path} failed", fault)
            reply = failure(500, "internal", "an internal fault; the operator's log has it")
        return response(reply)

    return answer


def _decoder(endpoint: Endpoint) -> Callable[[bytes], Any] | None:
    return None if endpoint.body is None else msgspec.json.Decoder(endpoint.body).decode


async def _call(office: Office, endpoint: Endpoint, decode: Callable[[bytes], Any] | None, request: Request) -> Call:
    token = office.tokens.find(_header(request, b"authorization"))
    if token is None:
        raise Failed(unauthorised("no_token", "send a token that is live, as Authorization: Bearer <token>"))
    if endpoint.role not in token.roles:
        raise PermissionMissing(endpoint.role)
    query = _query(endpoint.query, request)
    body = None if decode is None else _read(decode, await _body(request))
    return Call(request.path_params, query, body, token, endpoint.role)


def _header(request: Request, name: bytes) -> bytes:
    """Return the header, or nothing when it is there more than once: then nobody can tell which one is meant."""
    values: list[bytes] = [value for key, value in request.scope["headers"] if key == name]
    return values[0] if len(values) == 1 else b""


def _query(kind: type[In], request: Request) -> Any:
    text = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Failed(failure(422, "invalid", "a parameter is given twice"))
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Failed(misread(error)) from None


async def _body(request: Request) -> bytes:
    announced = _header(request, b"content-length")
    if announced.isdigit() and int(announced) > BODY_BYTES_MAX:
        raise Failed(_too_large())
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise Failed(_too_large())
        parts.append(part)
    return b"".join(parts)


def _too_large() -> Reply:
    words = f"a body has at most {BODY_BYTES_MAX} bytes"
    return failure(413, "body_too_large", words, headers=(("connection", "close"),))


def _once_each(body: bytes) -> None:
    """Raise Failed when an object in the body names a member twice: of two amounts nobody can tell which is meant."""

    def unique(members: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) != len(members):
            raise Failed(failure(422, "invalid", "a member is given twice"))

    if body.count(b'"') > 2:  # else there is no second name
        with suppress(ValueError):  # what is no JSON is told so by who reads it
            json.loads(body, object_pairs_hook=unique)


def _read(decode: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        _once_each(body)
        return decode(body)
    except msgspec.ValidationError as error:
        raise Failed(misread(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(failure(400, "malformed", f"the body is no JSON: {error}")) from None
