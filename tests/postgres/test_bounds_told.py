"""Bounds are shown on the clock of their table, by every command, in notes and refusals, too; SQL has them as sent."""

from __future__ import annotations

import re

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import longer

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]

ZONE, NOW = "Asia/Bangkok", "2026-05-20"
UTC = re.compile(r"17:00(:00)?|\d\+00\b")
"""Midnights of Bangkok in UTC, or a zone that is not the table's."""

COMMANDS = {
    "list": ("2025-03-10 12:00:00  2025-03-20",),
    "check": ("2026-06-10 to 2026-06-20", "2025-03-10 12:00:00 to 2025-03-20", "2026-03-01 to 2026-05-01"),
    "timeline": ("2026-02-01",),
    "retire --dry-run": ("s.t_odd is left alone: 2025-03-10 12:00:00 to 2025-03-20 are not ranges of 1 mon",),
    "fill-gaps --dry-run": ("s.t_p20260301 from 2026-03-01 to 2026-04-01",),
    "fill-gaps --dry-run s.far": ("no partition from 2001-02-01 to 2026-02-01",),
    "create-next --dry-run": ("s.far_p20260601 from 2026-06-01 to 2026-07-01",),
    "create-next --dry-run s.t": (
        "s.t_late holds 2026-06-10 to 2026-06-20, which crosses",
        "from 2026-06-01 to 2026-07-01",
    ),
    "maintain --dry-run": ("s.t_odd is left alone: 2025-03-10 12:00:00 to 2025-03-20",),
    "adopt --dry-run s.other --timezone Asia/Bangkok --interval 1mon": ("s.other_1 from 2026-01-01 to 2026-01-20",),
    "split s.t_odd --dry-run": ("it begins at 2025-03-10 12:00:00, in the middle of a window of 1 mon",),
    "convert s.plain --control at --interval 1mon --timezone Asia/Bangkok --strategy attach --dry-run": (
        "rows whose at is 2026-07-01 or later are refused",
        "s.plain_p20260701 from 2026-07-01 to 2026-08-01",
    ),
}


@pytest.fixture
def sets(database: Database) -> Database:
    """A table with gaps, with a partition that lies across ranges; one that begins long ago; a plain table."""
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        f"SET TimeZone = '{ZONE}'",
        *(
            f"CREATE TABLE s.{name} (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"
            for name in ("t", "far", "other")
        ),
        *(
            f"CREATE TABLE s.{part} PARTITION OF s.{of} FOR VALUES FROM ('{lower}') TO ('{upper}')"
            for part, of, lower, upper in (
                ("t_odd", "t", "2025-03-10 12:00", "2025-03-20"),
                ("t_02", "t", "2026-02-01", "2026-03-01"),
                ("t_05", "t", "2026-05-01", "2026-06-01"),
                ("t_late", "t", "2026-06-10", "2026-06-20"),
                ("far_1", "far", "2001-01-01", "2001-02-01"),
                ("far_2", "far", "2026-02-01", "2026-03-01"),
                ("other_1", "other", "2026-01-01", "2026-01-20"),
                ("other_2", "other", "2026-02-01", "2026-03-01"),
                ("other_3", "other", "2026-03-01", "2026-04-01"),
            )
        ),
        "CREATE TABLE s.far_default PARTITION OF s.far DEFAULT",
        "CREATE TABLE s.plain (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO s.plain VALUES (1, '2026-05-19')",
        register_sql(Partitioning(QualifiedName("s", "t"), "at", "1 mon", ZONE, 1, retention="3 months")),
        register_sql(Partitioning(QualifiedName("s", "far"), "at", "1 mon", ZONE, 1)),
    )
    return database


@pytest.mark.parametrize("words", longer(COMMANDS))
def test_on_the_table_s_clock(sets: Database, words: str) -> None:
    done = shell(sets, "partitions", *words.split(), "--now", NOW)
    shown = done.stdout.splitlines()
    told = done.stderr.splitlines() + [line for line in shown if "--dry-run" not in words or line.startswith("--")]
    assert not [line for line in told if UTC.search(line)]
    for part in COMMANDS[words]:
        assert any(part in line for line in told), (part, told)
