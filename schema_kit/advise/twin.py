"""A partitioned twin of a table on the scratch: its partitions have their share of rows, pages and statistics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from schema_kit import intervals
from schema_kit.advise.scratch import Scratch
from schema_kit.health.definition import parse
from schema_kit.names import QualifiedName, ident, literal

TWIN = "schema_kit_twin"

_BOUNDS = """
SELECT {as_time} FROM pg_stats s, unnest(s.histogram_bounds::text::{type}[]) WITH ORDINALITY u (b, place)
WHERE s.schemaname = %s AND s.tablename = %s AND s.attname = %s AND NOT s.inherited AND isfinite(b) ORDER BY place
"""

_INDEXES = """
SELECT pg_get_indexdef(x.indexrelid), x.indisunique FROM pg_index x
WHERE x.indrelid = %s::regclass AND x.indisvalid AND NOT x.indisexclusion
"""

# Attributes are matched by their names: a twin has no dropped ones.
_STATISTICS = """
INSERT INTO pg_statistic SELECT p.oid, b.attnum, p.relkind = 'p', {columns}
FROM pg_statistic s JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
JOIN pg_partition_tree(%(twin)s::regclass) r ON true JOIN pg_class p ON p.oid = r.relid
JOIN pg_attribute b ON b.attrelid = p.oid AND b.attname = a.attname
WHERE s.starelid = %(table)s::regclass AND NOT s.stainherit
"""

_COLUMNS = """
SELECT string_agg('s.' || quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'pg_statistic'::regclass AND attnum > 3 AND NOT attisdropped
"""

_CLIPPED = """
SELECT pg_restore_attribute_stats('version', 180000, 'schemaname', %(schema)s::text, 'relname', %(leaf)s::text,
  'attname', %(column)s::text, 'inherited', false, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', (-1)::real,
  'histogram_bounds', (SELECT array_agg(b::{type} ORDER BY b)::text FROM unnest(%(bounds)s::timestamptz[]) b))
"""


@dataclass(frozen=True)
class Times:
    """When the rows of a table are, by one of its columns.

    Args:
        column: its name.
        type: its type.
        bounds: moments between which about equally many rows are, in order.
    """

    column: str
    type: str
    bounds: Sequence[datetime]

    @property
    def days(self) -> float:
        """From the first row to the last."""
        return max((self.bounds[-1] - self.bounds[0]).total_seconds() / 86400, 1 / 24)

    def before(self, moment: datetime) -> float:
        """Return the share of the rows before a moment."""
        nth = bisect_left(self.bounds, moment)
        if nth in (0, len(self.bounds)):
            return float(nth > 0)
        low, high = self.bounds[nth - 1], self.bounds[nth]
        return (nth - 1 + (moment - low) / (high - low)) / (len(self.bounds) - 1)

    def cut(self, interval: str) -> list[tuple[datetime, datetime]]:
        """Return the partitions that its rows would be in."""
        every = intervals.parse(interval)
        found, start = list[tuple[datetime, datetime]](), every.floor(self.bounds[0])
        assert isinstance(start, datetime)
        while start <= self.bounds[-1]:
            end = every.shift(start, 1)
            assert isinstance(end, datetime)
            found.append((start, end))
            start = end
        return found


def times(scratch: Scratch, table: QualifiedName, column: str, type_: str) -> Times | None:
    """When the rows of a table are; None where the statistics do not tell."""
    as_time = "b" if type_ == "timestamp with time zone" else "b::timestamp AT TIME ZONE 'UTC'"
    query = _BOUNDS.format(as_time=as_time, type=type_)
    bounds = [row[0].astimezone(UTC) for row in scratch.rows(query, [table.schema, table.name, column])]
    return Times(column, type_, bounds) if len(bounds) > 1 else None


def make(scratch: Scratch, table: QualifiedName, by: Times, interval: str) -> QualifiedName:
    """Make it next to the table; the files of both are not stretched yet.

    Args:
        scratch: where.
        table: whose twin.
        by: the column by which it is partitioned.
        interval: of a partition.
    """
    twin = table.sibling(TWIN)
    scratch.rows(f"CREATE TABLE {twin.sql} (LIKE {table.sql}) PARTITION BY RANGE ({ident(by.column)})")
    ((rows, visible),) = scratch.rows(
        "SELECT reltuples::float8, relallvisible FROM pg_class WHERE oid = %s::regclass", [table.sql]
    )
    cuts = by.cut(interval)
    shares = [max(by.before(end) - by.before(start), 0.0) for start, end in cuts]
    leaves = [table.sibling(f"{TWIN}_{nth}") for nth in range(len(cuts))]
    for leaf, (start, end) in zip(leaves, cuts, strict=True):
        bounds = f"FROM ({literal(start.isoformat())}) TO ({literal(end.isoformat())})"
        scratch.rows(f"CREATE TABLE {leaf.sql} PARTITION OF {twin.sql} FOR VALUES {bounds}")
    for statement in _indexes(scratch, table, twin, by.column):
        scratch.rows(statement)
    pages = scratch.pages[table]
    for leaf, share in zip(leaves, shares, strict=True):
        scratch.pages[leaf] = ceil(pages * share)
    told = "INSERT INTO advise.told VALUES (%s::regclass, %s, %s, %s)"
    for leaf, share in [*zip(leaves, shares, strict=True), (twin, 1.0)]:
        scratch.rows(told, [leaf.sql, ceil(pages * share), rows * share, int(visible * share)])
    ((columns,),) = scratch.rows(_COLUMNS)
    scratch.rows(_STATISTICS.format(columns=columns), {"twin": twin.sql, "table": table.sql})
    for leaf, (start, end) in zip(leaves, cuts, strict=True):
        inside = [max(start, by.bounds[0]), *(b for b in by.bounds if start < b < end), min(end, by.bounds[-1])]
        scratch.rows(
            _CLIPPED.format(type=by.type),
            {"schema": leaf.schema, "leaf": leaf.name, "column": by.column, "bounds": inside},
        )
    return twin


def _indexes(scratch: Scratch, table: QualifiedName, twin: QualifiedName, column: str) -> Iterator[str]:
    """Yield the same indexes; a unique one has the column, too, as PostgreSQL requires."""
    for text, unique in scratch.rows(_INDEXES, [table.sql]):
        has = parse(text)
        keys = (*has.keys, ident(column)) if unique and column not in has.columns else has.keys
        include = f" INCLUDE ({', '.join(has.include)})" if has.include else ""
        where = f" WHERE {has.predicate}" if has.predicate else ""
        begin = f"CREATE {'UNIQUE ' * unique}INDEX ON {twin.sql} USING {has.method}"
        yield f"{begin} ({', '.join(keys)}){include}{where}"


def swap(scratch: Scratch, table: QualifiedName, twin: QualifiedName) -> None:
    """Put the twin in the place of the table, for statements that name it."""
    with scratch.connection.transaction():
        scratch.rows(f"ALTER TABLE {table.sql} RENAME TO {ident(TWIN + '_plain')}")
        scratch.rows(f"ALTER TABLE {twin.sql} RENAME TO {ident(table.name)}")


def planning(scratch: Scratch, text: str) -> float:
    """Return how long the planner takes for a statement, in milliseconds: the least of three tries."""
    tries = [scratch.rows(f"EXPLAIN (SUMMARY, FORMAT JSON) {text}")[0][0][0]["Planning Time"] for _ in range(3)]
    return float(min(tries))
