"""The command line. What it needs comes with the extra `server`; without it, it says so."""

import sys

EXTRA = frozenset(
    {"click", "cryptography", "httptools", "prometheus_client", "rich", "starlette", "structlog", "uvicorn", "uvloop"}
)


def main() -> None:
    """Run ``spotbook``. Exit codes: 0 done, 1 refused or failed, 2 not understood."""
    try:
        from spotbook.cli.commands import spotbook  # noqa: PLC0415  (the client alone has no click)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.stderr.write(
            f"spotbook: {missing.name} is not installed. The command line and the server need more than the client:\n"
            '  pip install "spotbook[server]"\n'
        )
        sys.exit(2)
    spotbook(prog_name="spotbook")
