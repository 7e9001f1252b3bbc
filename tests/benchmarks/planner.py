"""How well an empty copy plans as production does: ``python -m tests.benchmarks.planner``.

Fills the five systems on the embedded server, and with --bin on another PostgreSQL's, and prints: how near the plans of
the queries of query_set/ are; what a table of 1 TB takes; how near the estimate of twenty new indexes is to what they
are; and what the indexes that `schema_kit advise index` names come to, next to those of the pack.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import sqlalchemy as sa

from migrations.sample import fill
from schema_kit import embedded
from schema_kit.advise import advice, made, production, statements
from schema_kit.advise.planner import Planner, nodes
from schema_kit.advise.scratch import Scratch, scratch
from schema_kit.embedded import Server
from tests.benchmarks.planner_candidates import CANDIDATES
from tests.benchmarks.queries import parameters, upgrade
from tests.benchmarks.query_set import QUERIES

SETS = 4
SETTINGS = {"fsync": "off", "full_page_writes": "off"}
UNPARTITIONED = "partial_indexes"
"""The last revision of the pack before tables become partitioned."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.planner", description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000, help="of all tables together")
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 11, 20))
    parser.add_argument("--bin", type=Path, action="append", default=[], help="another PostgreSQL's programs, too")
    given = parser.parse_args()
    with served(None) as server:
        make(server, given.rows, given.until)
        for name in ("base", "pack", "head"):
            print(f"plans, {server.version}, {name}: {plans(server.url(name))}")
        candidates(server)
        advised(server)
        huge(server)
    for bindir in given.bin:
        with served(bindir) as server:
            make(server, given.rows, given.until)
            for name in ("base", "pack", "head"):
                print(f"plans, {server.version}, {name}: {plans(server.url(name))}")


@contextmanager
def served(bindir: Path | None) -> Iterator[Server]:
    """A server of its own, removed at the end."""
    folder = Path(tempfile.gettempdir(), f"schema_kit-planner-{os.getpid()}")
    before = os.environ.pop("SCHEMA_KIT_PG_BIN", None)
    if bindir:
        os.environ["SCHEMA_KIT_PG_BIN"] = str(bindir)
    try:
        yield embedded.start(folder, quiet=True, settings=SETTINGS)
    finally:
        embedded.reset(folder)
        os.environ.pop("SCHEMA_KIT_PG_BIN", None)
        if before:
            os.environ["SCHEMA_KIT_PG_BIN"] = before


def make(server: Server, rows: int, until: date) -> None:
    """The same rows at the baseline, with the pack's indexes, and at the head."""
    sql(server, "postgres", "CREATE DATABASE base")
    upgrade(server.url("base"), "baseline")
    with psycopg.connect(server.url("base")) as connection:
        fill(connection, rows, until)
    for name, revision in (("pack", UNPARTITIONED), ("head", "head"), ("twin", "baseline")):
        sql(server, "postgres", f"CREATE DATABASE {name} TEMPLATE base")
        upgrade(server.url(name), revision)
    for name in ("base", "pack", "head", "twin"):
        sql(server, name, "VACUUM (ANALYZE)")


def sql(server: Server, database: str, statement: str) -> list[Any]:
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def read(url: str) -> production.Production:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        return production.read(connection)


def texts(url: str) -> list[list[str]]:
    """Each query with its parameter sets in their places."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        return [
            [cursor.mogrify(query.sql.encode(), one) for one in parameters(connection, query, SETS)]
            for query in QUERIES
        ]


def explained(connection: psycopg.Connection[Any], text: str) -> Mapping[str, Any]:
    ((plan,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {text}".encode()).fetchall()
    tree: Mapping[str, Any] = plan[0]["Plan"]
    return tree


def plans(url: str) -> str:
    """How near the costs of all queries are, and how many plans are the same."""
    asked = [text for several in texts(url) for text in several]
    with scratch(read(url)) as copy, psycopg.connect(url, autocommit=True, prepare_threshold=None) as real:
        copy.stretch()
        planner = Planner(copy)
        pairs = [(explained(real, text), planner.plan(text).tree) for text in asked]
    ratios = [told["Total Cost"] / one["Total Cost"] for one, told in pairs]
    off = [abs(ratio - 1) for ratio in ratios]
    for nth, query in enumerate(QUERIES):
        if far := [f"{ratio:.2f}" for ratio in ratios[nth * SETS : (nth + 1) * SETS] if abs(ratio - 1) > 0.02]:
            print(f"  {query.name}: cost x {', '.join(far)}")
    same = sum([*map(_node, nodes(one))] == [*map(_node, nodes(told))] for one, told in pairs)
    shares = ", ".join(f"{sum(one <= edge for one in off) / len(off):.1%} within {edge:.0%}" for edge in (0.02, 0.1))
    return f"{len(off)} plans of {len(QUERIES)} queries: cost {shares}; {same} the same nodes and indexes"


def _node(node: Mapping[str, Any]) -> tuple[object, ...]:
    return node["Node Type"], node.get("Relation Name"), node.get("Index Name")


def candidates(server: Server) -> None:
    """What is estimated of new indexes, and what it is once they exist."""
    with scratch(read(server.url("twin"))) as copy:
        names = [
            made.create(copy, f"CREATE INDEX candidate_{nth} ON {text}") for nth, (text, _) in enumerate(CANDIDATES)
        ]
        copy.stretch()
        planner = Planner(copy)
        told = []
        for name, (_, statement) in zip(names, CANDIDATES, strict=True):
            planner.hide([other for other in names if other != name])
            told.append(planner.plan(statement))
        pages = dict(copy.pages)
    near = right = sized = 0
    with psycopg.connect(server.url("twin"), autocommit=True, prepare_threshold=None) as real:
        for nth, (plan, (text, statement)) in enumerate(zip(told, CANDIDATES, strict=True)):
            table = text.split(" ", 1)[0]
            real.execute(f"CREATE INDEX candidate_{nth} ON {text}".encode())
            real.execute(f"ANALYZE {table}".encode())
            tree = explained(real, statement)
            used = any(node.get("Index Name") == f"candidate_{nth}" for node in nodes(tree))
            size = real.execute(f"SELECT pg_relation_size('{names[nth]}')").fetchone()
            assert size is not None
            real.execute(f"DROP INDEX {names[nth]}".encode())
            ratios = plan.cost / tree["Total Cost"], 8192 * pages[names[nth]] / size[0]
            near += abs(ratios[0] - 1) <= 0.15
            sized += abs(ratios[1] - 1) <= 0.15
            right += used == (names[nth] in plan.indexes)
            print(f"  {text:75.75} cost x {ratios[0]:.2f}, size x {ratios[1]:.2f}, {'used' if used else 'not used'}")
    print(
        f"{len(CANDIDATES)} candidates: cost within 15 %: {near}, used or not right: {right}, size within 15 %: {sized}"
    )


def advised(server: Server) -> None:
    """What the indexes that are advised for the baseline come to, next to those of the pack."""
    several = texts(server.url("base"))
    asked = statements.grouped(statements.made(text) for queries in several for text in queries)
    started = time.monotonic()
    with scratch(read(server.url("base"))) as copy:
        found = advice.advise(copy, asked, lambda _: None)
    seconds = time.monotonic() - started
    with psycopg.connect(server.url("twin"), autocommit=True) as connection:
        if found.extensions:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for one in found.wanted:
            connection.execute(_create(one).encode())
        connection.execute("VACUUM (ANALYZE)")
    count = "SELECT count(*) FROM pg_indexes WHERE schemaname NOT IN ('pg_catalog', 'schema_kit')"
    plain = sql(server, "base", count)[0][0]
    theirs, ours = sql(server, "pack", count)[0][0] - plain, sql(server, "twin", count)[0][0] - plain
    sides = {name: measured(server.url(name), several) for name in ("base", "pack", "twin")}
    for what, nth in (("cost", 0), ("median time", 1)):
        base, pack, twin = (sum(one[nth] for one in sides[name]) for name in ("base", "pack", "twin"))
        with_theirs = f"{pack:,.0f} with the pack's {theirs} indexes"
        with_ours = f"{twin:,.0f} with {ours} advised ones: {twin / pack:.2f} times the pack's"
        print(f"advice: {what} of all queries: {base:,.0f} at the baseline, {with_theirs}, {with_ours}")
    print(f"advice took {seconds:.1f} s")


def _create(one: advice.Wanted) -> str:
    has = one.definition
    include = f" INCLUDE ({', '.join(has.include)})" if has.include else ""
    where = f" WHERE {has.predicate}" if has.predicate else ""
    name, table = one.name.name, one.table.sql
    return f'CREATE INDEX "{name}" ON {table} USING {has.method} ({", ".join(has.keys)}){include}{where}'


def measured(url: str, several: Sequence[Sequence[str]]) -> list[tuple[float, float]]:
    """Of each query the dearest cost, and the median time in ms."""
    found = []
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for queries in several:
            times = []
            for text in (*queries, *queries):
                started = time.perf_counter()
                connection.execute(text.encode()).fetchall()
                times.append(1000 * (time.perf_counter() - started))
            dearest = max(float(explained(connection, text)["Total Cost"]) for text in queries)
            found.append((dearest, median(times[len(queries) :])))
    return found


PAGES, ROWS = 2**27, 8_000_000_000


def huge(server: Server) -> None:
    """A table of 1 TB: how long it takes, and how much disk."""
    name = "huge"
    sql(server, "postgres", f"CREATE DATABASE {name}")
    for statement in (
        "CREATE TABLE huge (id bigint PRIMARY KEY, customer int, note text)",
        "INSERT INTO huge SELECT i, i % 1000, repeat('x', 80) FROM generate_series(1, 100000) i",
        "ANALYZE huge",
        f"UPDATE pg_class SET relpages = {PAGES}, reltuples = {ROWS} WHERE relname = 'huge'",
        f"UPDATE pg_class SET relpages = {PAGES // 6}, reltuples = {ROWS} WHERE relname = 'huge_pkey'",
    ):
        sql(server, name, statement)
    dump = Path(tempfile.mkdtemp(), "huge.sql")
    words = ["--no-data", "--statistics", f"--file={dump}", f"--dbname={server.url(name)}"]
    subprocess.run([str(server.bindir / "pg_dump"), *words], check=True)
    started = time.monotonic()
    with scratch(production.from_dump(dump)) as copy:
        made.create(copy, "CREATE INDEX ON huge (customer)")
        copy.stretch()
        copy.rows("SET max_parallel_workers_per_gather = 0")
        planner = Planner(copy)
        whole, one = planner.plan("SELECT count(*) FROM huge"), planner.plan("SELECT * FROM huge WHERE id = 5")
        seconds = time.monotonic() - started
        disk = _disk(copy)
    shutil.rmtree(dump.parent)
    rows = max(node["Plan Rows"] for node in nodes(whole.tree))
    print(
        f"1 TB: {seconds:.1f} s, {disk / 1e6:,.0f} MB of disk; {rows:.2g} rows, cost {whole.cost:,.0f} for all, "
        f"{one.cost:.2f} for one"
    )


def _disk(copy: Scratch) -> int:
    return sum(path.stat().st_blocks * 512 for path in copy.server.folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
