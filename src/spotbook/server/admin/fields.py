"""The fields that many bodies share, as JSON's schema describes them.

What is only described here (`extra_json_schema`) is checked by the books, whose words say more than a pattern's.
"""

from typing import Annotated

from msgspec import Meta

from spotbook.limits import AMOUNT_CHARACTERS_MAX, ID_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, REASON_CHARACTERS_MAX
from spotbook.server.admin.endpoint import In

SYMBOL_PATTERN = "^[A-Z0-9]{1,16}_[A-Z0-9]{1,16}$"
Amount = Annotated[
    str,
    Meta(
        description="Plain decimal text, such as 0.25: no exponent, no sign. A JSON number is refused.",
        extra_json_schema={"pattern": r"^(0|[1-9][0-9]*)(\.[0-9]+)?$", "maxLength": AMOUNT_CHARACTERS_MAX},
    ),
]
Shown = Annotated[str, Meta(description="Plain decimal text without zeros at its end. Only world's may be negative.")]
Id = Annotated[int, Meta(ge=1, le=ID_MAX)]
Time = Annotated[int, Meta(description="Milliseconds since 1970; 0 for never.", ge=0, le=ID_MAX)]
Reason = Annotated[
    str,
    Meta(
        description="Printable characters, with no space at either end. It stands in the journal.",
        extra_json_schema={"minLength": 1, "maxLength": REASON_CHARACTERS_MAX},
    ),
]
Limit = Annotated[int, Meta(description="How many at most.", ge=1, le=PAGE_ROWS_MAX)]
Symbol = Annotated[str, Meta(description="BASE_QUOTE", extra_json_schema={"pattern": SYMBOL_PATTERN})]


class Page(In, frozen=True):
    """Which part of a list: behind the number `after` (that of the last one of the page before)."""

    after: Annotated[int, Meta(description="The `next` of the page before.", ge=0, le=ID_MAX)] = 0
    limit: Limit = PAGE_ROWS_DEFAULT


class TextPage(In, frozen=True):
    """Which part of a list whose items are named by text."""

    after: Annotated[str, Meta(description="The `next` of the page before.", max_length=256)] = ""
    limit: Limit = PAGE_ROWS_DEFAULT
