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
from datetime import date

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from migrations.sample import NotEmptyError, fill


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
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
        with psycopg.connect(find_url(options.url), autocommit=True) as connection, _bar() as bar:
            task = bar.add_task("", total=options.rows)

            def tell(table: str, lines: int) -> None:
                bar.update(task, advance=lines, description=table)

            written = fill(connection, options.rows, options.until, months=options.months, seed=options.seed, tell=tell)
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
