"""A default partition is drained: ``python -m tests.benchmarks.draining``.

Takes a schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again. Rows
of twelve months, about 160 bytes each, lie in a default partition with a primary key and two indexes, and go into
months

- by ``op.drain_default_concurrently``, with one worker and with ``--workers``: during writes, and compared,
- by a transaction a month: ``INSERT ... SELECT``, ``DELETE``, ``ATTACH``, which hides no rows only because it stops
  all sessions (ATTACH looks through what is left in the default partition).

in turns, ``--repeat`` times; the medians and their ratio are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time

import psycopg
import sqlalchemy as sa

from schema_kit import environment, op, operations
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.benchmarks.copying import BETWEEN, COLUMNS, MONTHS, fill, forget
from tests.benchmarks.fill import find_url


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        for statement in load("partman/tables/part_config.sql"):
            plain.execute(statement.encode())
        try:
            fill(plain, options.rows)
            ways = {
                "a transaction a month": 0,
                "drain, 1 worker": 1,
                f"drain, {options.workers} workers": options.workers,
            }
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(options.repeat):
                for way, workers in ways.items():
                    prepare(plain)
                    began = time.monotonic()
                    if workers:
                        drain(url, workers)
                    else:
                        by_month(plain)
                    seconds[way].append(time.monotonic() - began)
                    check(plain, options.rows)
            first = statistics.median(seconds["a transaction a month"])
            for way, taken in seconds.items():
                median = statistics.median(taken)
                print(f"{way:<24} {median:>6.1f} s {options.rows / median:>10,.0f} rows/s  {first / median:.2f}")
        finally:
            forget(plain)
            plain.execute("DROP SCHEMA bench CASCADE")


def prepare(plain: psycopg.Connection[object]) -> None:
    """All rows in the default partition, again for each round."""
    forget(plain)
    plain.execute("DROP TABLE IF EXISTS bench.t CASCADE")
    plain.execute("CREATE TABLE bench.t (LIKE bench.original, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
    plain.execute("CREATE TABLE bench.t_default PARTITION OF bench.t DEFAULT")
    plain.execute("INSERT INTO bench.t SELECT * FROM bench.original")
    plain.execute("CREATE INDEX ON bench.t (at)")
    plain.execute("CREATE INDEX ON bench.t (customer, at)")
    plain.execute(register_sql(Partitioning(QualifiedName("bench", "t"), "at", "1 month")).encode())
    plain.execute("VACUUM ANALYZE bench.t")
    plain.execute("CHECKPOINT")


def drain(url: str, workers: int) -> None:
    """Ours."""
    target = sa.make_url(url).set(drivername="postgresql+psycopg")
    with environment.connect(target, autocommit=True) as connection, operations(connection):
        op.drain_default_concurrently("t", schema="bench", workers=workers)


def by_month(plain: psycopg.Connection[object]) -> None:
    """What is done by hand."""
    for number, (lower, upper) in enumerate(MONTHS):
        month = f"bench.t_m{number}"
        with plain.transaction():
            plain.execute(f"CREATE TABLE {month} (LIKE bench.t INCLUDING ALL)".encode())
            where = BETWEEN.format(lower, upper)
            plain.execute(f"INSERT INTO {month} SELECT {COLUMNS} FROM bench.t_default WHERE {where}".encode())
            plain.execute(f"DELETE FROM bench.t_default WHERE {where}".encode())
            values = f"FROM ('{lower} 00:00+00') TO ('{upper} 00:00+00')"
            plain.execute(f"ALTER TABLE bench.t ATTACH PARTITION {month} FOR VALUES {values}".encode())
    plain.execute("ANALYZE bench.t")


def check(plain: psycopg.Connection[object], rows: int) -> None:
    """Nothing is lost, and nothing is left in the default partition."""
    assert plain.execute("SELECT count(*) FROM bench.t").fetchone() == (rows,)
    assert plain.execute("SELECT count(*) FROM bench.t_default").fetchone() == (0,)


if __name__ == "__main__":
    main()
