"""How fast rows are written: ``python -m tests.benchmarks.bulk``.

Writes ``--rows`` rows of six columns by psycopg's own COPY, by copy_in (tuples, mappings, a temporary table) and
by a session's add_all, in turns, ``--repeat`` times. Prints medians and their ratio to bare COPY.

Takes a table of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from schema_kit import bulk
from tests.benchmarks.fill import find_url


class _Model(orm.DeclarativeBase):
    pass


class _Row(_Model):
    __tablename__ = "bench_bulk"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    at: orm.Mapped[dt.datetime] = orm.mapped_column(sa.DateTime(timezone=True))
    name: orm.Mapped[str]
    price: orm.Mapped[Decimal] = orm.mapped_column(sa.Numeric(10, 2))
    ready: orm.Mapped[bool]
    score: orm.Mapped[float] = orm.mapped_column(sa.Double)


NAMES = ("id", "at", "name", "price", "ready", "score")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--url")
    options = parser.parse_args()
    engine = sa.create_engine(sa.make_url(find_url(options.url)).set(drivername="postgresql+psycopg"))
    _Model.metadata.drop_all(engine)
    _Model.metadata.create_all(engine)
    try:
        with engine.connect() as connection:
            print(connection.scalar(sa.text("SELECT version()")))
        compare(engine, rows(options.rows), options.repeat)
    finally:
        _Model.metadata.drop_all(engine)
        engine.dispose()


def rows(count: int) -> list[tuple[Any, ...]]:
    """Rows to write."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return [(n, now, f"name {n}", Decimal(n) / 100, n % 2 == 0, n / 7) for n in range(count)]


def compare(engine: sa.Engine, values: list[tuple[Any, ...]], repeat: int) -> None:
    """Write them each way, in turns; print the medians."""
    mappings = [dict(zip(NAMES, row, strict=True)) for row in values]
    ways: dict[str, Callable[[orm.Session], Any]] = {
        "bare COPY": lambda session: _bare(session, values),
        "copy_in, tuples": lambda session: bulk.copy_in(session, _Row, values, columns=NAMES),
        "copy_in, mappings": lambda session: bulk.copy_in(session, _Row, mappings),
        "copy_in, returning": lambda session: bulk.copy_in(session, _Row, mappings, returning=["id"]),
        "add_all": lambda session: session.add_all([_Row(**row) for row in mappings]),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            with orm.Session(engine) as session:
                session.execute(sa.text("TRUNCATE bench_bulk"))
                session.commit()
                began = time.perf_counter()
                way(session)
                session.commit()
                found[name].append(time.perf_counter() - began)
    bare = statistics.median(found["bare COPY"])
    for name, seconds in found.items():
        median = statistics.median(seconds)
        print(f"{name:20} {median:8.3f} s  {len(values) / median:10,.0f} rows/s  {bare / median:5.2f} of bare COPY")


def _bare(session: orm.Session, values: list[tuple[Any, ...]]) -> None:
    raw: Any = session.connection().connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY bench_bulk ({', '.join(NAMES)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


if __name__ == "__main__":
    main()
