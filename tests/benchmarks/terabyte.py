"""What 1 TB a month means for partitions and planning, without the terabyte: ``python -m tests.benchmarks.terabyte``.

For partitions of a month, a week, a day and six hours it makes a table with three months of them and what is premade,
on the embedded server, and writes into the catalog that they hold 1 TB and 8 billion rows a month. The empty planner of
`schema_kit advise` then gives every file that length (sparse), and plans: with and without a condition on the time, and
prepared. Needs about 1 GB of disk for a while; prints a table.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from schema_kit.advise import production
from schema_kit.advise.planner import Planner
from schema_kit.advise.scratch import Scratch, scratch
from schema_kit.embedded import Server
from tests.benchmarks.planner import served, sql

PAGES, ROWS, LIVE_DAYS = 2**27, 8_000_000_000, 91
"""Of a month, and how long messages are live before they are archived."""


@dataclass(frozen=True)
class Layout:
    """How the table is partitioned, and how many partitions are premade."""

    interval: str
    days: float
    premade: int

    @property
    def count(self) -> int:
        """Partitions: those that are live, and those that are premade."""
        return round(LIVE_DAYS / self.days) + self.premade

    @property
    def pages(self) -> int:
        """Of one partition."""
        return int(PAGES * self.days / 30.4)


LAYOUTS = (Layout("1 month", 30.4, 4), Layout("1 week", 7, 4), Layout("1 day", 1, 14), Layout("6 hours", 0.25, 56))
LAST_TEN = "SELECT * FROM messages WHERE user_id = {user} {bound} ORDER BY at DESC LIMIT 10"
BOUND = "AND at >= timestamptz '2026-03-20'"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.terabyte", description=__doc__)
    parser.add_argument("--interval", choices=[one.interval for one in LAYOUTS], action="append")
    chosen = parser.parse_args().interval
    print("| interval | partitions | size of one | planning ms | bounded ms | prepared ms | cost, bounded |")
    print("|---|---|---|---|---|---|---|")
    with served(None) as server:
        for nth, layout in enumerate(one for one in LAYOUTS if chosen is None or one.interval in chosen):
            print(line(server, f"tb{nth}", layout), flush=True)


def line(server: Server, name: str, layout: Layout) -> str:
    """A layout's line of the table."""
    sql(server, "postgres", f"CREATE DATABASE {name}")
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        make(connection, layout)
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder, "tb.sql")
        words = ["--no-data", "--statistics", f"--file={dump}", f"--dbname={server.url(name)}"]
        subprocess.run([str(server.bindir / "pg_dump"), *words], check=True)
        with scratch(production.from_dump(dump)) as copy:
            copy.stretch()
            whole, bounded = (LAST_TEN.format(user=5, bound=bound) for bound in ("", BOUND))
            copy.rows(f"PREPARE last(bigint) AS {LAST_TEN.format(user='$1', bound='')}")
            copy.rows("SET plan_cache_mode = force_generic_plan")
            times = [planning(copy, text) for text in (whole, bounded, "EXECUTE last(5)")]
            cost = Planner(copy).plan(bounded).cost
    sql(server, "postgres", f"DROP DATABASE {name}")
    shown = " | ".join(f"{one:.2f}" for one in times)
    return f"| {layout.interval} | {layout.count} | {layout.pages * 8192 / 1e9:,.0f} GB | {shown} | {cost:,.0f} |"


def make(connection: psycopg.Connection, layout: Layout) -> None:
    """The table, and what the catalog says of its partitions."""
    for statement in (
        "CREATE TABLE messages (id bigint NOT NULL, user_id bigint NOT NULL, body text, at timestamptz NOT NULL, "
        "PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON messages (user_id, at DESC)",
    ):
        connection.execute(statement.encode())
    for nth in range(layout.count):
        low, high = (
            f"timestamptz '2026-01-01 00:00+00' + {n * layout.days * 24:g} * interval '1 hour'" for n in (nth, nth + 1)
        )
        connection.execute(
            f"CREATE TABLE messages_{nth} PARTITION OF messages FOR VALUES FROM ({low}) TO ({high})".encode()
        )
    connection.execute(
        "INSERT INTO messages SELECT i, i % 100, 'x', timestamptz '2026-01-01 00:00+00' "
        f"+ i * interval '{LIVE_DAYS} days' / 20000 FROM generate_series(1, 19999) i".encode()
    )
    connection.execute("ANALYZE messages")
    rows = int(ROWS * layout.days / 30.4)
    for kind, pages in (("r", layout.pages), ("i", layout.pages // 5)):
        connection.execute(
            f"UPDATE pg_class SET relpages = {pages}, reltuples = {rows} WHERE relkind = '{kind}' "
            "AND relname ~ '^messages_[0-9]' AND reltuples > 0".encode()
        )


def planning(copy: Scratch, text: str) -> float:
    """The median planning time of ten, in milliseconds."""
    times = []
    for _ in range(10):
        said = "\n".join(str(row[0]) for row in copy.rows(f"EXPLAIN (SUMMARY) {text}"))
        found = re.search(r"Planning Time: ([\d.]+) ms", said)
        assert found is not None
        times.append(float(found[1]))
    return statistics.median(times)


if __name__ == "__main__":
    main()
