"""The API of pg_partman 5.1, name by name, parameter by parameter, default by default; what is more is listed here."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.database import Database
from tests.support.partman import installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "sql" / "README.md").read_text(encoding="utf-8")

API = {
    "create_parent": "p_parent_table text, p_control text, p_interval text, p_type text='range', p_epoch text='none', "
    "p_premake integer=4, p_start_partition text=, p_default_table boolean=true, p_automatic_maintenance text='on', "
    "p_constraint_cols text[]=, p_template_table text=, p_jobmon boolean=true, p_date_trunc_interval text= -> boolean",
    "create_sub_parent": "p_top_parent text, p_control text, p_interval text, p_type text='range', "
    "p_default_table boolean=true, p_declarative_check text=, p_constraint_cols text[]=, p_premake integer=4, "
    "p_start_partition text=, p_epoch text='none', p_jobmon boolean=true, p_date_trunc_interval text= -> boolean",
    "create_partition_time": "p_parent_table text, p_partition_times timestamp with time zone[], "
    "p_start_partition text= -> boolean",
    "create_partition_id": "p_parent_table text, p_partition_ids bigint[], p_start_partition text= -> boolean",
    "partition_data_time": "p_parent_table text, p_batch_count integer=1, p_batch_interval interval=, "
    "p_lock_wait numeric=0, p_order text='ASC', p_analyze boolean=true, p_source_table text=, "
    "p_ignored_columns text[]= -> bigint",
    "partition_data_id": "p_parent_table text, p_batch_count integer=1, p_batch_interval bigint=, "
    "p_lock_wait numeric=0, p_order text='ASC', p_analyze boolean=true, p_source_table text=, "
    "p_ignored_columns text[]= -> bigint",
    "partition_data_proc": "p_parent_table text, p_loop_count integer=, p_interval text=, p_lock_wait integer=0, "
    "p_lock_wait_tries integer=10, p_wait integer=1, p_order text='ASC', p_source_table text=, "
    "p_ignored_columns text[]=, p_quiet boolean=false -> CALL",
    "partition_data_async": "p_parent_table text, p_loop_count integer=, p_interval text=, p_lock_wait integer=0, "
    "p_lock_wait_tries integer=10, p_wait integer=1, p_order text='ASC', p_ignored_columns text[]=, "
    "p_quiet boolean=false -> CALL",
    "run_maintenance": "p_parent_table text=, p_analyze boolean=false, p_jobmon boolean=true -> void",
    "run_maintenance_proc": "p_wait integer=0, p_analyze boolean=, p_jobmon boolean=true -> CALL",
    "run_analyze": "p_skip_locked boolean=false, p_quiet boolean=false, p_parent_table text= -> CALL",
    "check_default": "p_exact_count boolean=true -> SETOF partman.check_default_table",
    "show_partitions": "p_parent_table text, p_order text='ASC', p_include_default boolean=false, "
    "partition_schemaname text, partition_tablename text -> TABLE(partition_schemaname text, partition_tablename text)",
    "show_partition_name": "p_parent_table text, p_value text, partition_schema text, partition_table text, "
    "suffix_timestamp timestamp with time zone, suffix_id bigint, table_exists boolean -> record",
    "show_partition_info": "p_child_table text, p_partition_interval text=, p_parent_table text=, "
    "child_start_time timestamp with time zone, child_end_time timestamp with time zone, child_start_id bigint, "
    "child_end_id bigint, suffix text -> record",
    "dump_partitioned_table_definition": "p_parent_table text, p_ignore_template_table boolean=false -> text",
    "partition_gap_fill": "p_parent_table text -> integer",
    "apply_constraints": "p_parent_table text, p_child_table text=, p_analyze boolean=false, p_job_id bigint= -> void",
    "drop_constraints": "p_parent_table text, p_child_table text, p_debug boolean=false -> void",
    "reapply_constraints_proc": "p_parent_table text, p_drop_constraints boolean=false, "
    "p_apply_constraints boolean=false, p_analyze boolean=true, p_wait integer=0, p_dryrun boolean=false -> CALL",
    "reapply_privileges": "p_parent_table text -> void",
    "stop_sub_partition": "p_parent_table text, p_jobmon boolean=true -> boolean",
    "undo_partition": "p_parent_table text, p_target_table text, p_loop_count integer=1, p_batch_interval text=, "
    "p_keep_table boolean=true, p_lock_wait numeric=0, p_ignored_columns text[]=, p_drop_cascade boolean=false, "
    "partitions_undone integer, rows_undone bigint -> record",
    "undo_partition_proc": "p_parent_table text, p_target_table text=, p_loop_count integer=, p_interval text=, "
    "p_keep_table boolean=true, p_lock_wait integer=0, p_lock_wait_tries integer=10, p_wait integer=1, "
    "p_ignored_columns text[]=, p_drop_cascade boolean=false, p_quiet boolean=false -> CALL",
    "config_cleanup": "p_parent_table text, p_config_table boolean=true, p_config_sub_table boolean=true, "
    "p_template_table boolean=true -> void",
    "drop_partition_time": "p_parent_table text, p_retention interval=, p_keep_table boolean=, p_keep_index boolean=, "
    "p_retention_schema text=, p_reference_timestamp timestamp with time zone=CURRENT_TIMESTAMP -> integer",
    "drop_partition_id": "p_parent_table text, p_retention bigint=, p_keep_table boolean=, p_keep_index boolean=, "
    "p_retention_schema text= -> integer",
}
LATER = {
    "create_parent": "p_control_not_null boolean=true, p_time_encoder text=, p_time_decoder text=, "
    "p_offset_id bigint=0",
    "create_sub_parent": "p_control_not_null boolean=true, p_time_encoder text=, p_time_decoder text=",
    "partition_data_time": "p_override_system_value boolean=false, p_ignore_infinity boolean=false",
    "partition_data_id": "p_override_system_value boolean=false",
    "partition_data_proc": "p_ignore_infinity boolean=false",
    "check_default": "p_ignore_infinity boolean=false",
}
"""Parameters of later versions, behind those of 5.1: a call of 5.1 means what it meant."""

INTERNAL = (
    *("check_name_length", "calculate_time_partition_info", "check_control_type", "check_subpartition_limits"),
    *("check_subpart_sameconfig", "inherit_template_properties", "inherit_replica_identity", "apply_privileges"),
    *("apply_cluster", "autovacuum_off", "autovacuum_reset", "create_partition", "create_sub_partition"),
)
ABSENT = ("partman_safe_obj_name", "inherit_parent_properties")
"""Names of later versions that are not there, each in a line of the page."""

_ROUTINES = r"""
SELECT p.proname, coalesce((SELECT string_agg(name || ' ' || format_type(type, NULL)
    || CASE WHEN value IS NULL THEN '' WHEN value ~ '^NULL' THEN '='
            ELSE '=' || regexp_replace(value, '::[a-z ]+$', '') END, ', ' ORDER BY place)
  FROM (SELECT name, type, place, pg_get_function_arg_default(p.oid, place::int) AS value
        FROM unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]))
             WITH ORDINALITY a (name, type, place)
       ) s), '') || ' -> ' || coalesce(pg_get_function_result(p.oid), 'CALL')
FROM pg_proc p WHERE p.pronamespace = 'partman'::regnamespace
"""


def test_each_name_parameter_and_default(database: Database) -> None:
    installed(database)
    found = dict(database.sql(_ROUTINES))
    for name, signature in API.items():
        inputs, _, result = signature.partition(" -> ")
        wanted = f"{inputs}, {LATER[name]} -> {result}" if name in LATER else signature
        assert found.get(name) == wanted, name
    assert [name for name in INTERNAL if name not in found] == []
    assert (found["create_partition"], found["create_sub_partition"]) == (
        found["create_parent"],
        found["create_sub_parent"],
    )
    assert [name for name in ABSENT if any(name in text for text in (*found, *found.values()))] == []
    assert [name for name in (*ABSENT, "p_ignore_infinity", "p_control_not_null") if f"`{name}`" not in PAGE] == []
    assert [name for name in found if not name.startswith("_") and name not in (*API, *INTERNAL) and name not in PAGE
            and not name.startswith(("check_", "uuid7_"))] == []  # fmt: skip


COLUMNS = """parent_table:text control:text time_encoder:text time_decoder:text partition_interval:text
partition_type:text='range' premake:integer=4 automatic_maintenance:text='on' template_table:text retention:text
retention_schema:text retention_keep_index:boolean=true retention_keep_table:boolean=true epoch:text='none'
constraint_cols:text[] optimize_constraint:integer=30 infinite_time_partitions:boolean=false datetime_string:text
jobmon:boolean=true sub_partition_set_full:boolean=false undo_in_progress:boolean=false
inherit_privileges:boolean=false constraint_valid:boolean=true ignore_default_data:boolean=true
default_table:boolean=true date_trunc_interval:text maintenance_order:integer retention_keep_publication:boolean=false
maintenance_last_run:timestamptz"""
SUB_COLUMNS = """sub_parent:text sub_control:text sub_time_encoder:text sub_time_decoder:text
sub_partition_interval:text sub_partition_type:text='range' sub_premake:integer=4 sub_automatic_maintenance:text='on'
sub_template_table:text sub_retention:text sub_retention_schema:text sub_retention_keep_index:boolean=true
sub_retention_keep_table:boolean=true sub_epoch:text='none' sub_constraint_cols:text[]
sub_optimize_constraint:integer=30 sub_infinite_time_partitions:boolean=false sub_jobmon:boolean=true
sub_inherit_privileges:boolean=false sub_constraint_valid:boolean=true sub_ignore_default_data:boolean=true
sub_default_table:boolean=true sub_date_trunc_interval:text sub_maintenance_order:integer
sub_retention_keep_publication:boolean=false"""
_COLUMNS = r"""
SELECT a.attname || ':' || replace(format_type(a.atttypid, NULL), 'timestamp with time zone', 'timestamptz')
       || coalesce('=' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::[a-z ]+$', ''), '')
FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = to_regclass('partman.' || '{view}') AND a.attnum > 0 ORDER BY a.attnum
"""
REFUSED = {
    "premake = 0": "23514",
    "automatic_maintenance = 'x'": "23514",
    "partition_type = 'x'": "23514",
    "epoch = 'x'": "23514",
    "retention_schema = ''": "23514",
    "constraint_cols = ARRAY[{control}]": "23514",
    "control = NULL": "23502",
    "partition_interval = NULL": "23502",
    "retention_keep_table = NULL": "23502",
    "optimize_constraint = NULL": "23502",
}
"""What pg_partman's tables do not take, with or without sub_ before the names."""


@pytest.mark.parametrize(("view", "columns"), [("part_config", COLUMNS), ("part_config_sub", SUB_COLUMNS)])
def test_each_column_with_type_default_and_check_in_order(database: Database, view: str, columns: str) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, k int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "SELECT partman.create_sub_parent('s.t', 'k', '10', p_premake := 1, p_declarative_check := 'yes')",
    )
    wanted = columns.split()
    assert [row[0] for row in database.sql(_COLUMNS.format(view=view)) if row[0] in wanted] == wanted
    prefix = "sub_" if view.endswith("sub") else ""
    for change, state in REFUSED.items():
        told = f"UPDATE partman.{view} SET {prefix}{change}".format(control=f"{prefix}control")
        with pytest.raises(psycopg.Error) as refused:
            database.sql(told)
        assert refused.value.sqlstate == state, change
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.sql(
            "INSERT INTO partman.part_config_sub (sub_parent, sub_control, sub_partition_interval) "
            "VALUES ('s.none', 'k', '10')"
        )
    database.sql("DELETE FROM partman.part_config WHERE parent_table = 's.t'")
    assert database.sql("SELECT 1 FROM partman.part_config_sub") == []


WRITES = {
    "INSERT {row} ON CONFLICT (parent_table) DO NOTHING": "42P10",
    "INSERT {row} ON CONFLICT (parent_table) DO UPDATE SET premake = excluded.premake": "42P10",
    "INSERT {row} ON CONFLICT DO NOTHING": "23505",
    "INSERT {row}": "23505",
    "TRUNCATE partman.part_config": "42809",
    "TRUNCATE partman.part_config_sub": "42809",
}


@pytest.mark.parametrize("write", WRITES)
def test_what_postgresql_cannot_do_with_views_is_refused_and_changes_nothing(database: Database, write: str) -> None:
    """Never done in silence; sql/README.md names them, and what to write instead."""
    installed(database)
    row = "INTO partman.part_config (parent_table, control, partition_interval, premake) VALUES ('s.t', 'id', '10', 9)"
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)", "SELECT partman.create_parent('s.t', 'id', '10')"
    )
    before = database.sql("SELECT * FROM schema_kit.part_config")
    with pytest.raises(psycopg.Error) as refused:
        database.sql(write.format(row=row))
    assert refused.value.sqlstate == WRITES[write]
    assert database.sql("SELECT * FROM schema_kit.part_config") == before


def test_what_the_readme_says_instead_works(database: Database) -> None:
    installed(database)
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)", "SELECT partman.create_parent('s.t', 'id', '10')"
    )
    database.sql(
        "INSERT INTO schema_kit.part_config AS c (parent_table, control, partition_interval, premake) "
        "VALUES ('s.t', 'id', '10', 9) ON CONFLICT (parent_table) DO UPDATE SET premake = excluded.premake"
    )
    assert database.sql("SELECT premake FROM partman.part_config") == [(9,)]
    database.sql("DELETE FROM partman.part_config_sub", "DELETE FROM partman.part_config")
    assert database.sql("SELECT 1 FROM schema_kit.part_config") == []
