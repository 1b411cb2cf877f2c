"""``spotbook backup`` and ``spotbook restore``: copies of books, each audited before it is called good."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from spotbook.app.ports import BooksExist
from spotbook.cli.founding import DRAFT, draft, making
from spotbook.cli.options import FILE, FOLDER, data_option, json_option
from spotbook.cli.output import print_json
from spotbook.cli.progress import audit_progress
from spotbook.cli.refusals import Refused
from spotbook.store import copies
from spotbook.store.copies import Copy
from spotbook.store.file import exists


@click.command()
@data_option
@click.argument("file", type=FILE)
@json_option
def backup(data: Path, file: Path, as_json: bool) -> None:
    """Copy the books into FILE, which must not be there yet, while a server runs.

    The copy is of one moment, and is audited as a whole before it has its name. Keep what this prints elsewhere: the
    batch and its hash for `audit --expect`, the state hash to compare with. The secrets of API keys are in the copy,
    sealed: keep the master key apart from it.
    """
    with audit_progress() as progress:
        copy = copies.back_up(data, file, progress=progress)
    _tell("file", file, copy, "backed up", as_json=as_json)


@click.command()
@click.argument("file", type=FILE)
@click.argument("folder", metavar="DIR", type=FOLDER)
@json_option
def restore(file: Path, folder: Path, as_json: bool) -> None:
    """Make books in DIR, which is missing or empty, from the backup FILE.

    The backup is audited before, and never changed. The books have a new id, and the master key of the old ones.
    """
    with new_folder(folder), draft(folder) as made, audit_progress() as progress:
        copy = copies.restore(file, made, progress=progress)
    _tell("data", folder, copy, "restored", as_json=as_json)


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Lend a folder that holds nothing to make books in. When the block raises it is as it was, missing or empty.

    Raises BooksExist or Refused when there is something in it, WriterActive while another process makes books there.
    """
    missing = not os.path.lexists(folder)
    try:
        with making(folder):
            if exists(folder):
                raise BooksExist(f"there are books in {folder} already")
            for (
                entry
            ) in folder.iterdir():  # a log that was left over above all: SQLite would take it for the new file's
                if not entry.name.startswith(DRAFT) and entry.name != "lost+found":
                    raise Refused(
                        f"{folder} holds something else ({entry.name}): name a folder that is empty or missing"
                    )
            yield
    except BaseException:
        if missing:
            with suppress(OSError):
                folder.rmdir()
        raise


def _tell(what: str, where: Path, copy: Copy, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({what: str(where), **as_words(copy)})
    else:
        click.echo(f"{done} in {where}, audited: nothing was found\n{as_lines(copy)}")


def as_words(copy: Copy) -> dict[str, str | int]:
    """Return what a copy holds, for programs."""
    return {
        "batch": copy.head.number,
        "hash": copy.head.hash.hex(),
        "state_hash": copy.state_hash.hex(),
        "entries": copy.entries,
    }


def as_lines(copy: Copy) -> str:
    """Return what a copy holds, for people."""
    return f"batch       {copy.head.number}:{copy.head.hash.hex()}\nstate hash  {copy.state_hash.hex()}"
