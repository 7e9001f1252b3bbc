"""Rows that move into partitions and back out of them: all of them arrive, or the call fails."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.database import Database
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

TABLE = """CREATE TABLE s.t (id int GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, x text DEFAULT 'x',
 twice int GENERATED ALWAYS AS (length(x) * 2) STORED) PARTITION BY RANGE (at)"""


def of_days(database: Database) -> Database:
    installed(database).sql(
        TABLE,
        "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 2)",
        "INSERT INTO s.t (at) SELECT date_trunc('day', now()) - i * interval '6 hours' FROM generate_series(17, 36) i",
    )
    return database


def test_rows_leave_the_default_a_window_a_batch(database: Database) -> None:
    of_days(database)
    before = database.sql("SELECT * FROM s.t ORDER BY id")
    assert database.sql("SELECT * FROM partman.check_default()") == [("s.t_default", 20)]
    assert database.sql("SELECT * FROM partman.check_default(false)") == [("s.t_default", 1)]
    assert database.sql("SELECT partman.partition_data_time('s.t')") == [(4,)]
    with pytest.raises(psycopg.errors.RaiseException, match="Custom intervals are not allowed"):
        database.sql("SELECT partman.partition_data_time('s.t', 1, '1 hour')")
    database.sql("CALL partman.partition_data_proc('s.t', p_loop_count := 1, p_wait := 0, p_order := 'DESC')")
    assert database.sql("SELECT * FROM partman.check_default()") == [("s.t_default", 12)]
    database.sql("CALL partman.partition_data_proc('s.t', p_wait := 0, p_quiet := true)")
    assert database.sql("SELECT count(*) FROM partman.check_default()") == [(0,)]
    assert database.sql("SELECT * FROM s.t ORDER BY id") == before
    assert database.sql("SELECT partman.partition_data_time('s.t', 5)") == [(0,)]


def test_rows_come_from_another_table_in_small_batches(database: Database) -> None:
    of_days(database).sql(
        "CREATE TABLE s.source (LIKE s.t INCLUDING ALL)",
        "INSERT INTO s.source (at) SELECT date_trunc('day', now()) - i * interval '1 hour' "
        "FROM generate_series(1, 200) i",
        "DELETE FROM s.t",
    )
    assert database.sql("SELECT partman.partition_data_time('s.t', 3, '2 hours', p_source_table := 's.source')") == [
        (6,)
    ]
    database.sql(
        "CALL partman.partition_data_proc('s.t', p_interval := '5 hours', p_source_table := 's.source', p_wait := 0)"
    )
    assert database.sql("SELECT count(*), count(DISTINCT id) FROM s.t") == [(200, 200)]
    assert database.sql("SELECT count(*) FROM s.source") == [(0,)]
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]
    database.sql("ALTER TABLE s.source ADD COLUMN more int", "INSERT INTO s.source (at, more) VALUES (now(), 1)")
    with pytest.raises(psycopg.errors.RaiseException, match="would be lost"):
        database.sql("SELECT partman.partition_data_time('s.t', 1, p_source_table := 's.source')")
    asked = (
        "SELECT partman.partition_data_time('s.t', 1, p_source_table := 's.source', p_ignored_columns := '{more,id}')"
    )
    assert database.sql(asked) == [(1,)]


def test_a_trigger_that_loses_rows_is_found(database: Database) -> None:
    of_days(database).sql(
        "CREATE FUNCTION s.lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER lose BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.lose()",
    )
    with pytest.raises(psycopg.errors.RaiseException, match="arrived in"):
        database.sql("SELECT partman.partition_data_time('s.t')")
    database.sql(
        "DROP TRIGGER lose ON s.t", "CREATE TRIGGER lose BEFORE DELETE ON s.t FOR EACH ROW EXECUTE FUNCTION s.lose()"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="do not move"):
        database.sql("SELECT partman.partition_data_time('s.t')")
    assert database.sql("SELECT count(*) FROM s.t_default") == [(20,)]


def test_rows_that_others_refer_to_are_not_deleted_to_be_moved(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "INSERT INTO s.t VALUES (95)",
        "CREATE TABLE s.refers (id int REFERENCES s.t ON DELETE CASCADE)",
        "INSERT INTO s.refers VALUES (95)",
    )
    with pytest.raises(psycopg.errors.RaiseException, match="would delete or change"):
        database.sql("SELECT partman.partition_data_id('s.t')")
    with pytest.raises(psycopg.errors.RaiseException, match="would delete or change"):
        database.sql("CREATE TABLE s.u (LIKE s.t)", "SELECT partman.undo_partition('s.t', 's.u', 5)")
    assert database.sql("SELECT count(*) FROM s.refers") == [(1,)]


def test_a_lock_that_cannot_be_taken(database: Database) -> None:
    of_days(database)
    other = database.connect(autocommit=False)
    other.execute("SELECT * FROM s.t_default FOR UPDATE")
    assert database.sql("SELECT partman.partition_data_time('s.t', p_lock_wait := 0.1)") == [(-1,)]
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute("SELECT partman.partition_data_time('s.t')")
        connection.execute("CALL partman.partition_data_proc('s.t', p_lock_wait := 1, p_lock_wait_tries := 1)")
        assert connection.execute("SHOW lock_timeout").fetchone() == ("50ms",)
    other.rollback()
    with psycopg.connect(database.url, autocommit=False) as connection:
        connection.execute("SELECT partman.partition_data_time('s.t')")
        assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_undone_partition_by_partition(database: Database) -> None:
    of_days(database).sql(
        "CALL partman.partition_data_proc('s.t', p_wait := 0)", "CREATE TABLE s.u (LIKE s.t INCLUDING ALL)"
    )
    before = database.sql("SELECT * FROM s.t ORDER BY id")
    assert database.sql("SELECT * FROM partman.undo_partition('s.t', 's.u', 2)") == [(3, 8)]
    assert database.sql("SELECT undo_in_progress FROM partman.part_config") == [(True,)]
    database.sql("SELECT partman.run_maintenance()", "SELECT partman.run_maintenance('s.t')")
    database.sql(
        "CALL partman.undo_partition_proc('s.t', 's.u', p_keep_table := false, p_interval := '7 hours', p_wait := 0)"
    )
    assert database.sql("SELECT * FROM s.u ORDER BY id") == before
    assert children(database, "s.t") == {}
    assert database.sql("SELECT count(*) FROM partman.part_config") == [(0,)]
    kept = "SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_%' AND relkind = 'r'"
    assert database.sql(kept) == [(3,)]
    assert database.sql("SELECT to_regclass('partman.template_s_t')") == [(None,)]


def test_retention_drops_keeps_and_moves(database: Database) -> None:
    installed(database).sql(
        "CREATE SCHEMA old",
        "CREATE TABLE s.t (id int, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON s.t (id)",
        "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 1, "
        "p_start_partition := (now() - interval '9 days')::text)",
    )
    day = "(SELECT 't_p' || to_char(now() - interval '%s days', 'YYYYMMDD'))"
    names = [database.sql("SELECT " + day % days)[0][0] for days in range(10)]
    with pytest.raises(psycopg.errors.RaiseException, match="retention period not found"):
        database.sql("SELECT partman.drop_partition_time('s.t')")
    assert database.sql("SELECT partman.drop_partition_time('s.t', '8 days', p_keep_table := false)") == [(1,)]
    assert database.sql("SELECT partman.drop_partition_time('s.t', '7 days', p_keep_index := false)") == [(1,)]
    assert database.sql("SELECT partman.drop_partition_time('s.t', '6 days', p_retention_schema := 'old')") == [(1,)]
    assert database.sql(
        f"SELECT to_regclass('s.{names[9]}'), to_regclass('s.{names[8]}') IS NULL, "
        f"to_regclass('old.{names[7]}') IS NULL"
    ) == [(None, False, False)]
    assert database.sql(f"SELECT count(*) FROM pg_index WHERE indrelid = 's.{names[8]}'::regclass") == [(0,)]
    database.sql("UPDATE partman.part_config SET retention = '4 days', retention_keep_table = false")
    database.sql("SELECT partman.run_maintenance()")
    assert names[6] not in children(database, "s.t")
    assert names[4] in children(database, "s.t")
    assert database.sql(f"SELECT to_regclass('s.{names[5]}')") == [(None,)]
    reference = "SELECT partman.drop_partition_time('s.t', '1 day', p_reference_timestamp := now() + interval '1 year')"
    assert database.sql(reference) == [(5,)]
    assert len(children(database, "s.t")) == 2, "the last one and the default stay"


def test_a_grace_period_of_schema_kit_s_policy_is_kept(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_start_partition := '0', p_control_not_null := false)",
        "INSERT INTO s.t SELECT generate_series(1, 35)",
        "UPDATE partman.part_config SET retention = '10', retention_keep_table = false, retention_grace = '1 day'",
        "SELECT partman.run_maintenance()",
    )
    gone = database.sql("SELECT partition_name, parent_table, by_policy FROM schema_kit.retired_partition ORDER BY 1")
    assert gone == [("s.t_p0", "s.t", True), ("s.t_p10", "s.t", True)]
    assert database.sql("SELECT count(*) FROM s.t_p0") == [(9,)]
    long_ago = "UPDATE schema_kit.retired_partition SET retired_at = now() - interval '2 days'"
    database.sql(f"{long_ago} WHERE partition_name = 's.t_p0'")
    database.sql("SELECT partman.run_maintenance()")
    assert database.sql("SELECT to_regclass('s.t_p0'), to_regclass('s.t_p10') IS NOT NULL") == [(None, True)]
    database.sql(
        long_ago,
        "ALTER TABLE s.t_p10 RENAME TO kept",
        "CREATE TABLE s.t_p10 (a int)",
        "SELECT partman.run_maintenance()",
    )
    assert database.sql("SELECT count(*) FROM s.kept") == [(10,)]


def test_what_an_archive_awaits_is_left_to_it(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10')",
        "INSERT INTO s.t SELECT generate_series(1, 35)",
        "INSERT INTO schema_kit.archive_policy (table_name, archive_table, archive_after, way) "
        "VALUES ('s.t', 's.archive', '10', 'partition')",
    )
    assert database.sql("SELECT partman.drop_partition_id('s.t', 10, false)") == [(0,)]
    assert "t_p0" in children(database, "s.t")


def test_additional_constraints(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, x uuid, y text) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 2, p_constraint_cols := '{x,y}', "
        "p_start_partition := '0')",
        "UPDATE partman.part_config SET optimize_constraint = 3",
        "INSERT INTO s.t SELECT i, gen_random_uuid(), 'it''s' || i FROM generate_series(0, 29) i",
        "INSERT INTO s.t SELECT i FROM generate_series(30, 95) i",
        "CALL partman.partition_data_proc('s.t', p_wait := 0)",
        "SELECT partman.run_maintenance()",
    )
    checks = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conname LIKE 'partmanc%' ORDER BY 1, 2"
    database.sql("CALL partman.reapply_constraints_proc('s.t', p_apply_constraints := true)")
    expected = [(f"s.t_p{n}", f"partmanconstr_t_p{n}_{c}") for n in (0, 10, 20) for c in "xy"]
    assert database.sql(checks) == expected
    database.sql("SELECT partman.drop_constraints('s.t', 's.t_p0')")
    assert database.sql(checks) == expected[2:]
    database.sql("UPDATE partman.part_config SET constraint_valid = false")
    database.sql("SELECT partman.apply_constraints('s.t', 's.t_p0')")
    assert database.sql(
        "SELECT DISTINCT convalidated FROM pg_constraint WHERE conrelid = 's.t_p0'::regclass AND contype = 'c'"
    ) == [(False,)]
    database.sql("CALL partman.reapply_constraints_proc('s.t', p_drop_constraints := true)")
    assert database.sql(checks) == []
