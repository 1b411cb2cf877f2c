"""Values of a reply, read one by one: exact, and strict about everything but text or number.

Hosts differ in which of their numbers are text. Both are taken; what is neither is `Misshapen`.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, TypeVar

from spotbook.client.orders import Side, Status

__all__ = ["Misshapen", "Record", "amount", "listed", "mapping", "record", "whole"]

Item = TypeVar("Item")

EAST: Final = timezone(timedelta(hours=8))  # the dates of this API that are text are in UTC+8
SIDES: Final[dict[str, Side]] = {"buy": "buy", "sell": "sell", "0": "buy", "1": "sell"}
STATUSES: Final[dict[int, Status]] = {1: "open", 2: "partly_filled", 3: "filled", 4: "cancelled"}


class Misshapen(ValueError):
    """A value is not of the documented shape; the text says which."""


def amount(value: object, name: str) -> Decimal:
    """Text or a JSON number, as an exact Decimal. 40 digits before and after the point are more than any asset has."""
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 40:
        value = format(value, "f")
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", value):
        return Decimal(value)
    raise Misshapen(name)


def whole(value: object, name: str) -> int:
    """A whole number, or the text of one."""
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,40}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Misshapen(name)


def mapping(value: object, name: str = "data") -> dict[str, Any]:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    raise Misshapen(name)


def listed(value: object, read: Callable[["Record"], Item], name: str = "data") -> list[Item]:
    """A JSON array of objects, each of them read."""
    if isinstance(value, list):
        return [read(record(item, name)) for item in value]
    raise Misshapen(name)


def record(value: object, name: str = "data") -> "Record":
    """One JSON object, to be read by its members."""
    return Record(mapping(value, name))


class Record:
    """A JSON object. Each method reads one member, and raises Misshapen with its name."""

    __slots__ = ("_members",)

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def get(self, name: str) -> object:
        """The member as it came; None when it is absent."""
        return self._members.get(name)

    def amount(self, name: str) -> Decimal:
        return amount(self._members.get(name), name)

    def whole(self, name: str) -> int:
        return whole(self._members.get(name), name)

    def whole_or_none(self, name: str) -> int | None:
        """A whole number; None when it is absent or null."""
        return None if self._members.get(name) is None else self.whole(name)

    def text(self, name: str) -> str:
        value = self._members.get(name)
        if isinstance(value, str):
            return value
        raise Misshapen(name)

    def text_or_empty(self, name: str) -> str:
        """Text; "" when it is absent or null."""
        return "" if self._members.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """0 or 1, number or text, or a JSON bool."""
        value = self._members.get(name)
        return value if isinstance(value, bool) else self._one_of({0: False, 1: True}, name)

    def time(self, name: str) -> int:
        """Milliseconds since 1970 UTC, of such a number or of a date in text, which is in UTC+8."""
        value = self._members.get(name)
        if isinstance(value, str) and "-" in value:
            try:
                moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=EAST)
            except ValueError:
                raise Misshapen(name) from None
            return int(moment.timestamp()) * 1_000
        return self.whole(name)

    def side(self, name: str) -> Side:
        side = SIDES.get(str(self._members.get(name)).lower())
        if side is None:
            raise Misshapen(name)
        return side

    def status(self, name: str = "status") -> Status:
        return self._one_of(STATUSES, name)

    def _one_of(self, meanings: dict[int, Item], name: str) -> Item:
        number = self.whole(name)
        if number not in meanings:
            raise Misshapen(name)
        return meanings[number]
