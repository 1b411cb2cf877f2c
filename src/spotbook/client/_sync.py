"""`Client`: the blocking face."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from spotbook.client._config import DEFAULT_URL, MinVersion, from_environment, tls
from spotbook.client._core import Core, Options, Outcome, Pause, never_answered
from spotbook.client._replies import Answer, available_balances, complete_balances
from spotbook.client._requests import Request, Style
from spotbook.client._signing import Parameter
from spotbook.client.models import AvailableBalances, CompleteBalances, Reply
from spotbook.client.pacing import Pacing

__all__ = ["Client"]


class Client:
    """A client of one account, for as many threads as wish to share it.

    `timeout` is in seconds: for connecting, for sending, for each wait for bytes of the answer. `style` is one of the
    four ways of sending. `pacing` waits rather than be refused. `retries` repeats reads (return…, get…,
    spotbook.holds) up to so many times after no answer, a busy exchange, or a rate limit that says when it ends; a
    write is never repeated. `transport` is any httpx2 transport, for a proxy or for tests; the client closes it.
    The environment is not read: no proxy, no netrc; and nothing is logged.
    """

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        base_url: str = DEFAULT_URL,
        *,
        timeout: float = 10.0,
        style: Style | str = Style.FORM,
        pacing: Pacing | None = None,
        retries: int = 0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._core = Core(api_key, secret_key, base_url, timeout=timeout, style=style, pacing=pacing, retries=retries)
        self._transport = transport or httpx2.HTTPTransport(verify=tls(base_url), trust_env=False)
        self._sleep = sleep

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """From SPOTBOOK_API_KEY, SPOTBOOK_SECRET_KEY and, if it is set, SPOTBOOK_URL. ConfigurationError otherwise."""
        return cls(*from_environment(environ), **options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def complete_balances(self, *, min_version: MinVersion | None = None) -> CompleteBalances:
        """returnCompleteBalances: what is available and what is on orders, of every asset that the account has.

        With `min_version`, a version or (books, version), the host waits up to a second until it can show that version,
        and else answers ExchangeBusy. Raises any `SpotbookError`.
        """
        return complete_balances(self.request("returnCompleteBalances", min_version=min_version))

    def balances(self, *, min_version: MinVersion | None = None) -> AvailableBalances:
        """returnBalances: what is available, of every asset that the account has. Otherwise as `complete_balances`."""
        return available_balances(self.request("returnBalances", min_version=min_version))

    def call(self, command: str, /, *, min_version: MinVersion | None = None, **params: Parameter) -> Any:
        """Any private command by its own name and parameters: the `data` of its reply, fractional numbers as Decimal.

        A parameter is a str, an int or a Decimal (None leaves it out); a float is refused with TypeError.
        """
        return self.request(command, params, min_version=min_version).data

    def request(
        self,
        command: str,
        params: Mapping[str, Parameter] | None = None,
        *,
        min_version: MinVersion | None = None,
    ) -> Reply:
        """As `call`, but the whole reply: code, data, msg, headers, status."""
        outcome: Outcome | None = None
        with closing(self._core.converse(command, params or {}, min_version)) as steps:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    reply: Reply = end.value
                    return reply
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    outcome = None
                else:
                    outcome = self._send(step)

    def _send(self, request: Request) -> Outcome:
        try:
            response = self._transport.handle_request(self._core.http(request))
            try:
                return Answer(response.status_code, response.headers, response.read())
            finally:
                response.close()
        except httpx2.RequestError as error:
            return never_answered(error, request)
