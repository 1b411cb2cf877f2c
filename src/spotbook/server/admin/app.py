"""The Admin API's application: the Host header first, then one route a path."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from spotbook.app.audit import AuditDesk, BackgroundAudit
from spotbook.server.admin.dispatch import answering, response
from spotbook.server.admin.endpoint import PREFIX, Endpoint, Reply
from spotbook.server.admin.office import Office
from spotbook.server.admin.openapi import document
from spotbook.server.admin.refusals import failure
from spotbook.server.admin.routes import ENDPOINTS, PROBES, Probe
from spotbook.server.auditing import audit_desk
from spotbook.server.parts import Parts


def admin_app(parts: Parts, audits: AuditDesk | None = None, background: BackgroundAudit | None = None) -> ASGIApp:
    """Return the ASGI application of the admin listener. `audits` is shared with whoever else audits, if given."""
    office = Office(parts, audits or audit_desk(parts), background)
    app = Starlette(routes=_routes(office), exception_handlers={HTTPException: _http_error})
    app.router.redirect_slashes = False  # a path with a slash at its end is another path
    return KnownHosts(app, parts.settings.admin_hosts)


class KnownHosts:
    """Lets in only requests whose Host header names this server.

    A web page that an operator visits can make their browser call 127.0.0.1 under a name of its own; such a request
    carries that name. It is refused before anything else is looked at, health and metrics included.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._wrong = response(failure(421, "wrong_host", "the Host header names no host of this server"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self._knows(scope):
            await self._wrong(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        host: bytes = hosts[0].lower()
        if host in self._hosts:
            return True
        name, _, port = host.rpartition(b":")
        return port.isdigit() and name in self._hosts


def _routes(office: Office) -> list[BaseRoute]:
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        wide = endpoint.wide
        path = PREFIX + endpoint.path.replace(f"{{{wide}}}", f"{{{wide}:path}}")
        paths.setdefault(path, {})[endpoint.method] = endpoint
    routes: list[BaseRoute] = [
        Route(path, answering(office, endpoints), methods=list(endpoints)) for path, endpoints in paths.items()
    ]
    routes += [Route(probe.path, _probing(office, probe), methods=["GET"]) for probe in PROBES]
    described = msgspec.json.encode(document())

    async def openapi(request: Request) -> Response:  # noqa: ARG001
        return response(Reply(200, described, (("content-type", "application/json"),)))

    return [*routes, Route("/openapi.json", openapi, methods=["GET"])]


def _probing(office: Office, probe: Probe) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:  # noqa: ARG001
        try:
            return response(await probe.answer(office))
        except Exception as fault:  # noqa: BLE001  (a probe that fails says so, and no more)
            office.parts.alarm(f"{probe.path} failed", fault)
            return response(failure(500, "internal", "an internal fault; the operator's log has it"))

    return answer


async def _http_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Answer what the routing itself refuses: a path or a method that does not exist."""
    status: Any = getattr(error, "status_code", 500)
    headers = tuple((getattr(error, "headers", None) or {}).items())
    code = {404: "no_such_path", 405: "wrong_method"}.get(status, "refused")
    return response(failure(status, code, HTTPStatus(status).phrase.lower(), headers=headers))
