"""What an operation has partitioned becomes a plain table again, or goes."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import op
from tests.support.catalog import facts
from tests.support.database import Database
from tests.support.partition_ops import events, migration, outside, tree

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


def test_the_reverse_operation(database: Database) -> None:
    with migration(database):
        op.create_part_config()
    before = facts(database)
    with migration(database):
        events(sub_partitions=op.by_hash("tenant", 2), default_partition=True)
    with migration(database):
        op.drop_table("events")
        op.drop_partition_policy("events")
    assert facts(database) == before


def test_a_table_that_refers_to_itself_becomes_plain_again(database: Database) -> None:
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
