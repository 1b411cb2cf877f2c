"""A call of a typed method as a value: what is sent, and how the reply is read. Pure.

Each function of `_commands` makes an `Ask`; a face sends it, and hands the reply to `answer`. So a verb is written
once: its parameters, its words and its types are those of that function in both faces.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from spotbook.client import errors
from spotbook.client._config import MinVersion
from spotbook.client._fields import Misshapen
from spotbook.client._signing import Parameter
from spotbook.client.models import Reply

__all__ = ["Ask", "describe"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ask(Generic[Result]):
    """`read` makes the result of a reply, and raises Misshapen when its data is not of the documented shape."""

    command: str
    params: Mapping[str, Parameter]
    read: Callable[[Reply], Result]
    min_version: MinVersion | None = None
    is_public: bool = False

    def answer(self, reply: Reply, *, is_write: bool) -> Result:
        """The result. MalformedReply otherwise: of a write that was done, so that it is `ambiguous`."""
        try:
            return self.read(reply)
        except Misshapen as misshapen:
            words = f"{misshapen} is not of the documented shape"
            raise errors.MalformedReply(words, self.command, status=reply.status, ambiguous=is_write) from None


def describe(method: Callable[..., Any], build: Callable[..., Ask[Any]]) -> None:
    """Give a face's method the name, the words and the parameters of the function that makes its `Ask`."""
    asked = inspect.signature(build)
    (result,) = get_args(asked.return_annotation)
    of = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__name__ = method.__qualname__ = build.__name__
    method.__doc__ = build.__doc__
    # What help() and editors show, for the method itself takes any arguments.
    method.__signature__ = asked.replace(  # type: ignore[attr-defined]
        parameters=[of, *asked.parameters.values()], return_annotation=result
    )
