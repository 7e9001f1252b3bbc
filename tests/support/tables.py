"""Partitioned tables by month, and what is in them."""

from __future__ import annotations

from typing import Any

import psycopg

from schema_kit.model import Partitioning
from schema_kit.names import ident
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.database import Database


def partition(table: str, low: str, high: str, name: str = "") -> str:
    """The statement that makes one, named by its lower bound unless it is said."""
    name = name or f"{table}_p{low.replace('-', '')}"
    return f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"


def months(table: str, first: int = 1, last: int = 6, zone: str = "+00") -> list[str]:
    """A partition for each month of 2026, which has the month's number in its name."""
    quote = '"' * table.endswith('"')
    return [
        f"CREATE TABLE {table.removesuffix(quote)}_{month:02}{quote} PARTITION OF {table} "
        f"FOR VALUES FROM ('2026-{month:02}-01{zone}') TO ('2026-{month + 1:02}-01{zone}')"
        for month in range(first, last + 1)
    ]


def register(database: Database, policy: Partitioning) -> None:
    database.sql(*load("partman/tables/part_config.sql"), register_sql(policy))


def leaves(database: Database) -> list[str]:
    return [
        row[0] for row in database.sql("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1")
    ]


def ahead(database: Database) -> str:
    """A moment some months after what exists, by months of Bangkok: they begin hours before those of UTC."""
    here = "date_trunc('month', now() AT TIME ZONE 'Asia/Bangkok')"
    return str(database.sql(f"SELECT ({here} + interval '4 months 4 days')::date")[0][0])


def checksum(database: Database, *tables: str, columns: str = "") -> tuple[Any, ...]:
    """The rows of tables together, and a sum over them that knows no order; by the columns of the first."""
    if not columns:
        with psycopg.connect(database.url) as connection:
            found = connection.execute(f"SELECT * FROM {tables[0]} t LIMIT 0".encode()).description or ()
        columns = ", ".join(ident(column.name) for column in found)
    rows = " UNION ALL ".join(f"SELECT {columns} FROM {table} t" for table in tables)
    # Not x::text: Citus takes no row of a subquery as a whole.
    return database.sql(
        f"SELECT count(*), sum(hashtextextended(ROW({columns})::text, 0)::numeric)::text FROM ({rows}) x"
    )[0]
