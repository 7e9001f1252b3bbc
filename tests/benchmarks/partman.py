"""pg_partman's functions in SQL next to the extension and raw DDL: ``python -m tests.benchmarks.partman --url ...``.

Needs a database for itself on a server that has the extension (Debian's postgresql-15-partman, 4.7). In one run, each
in turn: partitions of a table made by functions, by the extension and by CREATE TABLE and ATTACH; maintenance of that
set and of many sets when nothing is due. It prints seconds, those of the server's CPU time where it runs on this
machine, and ratios of the latter: other work does not change them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import sqlalchemy as sa

from schema_kit import op, operations
from schema_kit.environment import connect
from tests.benchmarks.fill import find_url


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partitions", type=int, default=3000)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    target = sa.make_url(url).set(drivername="postgresql+psycopg")
    with connect(target, autocommit=True) as connection, operations(connection):
        op.install_partman_sql(schema="ours")
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA theirs; CREATE EXTENSION pg_partman SCHEMA theirs; CREATE SCHEMA bench")
        try:
            compare(plain, options.partitions, options.sets)
        finally:
            plain.execute("DROP EXTENSION pg_partman; DROP SCHEMA theirs CASCADE; DELETE FROM ours.part_config")


def timed(plain: psycopg.Connection[tuple[object, ...]], work: Callable[[], object]) -> tuple[str, float]:
    """What it takes, in words; and the seconds of CPU time, or those that pass where the process is not to be seen."""
    stat = Path(f"/proc/{plain.info.backend_pid}/stat")

    def cpu() -> float:
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    began, spent = time.perf_counter(), cpu() if stat.exists() else None
    work()
    seconds = time.perf_counter() - began
    if spent is None:
        return f"{seconds:.2f} s", seconds
    spent = cpu() - spent
    return f"{seconds:.2f} s, {spent:.2f} s of CPU time", spent


def compare(plain: psycopg.Connection[tuple[object, ...]], partitions: int, sets: int) -> None:  # noqa: C901 - in turns
    """Print what each takes."""

    def table(name: str) -> None:
        plain.execute(f"CREATE TABLE bench.{name} (id bigint, at timestamptz NOT NULL, x text) PARTITION BY RANGE (at)")

    def made(schema: str, name: str, days: int) -> None:
        native = "" if schema == "ours" else "'native', "
        since = f"(now() - interval '{days} days')::text"
        made = f"SELECT {schema}.create_parent('bench.{name}', 'at', {native}'1 day', p_premake := 2"
        plain.execute(f"{made}, p_start_partition := {since})")

    def raw() -> None:
        for day in range(partitions):
            name, since = f"bench.raw_{day}", f"date '2018-01-01' + {day}"
            plain.execute(f"CREATE TABLE {name} (LIKE bench.raw INCLUDING ALL)")
            bounds = plain.execute(f"SELECT quote_literal({since}), quote_literal({since} + 1)").fetchone()
            assert bounds
            plain.execute(
                f"ALTER TABLE bench.raw ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})"
            )

    for name in ("raw", "a", "b", "c", "d"):
        table(name)
    with plain.transaction():  # as the functions do: one commit
        text, base = timed(plain, raw)
    print(f"{partitions} partitions by CREATE TABLE and ATTACH: {text}")
    for schema, name in (("ours", "a"), ("theirs", "b"), ("theirs", "c"), ("ours", "d")):
        text, seconds = timed(plain, lambda s=schema, n=name: made(s, n, partitions - 3))  # type: ignore[misc]
        print(f"{partitions} partitions by create_parent, {schema}: {text}, {seconds / base:.2f} of that")
        plain.execute(f"INSERT INTO bench.{name} VALUES (1, now())")
    for _ in range(2):
        for schema, name in (("ours", "a"), ("theirs", "b")):
            text, _ = timed(plain, lambda s=schema, n=name: plain.execute(f"SELECT {s}.run_maintenance('bench.{n}')"))  # type: ignore[misc]
            print(f"maintenance of {partitions} partitions, nothing due, {schema}: {text}")
    for schema in ("ours", "theirs"):
        for number in range(sets):
            table(f"{schema}_{number}")
            made(schema, f"{schema}_{number}", 1)
            plain.execute(f"INSERT INTO bench.{schema}_{number} VALUES (1, now())")
    for _ in range(2):
        for schema in ("ours", "theirs"):
            text, _ = timed(plain, lambda s=schema: plain.execute(f"SELECT {s}.run_maintenance()"))  # type: ignore[misc]
            print(f"maintenance of {sets} sets, nothing due, {schema}: {text}")


if __name__ == "__main__":
    main()
