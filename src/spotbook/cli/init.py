"""``spotbook init``: new books, with their master key and the first admin token."""

from pathlib import Path

import click

from spotbook.app.ports import BooksExist
from spotbook.bootstrap import Offline, found
from spotbook.cli.demo_file import DEMO_FILE, is_demo
from spotbook.cli.founding import draft, making
from spotbook.cli.master_key import master_key_of_new_books
from spotbook.cli.options import FILE, FOLDER, json_option
from spotbook.cli.output import print_json
from spotbook.cli.refusals import Refused
from spotbook.cli.tokens_offline import make_token
from spotbook.domain.credentials import ROLES
from spotbook.store.file import exists


@click.command()
@click.option("--data", type=FOLDER, required=True, help="The folder; it may be missing.")
@click.option("--master-key-file", type=FILE, help="Keep the master key in this file instead of showing it.")
@click.option("--token-name", default="operator", show_default=True, help="Name of the first admin token.")
@json_option
def init(data: Path, master_key_file: Path | None, token_name: str, as_json: bool) -> None:
    """Make new books.

    The master key and the first admin token, which has every role, are shown this once. With --master-key-file the key
    is written to that file, which only its owner may read; if the file exists, the key in it is taken. Without the
    master key nothing that these books keep secret can be read again: keep it apart from them and from their backups.
    """
    if is_demo(data):
        raise Refused(f"{data} is a demo's ({DEMO_FILE}): name another folder")
    with making(data):
        if exists(data):
            raise BooksExist(f"there are books in {data} already")
        key = master_key_of_new_books(master_key_file)
        with draft(data) as made:
            found(made, key)
            with Offline(made, key) as offline:
                token = make_token(offline, token_name, ROLES)
    _tell(data, key, master_key_file, token_name, token, as_json=as_json)


def _tell(data: Path, key: str, key_file: Path | None, token_name: str, token: str, *, as_json: bool) -> None:
    if as_json:
        kept = {"master_key": key} if key_file is None else {"master_key_file": str(key_file)}
        print_json({"data": str(data), **kept, "admin_token_name": token_name, "admin_token": token})
        return
    where = key if key_file is None else f"in {key_file}"
    variable = f"SPOTBOOK_MASTER_KEY_FILE={key_file}" if key_file else "SPOTBOOK_MASTER_KEY=..."
    click.echo(f"""\
New books in {data}.

  master key   {where}
  admin token  {token}   ({token_name}, every role)

Both are shown this once. Keep them, the master key apart from the books. Then:

  {variable} spotbook serve --data {data}
""")
