"""One side of a comparison of two commits: ``python -m bench.side WHAT FOLDER SIZE SOURCE``.

It is run with this ``bench`` and the side's own ``spotbook``, which must come from the folder SOURCE.

WHAT is ``reads`` or ``orders_http``, which make books and requests in FOLDER, or ``orders``, which makes the books and
carries out the commands of one round. SIZE is JSON. The answer is pickled into ``FOLDER/answer``.
"""

import json
import pickle
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import spotbook
from bench.sizes import Size

ANSWER = "answer"


class Books(NamedTuple):
    """What a server is started on: its books, and the first request, which is to show that it answers."""

    books: Path
    master_key: str
    first: str
    path: str


class Reads(NamedTuple):
    """Books, and the file of requests that read from them."""

    on: Books
    load: Path


class Orders(NamedTuple):
    """Books, and files of requests: a balance of each account, what warms, what is measured."""

    on: Books
    keys: Path
    warm: Path
    load: Path


def reads(size: Size, folder: Path) -> Reads:
    """Make books and signed reads of all their accounts."""
    from bench import books  # noqa: PLC0415  (an older spotbook may lack what another of these needs)
    from bench.load import line  # noqa: PLC0415
    from bench.process import CALL  # noqa: PLC0415
    from bench.reads import signed_body  # noqa: PLC0415
    from spotbook.store.vault import new_master_key  # noqa: PLC0415

    master_key = new_master_key()
    books.make(folder / "books", master_key, size.assets)
    accounts = books.fill(folder / "books", master_key, size.accounts, size.assets)
    bodies = [signed_body(account) for account in random.Random(3).sample(accounts, len(accounts))]
    load = folder / "load"
    load.write_text("".join(line(CALL, body) for body in bodies), encoding="ascii")
    return Reads(Books(folder / "books", master_key, bodies[0], CALL), load)


def orders_http(size: Size, folder: Path) -> Orders:
    """Make books and signed orders and cancels that they admit."""
    from bench.prepared import prepare  # noqa: PLC0415

    made = prepare(size, folder, fastapi=False)
    first = made.checked[0]
    return Orders(Books(made.books, made.master_key, first.body, first.path), made.keys, made.warm, made.load)


def orders(size: Size, folder: Path) -> tuple[float, float]:
    """Carry commands out through the engine; return commands a second, on the wall and of the processor's time."""
    from bench import books, durable, trading  # noqa: PLC0415
    from bench.orders import WARM_PART  # noqa: PLC0415
    from spotbook.bootstrap import spare_collector  # noqa: PLC0415
    from spotbook.store.sqlite import SqliteStore  # noqa: PLC0415
    from spotbook.store.vault import new_master_key  # noqa: PLC0415

    accounts = trading.make(folder / "books", new_master_key(), size.traders)
    drawn = trading.draw(folder / "books", accounts, size.orders, size.orders // WARM_PART)
    store = SqliteStore(folder / "books")
    spare_collector()
    with books.engine_on(store) as engine:
        books.submit_all(engine, drawn.submissions[: drawn.warm])
        took = durable.clocked(lambda: books.submit_all(engine, drawn.submissions[drawn.warm :]))
    store.close()
    shutil.rmtree(folder / "books")
    count = len(drawn.submissions) - drawn.warm
    return count / took.wall, count / took.busy


SIDES: dict[str, Callable[[Size, Path], Any]] = {"reads": reads, "orders_http": orders_http, "orders": orders}


def main() -> None:
    """Do what the arguments say."""
    what, folder, size, source = sys.argv[1:]
    at = Path(spotbook.__file__).resolve()
    if not at.is_relative_to(Path(source).resolve()):
        sys.exit(f"spotbook was to come from {source}, and came from {at.parent}")
    answer = SIDES[what](Size(**json.loads(size)), Path(folder))
    (Path(folder) / ANSWER).write_bytes(pickle.dumps(answer))


if __name__ == "__main__":
    # By its own name, so that what is pickled can be read elsewhere.
    from bench.side import main as named

    named()
