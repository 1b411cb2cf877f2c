"""``spotbook admin rotate-master-key``: every secret sealed anew."""

from pathlib import Path

import click

from spotbook.app.keys import MasterKeyWrong, check_master_key, reseal
from spotbook.cli.demo_file import DEMO_FILE, is_demo
from spotbook.cli.founding import write_secret
from spotbook.cli.master_key import master_key, read_master_key
from spotbook.cli.options import FILE, data_option, json_option
from spotbook.cli.output import print_json
from spotbook.cli.refusals import Refused
from spotbook.store.sqlite import SqliteStore
from spotbook.store.vault import AesVault, new_master_key


@click.command("rotate-master-key")
@data_option
@click.option("--new-key-file", type=FILE, help="Keep the new key in this file instead of showing it.")
@json_option
def rotate_master_key(data: Path, new_key_file: Path | None, as_json: bool) -> None:
    """Seal every secret with a new master key, in one step, while no server runs.

    The old one is read from SPOTBOOK_MASTER_KEY or SPOTBOOK_MASTER_KEY_FILE. The new one is shown, or on disk, before
    it seals anything: whenever this ends, the books open with one of the two. A file that exists is read, so
    that the same command again goes on, or finds that all is done. Backups made before open with the old key still.
    """
    if is_demo(data):
        raise Refused(f"{data} is a demo's, whose master key stands in {DEMO_FILE}: it is not rotated")
    old = AesVault(master_key())
    store = SqliteStore(data)
    try:
        sealed = _check(store)
        given = read_master_key(new_key_file) if new_key_file is not None and new_key_file.exists() else None
        if given is not None and _fits(sealed, AesVault(given)):
            count = 0  # an earlier try got this far
        else:
            check_master_key(sealed, old)
            count = reseal(store, old, AesVault(given or _new_key(new_key_file, as_json=as_json)))
    finally:
        store.close()
    if as_json:
        print_json({"keys": count})
    else:
        click.echo(f"{count} keys are sealed with the new master key; the old one opens these books no more")


def _new_key(file: Path | None, *, as_json: bool) -> str:
    """Return a new key, which is kept by somebody before anything is sealed with it."""
    key = new_master_key()
    if file is not None:
        write_secret(file, key + "\n")
    elif as_json:
        print_json({"master_key": key})
    else:
        click.echo(f"new master key  {key}")
    return key


def _check(store: SqliteStore) -> bytes | None:
    reader = store.reader()
    try:
        return reader.master_key_check()
    finally:
        reader.close()


def _fits(sealed: bytes | None, vault: AesVault) -> bool:
    try:
        check_master_key(sealed, vault)
    except MasterKeyWrong:
        return False
    return True
