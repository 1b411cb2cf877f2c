"""Logs: one line of JSON an event, on standard error. Nothing of a request is ever among them.

What uvicorn says goes the same way. Its access log is off: three of the four ways to send a signed call put the
signature into the URL.
"""

import logging
import sys
import traceback
from typing import TextIO

import structlog
from structlog.typing import Processor

from spotbook.app.ports import StoreError
from spotbook.domain.errors import InvariantBroken


def configure(level: str, stream: TextIO | None = None) -> None:
    """Write events of this level and above as JSON lines."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Its warnings are one for each request that is no HTTP: who sends thousands a second must not fill the disk.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def fault_place(fault: BaseException) -> dict[str, str]:
    """Return what may be told of a fault: its kind, where it arose, and what the store or the books say of themselves.

    Any other message stays untold: it may quote what a client sent.
    """
    frames = traceback.extract_tb(fault.__traceback__)
    told = {"fault": type(fault).__name__, "at": f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""}
    if isinstance(fault, StoreError | InvariantBroken):
        told["message"] = str(fault)
    return told
