"""``spotbook export`` and ``spotbook import``: the journal as lines of JSON, and books made from them."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from spotbook.app import transcript
from spotbook.app.keys import first_seal
from spotbook.app.ports import BooksExist
from spotbook.cli.backup import as_lines, as_words, new_folder
from spotbook.cli.founding import draft
from spotbook.cli.master_key import master_key_of_new_books
from spotbook.cli.options import FILE, FOLDER, data_option, json_option
from spotbook.cli.output import print_json
from spotbook.cli.progress import audit_progress
from spotbook.limits import TRANSCRIPT_LINE_BYTES_MAX
from spotbook.store import copies, migrate
from spotbook.store.copies import Copy
from spotbook.store.file import sync
from spotbook.store.sqlite import SqliteStore
from spotbook.store.sqlite_reader import SqliteReader
from spotbook.store.vault import AesVault

STREAM = Path("-")
BUFFER_BYTES = 1_048_576


def _schema() -> int:
    return len(migrate.migrations("sqlite"))


@click.command()
@data_option
@click.argument("file", type=FILE, default=STREAM)
@click.option("--to", "last", type=click.IntRange(min=1), help="The last batch; else the last there is.")
def export(data: Path, file: Path, last: int | None) -> None:
    """Write the journal as lines of JSON into FILE, which must not be there yet, or to standard output (-).

    It may run beside a server. Nothing secret is in it but names; the secrets of API keys are not part of the journal.
    """
    with closing(SqliteReader(data, mapped=False)) as reader:
        lines = transcript.written(reader, _schema(), last)
        if file == STREAM:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
        else:
            _write_new(file, lines)


def _write_new(file: Path, lines: Iterable[bytes]) -> None:
    """Write a new file that only its owner reads, whole or not at all, on disk when this returns."""
    if os.path.lexists(file):
        raise BooksExist(f"{file} is there already: nothing is written over")
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # its mode is 0600
    try:
        with os.fdopen(descriptor, "wb", BUFFER_BYTES) as written:
            written.writelines(lines)
            written.flush()
            os.fsync(written.fileno())
        os.link(name, file)
    finally:
        Path(name).unlink()
    sync(file.parent)


@click.command("import")
@click.argument("file", type=FILE)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--master-key-file", type=FILE, help="Keep the master key in this file instead of showing it.")
@json_option
def import_(file: Path, folder: Path, master_key_file: Path | None, as_json: bool) -> None:
    """Make books in DIR, which is missing or empty, from the journal that `export` wrote into FILE (- to read it here).

    Every line is checked, and the books that come of it are audited, before there is anything in DIR. The secrets of
    API keys are not in the journal, so that no key of it opens anything any more: revoke them and make new ones. Admin
    tokens go on working. The master key is a new one, or that of --master-key-file, as with `init`.
    """
    with ExitStack() as opened:
        opened.enter_context(new_folder(folder))
        stream = sys.stdin.buffer if file == STREAM else opened.enter_context(file.open("rb", BUFFER_BYTES))
        made = opened.enter_context(draft(folder))
        batches = transcript.read(_lines(stream), _schema())
        with audit_progress() as progress:
            copy = copies.make_from(batches, made, file, progress=progress)
        key = master_key_of_new_books(master_key_file)
        with closing(SqliteStore(made)) as store:
            store.reseal([first_seal(AesVault(key))])
    _tell(folder, copy, key, master_key_file, as_json=as_json)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Return the lines of a stream; what has no end is cut off, and refused, beyond the bound."""
    return iter(partial(stream.readline, TRANSCRIPT_LINE_BYTES_MAX + 1), b"")


def _tell(folder: Path, copy: Copy, key: str, key_file: Path | None, *, as_json: bool) -> None:
    if as_json:
        kept = {"master_key": key} if key_file is None else {"master_key_file": str(key_file)}
        print_json({"data": str(folder), **kept, **as_words(copy)})
        return
    where = f"{key}   (shown this once)" if key_file is None else f"in {key_file}"
    click.echo(f"""\
imported into {folder}, audited: nothing was found
{as_lines(copy)}
master key  {where}

The secrets of API keys are not in a journal: no key of these books opens anything. Revoke them, and make new ones.""")
