"""A big plain table becomes partitioned by copying: ``python -m tests.benchmarks.copying``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.
One table of 12 months, rows of about 160 bytes, a primary key and two indexes, is brought into months

- by ``op.convert_to_partitioned(strategy="copy")``, with one worker and with ``--workers``,
- by batches of 10,000 rows by primary key into live partitions with indexes (what pgslice does),
- by one ``INSERT ... SELECT`` a month into live partitions with indexes,
- at the bare limit: a month each into tables without indexes, indexes, comparison, ANALYZE, ATTACH; with one session,
  and with as many as ours has workers. Nothing is caught there that is written meanwhile.

in turns, ``--repeat`` times; the medians and their ratios are printed. ``--writes`` goes on writing meanwhile, so many
transactions a second; only ours would keep them, the others are measured all the same.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import environment
from schema_kit.ops import Settings
from tests.benchmarks.fill import find_url

COLUMNS = "id, at, customer, amount, body"
HASH = f"count(*), sum(hash_record_extended(ROW({COLUMNS}), 0))"
MONTHS = [(f"2025-{month:02}-01", f"2025-{month + 1:02}-01" if month < 12 else "2026-01-01") for month in range(1, 13)]
BETWEEN = "at >= '{} 00:00+00' AND at < '{} 00:00+00'"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--writes", type=int, default=0, help="transactions a second meanwhile")
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        try:
            fill(plain, options.rows)
            compare(plain, url, options)
        finally:
            forget(plain)
            plain.execute("DROP SCHEMA bench CASCADE")


def forget(plain: psycopg.Connection[Any]) -> None:
    """What the tables of schema_kit know of the benchmark's; all else in them is a user's."""
    for table, column in (("copy_run", "source_table"), ("part_config", "parent_table")):
        if plain.execute("SELECT to_regclass(%s)", (f"schema_kit.{table}",)).fetchone() != (None,):
            plain.execute(f"DELETE FROM schema_kit.{table} WHERE {column} LIKE 'bench.%'".encode())


def fill(plain: psycopg.Connection[Any], rows: int) -> None:
    """The table, as it grows by itself: in the order of time."""
    plain.execute(
        "CREATE TABLE bench.original (id bigint NOT NULL, at timestamptz NOT NULL, customer int NOT NULL, "
        "amount numeric(12, 2), body text)"
    )
    step = 365 * 86400 / rows
    plain.execute(
        f"INSERT INTO bench.original SELECT i, timestamptz '2025-01-01 00:00+00' + i * interval '{step:.6f} seconds' "
        f"* 0.99, abs(hashint8(i) % 200000), i % 9973, repeat(md5(i::text), 3) FROM generate_series(1, {rows}) i"
    )


def prepare(plain: psycopg.Connection[Any]) -> None:
    """A table like any other, made again for each round."""
    plain.execute("DROP TABLE IF EXISTS bench.t, bench.t__old, bench.p CASCADE")
    forget(plain)
    plain.execute("CREATE TABLE bench.t (LIKE bench.original)")
    plain.execute("INSERT INTO bench.t SELECT * FROM bench.original")
    plain.execute("ALTER TABLE bench.t ADD PRIMARY KEY (id)")
    plain.execute("CREATE INDEX t_customer ON bench.t (customer)")
    plain.execute("CREATE INDEX t_at ON bench.t (at)")
    plain.execute("VACUUM ANALYZE bench.t")
    plain.execute("CHECKPOINT")


def partitioned(plain: psycopg.Connection[Any], indexed: bool) -> None:
    """Where the rows must be."""
    plain.execute("CREATE TABLE bench.p (LIKE bench.original) PARTITION BY RANGE (at)")
    if indexed:
        plain.execute("ALTER TABLE bench.p ADD PRIMARY KEY (id, at)")
        plain.execute("CREATE INDEX ON bench.p (customer)")
        plain.execute("CREATE INDEX ON bench.p (at)")
        for number, (low, high) in enumerate(MONTHS):
            bounds = f"FROM ('{low} 00:00+00') TO ('{high} 00:00+00')"
            plain.execute(f"CREATE TABLE bench.p{number} PARTITION OF bench.p FOR VALUES {bounds}".encode())
        plain.execute("CREATE TABLE bench.rest PARTITION OF bench.p DEFAULT")


def batches(plain: psycopg.Connection[Any]) -> None:
    partitioned(plain, indexed=True)
    last: int | None = 0
    while last is not None:
        found = plain.execute(
            "WITH batch AS (INSERT INTO bench.p SELECT * FROM bench.t WHERE id > %s ORDER BY id LIMIT 10000 "
            "RETURNING id) SELECT max(id) FROM batch",
            [last],
        ).fetchone()
        last = found[0] if found else None
    plain.execute("ANALYZE bench.p")


def inserts(plain: psycopg.Connection[Any]) -> None:
    partitioned(plain, indexed=True)
    for low, high in MONTHS:
        between = BETWEEN.format(low, high)
        plain.execute(f"INSERT INTO bench.p SELECT * FROM bench.t WHERE {between}".encode())
    plain.execute("ANALYZE bench.p")


def limit(plain: psycopg.Connection[Any], url: str, workers: int) -> None:
    partitioned(plain, indexed=False)
    plain.execute("CREATE TABLE bench.rest PARTITION OF bench.p DEFAULT")

    def month(number: int) -> None:
        between, name = BETWEEN.format(*MONTHS[number]), f"bench.p{number}"
        with psycopg.connect(url, autocommit=True) as own:
            for statement in (
                f"CREATE TABLE {name} (LIKE bench.original, CHECK (at IS NOT NULL AND {between}))",
                f"INSERT INTO {name} SELECT * FROM bench.t WHERE {between}",
                f"ALTER TABLE {name} ADD PRIMARY KEY (id, at)",
                f"CREATE INDEX ON {name} (customer)",
                f"CREATE INDEX ON {name} (at)",
                f"ANALYZE {name}",
            ):
                own.execute(statement.encode())
            own.execute(
                f"SELECT (SELECT ({HASH}) FROM bench.t WHERE {between}), (SELECT ({HASH}) FROM {name})".encode()
            ).fetchone()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(month, range(len(MONTHS))))
    plain.execute("ALTER TABLE bench.p ADD PRIMARY KEY (id, at)")
    plain.execute("CREATE INDEX ON bench.p (customer)")
    plain.execute("CREATE INDEX ON bench.p (at)")
    for number, (low, high) in enumerate(MONTHS):
        bounds = f"FROM ('{low} 00:00+00') TO ('{high} 00:00+00')"
        plain.execute(f"ALTER TABLE bench.p ATTACH PARTITION bench.p{number} FOR VALUES {bounds}".encode())


def ours(url: str, workers: int) -> None:
    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    with environment.connect(address, autocommit=True) as connection:
        settings = Settings(now=datetime(2025, 12, 15, tzinfo=UTC))
        op = Operations(MigrationContext.configure(connection, opts={"schema_kit": settings}))
        # The other ways leave the old table, too, and make no partitions ahead.
        keywords = {"strategy": "copy", "workers": workers, "premake": 1, "keep_old": True}
        op.convert_to_partitioned("t", "at", "1 month", schema="bench", **keywords)  # type: ignore[attr-defined]


@contextmanager
def writing(url: str, rate: int) -> Iterator[list[float]]:
    """Updates of single rows, so many a second; how long each took."""
    waits: list[float] = []
    stop = threading.Event()

    def work() -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as own:
            number = 0
            while not stop.wait(1 / rate):
                number = (number * 48271 + 11) % 1_000_003
                began = time.monotonic()
                own.execute("UPDATE bench.t SET amount = amount + 1 WHERE id = %s", [number])
                waits.append(time.monotonic() - began)

    thread = threading.Thread(target=work)
    if rate:
        thread.start()
    try:
        yield waits
    finally:
        stop.set()
        if rate:
            thread.join()


def compare(plain: psycopg.Connection[Any], url: str, options: argparse.Namespace) -> None:
    many = options.workers
    ways: dict[str, Callable[[], None]] = {
        "ours, 1 worker": partial(ours, url, 1),
        f"ours, {many} workers": partial(ours, url, many),
        "batches of 10,000": partial(batches, plain),
        "INSERT a month": partial(inserts, plain),
        "the limit, 1 session": partial(limit, plain, url, 1),
        f"the limit, {many} sessions": partial(limit, plain, url, many),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    waited: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.repeat):
        for name, way in ways.items():
            prepare(plain)
            with writing(url, options.writes) as waits:
                began = time.monotonic()
                way()
                took[name].append(time.monotonic() - began)
            waited[name] += waits
            if name.startswith("ours"):
                found = plain.execute("SELECT count(*), count(DISTINCT tableoid) FROM bench.t").fetchone()
                assert found == (options.rows, 12), found
    median = {name: statistics.median(times) for name, times in took.items()}
    for name, seconds in median.items():
        print(f"{name:24} {seconds:7.1f} s  {options.rows / seconds:10,.0f} rows/s")
    print(f"one worker against batches:  {median['batches of 10,000'] / median['ours, 1 worker']:.2f}")
    print(f"one worker against INSERT:   {median['INSERT a month'] / median['ours, 1 worker']:.2f}")
    for workers, sessions in (("1 worker", "1 session"), (f"{many} workers", f"{many} sessions")):
        print(f"of the limit, {workers}: {median[f'the limit, {sessions}'] / median[f'ours, {workers}']:.2f}")
    for name, waits in waited.items():
        if waits:
            ordered = sorted(waits)
            shares = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 0.999)]
            shown = ", ".join(f"{1000 * wait:.1f}" for wait in (*shares, ordered[-1]))
            print(f"writers beside {name}: p50, p99, p99.9, longest: {shown} ms")


if __name__ == "__main__":
    main()
