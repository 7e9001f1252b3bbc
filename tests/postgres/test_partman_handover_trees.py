"""Sub-partitioned tables, and those whose partitions have other names, go to the extension pg_partman and come back."""

from __future__ import annotations

import os

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.partman import children, installed
from tests.support.partman_versions import VERSIONS, tables_of_5

pytestmark = [pytest.mark.partman, pytest.mark.majors]

OURS = "sql_api"
STATE = {
    "part_config": "SELECT to_jsonb(c) - ARRAY['maintenance_last_run', 'datetime_string'] FROM {schema}.part_config c "
    "ORDER BY 1",
    "part_config_sub": "SELECT to_jsonb(c) FROM {schema}.part_config_sub c ORDER BY 1",
}


def real(database: Database, version: str) -> None:
    """The tables of a version of 5, or the extension 4.7 itself, in the schema partman."""
    database.sql("CREATE SCHEMA partman")
    if version != "4.7":
        database.sql(*tables_of_5(version))
    elif database.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_partman'"):
        database.sql("CREATE EXTENSION pg_partman SCHEMA partman")
    elif os.environ.get("SCHEMA_KIT_PARTMAN"):
        pytest.fail("this server has no pg_partman")
    else:
        pytest.skip("this server has no pg_partman: Debian's postgresql-15-partman")


def of_ids(database: Database) -> None:
    """By ids, then by days, then by other ids: three levels, with settings that only the functions in SQL use."""
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f"ALTER DATABASE {name} SET TimeZone TO 'UTC'")
    installed(database, OURS).sql(
        "CREATE TABLE s.t (id int NOT NULL, at timestamptz NOT NULL, x int NOT NULL) PARTITION BY RANGE (id)",
        f"SELECT {OURS}.create_parent('s.t', 'id', '100', p_premake := 1, p_constraint_cols := ARRAY['x'])",
        f"SELECT {OURS}.create_sub_parent('s.t', 'at', '1 day', p_premake := 1, p_declarative_check := 'yes')",
        f"SELECT {OURS}.create_sub_parent('s.' || partition_tablename, 'x', '10', p_premake := 1, "
        f"p_declarative_check := 'yes') FROM {OURS}.show_partitions('s.t')",
        f"UPDATE {OURS}.part_config SET retention = '500', optimize_constraint = 7 WHERE parent_table = 's.t'",
        f"UPDATE {OURS}.part_config_sub SET sub_retention = '9 days', sub_retention_keep_table = false "
        "WHERE sub_parent = 's.t'",
        "INSERT INTO s.t VALUES (1, now(), 1)",
    )


def state(database: Database, schema: str = OURS) -> dict[str, list[tuple[object, ...]]]:
    return {table: database.sql(query.format(schema=schema)) for table, query in STATE.items()}


@pytest.mark.parametrize("version", ["4.7", *VERSIONS])
def test_a_tree_goes_with_all_its_sets_and_comes_back_as_it_was(database: Database, version: str) -> None:
    real(database, version)
    of_ids(database)
    before = state(database)
    result = shell(database, "partitions", "hand-over", "s.t")
    assert result.returncode == 0, result.stderr
    there = state(database, "partman")
    assert [len(rows) for rows in there.values()] == [len(rows) for rows in before.values()] == [9, 3]
    assert database.sql(f"SELECT DISTINCT automatic_maintenance FROM {OURS}.part_config") == [("off",)]
    told = "SELECT {0}retention, {0}premake, {0}control FROM partman.part_config{1} WHERE {2} = 's.t'"
    assert database.sql(told.format("", "", "parent_table")) == [("500", 1, "id")]
    assert database.sql(told.format("sub_", "_sub", "sub_parent")) == [("9 days", 1, "at")]
    assert shell(database, "partitions", "hand-over", "s.t").stderr.strip().endswith("nothing to do")
    database.sql("UPDATE partman.part_config SET optimize_constraint = 8 WHERE parent_table = 's.t'")
    database.sql("UPDATE partman.part_config_sub SET sub_premake = 3 WHERE sub_parent = 's.t'")
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert result.returncode == 0, result.stderr
    assert database.sql("SELECT DISTINCT automatic_maintenance FROM partman.part_config") == [("off",)]
    database.sql(f"UPDATE {OURS}.part_config SET optimize_constraint = 7 WHERE parent_table = 's.t'")
    database.sql(f"UPDATE {OURS}.part_config_sub SET sub_premake = 1 WHERE sub_premake = 3")
    assert state(database) == before
    database.sql(f"SELECT {OURS}.run_maintenance('s.t')")


def test_the_real_4_7_maintains_a_tree_and_gives_one_that_it_made(database: Database) -> None:
    real(database, "4.7")
    of_ids(database)
    assert shell(database, "partitions", "hand-over", "s.t").returncode == 0
    before = children(database, "s.t")
    database.sql("INSERT INTO s.t VALUES (150, now(), 1)", "SELECT partman.run_maintenance('s.t')")
    assert children(database, "s.t").keys() - before.keys() == {"t_p200"}
    assert children(database, "s.t_p200") != {}
    assert shell(database, "partitions", "adopt", "s.t", "--take-over").returncode == 0
    assert database.sql(f"SELECT count(*) FROM {OURS}.part_config WHERE parent_table LIKE 's.t_p200%'")[0][0] > 0
    database.sql("INSERT INTO s.t VALUES (250, now(), 1)", f"CALL {OURS}.run_maintenance_proc()")
    assert children(database, "s.t").keys() - before.keys() == {"t_p200", "t_p300"}


def test_a_tree_needs_what_maintains_it(database: Database) -> None:
    """Python's maintenance would make partitions that are not partitioned."""
    real(database, "5.1")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id int NOT NULL, k int NOT NULL) PARTITION BY RANGE (id)",
        "CREATE TABLE s.t_p0 PARTITION OF s.t FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (k)",
        "CREATE TABLE s.t_p0_p0 PARTITION OF s.t_p0 FOR VALUES FROM (0) TO (10)",
        "INSERT INTO partman.part_config (parent_table, control, partition_interval, partition_type) "
        "VALUES ('s.t', 'id', '10', 'range'), ('s.t_p0', 'k', '10', 'range')",
        "INSERT INTO partman.part_config_sub (sub_parent, sub_control, sub_partition_interval, sub_partition_type) "
        "VALUES ('s.t', 'k', '10', 'range')",
    )
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert (result.returncode, "schema_kit sql apply" in result.stderr) == (3, True)
    assert shell(database, "sql", "apply", "--schema", OURS).returncode == 0
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert result.returncode == 0, result.stderr
    assert database.sql(f"SELECT sub_parent, sub_control FROM {OURS}.part_config_sub") == [("s.t", "k")]
    assert database.sql(f"SELECT parent_table, control FROM {OURS}.part_config ORDER BY 1") == [
        ("s.t", "id"),
        ("s.t_p0", "k"),
    ]


def odd_names(database: Database) -> None:
    """Months and a default whose names say nothing to pg_partman, one under the name of another, and a long one."""
    installed(database, OURS).sql(
        "CREATE TABLE s.t (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE s.t_p20260201 PARTITION OF s.t FOR VALUES FROM ('2026-01-01 00:00Z') TO ('2026-02-01 00:00Z')",
        "CREATE TABLE s.second PARTITION OF s.t FOR VALUES FROM ('2026-02-01 00:00Z') TO ('2026-03-01 00:00Z')",
        'CREATE TABLE s."Rest" PARTITION OF s.t DEFAULT',
        f"INSERT INTO {OURS}.part_config (parent_table, control, partition_interval, timezone) "
        "VALUES ('s.t', 'at', '1 mon', 'UTC')",
    )


@pytest.mark.parametrize("version", ["4.7", "5.1"])
def test_partitions_are_renamed_if_that_is_asked_for(database: Database, version: str) -> None:
    real(database, version)
    odd_names(database)
    bounds = sorted(children(database, "s.t").values())
    refused = shell(database, "partitions", "hand-over", "s.t")
    assert (refused.returncode, "--rename" in refused.stderr) == (3, True)
    result = shell(database, "partitions", "hand-over", "s.t", "--rename", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "second" in children(database, "s.t")
    result = shell(database, "partitions", "hand-over", "s.t", "--rename")
    assert result.returncode == 0, result.stderr
    assert sorted(children(database, "s.t")) == ["t_default", "t_p20260101", "t_p20260201"]
    assert sorted(children(database, "s.t").values()) == bounds
    assert database.sql("SELECT datetime_string FROM partman.part_config") == [("YYYYMMDD",)]


def test_a_renamed_tree_keeps_its_policies(database: Database) -> None:
    real(database, "5.6")
    of_ids(database)
    database.sql('ALTER TABLE s.t_p0 RENAME TO "First"', "UPDATE schema_kit.part_config SET parent_table = 's.First' "
                 "WHERE parent_table = 's.t_p0'")  # fmt: skip
    result = shell(database, "partitions", "hand-over", "s.t", "--rename")
    assert result.returncode == 0, result.stderr
    known = "SELECT array_agg(parent_table::text ORDER BY parent_table) FROM {}.part_config"
    assert database.sql(known.format(OURS)) == database.sql(known.format("partman"))
    assert "t_p0" in children(database, "s.t")
    assert database.sql("SELECT sub_control FROM partman.part_config_sub WHERE sub_parent = 's.t_p0'") == [("x",)]


def test_names_are_released_before_others_take_them(database: Database) -> None:
    """Three in a chain work; two that have one another's names are refused before anything is written."""
    real(database, "5.1")
    installed(database, OURS).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        *(
            f"CREATE TABLE s.{name} PARTITION OF s.t FOR VALUES FROM ({low}) TO ({low + 10})"
            for name, low in {"t_p10": 0, "t_p20": 10, "t_p40": 20, "t_p50": 50, "t_p60": 40}.items()
        ),
        f"INSERT INTO {OURS}.part_config (parent_table, control, partition_interval) VALUES ('s.t', 'id', '10')",
    )
    result = shell(database, "partitions", "hand-over", "s.t", "--rename")
    assert result.returncode == 0, result.stderr
    assert sorted(children(database, "s.t")) == ["t_p0", "t_p10", "t_p20", "t_p40", "t_p50"]
    database.sql(
        f"UPDATE {OURS}.part_config SET automatic_maintenance = 'on'",
        "ALTER TABLE s.t_p0 RENAME TO x",
        "ALTER TABLE s.t_p10 RENAME TO t_p0",
        "ALTER TABLE s.x RENAME TO t_p10",
    )
    result = shell(database, "partitions", "hand-over", "s.t", "--rename")
    assert (result.returncode, "one another's names" in result.stderr) == (3, True)
