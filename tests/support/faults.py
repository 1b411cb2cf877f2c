"""A server whose disk fails and whose clock jumps when a test says so, by the shim `faultshim.c`."""

import errno
import http.client
import json
import struct
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from support.demo import Demo
from support.shims import compiled


class Orders(NamedTuple):
    """What the shim is to do: seconds that the clock is off, and the error of each, 0 for none."""

    seconds: int = 0
    write: int = 0
    read: int = 0
    open_to_write: int = 0


SOUND = Orders()
FULL = Orders(write=errno.ENOSPC)
BAD_WRITES = Orders(write=errno.EIO)
BAD_READS = Orders(read=errno.EIO)
READ_ONLY = Orders(write=errno.EROFS, open_to_write=errno.EROFS)


class Machine:
    """A disk with books, and a clock. `environment` puts a server on it."""

    def __init__(self, folder: Path) -> None:
        self.books = folder / "disk" / "books"
        self.books.parent.mkdir()
        self._orders = folder / "orders"
        self.order(SOUND)
        self.environment = {
            "LD_PRELOAD": str(compiled("faultshim", folder)),
            "FAULTSHIM_FOLDER": str(self.books),
            "FAULTSHIM_ORDERS": str(self._orders),
        }

    def order(self, orders: Orders) -> None:
        """Let it be so from now on."""
        with self._orders.open("r+b" if self._orders.exists() else "wb") as file:  # it is mapped: never cut to nothing
            file.write(struct.pack("=4q", *orders))

    def demo(self) -> Demo:
        """Start a demo on it."""
        return Demo(self.books, environment=self.environment)


def readiness(demo: Demo) -> dict[str, Any]:
    """Return what /readyz says."""
    parts = urlsplit(demo.admin_url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("GET", "/readyz")
        said: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return said
