"""Health and metrics: without a token, and so without a detail that could help a stranger."""

from typing import Annotated, Literal

from msgspec import Meta
from prometheus_client import CONTENT_TYPE_LATEST

from spotbook.server.admin.endpoint import Out, Reply
from spotbook.server.admin.office import Office


class Alive(Out, frozen=True):
    """The process serves; the journal's end, by which a cut tail can be shown later."""

    ok: Literal[True]
    batch: int
    hash: str


class Ready(Out, frozen=True):
    """Commands are carried out."""

    ready: Literal[True]


class NotReady(Out, frozen=True):
    """Some or all commands are not carried out. The reasons are in /admin/v1/status."""

    ready: Literal[False]
    why: Literal["recovering", "halted", "stopped", "read_only", "draining", "ended"]


Metrics = Annotated[str, Meta(description="Prometheus' text format.")]


async def healthz(office: Office) -> Reply:
    """Answer that the process serves."""
    head = office.parts.reader.head()
    return Reply(200, Alive(ok=True, batch=head.number, hash=head.hash.hex()))


async def readyz(office: Office) -> Reply:
    """Answer whether commands are carried out."""
    condition = office.parts.engine.condition
    if condition != "running":
        return Reply(503, NotReady(ready=False, why=condition))
    standing = office.standing().standing
    if standing != "running":
        return Reply(503, NotReady(ready=False, why=standing))  # type: ignore[arg-type]  # halted or stopped
    return Reply(200, Ready(ready=True))


async def metrics(office: Office) -> Reply:
    """Answer with the metrics."""
    return Reply(200, office.parts.metrics.text(), (("content-type", CONTENT_TYPE_LATEST),))
