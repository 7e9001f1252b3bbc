"""Rows that leave in batches, and what writers notice meanwhile: ``python -m tests.benchmarks.rows_away``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.

1. Archive by row: --rows of them, moved by the plan and by a bare ``WITH moved AS (DELETE ... RETURNING *) INSERT``
   that finds its rows by primary key, or by place (ctid), or by place and passes over locked ones. The same batch size
   for all (--batch), one after the other in blocks, so that all see the same server.
2. Time-to-live: --expired rows go, while writers INSERT at --rate a second; the latency of those next to a control run
   in which nothing goes, in turns (--rounds). The batch size follows the time that batches take, as it does for users.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.names import QualifiedName
from schema_kit.plans.rows import Leaving, remove
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan, rows
from tests.benchmarks.fill import find_url

WAYS = ("ours", "key", "place", "skip")
"""skip is place with FOR UPDATE SKIP LOCKED: what never waits for a row has to lock it first."""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--batch", type=int, default=5000)
    parser.add_argument("--expired", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        try:
            address = sa.make_url(url).set(drivername="postgresql+psycopg")
            with environment.connect(address, autocommit=True) as own:
                archiving(plain, own, options.rows, options.blocks, options.batch)
                expiring(plain, own, url, options.expired, options.rate, options.rounds)
        finally:
            plain.execute("DROP SCHEMA bench CASCADE")


def fill(plain: psycopg.Connection[Any], name: str, count: int) -> None:
    """A table of messages, each a minute after the last one, all in the past."""
    plain.execute(
        f"CREATE TABLE bench.{name} (id bigint PRIMARY KEY, bot_id bigint, at timestamptz NOT NULL, body text)".encode()
    )
    plain.execute(
        f"INSERT INTO bench.{name} SELECT i, i % 100, timestamptz '2020-01-01' + i * interval '1 minute', "
        f"repeat(md5(i::text), 3) FROM generate_series(1, {count}) i".encode()
    )
    plain.execute(f"CREATE INDEX ON bench.{name} (at)".encode())
    plain.execute(f"CREATE INDEX ON bench.{name} (bot_id, at)".encode())
    plain.execute(f"VACUUM ANALYZE bench.{name}".encode())


def run(connection: sa.Connection, one: Leaving, emit: Callable[[execute.Event], None] = lambda event: None) -> None:
    """Remove what is due, as the commands do."""

    def decide() -> Plan:
        catalog = Catalog(connection)
        observed = catalog.leaving(one.table, tuple((one.archives or {}).values()))
        plan = remove(one, observed)
        return plan if catalog.has_row_where(one.table, one.where) else Plan(plan.title)

    execute.run(connection, decide, LockPolicy(), emit)


def archiving(plain: psycopg.Connection[Any], own: sa.Connection, count: int, blocks: int, batch: int) -> None:
    """All ways, block by block."""
    vars(rows).update(SMALLEST=batch, LARGEST=batch)
    for way in WAYS:
        fill(plain, way, count)
        plain.execute(f"CREATE TABLE bench.{way}_archive (LIKE bench.{way} INCLUDING ALL)".encode())
    seconds = dict.fromkeys(WAYS, 0.0)
    for block in range(1, blocks + 1):
        where = f"at <= timestamptz '2020-01-01' + interval '{count * block // blocks} minutes'"
        for way in WAYS if block % 2 else WAYS[::-1]:
            began = time.monotonic()
            if way == "ours":
                names = QualifiedName("bench", way), QualifiedName("bench", f"{way}_archive")
                run(
                    own,
                    Leaving(names[0], where, "at", archives=dict([names]), pace=rows.Pace(batch, max_dead_share=None)),
                )
            else:
                column, among = ("ctid", "= ANY (ARRAY({}))") if way != "key" else ("id", "IN ({})")
                skip = " FOR UPDATE SKIP LOCKED" if way == "skip" else ""
                some = among.format(f"SELECT {column} FROM bench.{way} WHERE {where} ORDER BY at LIMIT {batch}" + skip)
                bare = (
                    f"WITH moved AS (DELETE FROM bench.{way} WHERE {column} {some} RETURNING *) "
                    f"INSERT INTO bench.{way}_archive SELECT * FROM moved"
                )
                while plain.execute(bare.encode()).rowcount:
                    pass
            seconds[way] += time.monotonic() - began
        done = count * block // blocks
        print(
            f"{done:,} rows archived in batches of {batch:,}: "
            + ", ".join(f"{way} {done / seconds[way]:,.0f} rows/s" for way in WAYS)
            + "; ours to "
            + ", ".join(f"{way} {seconds[way] / seconds['ours']:.2f}" for way in WAYS[1:]),
            flush=True,
        )
    vars(rows).update(SMALLEST=10, LARGEST=100_000)
    for way in WAYS:
        assert plain.execute(f"SELECT count(*) FROM bench.{way}_archive".encode()).fetchone() == (count,)


def expiring(plain: psycopg.Connection[Any], own: sa.Connection, url: str, count: int, rate: int, rounds: int) -> None:
    """Writers during it, and writers alone for as long, in turns: whatever else the machine does, both have seen it."""
    fill(plain, "expiring", count)
    plain.execute("ALTER TABLE bench.expiring ALTER at SET DEFAULT now()")
    batches = list[execute.Event]()
    beside, control = list[list[float]](), list[list[float]]()
    took = 0.0
    for number in range(1, rounds + 1):
        where = f"at <= timestamptz '2020-01-01' + interval '{count * number // rounds} minutes'"
        one = Leaving(QualifiedName("bench", "expiring"), where, "at")
        began = time.monotonic()
        beside.append(written(url, rate, partial(run, own, one, batches.append)))
        spent = time.monotonic() - began
        took += spent
        control.append(written(url, rate, partial(time.sleep, spent)))
        worst = [statistics.quantiles(each[-1], n=100)[98] for each in (beside, control)]
        print(f"  round {number}: p99 beside it {worst[0]:.2f} ms, control {worst[1]:.2f} ms", flush=True)
    left = plain.execute(f"SELECT count(*) FROM bench.expiring WHERE {where}".encode()).fetchone()
    assert left == (0,)
    sizes = sum(isinstance(event, execute.StepProgress) for event in batches)
    print(f"{count:,} expired rows deleted in {took:.1f} s ({count / took:,.0f} rows/s), {sizes} batches")
    for what, latencies in (("beside it", list(chain(*beside))), ("control", list(chain(*control)))):
        cuts = statistics.quantiles(latencies, n=1000)
        print(
            f"  {len(latencies):,} writes {what}: p50 {cuts[499]:.2f} ms, p99 {cuts[989]:.2f} ms, "
            f"p99.9 {cuts[998]:.2f} ms, longest {max(latencies):.1f} ms"
        )


def written(url: str, rate: int, meanwhile: Callable[[], None]) -> list[float]:
    """How long each write took, in milliseconds, from the moment that it was due."""
    stop, latencies = threading.Event(), list[float]()

    def write(first: float, every: float) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            due, number = first, 0
            while not stop.is_set():
                time.sleep(max(0, due - time.monotonic()))
                number += 1
                row = (int(due * 1e6), number % 100, "x" * 96)
                connection.execute("INSERT INTO bench.expiring (id, bot_id, body) VALUES (%s, %s, %s)", row)
                latencies.append((time.monotonic() - due) * 1000)
                due += every

    writers = 4
    begin = time.monotonic() + 0.2
    threads = [
        threading.Thread(target=write, args=(begin + number / rate, writers / rate)) for number in range(writers)
    ]
    for thread in threads:
        thread.start()
    try:
        meanwhile()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return latencies


if __name__ == "__main__":
    main()
