"""Sets that pg_partman's functions make: names, bounds, templates, sub-partitions, in any session."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.database import Database
from tests.support.partman import as_role, children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

SESSIONS = {
    "Bangkok, German": {"TimeZone": "Asia/Bangkok", "DateStyle": "German, DMY", "IntervalStyle": "sql_standard"},
    "New York, SQL": {"TimeZone": "America/New_York", "DateStyle": "SQL, MDY", "IntervalStyle": "iso_8601"},
    "Lord Howe": {"TimeZone": "Australia/Lord_Howe", "IntervalStyle": "postgres_verbose"},
}


@pytest.mark.parametrize("settings", SESSIONS.values(), ids=SESSIONS)
def test_a_table_follows_the_clock_of_the_session_that_made_it(database: Database, settings: dict[str, str]) -> None:
    installed(database).sql("CREATE TABLE s.t (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)")
    as_role(database, "postgres", "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 2)", **settings)
    zone = settings["TimeZone"]
    first = "SELECT child_start_time AT TIME ZONE %s = date_trunc('day', child_start_time AT TIME ZONE %s), suffix, "
    first += "to_char(child_start_time AT TIME ZONE %s, 'YYYYMMDD'), child_end_time > child_start_time "
    first += "FROM partman.show_partitions('s.t') p, partman.show_partition_info('s.' || p.partition_tablename)"
    with psycopg.connect(database.url) as connection:
        found = connection.execute(first, [zone] * 3).fetchall()
    assert len(found) == 5
    assert all(row[0] and row[1] == row[2] and row[3] for row in found)
    before = children(database, "s.t")
    database.sql("INSERT INTO s.t SELECT 1, now() + interval '1 day'")
    for other in SESSIONS.values():  # another session's settings make no other partitions
        as_role(database, "postgres", "SELECT partman.run_maintenance()", **other)
    after = children(database, "s.t")
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()
    assert database.sql("SELECT timezone, partition_interval FROM partman.part_config") == [(zone, "1 day")]
    assert database.sql("SELECT count(*) FROM partman.check_default()") == [(0,)]


NAMES = ["ID-taptest_Table", "se;mi'colon", 'qu"ote', "$body$ $$", "%1$s %L", "ตาราง", "a b"]


@pytest.mark.parametrize("name", NAMES)
def test_evil_names_are_names(database: Database, name: str) -> None:
    installed(database)
    quoted = '"' + name.replace('"', '""') + '"'
    database.sql(f"CREATE TABLE s.{quoted} ({quoted} int NOT NULL, x text) PARTITION BY RANGE ({quoted})")
    with psycopg.connect(database.url, autocommit=True) as connection:
        table = f"s.{name}"
        ask = connection.execute
        assert ask("SELECT partman.create_parent(%s, %s, '10', p_premake := 2)", [table, name]).fetchall() == [(True,)]
        assert ask("SELECT parent_table FROM partman.part_config").fetchall() == [(table,)]
        ask(f"INSERT INTO s.{quoted} SELECT i FROM generate_series(1, 45) i")
        assert ask("SELECT partman.partition_data_id(%s, 10)", [table]).fetchall() == [(16,)]
        ask("SELECT partman.run_maintenance()")
        names = [row[0] for row in ask("SELECT partition_tablename FROM partman.show_partitions(%s)", [table])]
        assert names == [f"{name}_p{start}" for start in range(0, 70, 10)]
        assert ask("UPDATE partman.part_config SET retention = '20' WHERE parent_table = %s", [table]).rowcount == 1
        ask("SELECT partman.run_maintenance(%s)", [table])
        assert ask("SELECT count(*) FROM partman.show_partitions(%s)", [table]).fetchall() == [(5,)]
        ask(f"CREATE TABLE s.undone (LIKE s.{quoted})")
        ask("CALL partman.undo_partition_proc(%s, 's.undone', p_keep_table := false, p_wait := 0)", [table])
        assert ask("SELECT count(*) FROM s.undone").fetchall() == [(26,)]
        assert ask("SELECT count(*) FROM partman.part_config").fetchall() == [(0,)]


LONG = {"a" * 70: "a" * 53 + "_p20260101", "é" * 40: "é" * 26 + "_p20260101"}


@pytest.mark.parametrize(("name", "expected"), LONG.items(), ids=["letters", "letters of two bytes"])
def test_long_names_are_shortened_in_the_table_s_part(database: Database, name: str, expected: str) -> None:
    installed(database)
    with psycopg.connect(database.url) as connection:
        asked = "SELECT partman.check_name_length(%s, '20260101', true), partman.check_name_length(%s, '_default')"
        found = connection.execute(asked, [name, name]).fetchone()
    assert found
    assert found[0] == expected
    assert found[1].endswith("_default")
    assert all(len(one.encode()) <= 63 for one in found)


INTERVALS = {
    "1 year": ("YYYYMMDD", "2026-01-01 00:00:00"),
    "10 years": ("YYYYMMDD", "2020-01-01 00:00:00"),
    "100 years": ("YYYYMMDD", "2001-01-01 00:00:00"),
    "3 months": ("YYYYMMDD", "2026-11-01 00:00:00"),
    "1 month": ("YYYYMMDD", "2026-11-01 00:00:00"),
    "9 weeks": ("YYYYMMDD", "2026-11-01 00:00:00"),
    "1 week": ("YYYYMMDD", "2026-11-18 00:00:00"),
    "1 day": ("YYYYMMDD", "2026-11-18 00:00:00"),
    "1 hour": ("YYYYMMDD_HH24MISS", "2026-11-18 13:00:00"),
    "15 minutes": ("YYYYMMDD_HH24MISS", "2026-11-18 13:00:00"),
    "30 seconds": ("YYYYMMDD_HH24MISS", "2026-11-18 13:47:00"),
}


def test_intervals_are_rounded_as_pg_partman_rounds_them(database: Database) -> None:
    installed(database)
    for interval, (form, base) in INTERVALS.items():
        asked = "SELECT datetime_string, base_timestamp::timestamp::text FROM partman.calculate_time_partition_info("
        assert database.sql(f"{asked}'{interval}', '2026-11-18 13:47:12')") == [(form, base)], interval


@pytest.mark.parametrize(
    ("interval", "unit"),
    [("3 months", "quarter"), ("12 hours", "12 hours"), ("2 hours", "2 hours"), ("1 month", "month")],
)
def test_ranges_begin_where_calendar_and_clock_have_them(database: Database, interval: str, unit: str) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        f"SELECT partman.create_parent('s.t', 'at', '{interval}')",
    )
    found = "date_bin('12 hours', child_start_time, '2000-01-01')"
    at = {"quarter": "date_trunc('quarter', child_start_time)", "month": "date_trunc('month', child_start_time)"}
    begins = at.get(unit, found.replace("12 hours", unit))
    assert database.sql(
        f"SELECT bool_and(child_start_time = {begins}), count(*) > 8 FROM partman.show_partitions('s.t') p, "
        "partman.show_partition_info('s.' || p.partition_tablename)"
    ) == [(True, True)]
    assert database.sql("SELECT origin FROM partman.part_config") == [(None,)]


KEYS = {
    "seconds": ("bigint", "p_epoch := 'seconds'", "extract(epoch FROM now())::bigint"),
    "milliseconds": ("bigint", "p_epoch := 'milliseconds'", "(extract(epoch FROM now()) * 1000)::bigint"),
    "microseconds": ("bigint", "p_epoch := 'microseconds'", "(extract(epoch FROM now()) * 1000000)::bigint"),
    "nanoseconds": ("bigint", "p_epoch := 'nanoseconds'", "(extract(epoch FROM now()) * 1000000000)::bigint"),
    "numeric": ("numeric", "p_epoch := 'seconds'", "extract(epoch FROM now())"),
    "date": ("date", "p_epoch := 'none'", "now()::date"),
    "timestamp": ("timestamp", "p_epoch := 'none'", "now()::timestamp"),
    "uuid": (
        "uuid",
        "p_time_encoder := 'partman.uuid7_time_encoder', p_time_decoder := 'partman.uuid7_time_decoder'",
        "overlay(partman.uuid7_time_encoder(now())::text placing '7abc-8def-123456789abc' from 15)::uuid",
    ),
    "text": (
        'text COLLATE "C"',
        "p_time_encoder := 'partman._ulid_encoder', p_time_decoder := 'partman._ulid_decoder'",
        "overlay(partman._ulid_encoder(now()) placing 'ABCDEFGHJKMNPQRS' from 11)",
    ),
}


@pytest.mark.parametrize(("kind", "options", "now"), KEYS.values(), ids=KEYS)
def test_keys_that_hold_moments(database: Database, kind: str, options: str, now: str) -> None:
    installed(database).sql(
        f"CREATE TABLE s.t (at {kind} NOT NULL) PARTITION BY RANGE (at)",
        f"SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 3, {options})",
        f"INSERT INTO s.t SELECT {now}",
    )
    today = "'t_p' || to_char(now(), 'YYYYMMDD')"
    assert database.sql(f"SELECT tableoid::regclass::text = 's.' || {today} FROM s.t") == [(True,)]
    for value, style in (("now()::text", "ISO"), ("now()::text", "German"), ("(SELECT at::text FROM s.t)", "ISO")):
        named = f"SELECT partition_table = {today}, table_exists FROM partman.show_partition_name('s.t', {value})"
        if not (style == "German" and kind.startswith("text")):
            assert database.sql(f"SET DateStyle = {style}", named) == [(True, True)]
    assert database.sql(
        "SELECT count(*), bool_and(child_end_time = child_start_time + interval '1 day') FROM "
        "partman.show_partitions('s.t') p, partman.show_partition_info('s.' || p.partition_tablename)"
    ) == [(7, True)]
    database.sql("DROP TABLE " + ", ".join(f"s.{name}" for name in sorted(children(database, "s.t"))[-2:]))
    database.sql("SELECT partman.run_maintenance()")
    assert len(children(database, "s.t")) == 8
    database.sql(
        "CREATE TABLE s.rows (LIKE s.t)",
        f"INSERT INTO s.rows SELECT {now}".replace("now()", "(now() - interval '9 days')"),
    )
    assert database.sql("SELECT partman.partition_data_time('s.t', 5, p_source_table := 's.rows')") == [(1,)]
    assert database.sql("SELECT partman.partition_gap_fill('s.t')") == [(5,)]
    assert database.sql("SELECT partman.drop_partition_time('s.t', '5 days', p_keep_table := false)") == [(4,)]


def test_a_template_gives_keys_options_and_unlogged(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, at timestamptz NOT NULL, x text) PARTITION BY RANGE (at)",
        "CREATE INDEX ON s.t (x)",
        "CREATE UNLOGGED TABLE s.template (LIKE s.t) WITH (fillfactor = 70)",
        "ALTER TABLE s.template ADD PRIMARY KEY (id), ADD UNIQUE (x) INCLUDE (id)",
        "CREATE INDEX ON s.template (lower(x)) WHERE id > 0",
        "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 1, p_template_table := 's.template')",
    )
    assert database.sql(
        "SELECT DISTINCT relpersistence::text, reloptions::text, "
        "(SELECT count(*) FROM pg_index x WHERE x.indrelid = c.oid) "
        "FROM pg_class c WHERE relname LIKE 't\\_p%' AND relkind = 'r'"
    ) == [("u", "{fillfactor=70}", 4)]
    assert database.sql(
        "SELECT DISTINCT contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid IN (SELECT inhrelid FROM pg_inherits) AND contype IN ('p', 'u') ORDER BY 1"
    ) == [("p", "PRIMARY KEY (id)"), ("u", "UNIQUE (x) INCLUDE (id)")]


def test_sub_partitions_of_sub_partitions(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, x text) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '1000', p_premake := 1)",
        "SELECT partman.create_sub_parent('s.t', 'id', '100', p_declarative_check := 'yes', p_premake := 1)",
        "SELECT partman.create_sub_parent(p.partition_schemaname || '.' || p.partition_tablename, 'id', '10', "
        "p_declarative_check := 'yes', p_premake := 1) FROM partman.show_partitions('s.t') p",
    )
    assert "t_p0_p0_p0" in children(database, "s.t_p0_p0")
    database.sql("INSERT INTO s.t SELECT generate_series(0, 1005)")
    for _ in range(3):
        database.sql("SELECT partman.run_maintenance()")
    assert "t_p2000" in children(database, "s.t")
    assert "t_p2000_p2000" in children(database, "s.t_p2000")
    assert "t_p2000_p2000_p2000" in children(database, "s.t_p2000_p2000")
    database.sql(
        "DO $$ DECLARE p record; BEGIN FOR p IN SELECT parent_table FROM partman.part_config "
        "WHERE parent_table ~ '_p.*_p' "
        "LOOP PERFORM partman.partition_data_id(p.parent_table, 100); END LOOP; END $$"
    )
    assert database.sql("SELECT count(*) FROM s.t") == [(1006,)]
    assert database.sql("SELECT * FROM partman.check_subpartition_limits('s.t_p0_p0', 'id')") == [("0", "99")]
    assert database.sql("SELECT sub_partition_interval FROM partman.check_subpart_sameconfig('s.t')") == [("10",)]
    with pytest.raises(psycopg.errors.RaiseException, match="has child table"):
        database.sql("CREATE TABLE s.u (LIKE s.t)", "SELECT partman.undo_partition('s.t', 's.u')")
    database.sql("SELECT partman.drop_partition_id('s.t', 1, p_keep_table := false)")
    assert database.sql("SELECT count(*) FROM partman.part_config WHERE parent_table LIKE 's.t\\_p0%'") == [(0,)]


@pytest.mark.parametrize("name", ["NULL", "''", "'t'"])
def test_a_name_without_a_schema_is_refused_as_that(database: Database, name: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="must be schema qualified"):
        installed(database).sql(f"SELECT partman.create_parent({name}, 'id', '100')")


def test_what_holds_rows_is_not_dropped_without_consent(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '100')",
        "INSERT INTO s.t SELECT generate_series(1, 50)",
    )
    with pytest.raises(psycopg.errors.RaiseException, match="DESTRUCTIVE"):
        database.sql("SELECT partman.create_sub_parent('s.t', 'id', '10')")
    assert database.sql("SELECT count(*) FROM s.t") == [(50,)]


@pytest.mark.parametrize("name", ["a" * 60, "\u00e9" * 31 + "x", "per%cent %s %1$s"])
def test_sub_partitions_of_long_and_evil_names(database: Database, name: str) -> None:
    """Names that are shortened meet those of siblings: partitions and defaults get a number."""
    installed(database)
    quoted = '"' + name.replace('"', '""') + '"'
    database.sql(
        f'CREATE TABLE s.{quoted} ("Id x" int NOT NULL, k int NOT NULL) PARTITION BY RANGE ("Id x")',
        f"SELECT partman.create_parent('s.{name}', 'Id x', '1000', p_premake := 2)",
        f"SELECT partman.create_sub_parent('s.{name}', 'k', '1', 'list', p_premake := 2, p_declarative_check := 'yes')",
        f"INSERT INTO s.{quoted} SELECT n * 97, n % 5 FROM generate_series(0, 30) n",
        "SELECT partman.partition_data_id(parent_table, 100) FROM partman.part_config WHERE control = 'k'",
        "SELECT partman.run_maintenance()",
    )
    assert database.sql("SELECT * FROM partman.check_default()") == []
    assert database.sql(f"SELECT count(*) FROM s.{quoted}") == [(31,)]
    assert database.sql("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition") == database.sql(
        "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"
    )


def test_sub_partitions_that_do_not_divide_their_parent_cover_it(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "SELECT partman.create_parent('s.t', 'id', '100', p_premake := 3, p_offset_id := 205)",
        "SELECT partman.create_sub_parent('s.t', 'id', '30', p_premake := 1, p_declarative_check := 'yes')",
        "INSERT INTO s.t SELECT n FROM generate_series(5, 304) n",
        "SELECT partman.partition_data_id(parent_table, 100) FROM partman.part_config WHERE parent_table <> 's.t'",
    )
    assert database.sql("SELECT * FROM partman.check_default()") == []
    assert sorted(children(database, "s.t")) == ["t_default", "t_p105", "t_p205", "t_p305", "t_p5"]
    assert "p_offset_id := 5" in database.sql("SELECT partman.dump_partitioned_table_definition('s.t')")[0][0]
    with pytest.raises(psycopg.errors.RaiseException, match="p_offset_id"):
        database.sql(
            "CREATE TABLE s.d (at date NOT NULL) PARTITION BY RANGE (at)",
            "SELECT partman.create_parent('s.d', 'at', '1 day', p_offset_id := 5)",
        )
