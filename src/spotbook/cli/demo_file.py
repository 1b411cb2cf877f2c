"""``demo.json``: what a demo is reached by, kept beside its books so that each start is the same.

It is written before the books are made, and the books are moved into place whole. So a demo that was killed at any
moment is found in one of three states, each of which the next start goes on from::

    nothing        → new secrets, new books
    demo.json      → the same secrets, new books
    demo.json and books → both, as they were left
"""

from pathlib import Path

import msgspec

from spotbook.bootstrap import Offline, found
from spotbook.cli.founding import DRAFT, draft, making, write_secret
from spotbook.cli.refusals import Refused
from spotbook.sandbox.demo import DemoSecrets, fill, new_secrets
from spotbook.store.file import exists

DEMO_FILE = "demo.json"


def is_demo(folder: Path) -> bool:
    """Whether the folder is a demo's."""
    return (folder / DEMO_FILE).exists()


def open_demo(folder: Path) -> DemoSecrets:
    """Return the secrets of the demo in a folder, whose books are there when this returns.

    Raises Refused when the folder holds anything else; WriterActive while another process makes them.
    """
    with making(folder):
        demo = _read(folder / DEMO_FILE) if is_demo(folder) else _new(folder)
        if not exists(folder):
            with draft(folder) as made:
                found(made, demo.master_key)
                with Offline(made, demo.master_key) as offline:
                    fill(offline, demo)
    return demo


def _new(folder: Path) -> DemoSecrets:
    if exists(folder):
        raise Refused(f"the books in {folder} are no demo's: they have no {DEMO_FILE}. Use `spotbook serve`")
    ours = (DRAFT, f".{DEMO_FILE}.")
    for entry in folder.iterdir():
        if not entry.name.startswith(ours) and entry.name != "lost+found":
            raise Refused(f"{folder} holds something else ({entry.name}): name a folder that is empty or missing")
    demo = new_secrets()
    write_secret(folder / DEMO_FILE, msgspec.json.format(msgspec.json.encode(demo), indent=2).decode() + "\n")
    return demo


def _read(file: Path) -> DemoSecrets:
    try:
        return msgspec.json.decode(file.read_bytes(), type=DemoSecrets)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # its words could quote a secret
        raise Refused(f"{file} is damaged: put it back, or begin a new demo in another folder") from None
