"""Fill the five systems with months of invented life: ``python -m tests.benchmarks.fill --rows 1000000``.

The same rows, until, months and seed make the same bytes. The tables must be there, at any revision, and
empty.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from contextlib import nullcontext
from datetime import date

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.benchmarks.rows import TABLES, World

GO_ON_COUNTING = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
"""Let an identity column go on after the ids that were written; where ids are UUIDs, nothing happens."""


TRUST_REFERENCES = "SET LOCAL session_replication_role = replica"
"""No triggers, and so no foreign key looked up row by row: a third of the time. The rows do have their parents."""

CHECK_REFERENCES = "SET LOCAL session_replication_role = origin"


class NotEmptyError(Exception):
    """A table to be filled has rows already."""


def fill(
    connection: psycopg.Connection,
    rows: int,
    until: date,
    *,
    months: int = 18,
    seed: int = 1,
    progress: bool = False,
) -> dict[str, int]:
    """Fill every table in one transaction, and return the rows of each."""
    world = World(rows, until, months, seed)
    with connection.transaction(), _bar() if progress else nullcontext() as bar:
        _refuse_rows(connection)
        task = bar.add_task("", total=rows) if bar else None
        may_trust = _is_superuser(connection)
        for table in TABLES:
            if may_trust:
                connection.execute(TRUST_REFERENCES if table.trusted else CHECK_REFERENCES)
            with connection.cursor().copy(f"COPY {table.name} ({table.columns}) FROM STDIN") as copy:
                for lines, block in table.blocks(world):
                    copy.write(block)
                    if bar and task is not None:
                        bar.update(task, advance=lines, description=table.name)
            connection.execute(GO_ON_COUNTING, [table.name, world.sizes[table.name]])
            connection.execute(f"ANALYZE {table.name}".encode())
    return {table.name: world.sizes[table.name] for table in TABLES}


def _refuse_rows(connection: psycopg.Connection) -> None:
    filled = [
        table.name
        for table in TABLES
        if connection.execute(f"SELECT FROM {table.name} LIMIT 1".encode()).fetchone() is not None
    ]
    if filled:
        raise NotEmptyError(f"only empty tables are filled, and these have rows: {', '.join(filled)}")


def _is_superuser(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return found is not None and bool(found[0])


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fill", description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="rows of all tables together")
    parser.add_argument("--until", type=date.fromisoformat, default=date.today(), help="default: today")
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="default: DATABASE_URL, else the embedded server")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        with psycopg.connect(find_url(options.url), autocommit=True) as connection:
            written = fill(
                connection,
                options.rows,
                options.until,
                months=options.months,
                seed=options.seed,
                progress=sys.stderr.isatty(),
            )
    except (NotEmptyError, ValueError, psycopg.Error) as error:
        sys.exit(f"error: {error}")
    took = time.monotonic() - started
    total = sum(written.values())
    print(f"{total:,} rows in {len(written)} tables, {took:.1f} s, {total / took:,.0f} rows/s", file=sys.stderr)


def find_url(url: str | None) -> str:
    """The database that was named, or the embedded one, as psycopg reads it."""
    found = url or os.environ.get("DATABASE_URL")
    if found is None:
        from schema_kit import embedded

        found = embedded.start().url()
    return re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", found)


if __name__ == "__main__":
    main()
