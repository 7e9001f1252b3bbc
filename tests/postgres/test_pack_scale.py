"""The benchmarks of scale run, on few rows: a day of all systems at once, and a table of 1 TB a month."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.query_set import QUERIES
from tests.support.cli import ROOT
from tests.support.database import Database

pytestmark = pytest.mark.pack


def benchmark(name: str, *options: str) -> str:
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.deep
def test_a_day_loses_no_row_and_no_statement_fails(database: Database) -> None:
    few = ("--rows", "3000", "--seconds", "5", "--readers", "2", "--writers", "1", "--pause", "0.02")
    said = benchmark("day", "--url", database.url, *few)
    for query in QUERIES:
        assert f"| {query.name} |" in said or query.target_ms is None, query.name
    assert said.count("rows written") == 6
    assert "| schema_kit partitions maintain | " in said
    archived = database.sql("SELECT count(*) FROM telegram_bots.messages_archive")
    assert archived[0][0] > 0


@pytest.mark.deep
def test_the_empty_planner_plans_a_terabyte_a_month() -> None:
    said = benchmark("terabyte", "--interval", "1 month")
    assert "| 1 month | 7 | 1,100 GB |" in said
