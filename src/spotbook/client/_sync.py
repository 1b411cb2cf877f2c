"""`Client` and `PublicClient`: the blocking face."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack

import httpx2

from spotbook.client._ask import Ask, describe
from spotbook.client._commands import account, fills, orders, public, trading
from spotbook.client._config import DEFAULT_URL, MinVersion, from_environment, tls, url_from_environment
from spotbook.client._core import Core, Options, Outcome, Pause, PublicOptions, never_answered
from spotbook.client._replies import Answer
from spotbook.client._requests import Request, Signer, Signing, Style, public_request
from spotbook.client._signing import Parameter
from spotbook.client.models import Reply
from spotbook.client.orders import MyTrade
from spotbook.client.pacing import Pacing

__all__ = ["Client", "PublicClient"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _blocking(build: Callable[Arguments, Ask[Result]]) -> Callable[Concatenate[Any, Arguments], Result]:
    """The method that sends what `build` asks, and gives what it answers."""

    def method(self: "PublicClient", /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return self._asked(build(*args, **kwargs))

    describe(method, build)
    return method


class PublicClient:
    """A client of what everybody may ask: no key, no signature. For as many threads as wish to share it.

    The arguments are those of `Client`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        timeout: float = 10.0,
        pacing: Pacing | None = None,
        retries: int = 0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._core = Core(base_url, timeout=timeout, pacing=pacing, retries=retries)
        self._transport = transport or httpx2.HTTPTransport(verify=tls(base_url), trust_env=False)
        self._sleep = sleep

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[PublicOptions]) -> Self:
        """From SPOTBOOK_URL, if it is set."""
        return cls(url_from_environment(environ), **options)

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

    symbols = _blocking(public.symbols)
    ticker = _blocking(public.ticker)
    currencies = _blocking(public.currencies)
    order_book = _blocking(public.order_book)
    order_books = _blocking(public.order_books)
    trades = _blocking(public.trades)
    candles = _blocking(public.candles)
    volumes_24h = _blocking(public.volumes_24h)
    server_time = _blocking(public.server_time)

    def public_request(self, command: str, params: Mapping[str, Parameter] | None = None) -> Reply:
        """Any public command by its own name and parameters: the whole reply."""
        return self._converse(public_request(self._core.base_url, command, params or {}))

    def _request(self, ask: Ask[Any]) -> Request:
        return public_request(self._core.base_url, ask.command, ask.params)

    def _asked(self, ask: Ask[Result]) -> Result:
        request = self._request(ask)
        return ask.answer(self._converse(request), is_write=request.is_write)

    def _converse(self, request: Request) -> Reply:
        outcome: Outcome | None = None
        with closing(self._core.converse(request)) as steps:
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


class Client(PublicClient):
    """A client of one account, for as many threads as wish to share it. It also has all that `PublicClient` has.

    `timeout` is in seconds: for connecting, for sending, for each wait for bytes of the answer. `style` is one of the
    four ways of sending. `signing` is ``md5``, as on the exchange, or ``hmac``, which a strict key asks for: a call
    signed so is of no use to who reads it. `pacing` waits rather than be refused. `retries` repeats reads up to so many
    times after no answer, a busy exchange, or a rate limit that says when it ends; a write is never repeated.
    `transport` is any httpx2 transport, for a proxy or for tests; the client closes it.
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
        signing: Signing | str = Signing.MD5,
        pacing: Pacing | None = None,
        retries: int = 0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._signer = Signer(api_key, secret_key, style, signing)
        super().__init__(base_url, timeout=timeout, pacing=pacing, retries=retries, transport=transport, sleep=sleep)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """From SPOTBOOK_API_KEY, SPOTBOOK_SECRET_KEY and, if it is set, SPOTBOOK_URL. ConfigurationError otherwise."""
        return cls(*from_environment(environ), **options)

    complete_balances = _blocking(account.complete_balances)
    balances = _blocking(account.balances)
    holds = _blocking(account.holds)
    place_limit = _blocking(trading.place_limit)
    place_market = _blocking(trading.place_market)
    cancel = _blocking(trading.cancel)
    cancel_all = _blocking(trading.cancel_all)
    open_orders = _blocking(orders.open_orders)
    order = _blocking(orders.order)
    order_status = _blocking(orders.order_status)
    order_by_reference = _blocking(orders.order_by_reference)
    closed_orders = _blocking(orders.closed_orders)
    orders_by_number = _blocking(orders.orders_by_number)
    my_trades_page = _blocking(fills.my_trades_page)

    def my_trades(
        self, symbol: str | None = None, *, start: int | None = None, end: int | None = None
    ) -> Iterator[MyTrade]:
        """getUserTrades: the account's fills, the newest first, page after page as they are iterated."""
        after = None
        while True:
            page = self.my_trades_page(symbol, start=start, end=end, limit=100, after=after)
            yield from page.trades
            if (after := page.older_than(after)) is None:
                return

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
        return self._converse(self._signer.request(self._core.base_url, command, params or {}, min_version))

    def _request(self, ask: Ask[Any]) -> Request:
        if ask.is_public:
            return super()._request(ask)
        return self._signer.request(self._core.base_url, ask.command, ask.params, ask.min_version)
