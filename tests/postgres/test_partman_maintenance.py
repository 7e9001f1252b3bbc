"""Maintenance by pg_partman's functions: what is due, who may run it, and schema_kit's own commands next to it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.cli import shell, spawned
from tests.support.database import Database, own_role
from tests.support.partman import as_role, children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

OWNER = own_role("owner_of_s")
RIGHTS = (
    f"CREATE ROLE {OWNER} NOLOGIN",
    f"GRANT USAGE, CREATE ON SCHEMA s, partman TO {OWNER}",
    f"GRANT USAGE ON SCHEMA schema_kit TO {OWNER}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA schema_kit, partman TO {OWNER}",
)
EVIL = (
    "CREATE SCHEMA evil",
    "GRANT USAGE ON SCHEMA evil TO PUBLIC",
    *(
        f"CREATE FUNCTION evil.{name} RETURNS {returns} LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''evil ran''; END'"
        for name, returns in {
            "format(text, VARIADIC text[])": "text",
            "now()": "timestamptz",
            "current_setting(text)": "text",
            "set_config(text, text, boolean)": "text",
            "to_regclass(text)": "regclass",
            "equals(int, int)": "boolean",
            "equals(text, text)": "boolean",
            "plus(int, int)": "int",
            "less(int, int)": "boolean",
            "pg_is_in_recovery()": "boolean",
            "pg_sleep(double precision)": "void",
            "coalesce_(text)": "text",
        }.items()
    ),
    "CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.equals)",
    "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equals)",
    "CREATE OPERATOR evil.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.plus)",
    "CREATE OPERATOR evil.>= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.less)",
    "CREATE TABLE evil.pg_class (a int)",
    "CREATE TABLE evil.part_config (parent_table text)",
)


@pytest.fixture
def role(database: Database) -> str:
    installed(database).sql(*RIGHTS)
    database.stack.callback(database.sql, f"DROP OWNED BY {OWNER}", f"DROP ROLE {OWNER}")
    return OWNER


def test_a_role_without_superuser_under_an_evil_search_path(database: Database, role: str) -> None:
    database.sql(*EVIL)
    found = as_role(
        database,
        role,
        "CREATE TABLE s.t (id pg_catalog.int4 NOT NULL, x pg_catalog.text) PARTITION BY RANGE (id)",
        "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "INSERT INTO s.t SELECT i FROM pg_catalog.generate_series(1, 45) i",
        "CALL partman.partition_data_proc('s.t', p_wait := 0)",
        "CALL partman.run_maintenance_proc()",
        "CALL partman.run_analyze()",
        "SELECT partman.run_maintenance()",
        "UPDATE partman.part_config SET constraint_cols = '{x}', optimize_constraint = 1",
        "CALL partman.reapply_constraints_proc('s.t', p_apply_constraints := true)",
        "SELECT partman.reapply_privileges('s.t')",
        "SELECT partman.partition_gap_fill('s.t')",
        "SELECT partman.drop_partition_id('s.t', 20, false)",
        "CREATE TABLE s.u (LIKE s.t)",
        "CALL partman.undo_partition_proc('s.t', 's.u', p_wait := 0)",
        "SELECT pg_catalog.count(*) FROM s.u",
        search_path="evil, pg_catalog, public",
    )
    assert found == [(26,)]


def test_row_security_that_would_hide_rows_is_refused(database: Database, role: str) -> None:
    as_role(
        database,
        role,
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "INSERT INTO s.t SELECT generate_series(1, 45)",
        "ALTER TABLE s.t_default ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE s.t_default FORCE ROW LEVEL SECURITY",
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        as_role(database, role, "SELECT partman.partition_data_id('s.t', 10)")
    assert database.sql("SELECT count(*) FROM s.t") == [(45,)]


def test_the_functions_lend_no_rights(database: Database, role: str) -> None:
    database.sql("CREATE TABLE s.mine (id int NOT NULL) PARTITION BY RANGE (id)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(database, role, "SELECT partman.create_parent('s.mine', 'id', '10')")
    assert database.sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'partman'::regnamespace AND prosecdef") == [
        (0,)
    ]
    database.sql(
        "CREATE ROLE nobody_here",
        "GRANT USAGE ON SCHEMA partman TO nobody_here",
        "GRANT SELECT ON partman.part_config TO nobody_here",
    )
    database.stack.callback(database.sql, "DROP OWNED BY nobody_here", "DROP ROLE nobody_here")
    if database.sql("SHOW server_version_num") >= [("150000",)]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(database, "nobody_here", "SELECT * FROM partman.part_config")


def test_owner_and_privileges_of_new_partitions(database: Database, role: str) -> None:
    database.sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        f"ALTER TABLE s.t OWNER TO {role}",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
        "GRANT SELECT ON s.t TO PUBLIC",
        f"GRANT INSERT ON s.t TO {role}",
        "UPDATE partman.part_config SET inherit_privileges = true",
        "INSERT INTO s.t VALUES (12)",
        "SELECT partman.run_maintenance()",
    )
    acl = (
        "SELECT c.relname, pg_get_userbyid(c.relowner), has_table_privilege('public', c.oid, 'SELECT') FROM pg_class c "
    )
    acl += "WHERE c.oid IN (SELECT inhrelid FROM pg_inherits) AND c.relkind = 'r' ORDER BY 1"
    found = database.sql(acl)
    assert {row[1] for row in found} == {role}
    assert [row[0] for row in found if row[2]] == ["t_p20"]
    database.sql("SELECT partman.reapply_privileges('s.t')")
    assert {row[2] for row in database.sql(acl)} == {True}
    database.sql("REVOKE SELECT ON s.t FROM PUBLIC", "SELECT partman.reapply_privileges('s.t')")
    assert {row[2] for row in database.sql(acl)} == {False}


def sets(database: Database, *names: str) -> None:
    for name in names:
        database.sql(
            f"CREATE TABLE s.{name} (id int NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
            f"SELECT partman.create_parent('s.{name}', 'at', '1 day', p_premake := 2)",
        )


def shortened(database: Database, *names: str) -> None:
    """Two partitions are missing at the end."""
    for name in names:
        last = sorted(one for one in children(database, f"s.{name}") if "_p" in one)[-2:]
        database.sql(f"DROP TABLE {', '.join(f's.{one}' for one in last)}")


def test_one_set_that_fails_leaves_the_others_maintained(database: Database) -> None:
    installed(database)
    sets(database, "a", "b", "c")
    shortened(database, "a", "b", "c")
    database.sql("INSERT INTO s.b VALUES (1, now() + interval '1 day')")  # in the default, where a window is due
    database.sql("SELECT partman.run_maintenance()")
    assert [len(children(database, f"s.{name}")) for name in "abc"] == [6, 4, 6]
    with pytest.raises(psycopg.errors.CheckViolation):
        database.sql("SELECT partman.run_maintenance('s.b')")
    shortened(database, "a", "c")
    with pytest.raises(psycopg.errors.RaiseException, match="Maintenance failed for"):
        database.sql("CALL partman.run_maintenance_proc()")
    assert [len(children(database, f"s.{name}")) for name in "abc"] == [6, 4, 6]
    database.sql("SELECT partman.partition_data_time('s.b')", "CALL partman.run_maintenance_proc()")
    assert database.sql("SELECT count(*) FROM partman.part_config WHERE maintenance_last_run IS NOT NULL") == [(3,)]


def test_by_the_clock_or_by_the_rows(database: Database) -> None:
    installed(database)
    sets(database, "a", "b")
    database.sql("UPDATE partman.part_config SET infinite_time_partitions = false WHERE parent_table = 's.a'")
    shortened(database, "a", "b")
    database.sql("SELECT partman.run_maintenance()")
    assert [len(children(database, f"s.{name}")) for name in "ab"] == [4, 6]
    database.sql("INSERT INTO s.a VALUES (1, now())", "INSERT INTO s.b VALUES (1, now() + interval '2 days')")
    database.sql("SELECT partman.run_maintenance()")
    assert [len(children(database, f"s.{name}")) for name in "ab"] == [6, 8]
    database.sql("UPDATE partman.part_config SET automatic_maintenance = 'off'")
    shortened(database, "a", "b")
    database.sql("SELECT partman.run_maintenance()")
    assert [len(children(database, f"s.{name}")) for name in "ab"] == [4, 6]
    database.sql("SELECT partman.run_maintenance('s.a')")
    assert len(children(database, "s.a")) == 6


def test_python_and_sql_take_turns_and_see_each_other_s_work(database: Database) -> None:
    installed(database)
    database.sql(f"ALTER DATABASE {database.sql('SELECT current_database()')[0][0]} SET TimeZone TO 'UTC'")
    sets(database, "t")
    before = children(database, "s.t")
    for maintain in ("partitions create-next", "sql", "partitions create-next", "sql"):
        shortened(database, "t")
        if maintain == "sql":
            database.sql("SELECT partman.run_maintenance()")
        else:
            result = shell(database, *maintain.split())
            assert result.returncode == 0, result.stderr
        assert children(database, "s.t") == before
    assert shell(database, "partitions", "create-next").stderr.strip() == "nothing to do"
    result = shell(database, "partitions", "check", "s.t")
    assert result.returncode == 0, result.stdout + result.stderr


def test_python_s_sets_are_maintained_from_sql(database: Database) -> None:
    installed(database).sql("CREATE TABLE s.t (at timestamptz NOT NULL) PARTITION BY RANGE (at)")
    database.sql(
        "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval, timezone, premake, origin, "
        "infinite_time_partitions) VALUES ('s.t', 'at', '7 days', 'America/Sao_Paulo', 3, '2026-01-04', true)"
    )
    assert shell(database, "partitions", "create-next").returncode == 0
    before = children(database, "s.t")
    shortened(database, "t")
    database.sql("SELECT partman.run_maintenance()")
    assert children(database, "s.t") == before


def test_both_at_once_make_each_partition_once(database: Database) -> None:
    installed(database)
    names = [f"t{number}" for number in range(4)]
    sets(database, *names)
    before = {name: children(database, f"s.{name}") for name in names}
    for _ in range(2):
        shortened(database, *names)
        start = threading.Barrier(3)

        def run(what: str, start: threading.Barrier = start) -> str:
            start.wait()
            if what != "python":
                database.sql(what)
                return ""
            result = spawned(database, "partitions", "create-next")
            return "" if result.returncode == 0 else result.stderr

        with ThreadPoolExecutor(3) as pool:
            work = ("CALL partman.run_maintenance_proc()", "SELECT partman.run_maintenance()", "python")
            said = list(pool.map(run, work))
        assert said == ["", "", ""]
        database.sql("SELECT partman.run_maintenance()")
        assert {name: children(database, f"s.{name}") for name in names} == before


def test_a_table_that_another_run_maintains_is_left_to_it(database: Database) -> None:
    installed(database)
    sets(database, "a", "b")
    shortened(database, "a", "b")
    other = database.connect()
    other.execute("SELECT pg_advisory_lock(hashtextextended('schema_kit: create next partitions s.a', 0))")
    database.sql("SELECT partman.run_maintenance()")
    assert [len(children(database, f"s.{name}")) for name in "ab"] == [4, 6]


def test_sub_partitions_are_left_to_the_functions(database: Database) -> None:
    installed(database)
    database.sql(
        "CREATE TABLE s.t (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        "SELECT partman.create_parent('s.t', 'at', '1 month', p_premake := 1)",
        "SELECT partman.create_sub_parent('s.t', 'at', '1 day', p_declarative_check := 'yes', p_premake := 1)",
    )
    months = children(database, "s.t")
    before = {name: children(database, f"s.{name}") for name in months}
    result = shell(database, "partitions", "create-next")
    assert (result.returncode, result.stderr.strip()) == (0, "nothing to do")
    last = max(name for name in months if "_p" in name)
    database.sql(f"DROP TABLE s.{last}", f"DELETE FROM partman.part_config WHERE parent_table = 's.{last}'")
    assert shell(database, "partitions", "create-next").stderr.strip() == "nothing to do"
    database.sql("SELECT partman.run_maintenance()")
    assert children(database, "s.t") == months
    assert set(children(database, f"s.{last}")) >= set(before[last])


def test_python_s_partitions_get_the_template_s_keys(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        "CREATE INDEX ON s.t (id, at)",
        """CREATE UNLOGGED TABLE s."Temp-late" (LIKE s.t) WITH (fillfactor = 70)""",
        """ALTER TABLE s."Temp-late" ADD PRIMARY KEY (id)""",
        """CREATE INDEX ON s."Temp-late" (abs(id)) WHERE id > 0""",
        "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 2, p_template_table := 's.Temp-late')",
    )
    indexes = "SELECT regexp_replace(pg_get_indexdef(indexrelid), '.* USING', '') FROM pg_index "
    indexes += "WHERE indrelid = '{}'::regclass"
    last = max(name for name in children(database, "s.t") if "_p" in name)
    before = sorted(database.sql(indexes.format(f"s.{last}")))
    assert len(before) == 3
    shortened(database, "t")
    for name in children(database, "s.t"):  # it follows the template, not them
        database.sql(f"ALTER TABLE s.{name} SET (fillfactor = 90)", f"ALTER TABLE s.{name} SET LOGGED")
    assert shell(database, "partitions", "create-next").returncode == 0
    assert sorted(database.sql(indexes.format(f"s.{last}"))) == before
    assert database.sql(f"SELECT reloptions, relpersistence::text FROM pg_class WHERE oid = 's.{last}'::regclass") == [
        (["fillfactor=70"], "u")
    ]
