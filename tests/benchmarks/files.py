"""Files against COPY: ``python -m tests.benchmarks.files --rows 1000000``.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.
The table is a month of messages of a bot: ids, a moment, a role, Thai text, tokens, a cost, JSON. Each way is run
--repeat times, in turn, so that all see the same machine. Shown are the median times, the medians of the ratios within
a round, and the processor's time: the program's and, where the server is on this machine, the server's.

1. Out: ``COPY ... TO STDOUT (FORMAT binary)`` into a file that is synced, by psycopg; next to it the same by psql; then
   Parquet until it is synced, and the reading back and comparing that comes behind it.
2. In: ``COPY ... FROM STDIN (FORMAT binary)`` of that very file into a table without indexes; then the import into a
   separate table, with and without checking the file and comparing the table.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import environment
from schema_kit.embedded.tools import find_tools
from schema_kit.execute import Event, StepDone
from schema_kit.files import export as exports
from schema_kit.files import restore as restores
from schema_kit.files.store import Store
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from tests.benchmarks.fill import find_url

MESSAGES = """
CREATE TABLE bench_files.messages AS
SELECT i::bigint AS id, (i::bigint * 7919 % 50000) AS conversation_id,
       timestamptz '2026-01-01' + i * interval '1.234567 s' AS created_at,
       (ARRAY['user', 'assistant', 'tool'])[1 + i % 3] AS role,
       'ข้อความ ' || md5(i::text) || ' ' || md5((i * 7.0)::text) AS body, (i % 900)::int AS tokens,
       CASE WHEN i % 4 > 0 THEN (i % 1000) / 100.0 END::numeric(12, 4) AS cost,
       jsonb_build_object('model', i % 10, 'trace', md5((i % 100)::text)) AS meta
FROM generate_series(1, {rows}) i
"""
TABLE = QualifiedName("bench_files", "messages")
PARQUET = "bench_files.messages.parquet"
WRITTEN, READ_BACK = "Parquet, written and synced", "  reading back and comparing"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    target = sa.make_url(url).set(drivername="postgresql+psycopg")
    with (
        psycopg.connect(url, autocommit=True) as plain,
        environment.connect(target, autocommit=True) as connection,
        tempfile.TemporaryDirectory() as folder,
    ):
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench_files")
        try:
            plain.execute(MESSAGES.format(rows=options.rows).encode())
            plain.execute("VACUUM (FREEZE, ANALYZE) bench_files.messages")
            run(plain, connection, url, Path(folder), options.rows, options.repeat)
        finally:
            plain.execute("DROP SCHEMA bench_files CASCADE")
            if plain.execute("SELECT to_regclass('schema_kit.archive_file')").fetchone() != (None,):
                plain.execute("DELETE FROM schema_kit.archive_file WHERE table_name LIKE 'bench_files.%'")


def run(
    plain: psycopg.Connection[Any], connection: sa.Connection, url: str, folder: Path, count: int, repeat: int
) -> None:
    """All ways, in turn."""
    binary, store = folder / "messages.bin", Store(str(folder))
    postmaster = plain.execute("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int").fetchone()
    assert postmaster is not None
    spent: dict[str, list[tuple[float, float]]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        began, before = time.monotonic(), processor(postmaster[0])
        work()
        spent.setdefault(name, []).append((time.monotonic() - began, processor(postmaster[0]) - before))

    def out() -> None:
        """What is reported of it begins and ends at its steps; the rest of a millisecond counts as comparing."""
        (folder / PARQUET).unlink(missing_ok=True)
        marks = [(time.monotonic(), processor(postmaster[0]))]

        def tell(event: Event) -> None:
            if isinstance(event, StepDone):
                marks.append((time.monotonic(), processor(postmaster[0])))

        exports.export(connection, TABLE, store, "parquet", LockPolicy(), tell)
        for name, (begin, end) in {WRITTEN: marks[-4:-2], READ_BACK: marks[-3:-1]}.items():
            spent.setdefault(name, []).append((end[0] - begin[0], end[1] - begin[1]))

    for _ in range(repeat):
        timed("COPY binary TO, psycopg", lambda: copy_out(plain, binary))
        timed("COPY binary TO, psql", lambda: psql(url, folder / "psql.bin"))
        out()
        plain.execute("CREATE TABLE bench_files.raw (LIKE bench_files.messages)")
        timed("COPY binary FROM, psycopg", lambda: copy_in(plain, binary))
        plain.execute("DROP TABLE bench_files.raw")
        timed("import: checked, loaded, compared", lambda: restored(connection, store))
        plain.execute("DROP TABLE bench_files.back")
    sizes = {"COPY binary": binary.stat().st_size, "Parquet": (folder / PARQUET).stat().st_size}
    print(f"{'':36} {'s':>7} {'rows/s':>12} {'processor s':>12}   of psycopg's COPY, of psql's")
    for name, found in spent.items():
        bases = ["COPY binary FROM, psycopg"] if "FROM" in name or "import" in name else list(spent)[:2]
        rounds = ([(base[0] / one[0]) for base, one in zip(spent[of], found, strict=True)] for of in bases)
        against = ", ".join(f"{statistics.median(ratios):.2f}" for ratios in rounds)
        seconds, used = (statistics.median(one[place] for one in found) for place in (0, 1))
        print(f"{name:36} {seconds:7.2f} {count / seconds:12,.0f} {used:12.2f}   {against}")
    print(", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in sizes.items()))


def processor(postmaster: int) -> float:
    """Seconds of the processor that this program, its children and the server have had; the server's only on Linux."""
    total = sum(os.times()[:4])
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, words = process.parent.name, process.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(name) == postmaster:
            total += sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
        elif int(words[1]) == postmaster:
            total += sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")
    return total


def copy_out(plain: psycopg.Connection[Any], path: Path) -> None:
    """As a program would."""
    with path.open("wb") as file, plain.cursor().copy("COPY bench_files.messages TO STDOUT (FORMAT binary)") as copy:
        for data in copy:
            file.write(data)
        file.flush()
        os.fsync(file.fileno())


def psql(url: str, path: Path) -> None:
    """As a shell would."""
    command = f"\\copy bench_files.messages to '{path}' (format binary)"
    subprocess.run([str(find_tools(None).bindir / "psql"), "-qXc", command, url], check=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def copy_in(plain: psycopg.Connection[Any], path: Path) -> None:
    """As a program would."""
    with path.open("rb") as file, plain.cursor().copy("COPY bench_files.raw FROM STDIN (FORMAT binary)") as copy:
        while data := file.read(io.DEFAULT_BUFFER_SIZE * 128):
            copy.write(data)


def restored(connection: sa.Connection, store: Store) -> None:
    """Into a separate table, without indexes, as the other."""

    def attach(*_: object) -> Plan:
        raise AssertionError("it is left beside")

    beside = QualifiedName("bench_files", "back")
    restores.restore(connection, store, PARQUET, LockPolicy(), lambda event: None, attach, beside=beside)


if __name__ == "__main__":
    main()
