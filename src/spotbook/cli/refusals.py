"""The one place where what went wrong becomes a line on standard error and an exit code.

::

    exit 2   the command line is not understood (click's own), or an extra is missing
    exit 1   refused or failed: the line says why, and what to do where that is known

Anything else is a defect of Spotbook's, and keeps its traceback.
"""

import sys
from typing import Any

import click
import httpx2

from spotbook.app.keys import MasterKeyWrong
from spotbook.app.ports import StoreError
from spotbook.app.rebuild import ChainBroken
from spotbook.bootstrap import NotCarriedOut
from spotbook.client import SpotbookError
from spotbook.domain.errors import Refusal
from spotbook.settings import SettingsRefused
from spotbook.store.vault import MasterKeyMalformed

KNOWN = (
    StoreError,
    ChainBroken,
    MasterKeyWrong,
    MasterKeyMalformed,
    NotCarriedOut,
    Refusal,
    SettingsRefused,
    SpotbookError,
    httpx2.TransportError,
    httpx2.InvalidURL,
    OSError,
)


class Refused(click.ClickException):
    """What a command refuses by itself."""

    def show(self, file: Any = None) -> None:
        """Write one line on standard error."""
        del file
        sys.stderr.write(f"spotbook: {self.message}\n")


class RefusingGroup(click.Group):
    """A group whose commands may raise any known error."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a known error ends it with its words, and without a traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click's own: whoever read our output has gone
        except KNOWN as error:
            raise Refused(_words(error)) from error


def _words(error: BaseException) -> str:
    """Return an error as one line."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())
