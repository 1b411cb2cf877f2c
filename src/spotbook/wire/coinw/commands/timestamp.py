"""timestamp (an old public command): the server's time in milliseconds, as a number."""

from spotbook.domain.window import Limit
from spotbook.wire.coinw.command import PublicCall, PublicRead


def answer(call: PublicCall) -> bytes:
    """Answer with the time."""
    return str(call.now).encode()


COMMAND = PublicRead("timestamp", Limit(80, 1_000), answer)
