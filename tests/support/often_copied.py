"""``python often_copied.py LEVEL demo …``: the command line, its log copied back often, `synchronous` at a level.

Only for the test of power cuts: a checkpoint comes after some hundred rows, so that a short load sees many. FULL is the
level that Spotbook has; with any other the test must find what is lost.
"""

import sys

from spotbook import cli
from spotbook.store import file, sqlite

ROWS = 600
PAGES = 400

if __name__ == "__main__":
    level = sys.argv.pop(1)
    kept = [pragma for pragma in file.WRITER_PRAGMAS if "synchronous" not in pragma]
    assert len(kept) == len(file.WRITER_PRAGMAS) - 1
    if level != "FULL":
        file.WRITER_PRAGMAS = (*kept, f"PRAGMA synchronous = {level}")  # type: ignore[assignment]
    sqlite.CHECKPOINT_ROWS, sqlite.LOG_PAGES_MAX = ROWS, PAGES  # type: ignore[attr-defined]
    cli.main()
