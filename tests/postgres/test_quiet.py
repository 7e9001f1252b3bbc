"""--quiet, for cron: what fails is said, and nothing else; without it one line a step, on one stream."""

from __future__ import annotations

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.cli]

COMMANDS = ("create-next", "maintain", "drain-default", "fill-gaps", "retire")


def build(database: Database) -> None:
    policy = Partitioning(QualifiedName("app", "t"), "at", "1 day", premake=2)
    database.sql("CREATE SCHEMA app", *load("partman/tables/part_config.sql"), register_sql(policy))
    database.sql("CREATE TABLE app.t (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_succeeds_says_nothing(database: Database, command: str) -> None:
    build(database)
    for _ in range(2):
        done = shell(database, "partitions", command, "--now", "2026-03-28", "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", ["create-next", "maintain", "fill-gaps"])
def test_what_fails_is_said(database: Database, command: str) -> None:
    build(database)
    database.sql("DROP TABLE app.t")
    done = shell(database, "partitions", command, "--now", "2026-03-28", "--quiet")
    assert done.returncode in (1, 3)
    assert done.stdout == ""
    assert "there is no such table" in done.stderr


def test_a_dry_run_is_shown_all_the_same(database: Database) -> None:
    build(database)
    done = shell(database, "partitions", "create-next", "--now", "2026-03-28", "--quiet", "--dry-run")
    assert "CREATE TABLE" in done.stdout


def test_without_a_terminal_each_step_is_one_line(database: Database) -> None:
    build(database)
    done = shell(database, "partitions", "create-next", "--now", "2026-03-28")
    assert done.stderr == ""
    assert [line.split(" from ")[0] for line in done.stdout.splitlines()] == [
        f"create partition app.t_p202603{day}" for day in (28, 29, 30)
    ]
