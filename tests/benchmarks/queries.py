"""How long the five systems' queries take, before the migrations and after: ``python -m tests.benchmarks.queries``.

Takes an empty database to the baseline, fills it, asks every query of query_set/, takes the database to the
head, and asks again with the same parameters: the answers must be the same, the times are reported. Without
--url and DATABASE_URL, the embedded server gets a database of its own for it, new each time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import count, product
from math import ceil
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from migrations.sample import fill
from tests.benchmarks.fill import find_url
from tests.benchmarks.query_set import QUERIES, Parameters, Query

ROOT = Path(__file__).parents[2]
DATABASE = "schema_kit_benchmark"
_NEVER = 1_000_000
"""So often a statement is sent before psycopg prepares it unasked."""
_PLANNED_EACH_TIME = 6
"""So often PostgreSQL plans a prepared statement for its parameters, before it may keep one plan for all of them."""


@dataclass
class Timing:
    """What a client saw, in milliseconds."""

    runs: int
    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        ordered = sorted(seconds)
        return cls(len(ordered), *(1000 * ordered[ceil(share * len(ordered)) - 1] for share in (0.50, 0.95)))


@dataclass
class Measurement:
    """One query, on one side of the migrations."""

    alone: Timing
    crowd: Timing | None
    indexes: list[str]
    answers: list[str] = field(repr=False)
    """A digest for all parameters there was time for."""


@dataclass
class Comparison:
    """One query, on both sides."""

    query: Query
    before: Measurement
    after: Measurement

    @property
    def same_answers(self) -> bool:
        return all(one == other for one, other in zip(self.before.answers, self.after.answers, strict=False))


@dataclass
class Options:
    """What the command line said."""

    rows: int
    until: date
    repeat: int
    concurrency: int
    budget: float
    seed: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.queries", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of all tables together")
    parser.add_argument("--until", type=date.fromisoformat, default=date.today(), help="default: today")
    parser.add_argument("--repeat", type=int, default=30, help="runs of each query, each with other parameters")
    parser.add_argument("--concurrency", type=int, default=100, help="users at once, where a query has many")
    parser.add_argument("--budget", type=float, default=5.0, help="seconds for one query's runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("table", "markdown"), default="table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save everything measured")
    parser.add_argument("--url", help="an empty database; default: DATABASE_URL, else the embedded server's own")
    given = vars(parser.parse_args())
    url, style, file = given.pop("url"), given.pop("format"), given.pop("json")
    options = Options(**given)
    try:
        circumstances, found = compare(url or os.environ.get("DATABASE_URL") or own_database(DATABASE), options)
    except (psycopg.Error, RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    report(circumstances, found, style)
    if file is not None:
        file.write_text(_json(circumstances, found))
    different = [comparison.query.name for comparison in found if not comparison.same_answers]
    if different:
        sys.exit(f"error: not the same answers before and after: {', '.join(different)}")


def compare(url: str, options: Options) -> tuple[dict[str, str], list[Comparison]]:
    """All queries before the migrations, the migrations, all queries after."""
    upgrade(url, "baseline")
    with _connection(url) as connection:
        _refuse_the_head(connection)
        _say(f"fill {options.rows:,} rows")
        fill(connection, options.rows, options.until, seed=options.seed)
        asked = [(query, parameters(connection, query, options.repeat)) for query in QUERIES]
        circumstances = describe(connection, options)
        before = measure_all(url, connection, asked, options, "before")
    started = time.monotonic()
    upgrade(url, "head")
    circumstances["migrations"] = f"baseline to head in {time.monotonic() - started:.1f} s"
    with _connection(url) as connection:
        after = measure_all(url, connection, asked, options, "after")
    return circumstances, [
        Comparison(query, one, other) for (query, _), one, other in zip(asked, before, after, strict=True)
    ]


def upgrade(url: str, revision: str) -> None:
    """What a person would type, from the repository's root."""
    _say(f"alembic upgrade {revision}")
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={url}", "upgrade", revision],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"alembic upgrade {revision} failed:\n{done.stderr}")


def parameters(connection: psycopg.Connection, query: Query, wanted: int) -> list[Parameters]:
    """As many parameter sets as there are runs; those given are taken in turn."""
    if isinstance(query.parameters, str):
        cursor = connection.cursor(row_factory=dict_row)
        given: Sequence[Parameters] = cursor.execute(query.parameters.encode(), {"wanted": wanted}).fetchall()
    else:
        given = query.parameters
    if not given:
        raise RuntimeError(f"no rows to take parameters from: {query.name}")
    return [given[nth % len(given)] for nth in range(wanted)]


def measure_all(
    url: str,
    connection: psycopg.Connection,
    asked: Sequence[tuple[Query, list[Parameters]]],
    options: Options,
    side: str,
) -> list[Measurement]:
    _say(f"{side}: VACUUM (ANALYZE)")
    connection.execute("VACUUM (ANALYZE)")
    found = []
    for query, given in asked:
        _say(f"{side}: {query.system}: {query.name}")
        answers, alone = _alone(connection, query, given, options.budget)
        crowd = _crowd(url, connection, query, given, options) if query.concurrent else None
        found.append(Measurement(alone, crowd, indexes(connection, query, given), answers))
    return found


def _alone(
    connection: psycopg.Connection, query: Query, given: Sequence[Parameters], budget: float
) -> tuple[list[str], Timing]:
    """One client: the parameters of each run once to warm up and for its answer, then once for its time."""
    deadline = time.monotonic() + budget / 2
    answers = []
    for one in given:
        answers.append(_digest(connection.execute(query.sql.encode(), one, prepare=query.prepared).fetchall()))
        if time.monotonic() > deadline:
            break
    deadline = time.monotonic() + budget
    seconds: list[float] = []
    for one in given[: len(answers)]:
        seconds.append(_seconds(connection, query, one))
        if time.monotonic() > deadline:
            break
    return answers, Timing.of(seconds)


def _seconds(connection: psycopg.Connection, query: Query, given: Parameters) -> float:
    started = time.perf_counter()
    connection.execute(query.sql.encode(), given, prepare=query.prepared).fetchall()
    return time.perf_counter() - started


def _digest(rows: Sequence[tuple[Any, ...]]) -> str:
    text = json.dumps([[str(value) for value in row] for row in rows])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _crowd(
    url: str, connection: psycopg.Connection, query: Query, given: Sequence[Parameters], options: Options
) -> Timing:
    """As many clients as are wanted and the server allows, each asking again and again without a pause."""
    clients = min(options.concurrency, _free_connections(connection))
    with ExitStack() as stack:
        connections = [stack.enter_context(_connection(url)) for _ in range(clients)]
        for each, one in product(connections, given[:_PLANNED_EACH_TIME] if query.prepared else ()):
            _seconds(each, query, one)
        deadline = time.monotonic() + options.budget

        def ask(client: int) -> list[float]:
            seconds = []
            for turn in count(client):
                seconds.append(_seconds(connections[client], query, given[turn % len(given)]))
                if time.monotonic() > deadline:
                    break
            return seconds

        with ThreadPoolExecutor(clients) as pool:
            return Timing.of([second for seconds in pool.map(ask, range(clients)) for second in seconds])


def _free_connections(connection: psycopg.Connection) -> int:
    found = connection.execute(
        """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        """
    ).fetchone()
    return max(1, int(found[0])) if found is not None else 1


def indexes(connection: psycopg.Connection, query: Query, given: Sequence[Parameters]) -> list[str]:
    """The indexes in the query's plans; a partition's index counts as that of the whole."""
    explain = f"EXPLAIN (FORMAT JSON) {query.sql}".encode()
    plans = [connection.execute(explain, one).fetchall() for one in given]
    used = sorted({name for plan in plans for name in _index_names(plan)})
    found = connection.execute(
        """
        SELECT DISTINCT coalesce(parent.relname, own.relname)
        FROM pg_class AS own LEFT JOIN pg_class AS parent ON parent.oid = pg_partition_root(own.oid)
        WHERE own.relname = ANY(%s) AND own.relnamespace = %s::regnamespace ORDER BY 1
        """,
        [used, query.system],
    )
    return [name for (name,) in found]


def _index_names(plan: object) -> Iterator[str]:
    if isinstance(plan, list | tuple):
        for part in plan:
            yield from _index_names(part)
    elif isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        for part in plan.values():
            yield from _index_names(part)


def describe(connection: psycopg.Connection, options: Options) -> dict[str, str]:
    """Everything the times depend on."""
    found = connection.execute(
        """
        SELECT split_part(version(), ' on ', 1),
               'shared_buffers ' || current_setting('shared_buffers') || ', work_mem ' || current_setting('work_mem')
                   || ', max_connections ' || current_setting('max_connections'),
               pg_size_pretty(pg_database_size(current_database()))
        """
    ).fetchone()
    assert found is not None
    clients = min(options.concurrency, _free_connections(connection))
    return {
        "machine": f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()} {platform.machine()}",
        "server": f"{found[0]}; {found[1]}",
        "data": f"{options.rows:,} rows of 18 months until {options.until}, seed {options.seed}; {found[2]} before",
        "method": f"client-side times, warm cache, prepared where it is said; up to {options.repeat} runs or"
        f" {options.budget:g} s a query; concurrent: {clients} clients of {options.concurrency} wanted,"
        " each asking without a pause",
        "command": f"python -m tests.benchmarks.queries --rows {options.rows} --until {options.until}"
        f" --repeat {options.repeat} --concurrency {options.concurrency} --budget {options.budget:g}"
        f" --seed {options.seed}",
    }


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


HEADINGS = (
    "system",
    "query",
    "target",
    "p50 before",
    "p95 before",
    "p50 after",
    "p95 after",
    "ratio",
    "index used",
    "met",
)


def report(circumstances: dict[str, str], found: Sequence[Comparison], style: str) -> None:
    lines = [line for comparison in found for line in _lines(comparison)]
    if style == "markdown":
        for name, value in circumstances.items():
            print(f"- {name}: {value}")
        print("\n" + _markdown(HEADINGS) + "\n" + _markdown(["---"] * len(HEADINGS)))
        for line in lines:
            print(_markdown(line))
        return
    console = Console(width=None if sys.stdout.isatty() else 180)
    for name, value in circumstances.items():
        console.print(f"{name + ':':12} {value}", highlight=False, soft_wrap=True)
    table = Table()
    for heading in HEADINGS:
        words = heading in ("query", "index used")
        table.add_column(heading.replace(" ", "\n"), no_wrap=not words, overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    query, before, after = comparison.query, comparison.before, comparison.after
    yield _line(query, query.name, before.alone, after.alone, after.indexes)
    if before.crowd is not None and after.crowd is not None:
        yield _line(query, f"{query.name}, concurrent", before.crowd, after.crowd, after.indexes)


def _line(query: Query, name: str, before: Timing, after: Timing, used: Sequence[str]) -> tuple[str, ...]:
    target = query.target_ms
    return (
        query.system,
        name,
        f"{target:g} ms" if target is not None else "-",
        *(_ms(time) for time in (before.p50, before.p95, after.p50, after.p95)),
        f"{before.p95 / after.p95:.1f}",
        ", ".join(used) or "-",
        "-" if target is None else "yes" if after.p95 <= target else "no",
    )


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 10 else f"{milliseconds:,.0f}"


def _json(circumstances: dict[str, str], found: Sequence[Comparison]) -> str:
    queries = [
        {
            "system": comparison.query.system,
            "query": comparison.query.name,
            "target_ms": comparison.query.target_ms,
            "before": asdict(comparison.before),
            "after": asdict(comparison.after),
            "same_answers": comparison.same_answers,
        }
        for comparison in found
    ]
    return json.dumps({**circumstances, "queries": queries}, indent=2) + "\n"


def _refuse_the_head(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE oid = 'line_support.conversation'::regclass"
    ).fetchone()
    if found is not None and found[0]:
        raise RuntimeError("this database is past the baseline; the comparison needs an empty database")


def own_database(name: str) -> str:
    """A database of the embedded server, new each time."""
    from schema_kit import embedded

    server = embedded.start(settings={"max_connections": "200"})
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@contextmanager
def _connection(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(find_url(url), autocommit=True, prepare_threshold=_NEVER) as connection:
        yield connection


def _say(text: str) -> None:
    """Progress, where a person may be waiting for it."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
