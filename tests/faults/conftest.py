import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from faults.witness import ROWS  # noqa: E402
from support.fixtures import start_mongo, start_redis, start_server  # noqa: E402, F401


def pytest_terminal_summary(terminalreporter):
    """What the agents met in each fault. That nothing acknowledged was lost is what the tests have asserted."""
    if not ROWS:
        return
    terminalreporter.write_sep("=", "faults")
    line = f"{'fault':52} {'acknowledged':>12} {'refused':>7} {'doubtful':>8} {'back after':>10} {'growth':>8}  statuses"
    terminalreporter.write_line(line)
    for row in ROWS:
        statuses = ", ".join(f"{status}: {count}" for status, count in row.statuses.items())
        terminalreporter.write_line(f"{row.fault:52} {row.acknowledged:12} {row.refused:7} {row.doubtful:8} "
                                    f"{row.seconds_to_recover:8.2f} s {row.growth_mb:5.0f} MB  {statuses}")
    terminalreporter.write_line(f"{len(ROWS)} faults, {sum(row.acknowledged for row in ROWS)} acknowledged writes, 0 lost")


@pytest.fixture
def fault(request):
    """The name of the fault, as the table tells it."""
    return re.sub(r"[_\[]", " ", request.node.name.removeprefix("test_")).rstrip("]")
