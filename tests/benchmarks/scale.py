"""What many partitions cost each query and each session: ``python -m tests.benchmarks.scale --partitions 31 365 1000``.

Takes a schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again. Tables
have one row a partition: what is measured is planning, locks and memory, not reading.

1. Planning a query of one partition, of a range of seven and of all, as EXPLAIN says it: the median of --rounds, in one
   session that has planned it before.
2. The relation locks that each of them holds, and how many of those fit the fast path of a session.
3. What a session keeps in memory (pg_backend_memory_contexts) before its first query, after one of one partition, and
   after one of all.
4. A plan that is kept: the same query prepared, planned once and executed --rounds times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

import psycopg

from schema_kit.url import database_url

QUERIES = {
    "one partition": "SELECT count(*) FROM scale.t WHERE at = timestamptz '2026-01-10 12:00+00' AND id = 7",
    "seven partitions": "SELECT count(*) FROM scale.t WHERE at >= timestamptz '2026-01-10+00' "
    "AND at < timestamptz '2026-01-17+00'",
    "all partitions": "SELECT count(*) FROM scale.t WHERE id = 7",
}


def build(connection: psycopg.Connection[Any], partitions: int) -> float:
    """Daily partitions with a primary key and one more index; the seconds that took."""
    began = time.perf_counter()
    connection.execute("SET client_min_messages = error")
    connection.execute("DROP SCHEMA IF EXISTS scale CASCADE")
    connection.execute("CREATE SCHEMA scale")
    connection.execute(
        "CREATE TABLE scale.t (id bigint, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
        "PARTITION BY RANGE (at)"
    )
    connection.execute("CREATE INDEX ON scale.t (at)")
    for first in range(0, partitions, 100):  # a lock table is not endless
        connection.execute(
            f"""DO $$ BEGIN FOR n IN {first} .. {min(first + 100, partitions) - 1} LOOP
              EXECUTE format('CREATE TABLE scale.t_%s PARTITION OF scale.t FOR VALUES FROM (%L) TO (%L)', n,
                timestamptz '2026-01-01+00' + n * interval '1 day', timestamptz '2026-01-02+00' + n * interval '1 day');
            END LOOP; END $$""".encode()
        )
    connection.execute(
        f"INSERT INTO scale.t SELECT n, timestamptz '2026-01-01 12:00+00' + n * interval '1 day' "
        f"FROM generate_series(0, {partitions - 1}) n".encode()
    )
    connection.execute("ANALYZE scale.t")
    return time.perf_counter() - began


def planned(connection: psycopg.Connection[Any], query: str, rounds: int) -> float:
    """Milliseconds of planning."""
    found = []
    for _ in range(rounds):
        rows = connection.execute(f"EXPLAIN (SUMMARY, FORMAT JSON) {query}".encode()).fetchone()
        assert rows is not None
        found.append(rows[0][0]["Planning Time"])
    return float(statistics.median(found))


def locks(connection: psycopg.Connection[Any], query: str) -> tuple[int, int]:
    """Relation locks that a query holds until its transaction ends, and those beyond the fast path."""
    with connection.transaction():
        connection.execute(query.encode())
        row = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE NOT fastpath) FROM pg_locks WHERE pid = pg_backend_pid() "
            "AND locktype = 'relation' AND relation <> 'pg_locks'::regclass"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def memory(url: str, query: str | None) -> int:
    """Bytes that a new session keeps after a query."""
    with psycopg.connect(url, autocommit=True) as session:
        if query:
            session.execute(query.encode())
        row = session.execute("SELECT sum(total_bytes) FROM pg_backend_memory_contexts").fetchone()
        assert row is not None
        return int(row[0])


def prepared(connection: psycopg.Connection[Any], query: str, rounds: int) -> float:
    """Milliseconds of one execution of a plan that is kept."""
    connection.execute(f"PREPARE kept AS {query}".encode())
    connection.execute("SET plan_cache_mode = force_generic_plan")
    found = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection.execute("EXECUTE kept")
        found.append((time.perf_counter() - began) * 1000)
    connection.execute("DEALLOCATE kept")
    connection.execute("RESET plan_cache_mode")
    return statistics.median(found[1:])


def main() -> None:
    """Print one table a number of partitions."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--url", default=os.environ.get("DATABASE_URL"))
    parser.add_argument("--partitions", type=int, nargs="+", default=[31, 365, 1000])
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    url = database_url(options.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        print(connection.execute("SELECT version()").fetchone())
        for count in options.partitions:
            print(f"\n{count} partitions, made in {build(connection, count):.1f} s")
            print(f"a session before its first query: {memory(url, None) / 1024:,.0f} kB")
            for name, query in QUERIES.items():
                planned(connection, query, 3)
                plan, kept = planned(connection, query, options.rounds), prepared(connection, query, options.rounds)
                held, slow = locks(connection, query)
                print(
                    f"{name}: planned in {plan:.2f} ms, executed from a kept plan in {kept:.2f} ms, {held} locks "
                    f"({slow} beyond the fast path), {memory(url, query) / 1024:,.0f} kB"
                )
        connection.execute("DROP SCHEMA scale CASCADE")


if __name__ == "__main__":
    main()
