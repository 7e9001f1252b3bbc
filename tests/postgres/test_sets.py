"""Partitioned tables of every kind on a server: rows go where their moment says, whatever the session's settings."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.model import Partitioning
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans import partitions
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan, Step
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import thinned
from tests.support.tables import register

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

T = QualifiedName("app", "t")
NOW = datetime(2026, 3, 28, 12, 20, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STRANGE = (
    "SET TimeZone = 'America/St_Johns'",
    "SET DateStyle = 'SQL, DMY'",
    "SET IntervalStyle = 'iso_8601'",
    "SET lc_time = 'C'",
    "SET standard_conforming_strings = on",
    "SET search_path = app",
)
KINDS = {
    "timestamptz": ("timestamptz", ""),
    "timestamp": ("timestamp(3)", ""),
    "date": ("date", ""),
    "seconds": ("integer", "seconds"),
    "milliseconds": ("bigint", "milliseconds"),
    "nanoseconds": ("numeric(20)", "nanoseconds"),
    "uuidv7": ("uuid", "uuidv7"),
    "ulid": ("text", "ulid"),
    "ulid_as_uuid": ("uuid", "ulid"),
    "snowflake": ("bigint", "snowflake"),
}
CUTS = [
    ("1 month", "Asia/Bangkok", None),
    ("1 week", "UTC", "2000-01-02"),
    ("1 hour", "Europe/Berlin", None),
    ("15 minutes", "Australia/Lord_Howe", None),
    ("quarter", "America/New_York", "2026-02-01"),
    ("1 day", "Africa/Cairo", None),
]


def value(kind: str, moment: datetime, zone: str) -> Any:
    """What an application would write then."""
    milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
    match kind:
        case "timestamptz":
            return moment
        case "timestamp":
            return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        case "date":
            return moment.astimezone(ZoneInfo(zone)).date()
        case "seconds":
            return milliseconds // 1000
        case "milliseconds":
            return milliseconds
        case "nanoseconds":
            return milliseconds * 10**6 + 17
        case "uuidv7":
            return uuid.UUID(int=milliseconds << 80 | 7 << 76 | 5 << 64 | 2 << 62 | 99)
        case "ulid_as_uuid":
            return uuid.UUID(int=milliseconds << 80 | 3)
        case "ulid":
            number = milliseconds << 80 | 3
            return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> place & 31] for place in range(125, -1, -5))
        case "snowflake":
            return (milliseconds - 1288834974657 << 22) + 5
    raise AssertionError(kind)


def create(database: Database, policy: Partitioning, now: datetime, *settings: str) -> tuple[Step, ...]:
    """As the command does, in a session with those settings."""
    connection = database.sqlalchemy()
    for setting in settings:
        connection.exec_driver_sql(setting)

    def decide() -> Plan:
        catalog = Catalog(connection, now)
        found = catalog.policy(policy.parent)
        assert found == policy, "what is registered is what is read"
        table = catalog.table(policy.parent)
        default, strays = catalog.filled_default(table), catalog.strays(policy, table)
        return partitions.create_next(policy, table, catalog.here(policy, table), default, strays)

    return execute.run(connection, decide, QUICK, database.events.append)


def homes(database: Database, table: str = "app.t") -> list[str]:
    return [row[0] for row in database.sql(f"SELECT tableoid::regclass::text FROM {table} ORDER BY n")]


@pytest.mark.parametrize(("interval", "zone", "origin"), CUTS)
@pytest.mark.parametrize("kind", thinned(KINDS, *list(KINDS)[::3]))
def test_rows_lie_in_the_window_of_their_moment(
    database: Database, kind: str, interval: str, zone: str, origin: str | None
) -> None:
    if kind == "date" and interval in ("1 hour", "15 minutes"):
        pytest.skip("refused: a date has no hours")
    type_, encoding = KINDS[kind]
    policy = Partitioning(T, "k", replace_text(interval), zone, 5, origin, encoding)
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (n int, k {type_} NOT NULL, PRIMARY KEY (n, k)) PARTITION BY RANGE (k)",
    )
    register(database, policy)
    made = create(database, policy, NOW, *STRANGE)
    assert len(made) == 6
    assert create(database, policy, NOW) == (), "from another session's settings, nothing is missing"
    table = Catalog(database.sqlalchemy(), NOW).table(T)
    assert table is not None
    lines = grid(policy, table)
    windows = list(lines.ahead(lines.here(NOW)))
    moments = [NOW + (windows[-1].upper - lines.key.point(NOW)) * part / 40 for part in range(39)]
    with database.connect() as connection:
        for number, moment in enumerate(moments):
            connection.execute("INSERT INTO app.t VALUES (%s, %s)", (number, value(kind, moment, zone)))
    expected = [
        str(lines.partition_name(next(w for w in windows if w.lower <= lines.key.point(moment) < w.upper)))
        for moment in moments
    ]
    assert homes(database) == expected
    assert create(database, policy, NOW + timedelta(days=200), *STRANGE)
    ends: list[Any] = sorted(
        (lines.range_of(partition).lower, lines.range_of(partition).upper) for partition in parts(database)
    )
    assert all(upper <= lower for (_, upper), (lower, _) in pairwise(ends))


def replace_text(interval: str) -> str:
    """As it is printed, since that is what is registered."""
    return Partitioning(T, "k", interval).cut.text


def parts(database: Database) -> Any:
    table = Catalog(database.sqlalchemy(), NOW).table(T)
    return table and table.partitions


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint", "numeric"])
def test_ids_are_kept_ahead_of_the_greatest_one(database: Database, type_: str) -> None:
    policy = Partitioning(T, "k", "1000", premake=2, origin="1")
    database.sql("CREATE SCHEMA app", f"CREATE TABLE app.t (k {type_} PRIMARY KEY, n int) PARTITION BY RANGE (k)")
    register(database, policy)
    names = [str(step.name) for step in create(database, policy, NOW)]  # type: ignore[attr-defined]
    assert names == ["app.t_p1", "app.t_p1001", "app.t_p2001"]
    assert create(database, policy, NOW + timedelta(days=999)) == (), "no clock makes any"
    database.sql("INSERT INTO app.t VALUES (1, 1), (1000, 2), (1001, 3), (3000, 4)")
    assert homes(database) == ["app.t_p1", "app.t_p1", "app.t_p1001", "app.t_p2001"]
    names = [str(step.name) for step in create(database, policy, NOW)]  # type: ignore[attr-defined]
    assert names == ["app.t_p3001", "app.t_p4001"]
    shown = shell(database, "partitions", "list", "app.t").stdout
    assert "every 1000" in shown
    assert "t_p2001    2001  3001" in shown.replace("  ", "  ")


def test_a_row_of_the_far_future_makes_nothing(database: Database) -> None:
    policy = Partitioning(T, "k", "1 mon", premake=1)
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (n int, k timestamptz NOT NULL) PARTITION BY RANGE (k)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
        "INSERT INTO app.t VALUES (1, '9000-01-01'), (2, 'infinity')",
    )
    register(database, policy)
    assert len([step for step in create(database, policy, NOW) if "create partition" in step.summary]) == 2
    assert create(database, policy, NOW) == ()


@pytest.mark.parametrize(
    ("below", "children"),
    [
        ("HASH (n)", ["FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "FOR VALUES WITH (MODULUS 2, REMAINDER 1)"]),
        ("LIST (region)", ["FOR VALUES IN ('eu', 'uk')", "DEFAULT"]),
        ("RANGE (n)", ["FOR VALUES FROM (MINVALUE) TO (10)", "FOR VALUES FROM (10) TO (MAXVALUE)"]),
    ],
)
def test_sub_partitions_are_those_of_the_newest_sibling(
    database: Database, below: str, children: Sequence[str]
) -> None:
    policy = Partitioning(T, "k", "1 mon", "Asia/Bangkok", premake=1)
    first = '"app"."T first"'
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (n int, region text, k timestamptz NOT NULL, PRIMARY KEY (k, n, region)) "
        "PARTITION BY RANGE (k)",
        "CREATE INDEX ON app.t (region)",
        f"CREATE TABLE {first} PARTITION OF app.t FOR VALUES FROM ('2026-02-01+07') TO ('2026-03-01+07') "
        f"PARTITION BY {below}",
    )
    for number, values in enumerate(children):
        storage = " WITH (fillfactor = 70)" if number else ""
        database.sql(f'CREATE TABLE "app"."T first{number}" PARTITION OF {first} {values}{storage}')
    register(database, policy)
    assert len(create(database, policy, NOW)) == 2
    database.sql(
        "INSERT INTO app.t SELECT i, CASE WHEN i % 2 = 0 THEN 'uk' ELSE 'x' END, '2026-04-02' "
        "FROM generate_series(1, 20) i"
    )
    assert set(homes(database)) == {"app.t_p202604010", "app.t_p202604011"}
    shape = """SELECT regexp_replace(pg_get_expr(relpartbound, oid), '''2026.*', ''), relkind, reloptions,
                      (SELECT count(*) FROM pg_index WHERE indrelid = c.oid AND indisvalid)
               FROM pg_class c WHERE relispartition AND relkind IN ('r', 'p') AND relname LIKE '%%%s%%' ORDER BY 1, 2"""
    assert database.sql(shape % "p20260401") == database.sql(shape % "T first")
    assert create(database, policy, NOW) == ()


def test_a_policy_on_a_list_parent_is_one_for_each_of_its_sets(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (n int, region text, k timestamptz NOT NULL) PARTITION BY LIST (region)",
        *(
            f"CREATE TABLE app.t_{region} PARTITION OF app.t FOR VALUES IN ('{region}') PARTITION BY RANGE (k)"
            for region in ("eu", "us")
        ),
        "CREATE TABLE app.t_rest PARTITION OF app.t DEFAULT",
    )
    register(database, Partitioning(T, "k", "1 mon", premake=1))
    done = shell(database, "partitions", "create-next", "--now", "2026-03-28")
    assert done.returncode == 0, done.stderr
    assert [line.split()[2] for line in done.stdout.splitlines()] == [
        "app.t_eu_p20260301",
        "app.t_eu_p20260401",
        "app.t_us_p20260301",
        "app.t_us_p20260401",
    ]
    assert "nothing to do" in shell(database, "partitions", "create-next", "--now", "2026-03-28").stderr
    assert shell(database, "partitions", "list").stdout.count("t_eu_p") == 2


def test_a_new_partition_has_what_attach_does_not_hand_on(database: Database) -> None:
    policy = Partitioning(T, "k", "1 mon", premake=1, inherit_privileges=True)
    database.sql(
        "CREATE SCHEMA app",
        "CREATE ROLE sets_owner",
        "CREATE ROLE sets_reader",
        "CREATE TABLE app.t (n int, k timestamptz NOT NULL, body text, PRIMARY KEY (n, k)) PARTITION BY RANGE (k)",
        "CREATE TABLE app.first PARTITION OF app.t FOR VALUES FROM ('2026-02-01+00') TO ('2026-03-01+00') "
        "WITH (autovacuum_vacuum_scale_factor = 0.01)",
        "CREATE UNIQUE INDEX identity ON app.t (k, n)",
        "ALTER TABLE app.t OWNER TO sets_owner",
        "ALTER TABLE app.t ALTER body SET STATISTICS 500",
        "CREATE STATISTICS app.both ON n, k FROM app.t",
        "COMMENT ON TABLE app.t IS 'it''s the parent''s'",
        "COMMENT ON COLUMN app.t.body IS 'what was said'",
        "GRANT SELECT, INSERT (body) ON app.t TO sets_reader WITH GRANT OPTION",
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE app.first REPLICA IDENTITY USING INDEX %I', relname) FROM "
        "pg_index JOIN pg_class i ON i.oid = indexrelid WHERE indrelid = 'app.first'::regclass AND NOT indisprimary "
        "AND indisunique); END $$",
    )
    register(database, policy)
    create(database, policy, NOW)
    new = "app.t_p20260401"
    assert database.sql(
        f"""SELECT pg_get_userbyid(relowner), reloptions, relreplident, obj_description(oid, 'pg_class'),
                   has_table_privilege('sets_reader', oid, 'SELECT WITH GRANT OPTION'),
                   has_column_privilege('sets_reader', oid, 'body', 'INSERT'),
                   has_table_privilege('sets_reader', oid, 'DELETE'), col_description(oid, 3)
            FROM pg_class WHERE oid = '{new}'::regclass"""
    ) == [
        (
            "sets_owner",
            ["autovacuum_vacuum_scale_factor=0.01"],
            "i",
            "it's the parent's",
            True,
            True,
            False,
            "what was said",
        )
    ]
    assert database.sql(
        f"""SELECT h.inhparent::regclass::text FROM pg_index x JOIN pg_inherits h ON h.inhrelid = x.indexrelid
            WHERE x.indrelid = '{new}'::regclass AND x.indisreplident"""
    ) == [("app.identity",)]
    assert database.sql(
        f"SELECT attstattarget FROM pg_attribute WHERE attrelid = '{new}'::regclass AND attname = 'body'"
    ) == [(500,)]
    assert database.sql(f"SELECT count(*) FROM pg_statistic_ext WHERE stxrelid = '{new}'::regclass") == [(1,)]
    database.sql(
        "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE app.first REPLICA IDENTITY FULL",
        f"ALTER TABLE {new} REPLICA IDENTITY FULL",
    )
    create(database, policy, NOW + timedelta(days=40))
    newer = "app.t_p20260601"
    assert database.sql(
        f"SELECT has_table_privilege('sets_reader', '{newer}', 'SELECT'), relreplident FROM pg_class "
        f"WHERE oid = '{newer}'::regclass"
    ) == [(False, "f")], "a grant on it would show what row security of the parent hides"
    database.sql("DROP TABLE app.t", "DROP OWNED BY sets_reader", "DROP ROLE sets_reader", "DROP ROLE sets_owner")


def test_until_makes_all_up_to_there(database: Database) -> None:
    database.sql("CREATE SCHEMA app", "CREATE TABLE app.t (k timestamptz NOT NULL) PARTITION BY RANGE (k)")
    register(database, Partitioning(T, "k", "1 mon", "Asia/Bangkok", premake=1))
    arguments = ["create-next", "--now", "2026-03-28", "--until"]
    assert shell(database, "partitions", *arguments, "2026-06-01").stdout.count("create partition") == 3
    assert shell(database, "partitions", *arguments, "2026-06-01T00:01").stdout.count("create partition") == 1
    far = shell(database, "partitions", *arguments, "2999-01-01")
    assert (far.returncode, far.stdout) == (3, "")
    assert "more than 1000" in far.stderr
    assert shell(database, "partitions", *arguments, "soon").returncode == 2


def test_a_table_of_policies_of_an_older_version_is_read(database: Database) -> None:
    database.sql("CREATE SCHEMA app", "CREATE TABLE app.t (k timestamptz NOT NULL) PARTITION BY RANGE (k)")
    register(database, Partitioning(T, "k", "1 mon", premake=1))
    database.sql("ALTER TABLE schema_kit.part_config DROP COLUMN origin, DROP COLUMN encoding")
    assert shell(database, "partitions", "create-next").returncode == 0
    connection = database.sqlalchemy()
    assert not Catalog(connection).config_is_current()
    for statement in load("partman/tables/part_config.sql"):
        connection.execute(sa.text(statement.replace(":", "\\:")))
    assert Catalog(connection).config_is_current()


def test_two_sets_in_which_one_has_nothing_to_do(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (k timestamptz NOT NULL) PARTITION BY RANGE (k)",
        "CREATE TABLE app.u (k timestamptz NOT NULL) PARTITION BY RANGE (k)",
    )
    policy = Partitioning(T, "k", "1 mon", premake=1)
    register(database, policy)
    create(database, policy, NOW)
    register(database, replace(policy, parent=QualifiedName("app", "u")))
    done = shell(database, "partitions", "create-next", "--now", "2026-03-28")
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["app.u_p20260301", "app.u_p20260401"]


def test_a_replica_identity_goes_along_whatever_the_names_are(database: Database) -> None:
    parent = QualifiedName("app", """it's 50% of "x" %I""")
    policy = Partitioning(parent, "k", "1 mon", premake=1)
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE {parent.sql} (n int NOT NULL, k timestamptz NOT NULL) PARTITION BY RANGE (k)",
        f'CREATE UNIQUE INDEX "it\'s" ON {parent.sql} (k, n)',
        f"CREATE TABLE app.old PARTITION OF {parent.sql} FOR VALUES FROM ('2026-02-01+00') TO ('2026-03-01+00')",
        "ALTER TABLE app.old REPLICA IDENTITY USING INDEX old_k_n_idx",
    )
    register(database, policy)
    assert len(create(database, policy, NOW)) == 2
    assert database.sql(
        "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r' AND relreplident = 'i'"
    ) == [(3,)]
