"""The comparators, on the same HTTP server with the same settings as Spotbook's.

``python -m bench.servers.plain constant``, ``… fastapi FILE`` or ``… fastapi_orders FILE``.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from bench.comparators import constant


def application(name: str, arguments: list[str]) -> Any:
    """Return the comparator of this name."""
    if name == "constant":
        return constant.app
    # Only `make bench` installs what these import.
    from bench.comparators import fastapi_orders, fastapi_sqlalchemy  # noqa: PLC0415

    applications = {"fastapi": fastapi_sqlalchemy.make_app, "fastapi_orders": fastapi_orders.make_app}
    return applications[name](Path(arguments[0]))


def main() -> None:
    """Serve until SIGTERM."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application(sys.argv[1], sys.argv[2:]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=75,
        backlog=4096,
    )
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
