"""How long books take to be served: the engine's recovery, and a server from its start to its first signed reply."""

import os
import time
from pathlib import Path

from bench import books, machine
from bench.process import running
from bench.report import Figure
from spotbook.store.file import FILE
from spotbook.store.sqlite import SqliteStore


def figures(folder: Path, master_key: str, body: str, *, ceiling: float = 0) -> list[Figure]:
    """Start on these books and answer `body`; `ceiling` is the most seconds that it should take."""
    recovery = _recovery(folder)
    _forget_pages(folder / FILE)
    with running("bench.servers.ours", [str(folder)], body, {"SPOTBOOK_MASTER_KEY": master_key}) as server:
        memory = machine.memory_mib(server.pid)
        return [
            Figure("the engine recovers in", recovery, "s"),
            Figure("start to first signed reply", server.start_seconds, "s", ceiling=ceiling),
            Figure("memory then, resident", memory["VmRSS"], "MiB"),
            Figure("memory then, not pages of files", memory["RssAnon"], "MiB"),
            Figure("file of the books", (folder / FILE).stat().st_size / 2**20, "MiB"),
        ]


def _recovery(folder: Path) -> float:
    begin = time.perf_counter()
    store = SqliteStore(folder)
    with books.engine_on(store):
        took = time.perf_counter() - begin
    store.close()
    return took


def _forget_pages(file: Path) -> None:
    """Let the system forget what it holds of a file, so that a start reads from the disk."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
