"""What holds for every test: how Hypothesis searches.

Locally it draws anew on each run; in CI (``CI`` in the environment) it draws the same each time, so that a run that
passed passes again. Both print what is needed to see a failure again.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from support.seeds import CAMPAIGNS, FUZZED, SEED, STEPS

settings.register_profile("local", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_report_header() -> str:
    return f"stories of the exchange machine: SPOTBOOK_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for machine, steps in STEPS.items():
        terminalreporter.write_line(f"the {machine} machine made {steps} steps, SPOTBOOK_SEED={SEED}")
    for target, told in FUZZED.items():
        terminalreporter.write_line(f"fuzzed {target}: {told}, SPOTBOOK_SEED={SEED}")
    for campaign, told in CAMPAIGNS.items():
        terminalreporter.write_line(f"campaign {campaign}: {told}")
