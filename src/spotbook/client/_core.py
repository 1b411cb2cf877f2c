"""What both faces share: one call as a conversation of steps, with no input or output of its own.

`Core.converse` yields what is to be done (wait, or send this request), is told how it went, and returns the reply or
raises. A face only carries out the steps, in its own way.
"""

import itertools
import random
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

import httpx2

from spotbook.client import errors
from spotbook.client._config import MinVersion, checked_base_url, min_version_text
from spotbook.client._replies import Answer, parse
from spotbook.client._requests import PRIVATE_PATH, Request, Style, build
from spotbook.client._signing import Parameter, checked, sign
from spotbook.client.models import Reply
from spotbook.client.pacing import Pacing

__all__ = ["Core", "Options", "Outcome", "Pause", "Steps", "never_answered"]

RETRIES_MAX: Final = 10
RETRY_BASE_SECONDS: Final = 0.1
RETRY_WAIT_SECONDS_MAX: Final = 5.0


class Options(TypedDict, total=False):
    """What `from_env` hands on to either face."""

    timeout: float
    style: Style | str
    pacing: Pacing | None
    retries: int


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Outcome = Answer | errors.SpotbookError
Steps = Generator[Pause | Request, Outcome | None, Reply]


class Core:
    """Builds calls, reads replies, decides about repeats. Holds the secret and never shows it."""

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        base_url: str,
        *,
        timeout: float,
        style: Style | str,
        pacing: Pacing | None,
        retries: int,
        randomness: Callable[[], float] = random.random,
    ) -> None:
        if not api_key or not secret_key or not (api_key + secret_key).isprintable():
            raise errors.ConfigurationError("api_key and secret_key are two texts of printable characters")
        if not 0 <= retries <= RETRIES_MAX:
            raise errors.ConfigurationError(f"retries is a number from 0 to {RETRIES_MAX}")
        self.base_url = checked_base_url(base_url)
        self._api_key, self._secret_key = api_key, secret_key
        self._style = Style(style)
        self._timeout = httpx2.Timeout(timeout).as_dict()
        self._pacing, self._retries, self._randomness = pacing, retries, randomness

    def converse(self, command: str, params: Mapping[str, Parameter], min_version: MinVersion | None) -> Steps:
        """One call from beginning to end, repeats and waits included."""
        request = self.request(command, params, min_version)
        for attempt in itertools.count():
            outcome = yield from self._paced(request)
            if isinstance(outcome, Answer):
                result = parse(outcome, command, is_write=request.is_write)
                if isinstance(result, Reply):
                    return result
                outcome = result
            delay = self._retry_delay(request, outcome, attempt)
            if delay is None:
                raise outcome
            yield Pause(delay)
        raise AssertionError  # pragma: no cover (count() does not end)

    def request(self, command: str, params: Mapping[str, Parameter], min_version: MinVersion | None) -> Request:
        """The signed request. TypeError or ValueError when a parameter or the command cannot be sent."""
        if not re.fullmatch(r"[A-Za-z0-9_.]{1,64}", command):
            raise ValueError(f"{command!r} is no name of a command")
        texts = checked(params)
        signature = sign({**texts, "api_key": self._api_key}, self._secret_key)
        request = build(
            self._style, self.base_url + PRIVATE_PATH, command, texts, api_key=self._api_key, signature=signature
        )
        if min_version is None:
            return request
        headers = {**request.headers, "X-Min-Version": min_version_text(min_version)}
        return Request(command, request.is_write, request.url, headers, request.body)

    def http(self, request: Request) -> httpx2.Request:
        """The same for httpx2, with the timeout."""
        try:
            return httpx2.Request(
                "POST",
                request.url,
                headers=dict(request.headers),
                content=request.body,
                extensions={"timeout": self._timeout},
            )
        except httpx2.InvalidURL:
            raise ValueError("the parameters are too long for a URL; the style FORM has no such bound") from None

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
