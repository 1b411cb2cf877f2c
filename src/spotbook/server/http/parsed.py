"""uvicorn's protocol, with requests made of what its parser says at half the price.

The parser makes some ten calls for a request. What uvicorn does in them also serves WebSockets, a path before ours, a
bound on tasks and a log of accesses, none of which there is here.
"""

import asyncio
from functools import lru_cache
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from spotbook.limits import TARGET_BYTES_REMEMBERED, TARGETS_REMEMBERED


def _read_target(url: bytes) -> tuple[str, bytes, bytes]:
    """Return a target's path, decoded and raw, and its query. What is none raises what the parser takes for its own."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""


_remembered = lru_cache(TARGETS_REMEMBERED)(_read_target)


class ParsedProtocol(HttpToolsProtocol):
    """A connection that makes a request's scope and its cycle by itself."""

    def begin_request(self, version: str) -> None:
        """Begin the request whose head is whole, or let it wait for the one before it."""
        scope, url = self.scope, self.url
        scope["method"] = self.parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        target = _remembered(url) if len(url) <= TARGET_BYTES_REMEMBERED else _read_target(url)
        scope["path"], scope["raw_path"], scope["query_string"] = target
        before: RequestResponseCycle | None = self.cycle
        self.cycle = self.make_cycle(keep_alive=version != "1.0" and self.parser.should_keep_alive())
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def make_cycle(self, *, keep_alive: bool) -> RequestResponseCycle:
        """Return what answers the request."""
        return RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
