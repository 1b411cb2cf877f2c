"""Everything that a call can raise, as one tree.

    SpotbookError
    ├── ConfigurationError            a client that cannot be made: no key, a base_url that is none (also a ValueError)
    ├── ExchangeError                 the exchange answered, and refused: code, message, command, reply
    │   ├── AuthenticationError       10006: key missing, unknown, revoked, expired, or this address is not allowed
    │   │   └── InvalidSignature      10007: the signature is wrong or missing
    │   │       └── ClockSkew         10007, of a call signed by HMAC: this machine's clock is not the server's
    │   ├── PermissionDenied          10004, 10005: the key lacks the permission that the message names
    │   ├── RateLimited               29001: too many calls; retry_after in seconds when the host says so
    │   ├── BadRequest                404, 405, 413, 414, 431: no such address, wrong method, too large
    │   │   ├── NotSupported          10002: no such command
    │   │   └── InvalidParameter      10003: a parameter is missing, malformed, duplicated, too precise or out of range
    │   ├── NotFound                  -3: no such object (asset, deposit, …)
    │   │   ├── OrderNotFound         -3, of an order
    │   │   └── BadSymbol             -3, of a market or asset
    │   ├── InsufficientBalance       200005: less is available than the command needs
    │   ├── DuplicateOrderId          10008: this out_trade_no was used for another request, or is closed
    │   ├── RuleRefused               10009: against a rule or the present state; the message says which
    │   ├── ExchangeBusy              -200: certainly not done, so safe to repeat
    │   └── OutcomeUnknown            -201: done or not, the exchange itself cannot say
    ├── NetworkError                  no answer came
    │   └── Timeout                   no answer came in time
    └── MalformedReply                what came is no envelope of this API (a proxy's page, say), or of another shape

Every one carries `ambiguous`: True when the call was a write and may have been done although this was raised. Then ask
before repeating. Where ccxt has a class of the same sense, the name is ccxt's. No error holds a key, a secret, a
signature or a URL.
"""

from spotbook.client.models import Reply

__all__ = [
    "AuthenticationError",
    "BadRequest",
    "BadSymbol",
    "ClockSkew",
    "ConfigurationError",
    "DuplicateOrderId",
    "ExchangeBusy",
    "ExchangeError",
    "InsufficientBalance",
    "InvalidParameter",
    "InvalidSignature",
    "MalformedReply",
    "NetworkError",
    "NotFound",
    "NotSupported",
    "OrderNotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "RateLimited",
    "RuleRefused",
    "SpotbookError",
    "Timeout",
]


class SpotbookError(Exception):
    """The base of everything that this client raises about a call or about its own configuration."""

    def __init__(self, message: str = "", command: str = "", *, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.ambiguous = ambiguous

    def __str__(self) -> str:
        return f"{self.command}: {self.message}" if self.command else self.message


class ConfigurationError(SpotbookError, ValueError):
    """The client cannot be made from what it was given."""


class ExchangeError(SpotbookError):
    """The exchange answered, and refused.

    `code` is the exchange's number, `message` its words, `command` what was asked, `reply` all that came.
    """

    def __init__(
        self,
        message: str = "",
        command: str = "",
        *,
        code: int = 0,
        reply: Reply | None = None,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(message, command, ambiguous=ambiguous)
        self.code = code
        self.reply = reply

    def __str__(self) -> str:
        return f"{super().__str__()} (code {self.code})"


class AuthenticationError(ExchangeError):
    """The key is missing, unknown, revoked or expired, or may not be used from this address."""


class InvalidSignature(AuthenticationError):
    """The signature is wrong or missing."""


class ClockSkew(InvalidSignature):
    """The call was signed more than 5 s off the server's time; the message says by how much. Set this clock right."""


class PermissionDenied(ExchangeError):
    """The key lacks a permission, which the message names."""


class RateLimited(ExchangeError):
    """Too many calls. `retry_after` is the wait in seconds, None when the host does not say."""

    @property
    def retry_after(self) -> float | None:
        return self.reply.retry_after if self.reply else None


class BadRequest(ExchangeError):
    """The request itself was refused: its address, method or size."""


class NotSupported(BadRequest):
    """There is no such command."""


class InvalidParameter(BadRequest):
    """A parameter is missing, malformed, duplicated, too precise, or out of range."""


class NotFound(ExchangeError):
    """There is no such object, or it is somebody else's."""


class OrderNotFound(NotFound):
    """There is no such order, or it is somebody else's."""


class BadSymbol(NotFound):
    """There is no such market or asset."""


class InsufficientBalance(ExchangeError):
    """Less is available than the command needs."""


class DuplicateOrderId(ExchangeError):
    """This out_trade_no was used for another request, or is closed."""


class RuleRefused(ExchangeError):
    """A rule or the present state forbids it."""


class ExchangeBusy(ExchangeError):
    """Certainly not done: repeat it safely. `retry_after` is the wait in seconds, None when the host does not say."""

    @property
    def retry_after(self) -> float | None:
        return self.reply.retry_after if self.reply else None


class OutcomeUnknown(ExchangeError):
    """The exchange cannot say whether it was done: ask `order_by_reference` with a fence."""


class NetworkError(SpotbookError):
    """No answer came. `ambiguous` is False for a write only when it certainly never left."""


class Timeout(NetworkError):
    """No answer came in time."""


class MalformedReply(SpotbookError):
    """What came is no envelope of this API, or its data is not of the documented shape. `status` is the HTTP status."""

    def __init__(self, message: str = "", command: str = "", *, status: int = 0, ambiguous: bool = False) -> None:
        super().__init__(message, command, ambiguous=ambiguous)
        self.status = status
