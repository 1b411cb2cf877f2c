"""``python -m spotbook``."""

from spotbook.cli import main

main()
