"""Making partitions, and finding that none is missing: ``python -m tests.benchmarks.partitions``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.

1. Daily partitions, made by the operation and by the raw statements (CREATE TABLE (LIKE ...) and ATTACH PARTITION, one
   psycopg connection, autocommit), alternating in blocks of --block into two sets, so that both see the same server.
2. ``create-next`` that finds nothing to do, over 1, 10, 100 and 1,000 tables of 5 partitions, and over one of 10,
   1,000 and 5,000 partitions: the command as a shell calls it, and what of it is the database's part.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans.partitions import create_next
from schema_kit.script import LockPolicy
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.partitions import register_sql
from tests.benchmarks.fill import find_url

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = (
    "CREATE TABLE bench.{} (id bigint, at timestamptz NOT NULL, body text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)"
)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partitions", type=int, default=3000)
    parser.add_argument("--block", type=int, default=1000, help="at most 1000")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        for statement in load("partman/tables/part_config.sql"):
            plain.execute(statement.encode())
        try:
            making(plain, url, options.partitions, options.block)
            finding(plain, url, options.repeat)
        finally:
            plain.execute("DELETE FROM schema_kit.part_config WHERE parent_table LIKE 'bench.%'")
            for (name,) in plain.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'bench'::regnamespace "
                "AND relkind = 'p' AND NOT relispartition"
            ).fetchall():
                _drop(plain, name)
            plain.execute("DROP SCHEMA bench CASCADE")


def _drop(plain: psycopg.Connection[Any], name: str) -> None:
    # Thousands of tables in one transaction would need more locks than the server has room for.
    some = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'bench.{name}'::regclass LIMIT 200"
    while parts := plain.execute(some.encode()).fetchall():
        plain.execute(("DROP TABLE " + ", ".join(row[0] for row in parts)).encode())
    plain.execute(f"DROP TABLE bench.{name}".encode())


def making(plain: psycopg.Connection[Any], url: str, count: int, block: int) -> None:
    """Both ways, block by block."""
    for name in ("ours", "raw"):
        plain.execute(TABLE.format(name).encode())
    seconds = {"ours": 0.0, "raw": 0.0}
    target = sa.make_url(url).set(drivername="postgresql+psycopg")
    with environment.connect(target, autocommit=True) as connection:
        for first in range(0, count, block):
            days = [BEGIN + timedelta(days=number) for number in range(first, first + block)]
            policy = Partitioning(QualifiedName("bench", "ours"), "at", "1 day", premake=block - 1)
            began = time.monotonic()
            catalog = Catalog(connection, days[0])

            def decide(catalog: Catalog = catalog, policy: Partitioning = policy) -> Plan:
                table = catalog.table(policy.parent)
                return create_next(policy, table, catalog.here(policy, table))

            execute.run(connection, decide, LockPolicy(), lambda event: None)
            seconds["ours"] += time.monotonic() - began
            began = time.monotonic()
            for day in days:
                name = f"bench.raw_p{day:%Y%m%d}"
                plain.execute(f"CREATE TABLE {name} (LIKE bench.raw INCLUDING ALL)".encode())
                plain.execute(
                    f"ALTER TABLE bench.raw ATTACH PARTITION {name} FOR VALUES FROM ('{day}') "
                    f"TO ('{day + timedelta(days=1)}')".encode()
                )
            seconds["raw"] += time.monotonic() - began
            done = first + block
            print(
                f"{done:,} partitions: ours {seconds['ours']:.1f} s, raw {seconds['raw']:.1f} s, "
                f"ratio {seconds['ours'] / seconds['raw']:.2f}",
                flush=True,
            )


def finding(plain: psycopg.Connection[Any], url: str, repeat: int) -> None:
    """Nothing to do, over many sets and over many partitions."""
    print(f"{'sets':>6} {'partitions each':>16} {'command':>10} {'database':>10}")
    first, made = 0.0, 0
    for sets in (1, 10, 100, 1000):
        while made < sets:
            made += 1
            plain.execute(TABLE.format(f"s{made}").encode())
            _fill(plain, f"s{made}", 5)
        shell, inside = _measure(url, repeat, [f"bench.s{number}" for number in range(1, sets + 1)])
        first = first or shell
        print(
            f"{sets:>6,} {5:>16,} {shell * 1000:>7.0f} ms {inside * 1000:>7.1f} ms   {shell / first:.2f} of one set's"
        )
    for partitions in (10, 1000, 5000):
        plain.execute(TABLE.format(f"p{partitions}").encode())
        _fill(plain, f"p{partitions}", partitions)
        shell, inside = _measure(url, repeat, [f"bench.p{partitions}"])
        print(
            f"{1:>6,} {partitions:>16,} {shell * 1000:>7.0f} ms {inside * 1000:>7.1f} ms   "
            f"{shell / first:.2f} of one set's"
        )


def _fill(plain: psycopg.Connection[Any], name: str, count: int) -> None:
    policy = Partitioning(QualifiedName("bench", name), "at", "1 day", premake=4)
    plain.execute(register_sql(policy).encode())
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(count):
        day = midnight + timedelta(days=5 - number)  # one ahead of what is asked for: midnight may come
        plain.execute(
            f"CREATE TABLE bench.{name}_{number} PARTITION OF bench.{name} FOR VALUES FROM ('{day}') "
            f"TO ('{day + timedelta(days=1)}')".encode()
        )
    if count == 5:
        day = midnight
        plain.execute(
            f"CREATE TABLE bench.{name}_today PARTITION OF bench.{name} FOR VALUES FROM ('{day}') "
            f"TO ('{day + timedelta(days=1)}')".encode()
        )


def _measure(url: str, repeat: int, tables: list[str]) -> tuple[float, float]:
    """Medians: the whole command, and looking alone."""
    command = [sys.executable, "-m", "schema_kit", "partitions", "create-next", "--url", url, *tables]

    def shell() -> None:
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
        assert "nothing to do" in done.stderr, done.stderr + done.stdout

    with environment.connect(sa.make_url(url).set(drivername="postgresql+psycopg"), autocommit=True) as connection:

        def look() -> None:
            catalog = Catalog(connection)
            wanted = [policy for policy in catalog.policies() if str(policy.parent) in tables]
            for policy, table in catalog.sets(wanted):
                assert not create_next(policy, table, catalog.here(policy, table))

        return _median(shell, repeat), _median(look, repeat)


def _median(work: Callable[[], None], repeat: int) -> float:
    def once() -> float:
        began = time.monotonic()
        work()
        return time.monotonic() - began

    once()
    return statistics.median(once() for _ in range(repeat))


if __name__ == "__main__":
    main()
