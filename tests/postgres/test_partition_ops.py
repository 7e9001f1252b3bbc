"""Sets made from nothing, and policies of what is partitioned already, by operations of a migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import op
from schema_kit.errors import DeclarationError, ExecutionError, PlanError, SchemaKitError
from schema_kit.ops import Settings
from tests.support.catalog import facts
from tests.support.database import QUICK, Database
from tests.support.offline import same_by_script

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@contextmanager
def migration(database: Database, now: datetime = NOW, role: str | None = None) -> Iterator[sa.Connection]:
    """A revision's transaction, committed at the end."""
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection, connection.begin():
        if role:
            connection.exec_driver_sql(f"SET ROLE {role}")
        settings = Settings(now=now, policy=QUICK)
        with Operations.context(MigrationContext.configure(connection, opts={"schema_kit": settings})):
            yield connection


@contextmanager
def outside(database: Database) -> Iterator[None]:
    """Operations outside of migrations, each step a commit of its own."""
    settings = Settings(now=NOW, policy=QUICK)
    with Operations.context(MigrationContext.configure(database.sqlalchemy(), opts={"schema_kit": settings})):
        yield


def events(*more: Any, name: str = "events", **keywords: Any) -> None:
    op.create_partitioned_table(
        name,
        sa.Column("id", sa.BigInteger, sa.Identity()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        *more,
        **{"control": "at", "interval": "1 month", "premake": 2, **keywords},
    )


def tree(database: Database, table: str = "events") -> list[tuple[str, str, str]]:
    return [
        (name, bounds, key)
        for name, bounds, key in database.sql(
            "SET TimeZone = 'UTC'",
            f"""SELECT c.relname::text, coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
                       coalesce(pg_get_partkeydef(c.oid), '')
                FROM pg_partition_tree('{table}') t JOIN pg_class c ON c.oid = t.relid
                ORDER BY c.relname COLLATE "C" """,
        )
    ]


def month(first: str, last: str, hour: str = "00:00:00+00") -> str:
    return f"FOR VALUES FROM ('{first} {hour}') TO ('{last} {hour}')"


MONTHS = [
    ("events_p20261101", month("2026-11-01", "2026-12-01"), ""),
    ("events_p20261201", month("2026-12-01", "2027-01-01"), ""),
    ("events_p20270101", month("2027-01-01", "2027-02-01"), ""),
]


def test_a_set_is_made_in_the_transaction_of_the_migration(database: Database) -> None:
    before = facts(database)

    def two() -> None:
        events()
        events(name="others", control="id")

    with pytest.raises(PlanError), migration(database):
        two()
    assert facts(database) == before
    with migration(database):
        events(sa.PrimaryKeyConstraint("id", "at", name="events_pkey"), comment="What happens")
    assert tree(database) == [("events", "", "RANGE (at)"), *MONTHS]
    assert database.sql("SELECT parent_table, control, partition_interval, premake FROM schema_kit.part_config") == [
        ("public.events", "at", "1 mon", 2)
    ]
    database.sql("INSERT INTO events (at, tenant, region) SELECT '2026-11-05', 1, 'de' FROM generate_series(1, 9)")
    assert database.sql("SELECT max(id), count(*) FROM events_p20261101") == [(9, 9)]
    assert database.sql("SELECT DISTINCT obj_description(relid) FROM pg_partition_tree('events')") == [
        ("What happens",)
    ]


def test_made_again_it_is_compared_and_left(database: Database) -> None:
    with migration(database):
        events()
    before = facts(database)
    with migration(database), outside(database):
        events()
    assert facts(database) == before
    with pytest.raises(PlanError, match=r"it has no column more"), migration(database):
        events(sa.Column("more", sa.Integer))
    with pytest.raises(PlanError, match=r"it is not partitioned by RANGE \(id\)"), migration(database):
        events(control="id", interval="1000")
    assert facts(database) == before


def test_each_range_is_cut_by_hash(database: Database) -> None:
    with migration(database):
        events(premake=1, sub_partitions=op.by_hash("tenant", 2), postgresql_with={"fillfactor": 70})
    assert tree(database)[1:4] == [
        ("events_p20261101", MONTHS[0][1], "HASH (tenant)"),
        ("events_p20261101_h0", "FOR VALUES WITH (modulus 2, remainder 0)", ""),
        ("events_p20261101_h1", "FOR VALUES WITH (modulus 2, remainder 1)", ""),
    ]
    assert database.sql("SELECT count(*) FROM pg_class WHERE reloptions = '{fillfactor=70}'") == [(4,)]
    with outside(database):
        op.set_partition_policy("events", premake=600)
        op.create_next_partitions("events", until="2027-02-01")
    made = [row[0] for row in tree(database) if row[0].startswith("events_p20270101")]
    assert made == ["events_p20270101", "events_p20270101_h0", "events_p20270101_h1"]


def test_each_range_is_cut_by_list(database: Database) -> None:
    with migration(database):
        cut = op.by_list("region", {"eu": ["de", "f'r"], "none": [None]}, default=True)
        events(premake=1, sub_partitions=cut, default_partition=True)
    assert [row[:2] for row in tree(database)[1:9]] == [
        ("events_default", "DEFAULT"),
        ("events_default_default", "DEFAULT"),
        ("events_default_eu", "FOR VALUES IN ('de', 'f''r')"),
        ("events_default_none", "FOR VALUES IN (NULL)"),
        ("events_p20261101", MONTHS[0][1]),
        ("events_p20261101_default", "DEFAULT"),
        ("events_p20261101_eu", "FOR VALUES IN ('de', 'f''r')"),
        ("events_p20261101_none", "FOR VALUES IN (NULL)"),
    ]


@pytest.mark.exhaustive
def test_ranges_under_a_list_are_sets_of_one_policy(database: Database) -> None:
    with migration(database):
        events(
            sa.PrimaryKeyConstraint("id", "at", "region", "tenant"),
            premake=1,
            partition_by=op.by_list("region", {"eu": ["de", "fr"], "us": ["us"]}),
            sub_partitions=op.by_hash("tenant", 2),
        )
    found = tree(database)
    assert [row for row in found if row[2]][:4] == [
        ("events", "", "LIST (region)"),
        ("events_eu", "FOR VALUES IN ('de', 'fr')", "RANGE (at)"),
        ("events_eu_p20261101", MONTHS[0][1], "HASH (tenant)"),
        ("events_eu_p20261201", MONTHS[1][1], "HASH (tenant)"),
    ]
    assert len(found) == 3 + 2 * 2 * 3
    database.sql("INSERT INTO events (at, tenant, region) VALUES ('2026-11-05', 1, 'us')")
    before = facts(database)
    with outside(database), pytest.raises(PlanError, match="is not partitioned by RANGE"):
        op.set_partition_policy("events", control="tenant")
    assert facts(database) == before
    with outside(database):
        op.create_next_partitions("events", until="2027-02-01")
        op.create_next_partitions("events", until="2027-02-01")
    assert len(tree(database)) == 3 + 2 * 3 * 3


def test_what_alembic_takes_is_taken(database: Database) -> None:
    database.sql("CREATE TABLE room (id bigint PRIMARY KEY)")
    with migration(database):
        events(
            sa.Column("room", sa.BigInteger, sa.ForeignKey("room.id", ondelete="CASCADE"), index=True),
            sa.Column("kind", sa.Enum("a", "b", name="kind"), server_default="a", comment="of it\nall"),
            sa.Column("said", sa.String(9), server_default=sa.text("'100%'")),
            sa.CheckConstraint("tenant > 0", name="events_tenant_check"),
            sa.PrimaryKeyConstraint("id", "at"),
            sa.UniqueConstraint("tenant", "at", name="events_key"),
        )
    database.sql("INSERT INTO room VALUES (1)")
    database.sql("INSERT INTO events (at, tenant, region, room) VALUES ('2026-12-05', 1, 'us', 1)")
    assert database.sql("SELECT id, kind::text, said FROM events_p20261201") == [(1, "a", "100%")]
    kinds = "SELECT string_agg(contype::text, '' ORDER BY contype) FROM pg_constraint WHERE contype <> 'n' AND conrelid"
    assert database.sql(f"{kinds} = 'events_p20261201'::regclass") == [("cfpu",)]
    assert database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    with pytest.raises(psycopg.errors.CheckViolation):
        database.sql("INSERT INTO events (at, tenant, region, room) VALUES ('2026-12-05', 0, 'us', 1)")


def test_what_a_default_privilege_grants_is_taken_from_partitions(database: Database) -> None:
    database.sql("DROP ROLE IF EXISTS sk_reader", "CREATE ROLE sk_reader")
    try:
        database.sql("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO sk_reader")
        with migration(database):
            events(default_partition=True)
        readable = "SELECT relname FROM pg_class WHERE relname LIKE 'events%' AND relkind IN ('r', 'p') AND "
        assert database.sql(readable + "has_table_privilege('sk_reader', oid, 'SELECT')") == [("events",)]
    finally:
        database.sql("DROP OWNED BY sk_reader", "DROP ROLE sk_reader")


ODD = 'Ta.b"le สวัสดี' + "x" * 37


def test_what_is_past_its_retention_is_said_at_the_beginning(database: Database) -> None:
    with migration(database):
        events(retention="18 months", retention_keep_table=False, retention_grace="2 days", detach="blocking")
    asked = (
        "SELECT retention, retention_keep_table, retention_schema, retention_grace, detach FROM schema_kit.part_config"
    )
    assert database.sql(asked) == [("18 months", False, None, "2 days", "blocking")]


def test_odd_names(database: Database) -> None:
    database.sql('CREATE SCHEMA "S.x"')
    with migration(database):
        op.create_partitioned_table(
            ODD,
            sa.Column('A"t', sa.Date, nullable=False),
            sa.Column("Wo", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint('A"t', "Wo"),
            schema="S.x",
            control='A"t',
            interval="1 week",
            premake=1,
            sub_partitions=op.by_list("Wo", {"ประเทศ": ["ไทย"]}, default=True),
        )
    assert len(ODD.encode()) == 63
    names = [
        row[0] for row in database.sql("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relispartition")
    ]
    assert len(names) == len(set(names)) == 6
    with outside(database):
        op.create_next_partitions(ODD, schema="S.x", until="2027-01-15")
        op.drop_partition_policy(ODD, schema="S.x")
    assert database.sql("SELECT count(*) FROM schema_kit.part_config") == [(0,)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: events(sa.PrimaryKeyConstraint("id", name="pk")),
            "pk of public.events, the primary key (id), does not",
        ),
        (
            lambda: events(sa.UniqueConstraint("id", name="uq")),
            "uq of public.events, unique (id), does not contain 'at'",
        ),
        (lambda: events(sa.Index("ix", "id", unique=True)), "ix of public.events, unique (id)"),
        (
            lambda: events(sa.PrimaryKeyConstraint("id", "at"), sub_partitions=op.by_hash("tenant", 2)),
            "does not contain 'tenant'",
        ),
        (lambda: events(control="when"), "has no column 'when'"),
        (lambda: events(sa.Column("x", sa.Date), control="x"), "may be NULL"),
        (lambda: events(interval="1 fortnight"), "is not an interval"),
        (lambda: events(interval="100"), "is a number of ids"),
        (lambda: events(timezone="Mars/Base"), "there is no time zone"),
        (lambda: events(premake=0), "premake is 1 to 1000, not 0"),
        (lambda: events(premake=5000), "premake is 1 to 1000, not 5000"),
        (lambda: events(control="region"), "ranges begin and end in"),
        (lambda: events(encoding="uuidv7"), "cannot hold uuidv7"),
        (lambda: events(sub_partitions=op.by_hash("nobody", 2)), "has no column 'nobody'"),
        (lambda: events(sub_partitions=op.by_hash("at", 2)), "by the same column twice"),
        (lambda: events(sub_partitions=op.by_hash("tenant", 1)), "2 to 1000 parts"),
        (lambda: events(sub_partitions=op.by_list("region", {})), "one partition or more"),
        (lambda: events(sub_partitions=op.by_list("region", {"a": ["x"], "b": ["x"]})), "each with values of its own"),
        (lambda: events(sub_partitions=op.by_list("region", {"a": [1.5]})), "cannot be a value"),
        (lambda: events(postgresql_with={"fill factor": "1; DROP"}), "is not a storage parameter"),
        (lambda: events(schema="nowhere"), "there is no schema nowhere"),
        (lambda: events(retention="20 days"), "shorter than a partition"),
        (lambda: events(retention="1000"), "Write a length of time"),
        (lambda: events(retention_grace="soon"), "soon"),
        (lambda: events(detach="never"), "detach of public.events is one of"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    database: Database, call: Callable[[], None], words: str
) -> None:
    before = facts(database)
    for context in (migration(database), outside(database)):
        with pytest.raises((DeclarationError, PlanError)) as caught, context:
            call()
        assert words in str(caught.value)
        assert facts(database) == before


def by_hand(database: Database, *partitions: str, control: str = "at timestamptz NOT NULL", key: str = "at") -> None:
    database.sql(
        f"CREATE TABLE t (id bigint, region text, {control}) PARTITION BY RANGE ({key})",
        *(f"CREATE TABLE t_{n} PARTITION OF t {bounds}" for n, bounds in enumerate(partitions)),
    )


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


def test_next_partitions_need_a_policy(database: Database) -> None:
    by_hand(database)
    with outside(database), pytest.raises(PlanError, match=r"public.t has no policy .*op.set_partition_policy"):
        op.create_next_partitions("t")


def test_which_right_is_missing_is_said(database: Database) -> None:
    database.sql("DROP ROLE IF EXISTS sk_weak", "CREATE ROLE sk_weak", "CREATE TABLE room (id bigint PRIMARY KEY)")
    by_hand(database)
    room = sa.Column("room", sa.BigInteger, sa.ForeignKey("room.id"))
    name = database.sql("SELECT quote_ident(current_database())")[0][0]
    try:
        database.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        with pytest.raises(PlanError) as caught, migration(database, role="sk_weak"):
            events(room)
        assert [line for line in str(caught.value).splitlines() if line.startswith("  - ")] == [
            "  - sk_weak lacks CREATE on schema public (GRANT CREATE ON SCHEMA public TO sk_weak)",
            "  - sk_weak lacks REFERENCES on public.room (GRANT REFERENCES ON public.room TO sk_weak)",
            f"  - sk_weak lacks CREATE on database {name}, where schema schema_kit is missing (GRANT CREATE ON "
            f"DATABASE {name} TO sk_weak)",
        ]
        with migration(database):
            op.create_part_config()
        database.sql("GRANT USAGE ON SCHEMA schema_kit TO sk_weak", "GRANT SELECT ON schema_kit.part_config TO sk_weak")
        with pytest.raises(PlanError) as caught, migration(database, role="sk_weak"):
            op.set_partition_policy("t", control="at", interval="1 month")
        assert "sk_weak lacks INSERT, UPDATE on schema_kit.part_config" in str(caught.value)
        database.sql("ALTER TABLE schema_kit.part_config DROP COLUMN encoding")
        database.sql("GRANT ALL ON schema_kit.part_config TO sk_weak")
        with (
            pytest.raises(PlanError, match="part_config belongs to postgres, whose rights"),
            migration(database, role="sk_weak"),
        ):
            op.set_partition_policy("t", control="at", interval="1 month")
    finally:
        database.sql("DROP OWNED BY sk_weak", "DROP ROLE sk_weak")


@pytest.mark.exhaustive
def test_a_referenced_table_that_is_busy(database: Database) -> None:
    database.sql("CREATE TABLE room (id bigint PRIMARY KEY)")
    holder = database.connect(autocommit=False)
    holder.execute("INSERT INTO room VALUES (1)")
    before = facts(database)
    with pytest.raises(ExecutionError, match="55P03"), migration(database):
        events(sa.Column("room", sa.BigInteger, sa.ForeignKey("room.id")))
    with pytest.raises(SchemaKitError, match="blocked by pid"), outside(database):
        events(sa.Column("room", sa.BigInteger, sa.ForeignKey("room.id")))
    assert {key: value for key, value in facts(database).items() if not key[1].startswith("schema_kit")} == before


def test_the_way_back(database: Database) -> None:
    with migration(database):
        op.create_part_config()
    before = facts(database)
    with migration(database):
        events(sub_partitions=op.by_hash("tenant", 2), default_partition=True)
    with migration(database):
        op.drop_table("events")
        op.drop_partition_policy("events")
    assert facts(database) == before


def test_a_set_that_refers_to_itself_and_its_way_back_to_a_plain_table(database: Database) -> None:
    with migration(database):
        events(
            sa.Column("reply_to", sa.BigInteger),
            sa.Column("reply_at", sa.DateTime(timezone=True)),
            sa.PrimaryKeyConstraint("id", "at", name="events_pkey"),
            sa.ForeignKeyConstraint(["reply_to", "reply_at"], ["events.id", "events.at"], name="events_reply"),
        )
    insert = "INSERT INTO events (at, tenant, region, reply_to, reply_at) VALUES ('{}', 1, 'de', {}, {})"
    database.sql(insert.format("2026-11-05", "NULL", "NULL"), insert.format("2026-12-05", "1", "'2026-11-05'"))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.sql(insert.format("2026-12-05", "7", "'2026-11-05'"))
    with outside(database):
        op.create_next_partitions("events", until="2027-06-01")
    assert len(tree(database)) == 8


def test_back_to_a_plain_table(database: Database) -> None:
    with migration(database):
        events(sa.PrimaryKeyConstraint("id", "at", name="events_pkey"), comment="What happens")
    database.sql(
        "INSERT INTO events (at, tenant, region) SELECT d, 1, 'de' FROM generate_series('2026-11-01', "
        "'2027-01-20', '1 day'::interval) d"
    )
    with outside(database):
        op.unpartition("events")
    assert database.sql("SELECT relkind::text, obj_description(oid) FROM pg_class WHERE relname = 'events'") == [
        ("r", "What happens")
    ]
    assert database.sql("SELECT count(*), max(id) FROM events") == [(81, 81)]
    database.sql("INSERT INTO events (at, tenant, region) VALUES ('2030-01-01', 1, 'de')")
    assert database.sql("SELECT max(id) FROM events") == [(82,)]
    assert database.sql("SELECT count(*) FROM schema_kit.part_config") == [(0,)]


@pytest.mark.parametrize(
    ("column", "keywords", "bounds"),
    [
        (sa.Column("k", sa.BigInteger, nullable=False), {"interval": "1000"}, "FROM ('0') TO ('1000')"),
        (sa.Column("k", sa.Integer, nullable=False), {"interval": "50", "origin": "1"}, "FROM (1) TO (51)"),
        (sa.Column("k", sa.Date, nullable=False), {"interval": "week"}, "FROM ('2026-11-16') TO ('2026-11-23')"),
        (
            sa.Column("k", sa.DateTime, nullable=False),
            {"interval": "1 hour", "timezone": "Asia/Kathmandu"},
            "FROM ('2026-11-21 05:00:00') TO ('2026-11-21 06:00:00')",
        ),
        (
            sa.Column("k", sa.BigInteger, nullable=False),
            {"interval": "1 month", "encoding": "milliseconds", "timezone": "Asia/Bangkok"},
            "FROM ('1793466000000') TO ('1796058000000')",
        ),
        (
            sa.Column("k", sa.Uuid, primary_key=True),
            {"interval": "1 month", "encoding": "uuidv7"},
            "FROM ('01a19467-e800-0000-0000-000000000000') TO ('01a22ee6-b000-0000-0000-000000000000')",
        ),
        (
            sa.Column("k", sa.CHAR(26), primary_key=True),
            {"interval": "1 year", "encoding": "ulid"},
            "FROM ('01KDVDNA000000000000000000') TO ('01MB78QN000000000000000000')",
        ),
    ],
)  # fmt: skip
def test_keys_of_each_kind(database: Database, column: Any, keywords: dict[str, Any], bounds: str) -> None:
    with migration(database):
        op.create_partitioned_table("t", column, control="k", **keywords)
    found = [row[1] for row in tree(database, "t") if row[1]]
    assert len(found) == 5
    assert any(bounds in row for row in found), found
    with outside(database):
        op.create_next_partitions("t")
    assert len(tree(database, "t")) == 6


def test_the_policy_of_a_table_that_is_gone_is_not_taken_for_a_new_one_s(database: Database) -> None:
    with migration(database):
        events()
        op.drop_table("events")
        events(interval="1 day", premake=1)
    assert database.sql("SELECT partition_interval, premake FROM schema_kit.part_config") == [("1 day", 1)]
    assert len(tree(database)) == 3


CREATE = """op.create_partitioned_table(
        {name!r}, sa.Column("id", sa.BigInteger, sa.Identity()), sa.Column("at", sa.DateTime(timezone=True),
        nullable=False), sa.Column("k", sa.Integer, nullable=False), sa.PrimaryKeyConstraint("id", "at", "k"),
        control="at", interval="1 month", premake=2, timezone="Asia/Bangkok"{more})"""


@pytest.mark.exhaustive
def test_the_script_makes_what_the_revisions_make(tmp_path: Path, database: Database) -> None:
    text = same_by_script(
        tmp_path,
        database,
        CREATE.format(name="plain", more=", default_partition=True"),
        CREATE.format(name="hashed", more=', sub_partitions=op.by_hash("k", 2)'),
        CREATE.format(name="listed", more=', partition_by=op.by_list("k", {"one": [1], "two": [2]})'),
        'op.set_partition_policy("plain", premake=5)',
        'op.create_next_partitions("plain")',
        'op.create_next_partitions("listed", until="2027-05-01")',
        'op.create_next_partitions("hashed", until="2027-05-01")',
        'op.create_index_concurrently("ix_listed", "listed", ["k"])',
        'op.drop_table("hashed")\n    op.drop_partition_policy("hashed")',
    )
    assert text.count('CREATE TABLE IF NOT EXISTS "schema_kit".part_config') == 1
