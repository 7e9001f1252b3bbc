"""What ``alembic check`` costs next to partitions: ``python -m tests.benchmarks.autogenerate``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.
One process compares the models of --tables plain tables and one partitioned one with the database, by turns in three
ways, with 10, 1,000 and 5,000 partitions, each with two indexes; medians of --repeat,
of the two others of three.

1. schema_kit: ``import schema_kit.ops``, and no option of env.py.
2. Alembic alone, which proposes to drop every partition.
3. Alembic with the usual recipe: an ``include_object`` that leaves out tables which the models do not name.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic.autogenerate import comparators, compare_metadata
from alembic.runtime.migration import MigrationContext

import schema_kit.ops  # noqa: F401 - registers what autogenerate compares
from schema_kit import environment
from tests.benchmarks.fill import find_url

COUNTS = (10, 1000, 5000)
OTHERS = 3
"""How often the two others are measured, which take up to a minute each."""


def models(tables: int) -> sa.MetaData:
    """Plain tables, and one whose partitions are counted."""
    metadata = sa.MetaData(schema="bench")
    for number in range(tables):
        table = sa.Table(
            f"plain_{number}",
            metadata,
            sa.Column("id", sa.BigInteger, primary_key=True),
            sa.Column("word", sa.Text, nullable=False),
            sa.CheckConstraint("word <> ''", name=f"plain_{number}_word"),
        )
        sa.Index(f"plain_{number}_lower", sa.func.lower(table.c.word))
    events = sa.Table(
        "events",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("word", sa.Text),
        postgresql_partition_by="RANGE (id)",
    )
    sa.Index("events_word", events.c.word)
    return metadata


@contextmanager
def stock() -> Iterator[None]:
    """Alembic as it is without schema_kit."""
    registered = dict(comparators._registry)
    comparators._registry.clear()
    try:
        yield
    finally:
        comparators._registry.update(registered)


def seconds(connection: sa.Connection, metadata: sa.MetaData, **options: Any) -> tuple[float, int]:
    """How long a comparison takes, and how many differences it finds."""
    scope = {"include_schemas": True, "include_name": lambda name, kind, _: kind != "schema" or name == "bench"}
    begun = time.perf_counter()
    found = compare_metadata(MigrationContext.configure(connection, opts={**scope, **options}), metadata)
    return time.perf_counter() - begun, len(found)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=30)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--url")
    options = parser.parse_args()
    url, metadata = find_url(options.url), models(options.tables)

    def recipe(thing: Any, name: str, kind: str, reflected: bool, _: Any) -> bool:
        return not (kind == "table" and reflected and f"bench.{name}" not in metadata.tables)

    with psycopg.connect(url, autocommit=True) as plain:
        print(*plain.execute("SELECT version()").fetchone() or ())
        plain.execute("CREATE SCHEMA bench")
        try:
            with environment.connect(
                sa.make_url(url).set(drivername="postgresql+psycopg"), autocommit=True
            ) as connection:
                metadata.create_all(connection)
                compare(plain, connection, metadata, options.repeat, recipe)
        finally:
            drop(plain)


def compare(
    plain: psycopg.Connection[Any],
    connection: sa.Connection,
    metadata: sa.MetaData,
    repeat: int,
    recipe: Callable[..., bool],
) -> None:
    """The table."""
    there, first = 0, 0.0
    print("| partitions | schema_kit | at 10 = 1 | Alembic | Alembic, include_object | found: ours, Alembic, recipe |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in COUNTS:
        for number in range(there, count):
            plain.execute(
                f"CREATE TABLE bench.events_p{number} PARTITION OF bench.events "
                f"FOR VALUES FROM ({number}) TO ({number + 1})".encode()
            )
        there = count
        plain.execute("VACUUM ANALYZE pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_index")
        times: tuple[list[float], ...] = ([], [], [])
        for turn in range(repeat + 1):
            ours, found = seconds(connection, metadata)
            times[0].extend([ours] if turn else [])  # the first one warms caches
            if turn < OTHERS:
                with stock():
                    theirs, dropped = seconds(connection, metadata)
                    usual, left = seconds(connection, metadata, include_object=recipe)
                times[1].append(theirs)
                times[2].append(usual)
        mine, alone, filtered = map(statistics.median, times)
        first = first or mine
        print(
            f"| {count:,} | {mine * 1000:,.0f} ms | {mine / first:.2f} | {alone * 1000:,.0f} ms | "
            f"{filtered * 1000:,.0f} ms | {found}, {dropped}, {left} |",
            flush=True,
        )


def drop(plain: psycopg.Connection[Any]) -> None:
    """Drop the schema: thousands of tables in one transaction would need more locks than the server has room for."""
    some = (
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'bench'::regnamespace "
        "AND c.relispartition AND c.relkind = 'r' LIMIT 200"
    )
    while parts := plain.execute(some.encode()).fetchall():
        plain.execute(("DROP TABLE " + ", ".join(row[0] for row in parts)).encode())
    plain.execute("DROP SCHEMA bench CASCADE")


if __name__ == "__main__":
    main()
