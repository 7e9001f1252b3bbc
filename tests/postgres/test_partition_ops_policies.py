"""Policies of what is partitioned already, by operations of a migration: registered, changed, forgotten."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from schema_kit import op
from schema_kit.errors import DeclarationError, PlanError
from tests.support.catalog import facts
from tests.support.database import Database
from tests.support.partition_ops import MONTHS, by_hand, events, migration, month, outside, tree

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


def test_what_is_past_its_retention_is_said_at_the_beginning(database: Database) -> None:
    with migration(database):
        events(retention="18 months", retention_keep_table=False, retention_grace="2 days", detach="blocking")
    asked = (
        "SELECT retention, retention_keep_table, retention_schema, retention_grace, detach FROM schema_kit.part_config"
    )
    assert database.sql(asked) == [("18 months", False, None, "2 days", "blocking")]


def test_a_policy_is_registered_changed_and_forgotten(database: Database) -> None:
    by_hand(database, month("2026-09-01", "2026-10-15"), month("2026-10-15", "2026-12-01"))
    with migration(database):
        op.set_partition_policy("t", control="at", interval="1 month")
    row = "SELECT partition_interval, premake, timezone, origin, inherit_privileges FROM schema_kit.part_config"
    assert database.sql(row) == [("1 mon", 4, "UTC", None, False)]
    with migration(database):
        op.set_partition_policy("t", premake=7, inherit_privileges=True)
        op.set_partition_policy("t", premake=7)
    assert database.sql(row) == [("1 mon", 7, "UTC", None, True)]
    with migration(database):
        op.set_partition_policy("t", interval="1 day", origin="2000-01-01")
        op.set_partition_policy("t", origin="")
    assert database.sql(row) == [("1 day", 7, "UTC", None, True)]
    for _ in range(2):
        with migration(database):
            op.drop_partition_policy("t")
    assert database.sql(row) == []
    assert len(tree(database, "t")) == 3


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"control": "at"}, "a first one needs interval"),
        ({}, "a first one needs control and interval"),
        ({"control": "at", "interval": "1 week"}, "has a bound at 2027-01-01, where no range of 7 days begins"),
        ({"control": "at", "interval": "1 month", "timezone": "Asia/Bangkok"}, "crosses the partition"),
        ({"control": "at", "interval": "1 month", "origin": "2026-01-05"}, "crosses the partition"),
        ({"control": "at", "interval": "2 weeks", "origin": "2026-11-02"}, "crosses the partition"),
        ({"control": "id", "interval": "1 month"}, "is not partitioned by RANGE (id): its key is RANGE (at)"),
        ({"control": "at", "interval": "100"}, "is a number of ids"),
        ({"control": "at", "interval": "1 month", "encoding": "seconds"}, "cannot hold seconds"),
        ({"control": "at", "interval": "1 month", "timezone": "Nowhere"}, "there is no time zone"),
        ({"control": "at", "interval": "a while"}, "is not an interval"),
        ({"control": "at", "interval": "1 month", "premake": 0}, "is 1 or more, not 0"),
        ({"control": "at", "interval": "1 month", "premake": 1001}, "at most 1000"),
        ({"control": "at", "interval": "1 month", "retention": "3 weeks"}, "shorter than a partition"),
        ({"control": "at", "interval": "1 month", "retention": "0 days"}, "is not an interval"),
    ],
)
def test_a_policy_that_does_not_agree_is_refused(database: Database, keywords: dict[str, Any], words: str) -> None:
    by_hand(database, month("2026-11-01", "2026-12-01"), month("2026-12-01", "2027-01-01"))
    before = facts(database)
    for context in (migration(database), outside(database)):
        with pytest.raises((DeclarationError, PlanError)) as caught, context:
            op.set_partition_policy("t", **keywords)
        assert words in str(caught.value)
        assert facts(database) == before


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((), "there is no table public.t"),
        (("CREATE TABLE t (at timestamptz NOT NULL)",), "is a plain table"),
        (("CREATE TABLE t (at timestamptz NOT NULL) PARTITION BY LIST (at)",), "its key is LIST (at)"),
        (("CREATE TABLE t (at timestamptz) PARTITION BY RANGE (at)",), "may be NULL"),
        (("CREATE TABLE t (at timestamptz NOT NULL, b int) PARTITION BY RANGE (at, b)",), "its key is RANGE (at, b)"),
        (
            ("CREATE TABLE t (n int NOT NULL) PARTITION BY RANGE (abs(n))",),
            "RANGE ((expression))",
        ),
        (
            (
                "CREATE TABLE t (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
                f"CREATE TABLE t_far PARTITION OF t {month('2031-01-05', '2031-02-05')}",
            ),
            "public.t_far has a bound at 2031-01-05, where no range of 1 mon begins",
        ),
    ],
)
def test_a_table_that_has_no_such_policy(database: Database, statements: tuple[str, ...], words: str) -> None:
    database.sql(*statements)
    before = facts(database)
    with pytest.raises(PlanError) as caught, migration(database):
        op.set_partition_policy("t", control="at", interval="1 month")
    assert words in str(caught.value)
    assert "Nothing was changed" in str(caught.value)
    assert facts(database) == before


def test_wider_partitions_follow_narrower_ones(database: Database) -> None:
    days = [f"2026-11-{day:02}" for day in range(20, 29)]
    by_hand(database, *(month(first, last) for first, last in pairwise(days)))
    database.sql(f"CREATE TABLE t_old PARTITION OF t {month('2026-11-01', '2026-11-20')}")
    with migration(database):
        op.set_partition_policy("t", control="at", interval="1 day", premake=2)
    with pytest.raises(PlanError, match="make those that are missing in the window"), migration(database):
        op.set_partition_policy("t", interval="1 month")
    with outside(database):
        op.set_partition_policy("t", premake=900)
        op.create_next_partitions("t", until="2026-12-01")
        op.set_partition_policy("t", interval="1 month", premake=2)
        op.create_next_partitions("t", until="2027-02-01")
    assert [row[:2] for row in tree(database, "t") if row[0] >= "t_p202612"] == [
        ("t_p20261201", MONTHS[1][1]),
        ("t_p20270101", MONTHS[2][1]),
    ]


def test_ranges_of_the_same_column_below_a_range_are_not_copied(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        f"CREATE TABLE t_1 PARTITION OF t {month('2026-11-01', '2026-12-01')} PARTITION BY RANGE (at)",
        f"CREATE TABLE t_1_a PARTITION OF t_1 {month('2026-11-01', '2026-11-16')}",
    )
    with migration(database):
        op.set_partition_policy("t", control="at", interval="1 month")
    with outside(database), pytest.raises(PlanError, match="the next one would get the same"):
        op.create_next_partitions("t")


def test_the_policy_of_a_table_that_is_gone_is_not_taken_for_a_new_one_s(database: Database) -> None:
    with migration(database):
        events()
        op.drop_table("events")
        events(interval="1 day", premake=1)
    assert database.sql("SELECT partition_interval, premake FROM schema_kit.part_config") == [("1 day", 1)]
    assert len(tree(database)) == 3
