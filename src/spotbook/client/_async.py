"""`AsyncClient` and `AsyncPublicClient`: the face for asyncio. Line by line the same as the blocking one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
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

__all__ = ["AsyncClient", "AsyncPublicClient"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _awaited(
    build: Callable[Arguments, Ask[Result]],
) -> Callable[Concatenate[Any, Arguments], Coroutine[Any, Any, Result]]:
    """The coroutine method that sends what `build` asks, and gives what it answers."""

    async def method(self: "AsyncPublicClient", /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return await self._asked(build(*args, **kwargs))

    describe(method, build)
    return method


class AsyncPublicClient:
    """A client of what everybody may ask: no key, no signature. For as many tasks of one event loop as wish.

    The arguments are those of `AsyncClient`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        timeout: float = 10.0,
        pacing: Pacing | None = None,
        retries: int = 0,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._core = Core(base_url, timeout=timeout, pacing=pacing, retries=retries)
        self._transport = transport or httpx2.AsyncHTTPTransport(verify=tls(base_url), trust_env=False)
        self._sleep = sleep

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[PublicOptions]) -> Self:
        """From SPOTBOOK_URL, if it is set."""
        return cls(url_from_environment(environ), **options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    symbols = _awaited(public.symbols)
    ticker = _awaited(public.ticker)
    currencies = _awaited(public.currencies)
    order_book = _awaited(public.order_book)
    order_books = _awaited(public.order_books)
    trades = _awaited(public.trades)
    candles = _awaited(public.candles)
    volumes_24h = _awaited(public.volumes_24h)
    server_time = _awaited(public.server_time)

    async def public_request(self, command: str, params: Mapping[str, Parameter] | None = None) -> Reply:
        """Any public command by its own name and parameters: the whole reply."""
        return await self._converse(public_request(self._core.base_url, command, params or {}))

    def _request(self, ask: Ask[Any]) -> Request:
        return public_request(self._core.base_url, ask.command, ask.params)

    async def _asked(self, ask: Ask[Result]) -> Result:
        request = self._request(ask)
        return ask.answer(await self._converse(request), is_write=request.is_write)

    async def _converse(self, request: Request) -> Reply:
        outcome: Outcome | None = None
        with closing(self._core.converse(request)) as steps:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    reply: Reply = end.value
                    return reply
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._send(step)

    async def _send(self, request: Request) -> Outcome:
        try:
            response = await self._transport.handle_async_request(self._core.http(request))
            try:
                return Answer(response.status_code, response.headers, await response.aread())
            finally:
                await response.aclose()
        except httpx2.RequestError as error:
            return never_answered(error, request)


class AsyncClient(AsyncPublicClient):
    """A client of one account, for as many tasks of one event loop as wish to share it.

    It also has all that `AsyncPublicClient` has.

    `timeout` is in seconds: for connecting, for sending, for each wait for bytes of the answer. `style` is one of the
    four ways of sending. `signing` is ``md5``, as on the exchange, or ``hmac``, which a strict key asks for: a call
    signed so is of no use to who reads it. `pacing` waits rather than be refused. `retries` repeats reads up to so many
    times after no answer, a busy exchange, or a rate limit that says when it ends; a write is never repeated.
    `transport` is any httpx2 transport, for a proxy or for tests; the client closes it.
    The environment is not read: no proxy, no netrc; and nothing is logged. A cancelled call may have been done.
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
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._signer = Signer(api_key, secret_key, style, signing)
        super().__init__(base_url, timeout=timeout, pacing=pacing, retries=retries, transport=transport, sleep=sleep)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """From SPOTBOOK_API_KEY, SPOTBOOK_SECRET_KEY and, if it is set, SPOTBOOK_URL. ConfigurationError otherwise."""
        return cls(*from_environment(environ), **options)

    complete_balances = _awaited(account.complete_balances)
    balances = _awaited(account.balances)
    holds = _awaited(account.holds)
    place_limit = _awaited(trading.place_limit)
    place_market = _awaited(trading.place_market)
    cancel = _awaited(trading.cancel)
    cancel_all = _awaited(trading.cancel_all)
    open_orders = _awaited(orders.open_orders)
    order = _awaited(orders.order)
    order_status = _awaited(orders.order_status)
    order_by_reference = _awaited(orders.order_by_reference)
    closed_orders = _awaited(orders.closed_orders)
    orders_by_number = _awaited(orders.orders_by_number)
    my_trades_page = _awaited(fills.my_trades_page)

    async def my_trades(
        self, symbol: str | None = None, *, start: int | None = None, end: int | None = None
    ) -> AsyncIterator[MyTrade]:
        """getUserTrades: the account's fills, the newest first, page after page as they are iterated."""
        after = None
        while True:
            page = await self.my_trades_page(symbol, start=start, end=end, limit=100, after=after)
            for trade in page.trades:
                yield trade
            if (after := page.older_than(after)) is None:
                return

    async def call(self, command: str, /, *, min_version: MinVersion | None = None, **params: Parameter) -> Any:
        """Any private command by its own name and parameters: the `data` of its reply, fractional numbers as Decimal.

        A parameter is a str, an int or a Decimal (None leaves it out); a float is refused with TypeError.
        """
        return (await self.request(command, params, min_version=min_version)).data

    async def request(
        self,
        command: str,
        params: Mapping[str, Parameter] | None = None,
        *,
        min_version: MinVersion | None = None,
    ) -> Reply:
        """As `call`, but the whole reply: code, data, msg, headers, status."""
        return await self._converse(self._signer.request(self._core.base_url, command, params or {}, min_version))

    def _request(self, ask: Ask[Any]) -> Request:
        if ask.is_public:
            return super()._request(ask)
        return self._signer.request(self._core.base_url, ask.command, ask.params, ask.min_version)
