"""Operations that make partitions, refused before anything is written: nonsense, rights, locks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from schema_kit import op
from schema_kit.errors import DeclarationError, ExecutionError, PlanError, SchemaKitError
from tests.support.catalog import facts
from tests.support.database import Database
from tests.support.partition_ops import by_hand, events, migration, outside

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


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
