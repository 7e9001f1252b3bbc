"""What watching an engine adds to a statement: ``python -m tests.benchmarks.timings``.

Sends ``SELECT 1`` ``--statements`` times over each of three engines in turns: one without listeners, one with two that
do nothing, one that is watched; then statements of about one millisecond. Prints medians, and what watching adds.

Takes the database of ``--url``, DATABASE_URL or the embedded server's, and writes nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import sqlalchemy as sa

from schema_kit import timings
from tests.benchmarks.fill import find_url


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=10_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = sa.make_url(find_url(options.url)).set(drivername="postgresql+psycopg")
    bare, empty, watched = (sa.create_engine(url) for _ in range(3))
    for name in ("before_cursor_execute", "after_cursor_execute"):
        sa.event.listen(empty, name, _nothing)
    timings.watch(watched, slow=60, trace=False)
    engines = {"no listener": bare, "two empty ones": empty, "watched": watched}
    with bare.connect() as connection:
        print(connection.scalar(sa.text("SELECT version()")))
    compare("SELECT 1", engines, options.statements)
    compare("SELECT pg_sleep(0.001)", engines, max(options.statements // 10, 1))


def _nothing(*arguments: Any) -> None:
    """Listen."""


def compare(statement: str, engines: dict[str, sa.Engine], times: int) -> None:
    """Send a statement over each engine in turns of a hundred; print the medians."""
    found: dict[str, list[float]] = {name: [] for name in engines}
    text = sa.text(statement)
    for _ in range(max(times // 100, 1)):
        for name, engine in engines.items():
            with engine.connect() as connection:
                connection.execute(text)
                for _ in range(100):
                    began = time.perf_counter()
                    connection.execute(text)
                    found[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    least = medians["no listener"]
    for name, median in medians.items():
        added = f"+{1e6 * (median - least):.1f} us, {median / least:.3f} times"
        print(f"{statement:24} {name:16} median {1e6 * median:8.1f} us  {added}")


if __name__ == "__main__":
    main()
