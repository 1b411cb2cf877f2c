"""Making books so that they are there whole or not at all, whenever the making ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spotbook.app.ports import BooksExist, WriterActive
from spotbook.store import file
from spotbook.store.file import FILE

DRAFT = ".making."
"""How the folders begin in which books are made. One that a crash left over is removed by whoever comes next."""


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Be the only one who makes books in a folder, which is made too when it is missing. Raises WriterActive."""
    _make_lasting(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WriterActive(f"another process is making books in {folder}") from None
        for left_over in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(left_over)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_lasting(folder: Path) -> None:
    """Make a folder that is missing, and those above it. Their names are on disk when this returns."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in missing or [folder]:  # whoever made it may have been killed before this
        with suppress(PermissionError):  # a folder that may be entered and not listed cannot be synced either
            file.sync(path.parent)


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Lend a folder to make books in; at the end of the block they are moved into `folder`. Use it inside `making`.

    Raises BooksExist when there are some already.
    """
    if (folder / FILE).exists():
        raise BooksExist(f"there are books in {folder} already")
    made = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
    try:
        yield made
        # The log of a closed store is copied back and gone, so that the one file is all there is.
        if (made / f"{FILE}-wal").exists():
            raise RuntimeError("the new books were not closed")
        (made / FILE).rename(folder / FILE)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner reads, whole or not at all, on disk when this returns. FileExistsError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # its mode is 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        os.link(name, path)
    finally:
        Path(name).unlink()
    file.sync(path.parent)
