"""The seed of the searches that draw anew on each run, and how far they went; the tests' report says both."""

import os
import secrets

SEED = int(os.environ.get("SPOTBOOK_SEED") or secrets.randbits(32))
"""Set SPOTBOOK_SEED to the seed that a run printed, and the same stories are told again."""

STEPS: dict[str, int] = {}
"""Steps made in this run, by the machine that made them."""

FUZZED: dict[str, str] = {}
"""What was fuzzed in this run, and how far it went."""

CAMPAIGNS: dict[str, str] = {}
"""What else was tried at random in this run, how often, and the variable that has it again."""
