"""The wire API's listener: which path is answered by what."""

from collections.abc import Awaitable, Callable

from spotbook.domain.address import Networks
from spotbook.server.body import Receive, Scope, Send
from spotbook.server.freshness import Commits
from spotbook.server.gate import Gate
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.private import PrivatePath
from spotbook.server.public import PublicPath
from spotbook.server.replies import failed, send_reply
from spotbook.wire.coinw import errors

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def wire_app(parts: Parts, commits: Commits, moment: Moment) -> App:
    """Return the ASGI application of the wire API."""
    gate = Gate(parts, Networks(parts.settings.proxy.trusted))
    private, public = PrivatePath(parts, gate, commits, moment), PublicPath(parts, gate, moment)
    paths: dict[str, App] = {
        "/api/v1/private": private,
        "/v1/private": private,
        "/api/v1/public": public,
        "/v1/public": public,
    }

    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: each costs a hundredth of what a read does.
        path = paths.get(scope["path"])
        return path(scope, receive, send) if path else send_reply(send, failed(errors.NO_SUCH_PATH, status=404))

    return app
