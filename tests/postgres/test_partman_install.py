"""pg_partman's functions are installed, compared, brought up to date, refused and removed."""

from __future__ import annotations

import json

import pytest

from schema_kit import op, operations
from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.ops.operation import task
from schema_kit.plans.partman import whole_script
from schema_kit.sqlscripts import classify, partman_objects, split
from schema_kit.tasks.partman import install, remove
from tests.support.cli import called, shell
from tests.support.database import Database
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

SCHEMAS = ["partman", "select", "Schema Kit", 'we"ird', "it's $body$ %s $name$ $do$", "ตาราง"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_any_schema(database: Database, schema: str) -> None:
    installed(database, schema)
    assert shell(database, "sql", "status", "--schema", schema).returncode == 0
    quoted = '"' + schema.replace('"', '""') + '"'
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        f"SELECT {quoted}.create_parent('s.t', 'id', '10')",
        f"SELECT {quoted}.run_maintenance()",
        f"UPDATE {quoted}.part_config SET premake = 2",
    )
    assert database.sql("SELECT parent_table, premake FROM schema_kit.part_config") == [("s.t", 2)]
    assert not install(Catalog(database.sqlalchemy()), schema).steps


def test_what_render_prints_is_complete_for_psql(database: Database) -> None:
    result = called(["schema_kit", "sql", "render"])
    database.sql(result.stdout)
    assert result.returncode == 0, result.stderr
    assert not install(Catalog(database.sqlalchemy()), "partman").steps


def test_drift_is_seen_and_mended_and_policies_stay(database: Database) -> None:
    installed(database)
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10')",
        "CREATE OR REPLACE FUNCTION partman._due() RETURNS SETOF text LANGUAGE sql AS 'SELECT NULL::text'",
        "DROP FUNCTION partman.uuid7_time_decoder(text)",
        "COMMENT ON FUNCTION partman.show_partitions IS 'Older. (schema_kit 000000000000.00000000)'",
    )
    told = json.loads(shell(database, "sql", "status", "--format", "json").stdout)
    states = {one["name"]: one["state"] for one in told["objects"] if one["state"] != "current"}
    assert states == {"_due": "changed", "uuid7_time_decoder": "missing", "show_partitions": "older"}
    assert shell(database, "sql", "status").returncode == 4
    database.sql("GRANT EXECUTE ON FUNCTION partman.run_maintenance TO PUBLIC")
    plan = install(Catalog(database.sqlalchemy()), "partman")
    assert set(plan.steps[0].names) == set(states)  # type: ignore[attr-defined]
    result = shell(database, "sql", "apply")
    assert result.returncode == 0, result.stderr
    assert shell(database, "sql", "status").returncode == 0
    assert database.sql("SELECT count(*) FROM partman.part_config") == [(1,)]
    assert shell(database, "sql", "apply").stderr.strip() == "nothing to do"


def test_what_the_package_no_longer_has_is_dropped(database: Database) -> None:
    installed(database).sql(
        "CREATE FUNCTION partman.gone(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "COMMENT ON FUNCTION partman.gone(int) IS 'Old. (schema_kit 000000000000.00000000)'",
        "CREATE FUNCTION partman.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    )
    database.run(task(install, "partman"))
    assert database.sql("SELECT to_regproc('partman.gone'), to_regproc('partman.mine') IS NOT NULL") == [(None, True)]


def test_the_extension_and_what_others_have_made_are_refused(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA partman", "CREATE FUNCTION partman.create_parent() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    with pytest.raises(PlanError, match="--schema partman_sql"):
        database.run(task(install, "partman"))
    database.sql("DROP SCHEMA partman CASCADE", "CREATE SCHEMA partman", "CREATE TABLE partman.part_config (a int)")
    with pytest.raises(PlanError, match="part_config"):
        database.run(task(install, "partman"))
    assert database.sql("SELECT to_regclass('schema_kit.part_config')") == [(None,)]
    for schema in ("schema_kit", "pg_catalog", "pg_x", "information_schema"):
        with pytest.raises(DeclarationError, match="belongs to"), operations(database.sqlalchemy()):
            op.install_partman_sql(schema=schema)


def test_removed_with_its_schema_and_policies_stay(database: Database) -> None:
    installed(database)
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_template_table := 'false')",
    )
    before = children(database, "s.t")
    assert shell(database, "sql", "remove").returncode == 2
    assert "DROP SCHEMA" in shell(database, "sql", "remove", "--dry-run").stdout
    assert shell(database, "sql", "remove", "--yes").returncode == 0
    assert database.sql("SELECT to_regnamespace('partman')") == [(None,)]
    assert database.sql("SELECT parent_table FROM schema_kit.part_config") == [("s.t",)]
    assert children(database, "s.t") == before
    assert not remove(Catalog(database.sqlalchemy()), "partman").steps
    installed(database).sql("CREATE VIEW s.uses AS SELECT parent_table FROM partman.part_config")
    assert shell(database, "sql", "remove", "--yes").returncode == 1
    assert shell(database, "sql", "status").returncode == 0


def test_in_a_migration_s_transaction(database: Database) -> None:
    connection = database.sqlalchemy()
    with operations(connection):
        op.install_partman_sql(schema="p")
        op.install_partman_sql(schema="p")
    assert database.sql("SELECT count(*) FROM p.part_config") == [(0,)]
    with operations(connection):
        op.remove_partman_sql(schema="p")
    assert database.sql("SELECT to_regnamespace('p')") == [(None,)]


def test_each_statement_is_what_the_package_may_send() -> None:
    kinds = {classify(statement) for one in partman_objects() for statement in one.statements}
    assert kinds == {
        *("CREATE TABLE", "ALTER TABLE", "COMMENT COLUMN", "DO", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE VIEW"),
        *("ALTER VIEW", "CREATE TRIGGER"),
    }
    assert all("SECURITY DEFINER" not in one for one in split(whole_script()))
    routines = [one for one in partman_objects() if one.kind == "FUNCTION"]
    assert [one.name for one in routines if "SET search_path TO pg_catalog, pg_temp" not in one.statements[0]] == []


@pytest.mark.parametrize(
    "name",
    [
        "blockers",
        "cache_ratios",
        "column_statistics",
        "growth",
        "index_build_progress",
        "index_ratios",
        "invalid_indexes",
        "long_queries",
        "partition_sizes",
        "sizes",
        "unused_indexes",
    ],
)
def test_a_query_runs(database: Database, name: str) -> None:
    database.sql(
        "CREATE TABLE t (id int PRIMARY KEY, x text) PARTITION BY RANGE (id)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (10)",
        "CREATE INDEX ON t (x)",
        "INSERT INTO t VALUES (1)",
        "ANALYZE t",
    )
    result = shell(database, "sql", "run", name, "--format", "json")
    assert result.returncode == 0, result.stderr
    json.loads(result.stdout)
    assert shell(database, "sql", "run", name).returncode == 0


def test_only_queries_run() -> None:
    for name in ("create_parent", "partman/functions/create_parent", "nothing", "../README"):
        assert shell("postgresql://nowhere/x", "sql", "run", name).returncode == 2, name
