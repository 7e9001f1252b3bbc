"""What the functions in SQL take first and last is by the column's own order, never by that of its text."""

from __future__ import annotations

import pytest

from tests.support.database import Database
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

IDS = "(VALUES (2), (9), (10), (11), (35), (99), (100), (101), (-3), (-20)) v (n)"


def of_ids(database: Database, kind: str, more: str = "") -> Database:
    """A table by tens whose rows lie in its default and have one to three digits."""
    installed(database).sql(
        f"CREATE TABLE s.t (id {kind} NOT NULL, x int) PARTITION BY RANGE (id)",
        f"SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1, p_start_partition := '1000'{more})",
        f"INSERT INTO s.t SELECT n, n FROM {IDS}",
    )
    return database


def starts(database: Database) -> list[int]:
    return sorted(int(name.removeprefix("t_p")) for name in children(database, "s.t") if name != "t_default")


@pytest.mark.parametrize("kind", ["smallint", "numeric"])
def test_batches_begin_with_the_least_or_the_greatest(database: Database, kind: str) -> None:
    of_ids(database, kind).sql("SELECT partman.partition_data_id('s.t', 2, p_order := 'DESC')")
    assert starts(database) == [90, 100, 1000, 1010]
    database.sql("SELECT partman.partition_data_id('s.t', 2, p_order := 'ASC')")
    assert starts(database) == [-20, -10, 90, 100, 1000, 1010]
    database.sql("SELECT partman.partition_data_id('s.t', 20)")
    assert starts(database) == [-20, -10, 0, 10, 30, 90, 100, 1000, 1010]
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]


@pytest.mark.parametrize(("order", "first"), [("ASC", [-20, -3, 2, 9]), ("DESC", [101, 100, 99, 35])])
def test_batches_from_another_table_too(database: Database, order: str, first: list[int]) -> None:
    of_ids(database, "bigint").sql("CREATE TABLE s.u (LIKE s.t)", f"INSERT INTO s.u SELECT n, n FROM {IDS}")
    database.sql("DELETE FROM s.t")
    for expected in first:
        moved = f"SELECT partman.partition_data_id('s.t', 1, 1, p_source_table := 's.u', p_order := '{order}')"
        assert database.sql(moved) == [(1,)]
        assert database.sql(f"SELECT 1 FROM s.t WHERE id = {expected}") == [(1,)]


def test_an_undo_takes_rows_in_their_order(database: Database) -> None:
    of_ids(database, "int").sql("CREATE TABLE s.u (LIKE s.t)")
    for expected in ([-20], [-20, -3], [-20, -3, 2], [-20, -3, 2, 9, 10, 11]):
        database.sql("SELECT partman.undo_partition('s.t', 's.u', p_batch_interval := '5')")
        assert database.sql("SELECT array_agg(id ORDER BY id) FROM s.u") == [(expected,)]


def test_rows_of_the_default_that_are_ahead_count_if_they_are_to(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "INSERT INTO s.t VALUES (-5), (-900)",
        "UPDATE partman.part_config SET ignore_default_data = false",
        "SELECT partman.run_maintenance('s.t')",
    )
    assert starts(database) == [0, 10]


def test_the_bounds_of_a_check_are_the_least_and_the_greatest_value(database: Database) -> None:
    of_ids(database, "int", ", p_constraint_cols := ARRAY['x']")
    database.sql(
        "SELECT partman.partition_data_id('s.t', 20)",
        "INSERT INTO s.t SELECT 50, n FROM (VALUES (9), (10), (100), (-2)) v (n)",
        "SELECT partman.partition_data_id('s.t', 1)",
        "SELECT partman.apply_constraints('s.t', 's.t_p50')",
    )
    assert database.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE 'partmanconstr%'") == [
        ("CHECK (((x >= '-2'::integer) AND (x <= 100)))",)
    ]


def test_each_partition_that_is_made_moves_the_one_whose_checks_are_due(database: Database) -> None:
    """A run that makes several leaves none of them out."""
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, x int) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_constraint_cols := ARRAY['x'])",
        "UPDATE partman.part_config SET optimize_constraint = 1",
        "INSERT INTO s.t SELECT n, n FROM generate_series(0, 49) n",
        "SELECT partman.run_maintenance('s.t')",
    )
    assert starts(database) == list(range(0, 90, 10))
    found = database.sql("SELECT conrelid::regclass::text FROM pg_constraint WHERE conname LIKE 'partmanconstr%'")
    assert sorted(found) == [("s.t_p0",), ("s.t_p10",), ("s.t_p20",)]


@pytest.mark.parametrize(("retention", "gone"), [("2 days", 1), ("1 day 23:59:59", 2)])
def test_a_partition_that_ends_where_retention_begins_is_kept(database: Database, retention: str, gone: int) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (at date NOT NULL) PARTITION BY RANGE (at)",
        "SELECT partman.create_parent('s.t', 'at', '1 day')",
    )
    drop = (
        f"SELECT partman.drop_partition_time('s.t', '{retention}', p_reference_timestamp := date_trunc('day', now()))"
    )
    assert database.sql(drop) == [(gone,)]
