"""Each scenario in a world that changes; then a quiet one, which has to end the same."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.chaos.rounds import MINUTES, Round, play
from tests.chaos.scenarios import CONTROL, SCENARIOS
from tests.chaos.server import Server

pytestmark = pytest.mark.chaos


def _seconds() -> float:
    """How long each scenario is played again and again, so that all workers together need so many minutes."""
    minutes, workers = float(os.environ.get(MINUTES, 0)), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    return minutes * 60 * workers / len(SCENARIOS)


@pytest.fixture(scope="session")
def control(server: Server, seed: int) -> float:
    """The share of transactions that row moves and SERIALIZABLE make writers try again without a disturbance."""
    found = play(server, CONTROL, "control", seed, seconds=5)
    assert found.problems == []
    return _again(found.figures)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_no_session_is_blocked(
    server: Server, seed: int, control: float, name: str, record_property: Callable[[str, object], None]
) -> None:
    end, failures, figures = time.monotonic() + _seconds(), list[str](), Counter[str]()
    while not figures or time.monotonic() < end:
        here = seed + figures["rounds"]
        found = play(server, SCENARIOS[name], name, here)
        longest = max(figures["longest wait, ms"], found.figures.pop("longest wait, ms"))
        figures.update(found.figures)
        figures["longest wait, ms"] = longest
        failures += _failures(found, name, here)
    record_property("figures", dict(figures))
    assert _again(figures) <= 3 * control + 0.02, f"writers had to try again much more often than {control:.2%}"
    assert not failures, "\n\n".join(failures)


def _again(figures: Counter[str]) -> float:
    return (figures["40001"] + figures["40P01"]) / figures["transactions"]


def _failures(found: Round, name: str, seed: int) -> list[str]:
    if not found.problems:
        return []
    problems = "\n  ".join(f"{kind}: {text}" for kind, text in found.problems[:20])
    return [f"SCHEMA_KIT_CHAOS_SEED={seed} repeats {name}:\n  {problems}\n" + "\n".join(found.story)]
