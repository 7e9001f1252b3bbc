"""A table goes to the extension pg_partman and comes back with its policy: 4.7 as Debian has it, 5 over its tables."""

from __future__ import annotations

import os

import pytest

from schema_kit.catalog import Catalog
from schema_kit.names import QualifiedName
from schema_kit.tasks.policies import create_config
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.partman import children
from tests.support.partman_versions import VERSIONS, tables_of_5

pytestmark = [pytest.mark.partman, pytest.mark.majors]

POLICY = (
    "CREATE SCHEMA IF NOT EXISTS s",
    "CREATE TABLE s.t (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
    "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval, timezone, premake, retention, "
    "retention_keep_table, retention_grace, infinite_time_partitions, datetime_string) VALUES "
    "('s.t', 'at', '1 day', 'UTC', 3, '30 days', false, '2 days', true, 'YYYYMMDD')",
)


def made(database: Database) -> None:
    database.sql("CREATE SCHEMA partman")
    database.run(create_config)
    database.sql(*POLICY)
    result = shell(database, "partitions", "create-next")
    assert result.returncode == 0, result.stderr


def round_trip(database: Database) -> None:
    parent = QualifiedName("s", "t")
    policy = Catalog(database.sqlalchemy()).policy(parent)
    result = shell(database, "partitions", "hand-over", "s.t")
    assert result.returncode == 0, result.stderr
    assert database.sql("SELECT automatic_maintenance FROM schema_kit.part_config") == [("off",)]
    assert shell(database, "partitions", "hand-over", "s.t").stderr.strip().endswith("nothing to do")
    assert Catalog(database.sqlalchemy()).policies() == ()
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert result.returncode == 0, result.stderr
    assert Catalog(database.sqlalchemy()).policy(parent) == policy
    assert Catalog(database.sqlalchemy()).policies() == (policy,)
    assert database.sql("SELECT automatic_maintenance FROM partman.part_config") == [("off",)]


@pytest.mark.parametrize("version", VERSIONS)
def test_there_and_back_over_the_tables_of_5(database: Database, version: str) -> None:
    made(database)
    database.sql(*tables_of_5(version))
    round_trip(database)
    row = "SELECT parent_table, partition_type, partition_interval, premake, retention, datetime_string, "
    row += "infinite_time_partitions, retention_keep_table FROM partman.part_config"
    assert database.sql(row) == [("s.t", "range", "1 day", 3, "30 days", "YYYYMMDD", True, False)]
    assert shell(database, "partitions", "hand-over", "s.t").returncode == 0
    database.sql("UPDATE partman.part_config SET premake = 7, retention = '40 days'")
    assert shell(database, "partitions", "adopt", "s.t", "--take-over").returncode == 0
    policy = Catalog(database.sqlalchemy()).policy(QualifiedName("s", "t"))
    assert policy
    assert (policy.premake, policy.retention, policy.retention_grace) == (7, "40 days", "2 days")


def test_what_the_extension_could_not_maintain_is_refused(database: Database) -> None:
    made(database)
    result = shell(database, "partitions", "hand-over", "s.t")
    assert (result.returncode, "there: none" in result.stderr) == (3, True)
    database.sql(*tables_of_5("5.1"), "CREATE TABLE s.rest PARTITION OF s.t DEFAULT")
    result = shell(database, "partitions", "hand-over", "s.t")
    assert (result.returncode, "has to be called t_default" in result.stderr) == (3, True)
    assert database.sql("SELECT count(*) FROM partman.part_config") == [(0,)]
    assert shell(database, "partitions", "hand-over").returncode == 2


def test_the_real_4_7_maintains_the_table_and_gives_it_back(database: Database) -> None:
    if not database.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_partman'"):
        if os.environ.get("SCHEMA_KIT_PARTMAN"):
            pytest.fail("this server has no pg_partman")
        pytest.skip("this server has no pg_partman: Debian's postgresql-15-partman")
    made(database)
    name = database.sql("SELECT current_database()")[0][0]
    database.sql("CREATE EXTENSION pg_partman SCHEMA partman", f"ALTER DATABASE {name} SET TimeZone TO 'UTC'")
    before = children(database, "s.t")
    round_trip(database)
    assert shell(database, "partitions", "hand-over", "s.t").returncode == 0
    last = max(before)
    database.sql(f"DROP TABLE s.{last}", "SELECT partman.run_maintenance('s.t')")
    after = children(database, "s.t")
    assert before.items() <= after.items()
    for name in after.keys() - before.keys():  # in the afternoon, one more: it measures from the clock's time
        database.sql(f"DROP TABLE s.{name}")
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert result.returncode == 0, result.stderr
    database.sql(f"DROP TABLE s.{last}")
    assert shell(database, "partitions", "create-next").returncode == 0
    assert children(database, "s.t") == before
    refused = shell(database, "sql", "apply")
    assert (refused.returncode, "--schema partman_sql" in refused.stderr) == (3, True)
    assert shell(database, "sql", "apply", "--schema", "partman_sql").returncode == 0
