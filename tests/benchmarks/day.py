"""A day of the five systems at once: ``python -m tests.benchmarks.day --rows 100000``.

Takes an empty database to the baseline, fills it, takes it to the head and looks after it once. Then, for ``--seconds``
or until maintenance has run once more, a process for each system has readers that send the queries of query_set/ (the
longer a query may take, the less often: a dashboard is not asked for as often as a chat) and writers that write as the
applications do; meanwhile all commands of a day's maintenance run, and those of the day a week later. Prints p95 of
each query and each kind of write against its target, and how long maintenance took. Fails if a statement or a command
does, or if a row that was written is not found afterwards.

Without --url and DATABASE_URL, the embedded server gets a database of its own for it, new each time.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from multiprocessing import Manager
from threading import Event
from typing import Any

import psycopg

from migrations.sample import fill
from tests.benchmarks.fill import find_url
from tests.benchmarks.queries import ROOT, Timing, own_database, parameters, upgrade
from tests.benchmarks.query_set import QUERIES, Parameters, Query

MARK = "written by tests.benchmarks.day"
WRITES: dict[str, tuple[str, float, str]] = {
    "line_support.conversation": (
        "line_support",
        100,
        "INSERT INTO line_support.conversation (user_id, role, message, language) "
        "SELECT id, 'user', %(mark)s, 'th' FROM line_support.users WHERE id = 1 + %(nth)s %% 10 RETURNING 1",
    ),
    "line_support.webhook_event": (
        "line_support",
        100,
        "INSERT INTO line_support.webhook_event (event_type, payload) "
        "SELECT %(mark)s, jsonb_build_object('n', n) FROM generate_series(1, 100) n RETURNING 1",
    ),
    "whatsapp_agent.whatsapp_messages": (
        "whatsapp_agent",
        100,
        "INSERT INTO whatsapp_agent.whatsapp_messages (customer_id, restaurant_id, direction, content) "
        "(SELECT id, restaurant_id, 'inbound', %(mark)s FROM whatsapp_agent.customers LIMIT 1) RETURNING 1",
    ),
    "telegram_bots.messages": (
        "telegram_bots",
        50,
        "INSERT INTO telegram_bots.messages (bot_id, chat_db_id, telegram_message_id, text) "
        "(SELECT b.id, c.id, %(nth)s, %(mark)s FROM telegram_bots.bots b, telegram_bots.chats c LIMIT 1) RETURNING 1",
    ),
    "market_research.product_searches": (
        "market_research",
        200,
        "INSERT INTO market_research.product_searches (user_id, query, filters) "
        'VALUES (gen_random_uuid(), %(mark)s, \'{"brand": "Muji"}\') RETURNING 1',
    ),
    "rag_chat.messages": (
        "rag_chat",
        500,
        "WITH said AS (INSERT INTO rag_chat.messages (conversation_id, role, content, expires_at) "
        "(SELECT id, 'assistant', %(mark)s, now() + interval '7 days' FROM rag_chat.conversations "
        "WHERE expires_at > now() + interval '1 hour' LIMIT 1) RETURNING id, \"timestamp\") "
        "INSERT INTO rag_chat.citations (message_id, message_timestamp, document_name, excerpt) "
        "SELECT id, \"timestamp\", 'menu.pdf', 'n' FROM said RETURNING 1",
    ),
}
"""Table: its system, target in milliseconds, and the statement; each returns a row for each row."""
MARKED = {
    "line_support.conversation": "message",
    "line_support.webhook_event": "event_type",
    "whatsapp_agent.whatsapp_messages": "content",
    "telegram_bots.messages": "text",
    "market_research.product_searches": "query",
    "rag_chat.messages": "content",
}
MAINTENANCE = (
    ("partitions", "maintain"),
    ("partitions", "maintain", "--now", f"{date.today() + timedelta(weeks=1)}"),  # another week goes to the archive
    ("ttl", "run", "--yes"),
    ("refresh", "market_research.category_metrics"),
    ("archive", "verify"),
    ("health",),
)


@dataclass
class Day:
    """What one system's clients saw: seconds of each query and write, and rows written."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.day", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of all tables together, before the day")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the day is")
    parser.add_argument("--readers", type=int, default=8, help="clients that read, for each system")
    parser.add_argument("--writers", type=int, default=2, help="clients that write, for each table")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two statements of a client")
    parser.add_argument("--url", help="an empty database; default: DATABASE_URL, else the embedded server's own")
    options = parser.parse_args()
    url = find_url(options.url or os.environ.get("DATABASE_URL") or own_database("schema_kit_day"))
    try:
        asked = prepare(url, options.rows)
        before = counted(url)
        days, maintained = live(url, asked, options)
    except (psycopg.Error, RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    report(days, asked, options)
    ratios(before, counted(url))
    failed = [*maintained_report(maintained), *lost(url, days)]
    failed += [error for day in days for error in day.errors]
    if failed:
        sys.exit("error: " + "\n".join(failed))


def prepare(url: str, rows: int) -> list[tuple[Query, list[Parameters]]]:
    """The database before the day, and what is asked of it."""
    upgrade(url, "baseline")
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection, rows, date.today())
    upgrade(url, "head")
    for command in MAINTENANCE[0], MAINTENANCE[2]:
        maintain(url, command)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        chosen = [query for query in QUERIES if query.target_ms is not None or not query.concurrent]
        return [(query, parameters(connection, query, 50)) for query in chosen]


def live(
    url: str, asked: Sequence[tuple[Query, list[Parameters]]], options: argparse.Namespace
) -> tuple[list[Day], list[tuple[str, float, int, str]]]:
    """All systems and maintenance at once."""
    systems = sorted({query.system for query, _ in asked})
    until = time.time() + options.seconds
    with Manager() as manager, ProcessPoolExecutor(len(systems)) as pool:
        ended = manager.Event()
        work = [
            pool.submit(system, url, name, [one for one in asked if one[0].system == name], ended, options)
            for name in systems
        ]
        try:
            maintained = list(maintenance(url, until))
        finally:
            ended.set()
        return [one.result() for one in work], maintained


def system(
    url: str, name: str, asked: Sequence[tuple[Query, list[Parameters]]], ended: Event, options: argparse.Namespace
) -> Day:
    """One system's clients, a thread each."""
    day, lock = Day(), threading.Lock()

    def client(number: int, table: str | None) -> None:
        chance = random.Random(number)
        often = [1 / (query.target_ms or 500) for query, _ in asked]
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                for nth in count():
                    if nth % 10 == 0 and ended.is_set():
                        return
                    if table is None:
                        ((query, given),) = chance.choices(asked, often)
                        label, sql, values = query.name, query.sql, chance.choice(given)
                    else:
                        label, sql, values = f"write {table}", WRITES[table][2], {"mark": MARK, "nth": nth}
                    began = time.perf_counter()
                    rows = len(connection.execute(sql.encode(), values).fetchall())
                    took = time.perf_counter() - began
                    with lock:
                        day.seconds.setdefault(label, []).append(took)
                        if table is not None:
                            day.written[table] = day.written.get(table, 0) + rows
                    time.sleep(chance.uniform(0, 2 * options.pause))
        except psycopg.Error as error:
            day.errors.append(f"{name}: {label}: {error}")

    tables = [table for table, (of, _, _) in WRITES.items() if of == name]
    kinds = [*[None] * options.readers, *(table for table in tables for _ in range(options.writers))]
    clients = [threading.Thread(target=client, args=one) for one in enumerate(kinds)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return day


def maintenance(url: str, until: float) -> Iterator[tuple[str, float, int, str]]:
    """Each command with its seconds, exit code and what it said on stderr; all of them at least once."""
    for turn in count():
        for command in MAINTENANCE:
            if turn and time.time() > until:
                return
            began = time.monotonic()
            done = maintain(url, command)
            yield " ".join(command), time.monotonic() - began, done.returncode, done.stderr


def maintain(url: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """What cron runs."""
    call = [sys.executable, "-m", "schema_kit", *command, "--url", url]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


def report(days: Sequence[Day], asked: Sequence[tuple[Query, list[Parameters]]], options: argparse.Namespace) -> None:
    """Print the table."""
    targets = {(query.system, query.name): query.target_ms for query, _ in asked}
    targets |= {(of, f"write {table}"): target for table, (of, target, _) in WRITES.items()}
    print(
        f"{options.rows:,} rows, {options.seconds:g} s, {options.readers} readers a system, "
        f"{options.writers} writers a table, a pause of {options.pause:g} s on average"
    )
    print("\n| system | statement | calls | target ms | p50 ms | p95 ms | met |\n|---|---|---|---|---|---|---|")
    seen = {label: seconds for day in days for label, seconds in day.seconds.items()}
    for (of, label), target in targets.items():
        times = Timing.of(seen.get(label) or [0.0])
        met = "-" if target is None else "yes" if times.p95 <= target else "no"
        told = "-" if target is None else f"{target:g}"
        print(f"| {of} | {label} | {times.runs:,} | {told} | {times.p50:.1f} | {times.p95:.1f} | {met} |")


def maintained_report(maintained: Sequence[tuple[str, float, int, str]]) -> Iterator[str]:
    """Print what maintenance took; give back what failed."""
    print("\n| maintenance | runs | longest s |\n|---|---|---|")
    for command in dict.fromkeys(one[0] for one in maintained):
        runs = [one for one in maintained if one[0] == command]
        print(f"| schema_kit {command} | {len(runs)} | {max(one[1] for one in runs):.1f} |")
        yield from (f"schema_kit {command}: exit code {one[2]}: {one[3]}" for one in runs if one[2] not in (0, 4))


def counted(url: str) -> dict[str, tuple[int, ...]]:
    """Of each system: scans by an index and all (of tables with 10,000 rows or more), pages found in memory and all."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            """
            SELECT t.schemaname, coalesce(sum(t.idx_scan) FILTER (WHERE large), 0)::bigint,
                   coalesce(sum(t.idx_scan + t.seq_scan) FILTER (WHERE large), 0)::bigint,
                   sum(heap_blks_hit + coalesce(idx_blks_hit, 0))::bigint,
                   sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint
            FROM pg_stat_user_tables t JOIN pg_statio_user_tables USING (relid)
            CROSS JOIN LATERAL (SELECT n_live_tup >= 10000 AS large) n
            WHERE t.schemaname = ANY (%s) GROUP BY 1 ORDER BY 1
            """,
            [sorted({query.system for query in QUERIES})],
        )
        return {system: tuple(counters) for system, *counters in found}


def ratios(before: Mapping[str, Sequence[int]], after: Mapping[str, Sequence[int]]) -> None:
    """Print what the day added to the counters, as shares."""
    print("\n| system | scans by index | pages found in memory |\n|---|---|---|")
    for system in after:
        by_index, scans, hits, pages = (one - other for one, other in zip(after[system], before[system], strict=True))
        print(f"| {system} | {by_index / max(scans, 1):.1%} | {hits / max(pages, 1):.1%} |")


def lost(url: str, days: Sequence[Day]) -> Iterator[str]:
    """Rows that were written and are not found."""
    written = {table: rows for day in days for table, rows in day.written.items()}
    with psycopg.connect(url) as connection:
        for table, rows in written.items():
            found: Any = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {MARKED[table]} = %s".encode(), [MARK]
            ).fetchone()
            print(f"{table}: {rows:,} rows written, {found[0]:,} found")
            if found[0] != rows:
                yield f"{table}: {rows:,} rows were written and {found[0]:,} are found"


if __name__ == "__main__":
    main()
