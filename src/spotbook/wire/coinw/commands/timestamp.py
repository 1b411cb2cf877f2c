"""timestamp (an old public command): the server's time in milliseconds, as a number."""

from collections.abc import Mapping

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicRead


def answer(params: Mapping[str, str], now: int) -> bytes:  # noqa: ARG001  (one shape for all)
    """Answer with the time."""
    return str(now).encode()


COMMAND = PublicRead("timestamp", Limit(80, 1_000), answer)
