"""What calls return: replies and balances. Amounts are `Decimal`, exact, never through a float."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, TypeVar

__all__ = ["AvailableBalances", "Balance", "CompleteBalances", "RateLimit", "Reply"]

Value = TypeVar("Value", covariant=True)  # noqa: PLC0105 (a plain name reads better than Value_co)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the host says of the window that this call went through: calls allowed, calls left, seconds to its reset."""

    limit: int
    remaining: int | None
    reset_seconds: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply in full. `data` holds JSON numbers as `int` or `Decimal`; `headers` is read without regard to case."""

    command: str
    status: int
    code: int
    data: Any = field(repr=False)
    msg: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def version(self) -> int | None:
        """The account's version that the reply shows (X-Account-Version)."""
        return self._number("X-Account-Version")

    @property
    def batch(self) -> int | None:
        """The number of the last batch that the reply contains (X-Batch)."""
        return self._number("X-Batch")

    @property
    def batch_time(self) -> int | None:
        """When that batch was committed, in milliseconds since 1970 UTC (X-Batch-Time)."""
        return self._number("X-Batch-Time")

    @property
    def books(self) -> str | None:
        """The id of the books; a restore makes a new one (X-Books)."""
        return self.headers.get("X-Books")

    @property
    def rate_limit(self) -> RateLimit | None:
        """The calls that are left (RateLimit-Limit, -Remaining, -Reset)."""
        limit = self._number("RateLimit-Limit")
        if limit is None:
            return None
        return RateLimit(limit, self._number("RateLimit-Remaining"), self._number("RateLimit-Reset"))

    @property
    def retry_after(self) -> float | None:
        """The wait in seconds that the host asks for (Retry-After)."""
        seconds = self._number("Retry-After")
        return None if seconds is None else float(seconds)

    def _number(self, name: str) -> int | None:
        text = self.headers.get(name, "").strip()
        return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


@dataclass(frozen=True, slots=True)
class Balance:
    """The two sides of a balance: `available`, and `on_orders`, which open orders and pending withdrawals froze."""

    available: Decimal
    on_orders: Decimal

    @property
    def total(self) -> Decimal:
        """available + on_orders, exact whatever the caller's decimal context is."""
        return Context(prec=100).add(self.available, self.on_orders)


class _Balances(Mapping[str, Value]):
    """Asset → value, in the order of the reply; an asset that is not in the reply has zero, and is not iterated."""

    __slots__ = ("_absent", "_listed", "reply")

    def __init__(self, listed: Mapping[str, Value], absent: Value, reply: Reply) -> None:
        self._listed = dict(listed)
        self._absent = absent
        self.reply = reply

    def __getitem__(self, asset: str) -> Value:
        return self._listed.get(asset, self._absent)

    def __contains__(self, asset: object) -> bool:
        return asset in self._listed

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._listed!r}, version={self.version})"

    @property
    def version(self) -> int | None:
        """The account's version at which these balances held; None when the host sends none."""
        return self.reply.version

    @property
    def batch(self) -> int | None:
        """The number of the last batch in these balances; None when the host sends none."""
        return self.reply.batch

    @property
    def batch_time(self) -> int | None:
        """When that batch was committed, in milliseconds since 1970 UTC; None when the host sends none."""
        return self.reply.batch_time

    @property
    def books(self) -> str | None:
        """The id of the books; None when the host sends none. Versions compare only within the same books."""
        return self.reply.books

    @property
    def rate_limit(self) -> RateLimit | None:
        """The calls that are left; None when the host does not say."""
        return self.reply.rate_limit


class CompleteBalances(_Balances[Balance]):
    """`balances["BTC"]` is a `Balance`: available, on_orders, total. An absent asset has zero of each."""


class AvailableBalances(_Balances[Decimal]):
    """`balances["BTC"]` is what is available, as a `Decimal`. An absent asset has zero."""
