"""Spotbook itself, as `spotbook serve` runs it, with every rate limit lifted: ``python -m bench.servers.ours FOLDER``.

The master key comes in the environment. Limits, metrics and background work are on; nobody reaches the limits.
"""

import json
import os
import sys
from pathlib import Path

from spotbook import bootstrap
from spotbook.bootstrap import Running
from spotbook.settings import Listener, Settings, unlimited
from spotbook.wire.coinw.registry import PRIVATE, PUBLIC


def announce(running: Running) -> None:
    """Say where Spotbook answers."""
    print(json.dumps(running._asdict()), flush=True)


def main() -> int:
    """Serve until SIGTERM."""
    settings = Settings(Path(sys.argv[1]), public=Listener(), admin=Listener(), log_level="warning")
    limits = {name: private.limit for name, private in PRIVATE.items()}
    limits |= {name: public.limit for name, public in PUBLIC.items()}
    return bootstrap.run(unlimited(settings, limits), os.environ["SPOTBOOK_MASTER_KEY"], ready=announce)


if __name__ == "__main__":
    raise SystemExit(main())
