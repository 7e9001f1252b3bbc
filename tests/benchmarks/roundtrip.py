"""No row is lost or changed, up, down and up again: ``python -m tests.benchmarks.roundtrip --rows 2000000``.

Takes an empty database to the baseline, fills it, and compares counts and checksums of every table at baseline, at
head, at baseline again, at head again. Exits with 1 where they differ.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psycopg

from migrations.sample import fill
from migrations.versions.baseline import metadata
from tests.benchmarks.fill import find_url

ROOT = Path(__file__).parents[2]


def content(url: str) -> dict[str, tuple[int, str]]:
    """Rows, and an order-independent checksum of the baseline's columns, for each table of the five systems."""
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in metadata.sorted_tables:
            columns = ", ".join(f't."{column.name}"' for column in table.columns)
            name = f'"{table.schema}"."{table.name}"'
            checksum = f"coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)::text"
            row = connection.execute(f"SELECT count(*), {checksum} FROM {name} t".encode()).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--url", help="an empty database; DATABASE_URL or the embedded server's without it")
    options = parser.parse_args()
    url = find_url(options.url)
    _alembic(url, "upgrade", "baseline")
    with psycopg.connect(url) as connection:
        fill(connection, options.rows, date.today())
    before = content(url)
    print(f"{sum(count for count, _ in before.values()):,} rows in {len(before)} tables")
    for direction, revision in (("upgrade", "head"), ("downgrade", "baseline"), ("upgrade", "head")):
        seconds = _alembic(url, direction, revision)
        same = content(url) == before
        print(f"{direction} {revision}: {seconds:.1f} s, counts and checksums {'are the same' if same else 'DIFFER'}")
        if not same:
            sys.exit(1)


def _alembic(url: str, direction: str, revision: str) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "alembic", "-x", f"url={url}", direction, revision]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"alembic {direction} {revision} failed:\n{done.stderr}")
    return time.monotonic() - began


if __name__ == "__main__":
    main()
