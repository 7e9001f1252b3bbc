"""Whole partitions to an archive and back, small and big ones: ``python -m tests.benchmarks.archives``.

Takes a schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.

For each size a partition with that many rows goes to the archive and comes back, --repeat times, concurrently (no view)
and in one commit (a view shows both tables). Of each step that locks others out it prints the median and the longest
milliseconds from its BEGIN to the end of its COMMIT: what is under lock is within that. Next to them the steps that
block no session (the detach that waits, the validated check), and what the same costs without a check: a plain DETACH
and ATTACH in one commit, whose scan is under lock.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa

from schema_kit import environment, execute, operations
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepDone
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from schema_kit.tasks.archiving import by_partition
from schema_kit.tasks.restore import by_partition as back
from tests.benchmarks.fill import find_url

NOW = datetime(2026, 5, 20, tzinfo=UTC)
SCHEMA = "archive_bench"
T = QualifiedName(SCHEMA, "t")
UNPROVED = "plain DETACH and ATTACH in one commit, the scan under lock"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 3_000_000])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        for rows in options.rows:
            try:
                build(plain, rows)
                for view in (None, "every"):
                    measure(plain, url, rows, options.repeat, view)
            finally:
                plain.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
                for table, column in (
                    ("part_config", "parent_table"),
                    ("archive_policy", "table_name"),
                    ("archived_partition", "table_name"),
                ):
                    plain.execute(f"DELETE FROM schema_kit.{table} WHERE {column} LIKE '{SCHEMA}.%'".encode())


def build(plain: psycopg.Connection[tuple[object, ...]], rows: int) -> None:
    """A table of three months, the first of them with all rows."""
    statements = [
        *load("partman/tables/part_config.sql"),
        *load("tables/archive_policy.sql"),
        f"CREATE SCHEMA {SCHEMA}",
        f"CREATE TABLE {T.sql} (id bigint, at timestamptz NOT NULL, body text, PRIMARY KEY (id, at)) "
        "PARTITION BY RANGE (at)",
        f"CREATE INDEX ON {T.sql} (body, at)",
        *(
            f"CREATE TABLE {SCHEMA}.t_{n} PARTITION OF {T.sql} FOR VALUES FROM ('2026-0{n}-01+00') "
            f"TO ('2026-0{n + 1}-01+00')"
            for n in (1, 4, 5)
        ),
        f"INSERT INTO {T.sql} SELECT i, '2026-01-01+00'::timestamptz + i * interval '2600000 s' / {rows}, "
        f"md5(i::text) FROM generate_series(1, {rows}) i",
        register_sql(Partitioning(T, "at", "1 mon")),
        f"VACUUM ANALYZE {SCHEMA}.t_1",
    ]
    for statement in statements:
        plain.execute(statement.encode())


def measure(plain: psycopg.Connection[tuple[object, ...]], url: str, rows: int, repeat: int, view: str | None) -> None:
    """There and back, so many times."""
    taken: dict[str, list[float]] = defaultdict(list)

    def tell(event: Event) -> None:
        if isinstance(event, StepDone):
            words = type(event.step).__name__
            taken[words].append(event.seconds * 1000)

    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    with environment.connect(address, autocommit=True) as connection:
        with operations(connection):
            from schema_kit import op

            op.create_archive_table("t", schema=SCHEMA, view=view)
            op.set_archive_policy("t", "2 months", schema=SCHEMA)
        catalog = Catalog(connection, NOW)
        policy = next(one for one in catalog.archive_policies() if one.table == T)
        ends = "2026-01-01", "2026-02-01"
        for _ in range(repeat):
            execute.run(connection, lambda: by_partition(catalog, policy, again=True), LockPolicy(), tell)
            execute.run(connection, lambda: back(catalog, policy, *ends, None), LockPolicy(), tell)
    if view is None:
        taken[UNPROVED] = list(unproved(plain, repeat))
    how = f"{rows:,} rows, {'a view over both' if view else 'concurrently'}"
    for words, each in taken.items():
        print(f"{how}: {words}: median {statistics.median(each):.1f} ms, longest {max(each):.1f} ms, {len(each)} times")


def unproved(plain: psycopg.Connection[tuple[object, ...]], repeat: int) -> list[float]:
    """What a person would write."""
    checks = plain.execute(
        f"SELECT conname FROM pg_constraint WHERE conrelid = '{SCHEMA}.t_1'::regclass AND contype = 'c'".encode()
    ).fetchall()
    for (name,) in checks:
        plain.execute(f'ALTER TABLE {SCHEMA}.t_1 DROP CONSTRAINT "{name}"'.encode())
    found = []
    ends = "FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')"
    for there, here in [("t", "t_archive"), ("t_archive", "t")] * ((repeat + 1) // 2):
        with plain.transaction():
            began = time.perf_counter()
            plain.execute(f"ALTER TABLE {SCHEMA}.{there} DETACH PARTITION {SCHEMA}.t_1".encode())
            plain.execute(f"ALTER TABLE {SCHEMA}.{here} ATTACH PARTITION {SCHEMA}.t_1 {ends}".encode())
        found.append((time.perf_counter() - began) * 1000)
    return found


if __name__ == "__main__":
    main()
