"""How long a conversion makes others wait: ``python -m tests.benchmarks.waits``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.

- The swap of strategy ``attach``, of a table of ``--rows`` rows and of an empty one in turns, ``--repeat`` times: the
  longest that a reader of no row is kept out. The medians and their ratio. (The commit itself returns later: the old
  primary key's file is unlinked once the locks are gone.)
- Writers, ``--writers`` of them, one small transaction after another: p50, p99, p99.9 and the longest, in a control run
  of ``--seconds`` without a conversion, then through one by ``attach``, then through one by ``copy``.
"""

from __future__ import annotations

import argparse
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepDone, StepStarted
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans.copied_table import Strategy
from schema_kit.script import LockPolicy
from schema_kit.steps.conversion import Swap
from schema_kit.tasks.conversion import Convert
from tests.benchmarks.copying import fill, forget, prepare
from tests.benchmarks.fill import find_url

T = QualifiedName("bench", "t")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        try:
            fill(plain, options.rows)
            swaps(plain, url, options.rows, options.repeat)
            waits(plain, url, options.writers, options.seconds)
        finally:
            forget(plain)
            plain.execute("DROP SCHEMA bench CASCADE")


class Probe(threading.Thread):
    """Reads no row of the table, again and again: the longest that it waits is what others are kept out for."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.connection = psycopg.connect(url, autocommit=True)
        self.begin, self.end, self.longest = threading.Event(), threading.Event(), 0.0

    def run(self) -> None:
        """From *begin* to *end*."""
        self.begin.wait()
        with self.connection as connection:
            while not self.end.is_set():
                began = time.monotonic()
                connection.execute("SELECT 1 FROM bench.t LIMIT 0")
                self.longest = max(self.longest, time.monotonic() - began)


def convert(url: str, strategy: Strategy, probe: Probe | None = None) -> None:
    """Convert it; the probe looks while the swap is sent."""

    def tell(event: Event) -> None:
        if probe and isinstance(event, StepStarted | StepDone) and isinstance(event.step, Swap):
            (probe.begin if isinstance(event, StepStarted) else probe.end).set()

    op = Convert(Partitioning(T, "at", "1 mon", premake=1), "refuse", strategy)
    with environment.connect(sa.make_url(url), autocommit=True) as connection:
        execute.run(connection, lambda: op.plan(Catalog(connection)), LockPolicy(), tell)


def swaps(plain: psycopg.Connection[Any], url: str, rows: int, repeat: int) -> None:
    """Full and empty in turns, so that whatever else the machine does meets both."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(repeat):
        for full in (True, False):
            prepare(plain)
            if not full:
                plain.execute("TRUNCATE bench.t")
            probe = Probe(url)
            probe.start()
            convert(url, "attach", probe)
            probe.join()
            took[full].append(1000 * probe.longest)
    full_ms, empty_ms = statistics.median(took[True]), statistics.median(took[False])
    print(f"\nattach, how long the swap keeps a reader out, median of {repeat}:")
    for name, taken in ((f"{rows:,} rows", took[True]), ("empty", took[False])):
        print(f"  {name:>16}  {statistics.median(taken):7.1f} ms   ({min(taken):.1f} to {max(taken):.1f})")
    print(f"  ratio {full_ms / empty_ms:.2f}")


def waits(plain: psycopg.Connection[Any], url: str, writers: int, seconds: float) -> None:
    """What one transaction takes, without a conversion and through one."""
    runs: tuple[tuple[str, Callable[[], object]], ...] = (
        ("control", lambda: time.sleep(seconds)),
        ("attach", lambda: convert(url, "attach")),
        ("copy", lambda: convert(url, "copy")),
    )
    print(f"\n{writers} writers, milliseconds a transaction:")
    print(f"  {'':>8}  {'number':>8}  {'p50':>7}  {'p99':>7}  {'p99.9':>7}  {'longest':>8}")
    for name, work in runs:
        prepare(plain)
        with writing(url, writers) as taken:
            time.sleep(1)
            work()
            time.sleep(1)
        ordered = sorted(taken)
        places = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99, 0.999))
        shown = "  ".join(f"{1000 * place:7.1f}" for place in places)
        print(f"  {name:>8}  {len(ordered):8,}  {shown}  {1000 * ordered[-1]:8.1f}")


@contextmanager
def writing(url: str, writers: int) -> Iterator[list[float]]:
    """Writers at work; what each transaction took is in the list at the end. None of them may fail."""
    stop, taken, failed = threading.Event(), list[float](), list[BaseException]()

    def write(number: int) -> None:
        chance, next_id = random.Random(number), 10**9 * (number + 1)
        try:
            with psycopg.connect(url) as connection:
                while not stop.is_set():
                    next_id += 1
                    began = time.monotonic()
                    connection.execute(
                        "UPDATE bench.t SET amount = amount + 1 WHERE id = %s", [chance.randrange(1, 10**6)]
                    )
                    at = f"timestamptz '2025-06-01' + {chance.randrange(10**6)} * interval '1 second'"
                    connection.execute(f"INSERT INTO bench.t VALUES ({next_id}, {at}, 1, 1, 'n')".encode())
                    connection.commit()
                    taken.append(time.monotonic() - began)
                    time.sleep(0.01)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield taken
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for error in failed:
        raise error


if __name__ == "__main__":
    main()
