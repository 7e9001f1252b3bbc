"""The seed, the server, and the figures at the end."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.disturbance import quietly
from tests.chaos.rounds import SEED
from tests.chaos.server import Server

os.environ.setdefault(SEED, str(random.SystemRandom().randrange(1, 1_000_000)))  # xdist's workers have it from here


def pytest_report_header() -> str:
    return f"chaos: {SEED}={os.environ[SEED]} repeats this run"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was counted, over all scenarios."""
    figures, longest = Counter[str](), 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
                if key == "figures":
                    longest = max(longest, value.pop("longest wait, ms", 0))
                    figures.update(value)
    if figures:
        terminalreporter.section("chaos")
        for name, count in sorted(figures.items()):
            terminalreporter.write_line(f"{count:>9,} {name}")
        terminalreporter.write_line(f"{longest:>9,} ms: the longest wait for a lock of ours")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One that this suite may stop."""
    found = Server()
    quietly(("partitions", "create-next"), found.url("postgres"))  # what clients are forked from starts now
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def seed() -> int:
    return int(os.environ[SEED])
