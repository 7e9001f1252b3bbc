"""docs/targets.md has each target that a query has, and names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks.day import WRITES
from tests.benchmarks.query_set import QUERIES

pytestmark = [pytest.mark.pack, pytest.mark.docs]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "targets.md").read_text("utf-8")
SYSTEMS = ("line_support", "whatsapp_agent", "telegram_bots", "market_research", "rag_chat")


def test_each_target_of_a_query_is_in_the_table() -> None:
    for query in QUERIES:
        if query.target_ms is not None:
            asked = f"{query.target_ms:g} ms" if query.target_ms < 1000 else f"{query.target_ms / 1000:g} s"
            assert f"| {query.system} | {query.name}: p95 under {asked} |" in PAGE, query.name
    for table, (system, target, _) in WRITES.items():
        assert f"| {system} | write {table}, while maintenance runs: p95 under {target:g} ms |" in PAGE


def test_each_line_says_what_was_measured_and_how_to_run_it() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith(tuple(f"| {system} |" for system in SYSTEMS))]
    assert len(lines) >= 80
    assert all(
        len(cells) == 4 and all(cells) for cells in ([c.strip() for c in line[1:-1].split("|")] for line in lines)
    )


def test_what_it_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py|migrations/[\w/]+\.\w+|test_\w+\.py)`", PAGE))
    assert len(named) >= 8
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "tests" / "postgres" / name).exists(), name
    for module in re.findall(r"python -m (tests\.benchmarks\.\w+)", PAGE):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


def test_names_of_queries_are_unique() -> None:
    names = [(query.system, query.name) for query in QUERIES]
    assert len(names) == len(set(names))
