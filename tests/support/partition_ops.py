"""Operations that make partitions, in a migration and outside of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import op
from schema_kit.ops import Settings
from tests.support.database import QUICK, Database

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


def by_hand(database: Database, *partitions: str, control: str = "at timestamptz NOT NULL", key: str = "at") -> None:
    database.sql(
        f"CREATE TABLE t (id bigint, region text, {control}) PARTITION BY RANGE ({key})",
        *(f"CREATE TABLE t_{n} PARTITION OF t {bounds}" for n, bounds in enumerate(partitions)),
    )
