"""What the private and the public path share: reading the request, and answering it whatever happens."""

import time
from typing import ClassVar

from spotbook.server.body import ClientGone, Receive, Scope, Send, read_body
from spotbook.server.gate import Gate, Passed
from spotbook.server.parts import Parts
from spotbook.server.replies import Reply, failed, send_reply
from spotbook.wire.coinw import errors


class Path:
    """One path of the wire API, as an ASGI application. A subclass says how a call that passed the gate is answered."""

    methods: ClassVar[frozenset[str]]
    wrong_method: ClassVar[Reply]

    def __init__(self, parts: Parts, gate: Gate) -> None:
        self._parts = parts
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, whatever happens, unless its client is gone."""
        began = time.perf_counter()
        name = "unknown"
        try:
            if scope["method"] not in self.methods:
                reply = self.wrong_method
            else:
                passed = self._gate.admit(scope, await read_body(scope, receive))
                if isinstance(passed, Passed):
                    name, reply = await self.answer(passed)
                else:
                    reply = passed
        except ClientGone:
            return
        except Exception as fault:  # noqa: BLE001  (a fault in one call must not end its connection without a word)
            self._parts.alarm("a call of the wire API failed", fault)
            reply = failed(errors.BUSY)
        await send_reply(send, reply)
        self._parts.metrics.reply(name, reply.code, time.perf_counter() - began)

    async def answer(self, passed: Passed) -> tuple[str, Reply]:
        """Return the name of the command, ``unknown`` for one that does not exist, and the reply."""
        raise NotImplementedError
