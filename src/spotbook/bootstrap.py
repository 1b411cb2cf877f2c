"""The one place where the parts are joined.

::

    run ──▶ Running: two listeners in one event loop, the writer in a thread of its own
    Offline ─▶ the same books without listeners, for commands that must be alone with them
    found ──▶ new books
"""

import asyncio
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import structlog
import uvloop

from spotbook.app import bans
from spotbook.app.board import Board
from spotbook.app.engine import Engine
from spotbook.app.keys import KEY_COMMANDS, KeyRing, Keys, check_master_key, first_seal
from spotbook.app.ports import Clock
from spotbook.app.readers import Readers
from spotbook.app.writer import Commit, Done, Refused, Writer
from spotbook.domain.address import Networks
from spotbook.domain.commands import Command, FoundBooks
from spotbook.domain.credentials import Actor, House, Key
from spotbook.domain.pacing import Pacer
from spotbook.server import logs
from spotbook.server.admin import admin_app
from spotbook.server.auditing import audit_desk, background_audit
from spotbook.server.door import Door, Room, claim_descriptors, room_for
from spotbook.server.freshness import Commits
from spotbook.server.http.listener import Listener
from spotbook.server.http.wire import WireProtocol
from spotbook.server.metrics import Metrics
from spotbook.server.moment import Moment
from spotbook.server.parts import Parts
from spotbook.server.wire_app import wire_app
from spotbook.settings import Settings
from spotbook.store.create import create
from spotbook.store.file import passing
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import AesVault

SWITCH_SECONDS = 0.001
"""How long the writer's thread keeps the interpreter while the event loop waits for it. The loop asks for it again with
each connection that has something to read, so at Python's own 5 ms a flood waits for seconds to be told "busy"."""

HEAD_LOG_SECONDS = 60.0
"""How often the journal's head is logged: who keeps the logs elsewhere can show later that no tail was cut off."""

Alarm = Callable[[str, BaseException | None], None]
_log = structlog.get_logger()


class Running(NamedTuple):
    """Where a running Spotbook answers."""

    url: str
    admin_url: str


class NotCarriedOut(Exception):
    """A command that was to be carried out offline was not, for a reason that is no refusal."""


def wall_clock() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def steady_clock() -> Clock:
    """Return a clock of milliseconds since 1970 that never jumps: anchored now, then counting."""
    anchor_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (anchor_ns + time.monotonic_ns()) // 1_000_000


def spare_collector() -> None:
    """Keep the garbage collector from looking through what is there for good, again and again, and from long looks.

    While it looks nobody is answered: at 50,000 new objects, most of which are rows and orders that stay, that took up
    to 80 ms, and 200 at a million. So it looks at few, twice at most, and then hardly ever again. What a connection
    leaves behind is freed without it, however old it is; see `tests/integration/test_http_garbage.py`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 0, 20_000)


def alarm_to(metrics: Metrics | None) -> Alarm:
    """Return what logs an alarm, and counts it."""

    def alarm(words: str, fault: BaseException | None) -> None:
        if metrics is not None:
            metrics.alarms += 1
        _log.error(words, **({} if fault is None else logs.fault_place(fault)))

    return alarm


def found(folder: Path, master_key: str) -> None:
    """Make empty books, sealed to a master key, with the house's accounts. BooksExist when there are some."""
    vault = AesVault(master_key)
    create(folder)
    store = SqliteStore(folder)
    try:
        store.reseal([first_seal(vault)])
    finally:
        store.close()
    with Offline(folder, master_key) as offline:
        offline.execute(FoundBooks(), House("init"))


class Offline:
    """Books opened alone, without listeners. Raises OpenRefused or MasterKeyWrong."""

    def __init__(self, folder: Path, master_key: str) -> None:
        vault = AesVault(master_key)
        self.store = SqliteStore(folder)
        try:
            self.reader = self.store.reader()
            check_master_key(self.reader.master_key_check(), vault)
        except BaseException:
            self.store.close()
            raise
        alarm = alarm_to(None)
        self.engine = Engine(lambda: Writer(self.store, wall_clock, alarm=alarm), alarm=alarm)
        self.keys = Keys(self.engine, vault, wall_clock)

    def __enter__(self) -> Self:
        self.engine.start()
        self.engine.recovered.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.drain()
        self.reader.close()
        self.store.close()

    def execute(self, command: Command, actor: Actor) -> Any:
        """Carry a command out; return its result. Raises its Refusal, or NotCarriedOut."""
        outcome = self.engine.execute(command, actor)
        if isinstance(outcome, Done):
            return outcome.result
        if isinstance(outcome, Refused):
            raise outcome.refusal
        raise NotCarriedOut(outcome.why)


def run(settings: Settings, master_key: str, *, ready: Callable[[Running], None]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0, or 1 when the store broke.

    Raises OpenRefused, MasterKeyWrong or OSError (a port that is taken, too few open files allowed) before anything is
    served. `ready` is called once both listeners answer and the recovery is over.
    """
    logs.configure(settings.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    room = room_for(claim_descriptors())
    vault = AesVault(master_key)
    with ExitStack() as opened:
        store = SqliteStore(settings.data)
        opened.callback(store.close)
        reader = store.reader()
        opened.callback(reader.close)
        check_master_key(reader.master_key_check(), vault)
        bound = [opened.enter_context(_bound(at.host, at.port)) for at in (settings.public, settings.admin)]
        return uvloop.run(_serve(settings, vault, store, bound, ready, room=room))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"{host}:{port} cannot be listened on: {error.strerror}") from None
    return listening


async def _serve(
    settings: Settings,
    vault: AesVault,
    store: SqliteStore,
    bound: Sequence[socket.socket],
    ready: Callable[[Running], None],
    *,
    room: Room,
) -> int:
    public, admin = bound
    loop = asyncio.get_running_loop()
    stop, broke = asyncio.Event(), asyncio.Event()
    commits, metrics = Commits(loop), Metrics()
    alarm = alarm_to(metrics)

    def committed(commit: Commit) -> None:
        _tell(parts.ring, commit, disturbed=store.disturbed())
        commits.note()

    def ended() -> None:
        loop.call_soon_threadsafe(broke.set)
        loop.call_soon_threadsafe(stop.set)

    board = Board()

    def writer() -> Writer:
        return Writer(store, wall_clock, alarm=alarm, committed=committed, depths=board.publish)

    engine = Engine(writer, alarm=alarm, ended=ended)
    parts = _parts(settings, vault, store, engine, board=board, metrics=metrics)
    parts.ring.note(parts.reader.head().number)
    tls: dict[str, Any] = {
        "ssl_certfile": settings.tls.certificate and str(settings.tls.certificate),
        "ssl_keyfile": settings.tls.private_key and str(settings.tls.private_key),
    }
    wire = wire_app(parts, commits, Moment(loop, parts.reader))
    audit_readers = Readers(lambda: SqliteReader(settings.data, mapped=False))
    desk = audit_desk(parts, audit_readers)
    background = background_audit(parts, lambda: SqliteReader(settings.data, mapped=False), passing)
    doors = _doors(settings, room, metrics)
    listeners = [
        Listener(wire, public, WireProtocol, doors[0], **tls),
        Listener(admin_app(parts, desk, background), admin, door=doors[1], **tls),
    ]
    serving = [asyncio.create_task(listener.serve()) for listener in listeners]
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine.start()
    head_log = asyncio.create_task(_log_head(parts))
    try:
        await _until_ready(listeners, serving, engine)
        if engine.condition != "ended":
            scheme = "https" if settings.tls.certificate else "http"
            ready(Running(_url(scheme, public), _url(scheme, admin)))
            spare_collector()
            if settings.audit.enabled:
                background.start()
            await stop.wait()
    finally:
        head_log.cancel()
        for listener in listeners:
            listener.should_exit = True
        ends = await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.to_thread(background.close)
        # Answers of queued commands find their clients served until the listeners have ended; then nothing is queued.
        await asyncio.to_thread(engine.drain)
        desk.close()
        audit_readers.close()
        parts.readers.close()
        parts.reader.close()
    for end in ends:
        if end is not None:
            raise end
    return 1 if broke.is_set() else 0


def _tell(ring: KeyRing, commit: Commit, *, disturbed: bool) -> None:
    """Tell the ring of a batch: whether a key may have changed, by the batch or by somebody else."""
    if disturbed or not KEY_COMMANDS.isdisjoint(commit.commands):
        ring.note(commit.batch.number)
    ring.vouch(commit.batch.time)


def _parts(
    settings: Settings, vault: AesVault, store: SqliteStore, engine: Engine, *, board: Board, metrics: Metrics
) -> Parts:
    alarm = alarm_to(metrics)
    reader = store.reader()
    pace_clock = steady_clock()
    pacer = Pacer(settings.limits)
    pacer.restore(bans.restore_list(reader), pace_clock())
    metrics.gauge("spotbook_queue_depth", "Commands that wait for the writer.", lambda: engine.queued)
    metrics.gauge("spotbook_batches", "Batches that this process has carried out.", lambda: engine.batches)
    metrics.gauge("spotbook_commands", "Commands that this process has carried out.", lambda: engine.commands)
    metrics.gauge("spotbook_log_pages", "Pages in the write-ahead log when last copied back.", lambda: store.log_pages)

    def tampered(key: Key) -> None:
        # By account and time: an api_key comes with a signed call, and nothing of one is ever logged.
        named = f"of account {key.account}, made at {key.made_at}"
        alarm(f"the row of an API key {named}, does not belong to its sealed secret: the key is shut", None)

    return Parts(
        settings=settings,
        clock=wall_clock,
        pace_clock=pace_clock,
        engine=engine,
        readers=Readers(store.reader),
        board=board,
        reader=reader,
        ring=KeyRing(reader, vault, tampered),
        keys=Keys(engine, vault, wall_clock),
        pacer=pacer,
        metrics=metrics,
        alarm=alarm,
    )


def _doors(settings: Settings, room: Room, metrics: Metrics) -> tuple[Door, Door]:
    """Return the doors of the wire API and of the Admin API."""
    per_address, trusted = settings.connections.per_address, Networks(settings.proxy.trusted)
    wire, admin = Door(room.wire, per_address, trusted), Door(room.admin, per_address, trusted)
    metrics.gauge("spotbook_connections", "Open connections of the wire API.", lambda: wire.open)
    metrics.gauge("spotbook_connections_refused", "Connections of the wire API refused so far.", lambda: wire.refused)
    return wire, admin


async def _until_ready(listeners: list[Listener], serving: list[asyncio.Task[None]], engine: Engine) -> None:
    """Return once both listeners answer and the recovery is over, or has failed. Raises what ended a listener."""
    # uvicorn tells that it has started by a plain attribute, so there is nothing to wait on.
    while not all(listener.started for listener in listeners) or engine.condition == "recovering":
        for task in serving:
            if task.done():
                await task
        await asyncio.sleep(0.005)


def _url(scheme: str, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def _log_head(parts: Parts) -> None:
    last = -1
    while True:
        try:
            head = parts.reader.head()
        except Exception as fault:  # noqa: BLE001  (a read that failed once must not end the log of heads)
            parts.alarm("the journal's head could not be read for the log", fault)
        else:
            if head.number != last:
                last = head.number
                _log.info("head", batch=head.number, hash=head.hash.hex())
        await asyncio.sleep(HEAD_LOG_SECONDS)
