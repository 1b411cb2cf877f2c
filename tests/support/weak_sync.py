"""``python weak_sync.py LEVEL demo …``: the command line with the writer's `synchronous` set to another level.

Only for the test that shows that such a server is told apart from one that waits for the disk.
"""

import sys

from spotbook import cli
from spotbook.store import file

if __name__ == "__main__":
    level = sys.argv.pop(1)
    kept = [pragma for pragma in file.WRITER_PRAGMAS if "synchronous" not in pragma]
    assert len(kept) == len(file.WRITER_PRAGMAS) - 1
    file.WRITER_PRAGMAS = (*kept, f"PRAGMA synchronous = {level}")  # type: ignore[assignment]
    cli.main()
