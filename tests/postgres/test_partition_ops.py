"""Partitioned tables made from nothing, by an operation of a migration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import op
from schema_kit.errors import PlanError
from tests.support.catalog import facts
from tests.support.database import Database
from tests.support.offline import same_by_script
from tests.support.partition_ops import MONTHS, events, migration, outside, tree

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


def test_a_partitioned_table_is_made_in_the_transaction_of_the_migration(database: Database) -> None:
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


def test_each_range_is_partitioned_by_hash(database: Database) -> None:
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


def test_each_range_is_partitioned_by_list(database: Database) -> None:
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
def test_ranges_under_a_list_have_one_policy(database: Database) -> None:
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
