"""From what came over the wire to a `Reply` or an error. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from spotbook.client import errors
from spotbook.client.models import Reply

__all__ = ["Answer", "decode", "parse"]

SUCCESS: Final = 200

Shape = TypeVar("Shape")

BY_CODE: Final[Mapping[int, type[errors.ExchangeError]]] = MappingProxyType(
    {
        29001: errors.RateLimited,
        429: errors.RateLimited,
        -3: errors.NotFound,
        10002: errors.NotSupported,
        10003: errors.InvalidParameter,
        10004: errors.PermissionDenied,
        10005: errors.PermissionDenied,
        10006: errors.AuthenticationError,
        10007: errors.InvalidSignature,
        10008: errors.DuplicateOrderId,
        10009: errors.RuleRefused,
        200005: errors.InsufficientBalance,
        -200: errors.ExchangeBusy,
        -201: errors.OutcomeUnknown,
        404: errors.BadRequest,
        405: errors.BadRequest,
        413: errors.BadRequest,
        414: errors.BadRequest,
        431: errors.BadRequest,
    }
)

# For a code that is not in the table, as other hosts have them: the first line whose words are in the message.
BY_WORD: Final[tuple[tuple[str, type[errors.ExchangeError]], ...]] = (
    (r"api.?key|\bsign(ature)?\b", errors.AuthenticationError),
    (r"permission", errors.PermissionDenied),
    (r"insufficient|balance", errors.InsufficientBalance),
    (r"\border\b.*\bnot\b", errors.OrderNotFound),
    (r"\b(symbol|pair)\b", errors.BadSymbol),
    (r"precision", errors.InvalidParameter),
    (r"\brate\b|frequent", errors.RateLimited),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Envelope(msgspec.Struct):
    code: int | str
    data: Any = None
    msg: str | None = None
    success: bool | None = None


def decode(body: bytes, shape: type[Shape]) -> Shape:
    """JSON, its fractional numbers as Decimal. ValueError when it is no JSON of this shape."""
    try:
        return msgspec.json.Decoder(shape, float_hook=Decimal).decode(body)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError("not JSON of the expected shape") from error


def parse(answer: Answer, command: str, *, is_write: bool) -> Reply | errors.SpotbookError:
    """The reply, or the error that it stands for (returned, not raised: the caller may repeat the call)."""
    try:
        envelope = decode(answer.body, Envelope)
    except ValueError:
        return _no_envelope(answer, command, is_write=is_write)
    text = str(envelope.code)
    if not re.fullmatch("-?[0-9]{1,9}", text):
        return _no_envelope(answer, command, is_write=is_write)
    reply = Reply(command, answer.status, int(text), envelope.data, envelope.msg or "", answer.headers)
    if reply.code != SUCCESS:
        return _refusal(reply, is_write=is_write)
    if envelope.success is False or not 200 <= answer.status < 300:
        return _no_envelope(answer, command, is_write=is_write)
    return reply


def _refusal(reply: Reply, *, is_write: bool) -> errors.ExchangeError:
    known = BY_CODE.get(reply.code)
    kind = known or _by_word(reply.msg)
    if kind is errors.NotFound:
        found = _by_word(reply.msg)
        kind = found if issubclass(found, errors.NotFound) else kind
    if kind is errors.InvalidSignature and "timestamp is" in reply.msg:
        kind = errors.ClockSkew
    # A code that nobody documents, under a status that says that the host failed, promises nothing.
    unsure = kind is errors.OutcomeUnknown or (known is None and reply.status >= 500)
    return kind(reply.msg, reply.command, code=reply.code, reply=reply, ambiguous=is_write and unsure)


def _by_word(message: str) -> type[errors.ExchangeError]:
    for pattern, kind in BY_WORD:
        if re.search(pattern, message, re.IGNORECASE):
            return kind
    return errors.ExchangeError


def _no_envelope(answer: Answer, command: str, *, is_write: bool) -> errors.SpotbookError:
    # The body stays out of the message: a proxy's error page may repeat the URL, and with it the signature.
    size = len(answer.body)
    message = f"HTTP {answer.status} with {size} bytes that are no envelope of this API"
    kind = BY_CODE.get(answer.status)
    if kind is not None:
        reply = Reply(command, answer.status, answer.status, None, "", answer.headers)
        return kind(message, command, code=answer.status, reply=reply)
    return errors.MalformedReply(message, command, status=answer.status, ambiguous=is_write)
