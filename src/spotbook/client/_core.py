"""What both faces share: one call as a conversation of steps, with no input or output of its own.

`Core.converse` takes a request, yields what is to be done (wait, or send it), is told how it went, and returns the
reply or raises. A face only carries out the steps, in its own way.
"""

import itertools
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypedDict

import httpx2

from spotbook.client import errors
from spotbook.client._config import checked_base_url
from spotbook.client._replies import Answer, parse
from spotbook.client._requests import PRIVATE_PATH, Request, Signing, Style
from spotbook.client.models import Reply
from spotbook.client.pacing import Pacing

__all__ = ["Core", "Options", "Outcome", "Pause", "PublicOptions", "Steps", "never_answered"]

RETRIES_MAX: Final = 10
RETRY_BASE_SECONDS: Final = 0.1
RETRY_WAIT_SECONDS_MAX: Final = 5.0


class PublicOptions(TypedDict, total=False):
    """What `from_env` hands on to a client without a key."""

    timeout: float
    pacing: Pacing | None
    retries: int


class Options(PublicOptions, total=False):
    """What `from_env` hands on to a client with one."""

    style: Style | str
    signing: Signing | str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Outcome = Answer | errors.SpotbookError
Steps = Generator[Pause | Request, Outcome | None, Reply]


class Core:
    """Has calls carried out, reads replies, decides about repeats."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        pacing: Pacing | None,
        retries: int,
        randomness: Callable[[], float] = random.random,
    ) -> None:
        if not 0 <= retries <= RETRIES_MAX:
            raise errors.ConfigurationError(f"retries is a number from 0 to {RETRIES_MAX}")
        self.base_url = checked_base_url(base_url)
        self._timeout = httpx2.Timeout(timeout).as_dict()
        self._pacing, self._retries, self._randomness = pacing, retries, randomness

    def converse(self, request: Request) -> Steps:
        """One call from beginning to end, repeats and waits included."""
        for attempt in itertools.count():
            outcome = yield from self._paced(request)
            if isinstance(outcome, Answer):
                result = parse(outcome, request.command, is_write=request.is_write)
                if isinstance(result, Reply):
                    return result
                outcome = result
            delay = self._retry_delay(request, outcome, attempt)
            if delay is None:
                raise outcome
            yield Pause(delay)
        raise AssertionError  # pragma: no cover (count() does not end)

    def http(self, request: Request) -> httpx2.Request:
        """The same for httpx2, with the timeout. What signs by its time is signed here, at each attempt."""
        try:
            made = httpx2.Request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                extensions={"timeout": self._timeout},
            )
        except httpx2.InvalidURL:
            raise ValueError("the parameters are too long for a URL; the style FORM has no such bound") from None
        if request.signer is not None:
            made.headers.update(request.signer.headers(request.method, PRIVATE_PATH, made.url.query, request.body))
        return made

    def _paced(self, request: Request) -> Generator[Pause | Request, Outcome | None, Outcome]:
        if self._pacing is None:
            return _told((yield request))
        while seconds := self._pacing.take(request.command):
            yield Pause(seconds)
        try:
            return _told((yield request))
        finally:
            self._pacing.answered(request.command)

    def _retry_delay(self, request: Request, error: errors.SpotbookError, attempt: int) -> float | None:
        """Seconds to wait before repeating a read; None when the error is final."""
        if request.is_write or attempt >= self._retries:
            return None
        backoff = self._randomness() * min(RETRY_WAIT_SECONDS_MAX, RETRY_BASE_SECONDS * 2.0**attempt)
        match error:
            case errors.RateLimited(retry_after=float() as asked) if asked <= RETRY_WAIT_SECONDS_MAX:
                return asked + backoff
            case errors.ExchangeBusy(retry_after=float() as asked) if asked <= RETRY_WAIT_SECONDS_MAX:
                return asked + backoff
            case errors.NetworkError() | errors.ExchangeBusy():
                return backoff
            case errors.MalformedReply(status=502 | 503 | 504):
                return backoff
        return None


def never_answered(error: httpx2.RequestError, request: Request) -> errors.SpotbookError:
    """What httpx2 met, in our words; `ambiguous` unless the request is a read or certainly never left."""
    never_left = isinstance(
        error,
        httpx2.ConnectError
        | httpx2.ConnectTimeout
        | httpx2.PoolTimeout
        | httpx2.ProxyError
        | httpx2.UnsupportedProtocol
        | httpx2.LocalProtocolError,
    )
    ambiguous = request.is_write and not never_left
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    result: errors.SpotbookError
    if isinstance(error, httpx2.TimeoutException):
        result = errors.Timeout(words, request.command, ambiguous=ambiguous)
    elif isinstance(error, httpx2.DecodingError):
        result = errors.MalformedReply(words, request.command, ambiguous=ambiguous)
    else:
        result = errors.NetworkError(words, request.command, ambiguous=ambiguous)
    result.__cause__ = error
    return result


def _told(outcome: Outcome | None) -> Outcome:
    if outcome is None:
        raise TypeError("a request was yielded: its outcome is what must be sent back")
    return outcome
